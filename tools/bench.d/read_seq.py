"""read-seq: `dd bs=1M` of a point through the mount, beside qemu-storage-daemon's FUSE export of the same qcow2.

Warm: the stored file is in the page cache, what the kernel has cached of the mount is dropped."""

import contextlib

import bench
import benchdata
from processes import detach
from storage import launch


@contextlib.contextmanager
def exported(image, folder):
    """The image as a file that another storage daemon serves: the file, and the daemon's pid."""
    target = folder / "beside.raw"
    target.touch()
    process, monitor = launch(
        [
            *("--blockdev", f"driver=file,node-name=file,filename={image},read-only=on"),
            *("--blockdev", "driver=qcow2,node-name=image,file=file,read-only=on"),
            *("--export", f"type=fuse,id=raw,node-name=image,mountpoint={target}"),
        ]
    )
    try:
        yield target, process.pid
    finally:
        monitor.close()
        process.kill()
        process.wait()
        detach(target)


def measure():
    with bench.Site() as site, contextlib.ExitStack() as stack:
        benchdata.fill_mixed(site.disk)
        record = site.disk.record(site.folder / "record")
        point = site.back_up("full")
        image = next(site.repository.glob(f"*/{point}/disk-0.qcow2"))
        mounted = site.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
        beside, server = stack.enter_context(exported(image, site.folder))
        bench.check_contents([mounted, beside], record)

        def ready():
            bench.drop_cache(mounted)
            bench.warm([image])

        dd = ["dd", "bs=1M", "of=/dev/null", "status=none"]
        ours = bench.Side("through the mount", [*dd, f"if={mounted}"], site.daemon.process.pid, ready)
        theirs = bench.Side("qemu-storage-daemon", [*dd, f"if={beside}"], server, ready)
        ratio = bench.alternate(ours, theirs)
    return bench.Result(ratio, ("≥", 2.0), [ours.line(), theirs.line()])
