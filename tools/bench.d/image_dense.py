"""image-dense: memory above the writer's buffers, in MiB, of writing a disk of 16 TiB that is all data.

The data is a generator's and is not kept; the tables, refcounts and checksums of all its 268,435,456 clusters are written, and
qemu-img check reads them. It takes a quarter of an hour on two idle processors."""

import pathlib
import tempfile

import bench
import content
import imagebench

TIB = 16


def measure():
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        image = pathlib.Path(folder) / "disk.qcow2"
        above, peak = map(int, imagebench.run("dense", TIB, image).split())
        if not content.sound(image):
            raise RuntimeError("qemu-img check finds fault with what was written")
    return bench.Result(above, ("≤", 64), [f"{'peak':24} {peak:7} MiB"])
