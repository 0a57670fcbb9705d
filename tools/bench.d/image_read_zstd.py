"""image-read-zstd: two readers of an image with zstd, beside `qemu-img bench` with the same requests.

Our readers check every cluster."""

import bench
import imagebench

REQUEST = 64 * 1024


def measure():
    with imagebench.mixed_disk() as raw:
        image = raw.with_name("disk.qcow2")
        imagebench.run("write", raw, image, "zstd")
        imagebench.check_reading(raw, [image])
        ratio, lines = imagebench.compare_reading([image], REQUEST)
    return bench.Result(ratio, ("≥", 1.5), lines)
