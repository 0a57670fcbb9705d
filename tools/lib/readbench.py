"""A point read through the mount, beside qemu-storage-daemon's FUSE export of the same qcow2.

The stored files are in the page cache; the kernel's cache of the mount is dropped."""

import contextlib

import bench
import benchdata
from processes import detach
from storage import launch


@contextlib.contextmanager
def exported(image, folder):
    """Serves the image as a file through another storage daemon. Yields the file and the daemon's pid."""
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


@contextlib.contextmanager
def both_ways(fills=0):
    """Makes a full backup of mixed data, to be read both ways. Yields compare(command), where command(file) returns
    the words that read the file. compare() returns the ratio and a line for each way."""
    with bench.Site(below=bench.memory()) as site, contextlib.ExitStack() as stack:
        benchdata.fill_mixed(site.disk)
        point = site.back_up("full")
        image = next(site.repository.glob(f"*/{point}/disk-0.qcow2"))
        mounted = site.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
        beside, server = stack.enter_context(exported(image, site.folder))
        bench.check_contents([mounted, beside], site.disk.truth)

        def ready():
            bench.drop_cache(mounted)
            bench.drop_cache(beside)
            if fills:
                bench.touch_memory(fills)
            bench.warm([image])

        def compare(command, suffix=""):
            ours = bench.Side(f"through the mount{suffix}", command(mounted), site.daemon.process.pid, ready)
            theirs = bench.Side(f"qemu-storage-daemon{suffix}", command(beside), server, ready)
            return bench.alternate(ours, theirs), [ours.line(), theirs.line()]

        yield compare


@contextlib.contextmanager
def chain(depth):
    """Makes a full of mixed data and increments of scattered changes, in memory. Yields the site and the points, the
    oldest first."""
    with bench.Site(below=bench.memory()) as site:
        benchdata.fill_mixed(site.disk)
        points = [site.back_up("full")]
        oldest = site.daemon.mount / f"machines/m/points/{points[0]}/disk-0.raw"
        bench.check_contents([oldest], site.disk.truth)
        for number in range(1, depth):
            benchdata.change_scattered(site.disk, seed=number)
            points.append(site.back_up(f"increment{number}"))
        newest = site.daemon.mount / f"machines/m/points/{points[-1]}/disk-0.raw"
        bench.check_contents([newest], site.disk.truth)
        yield site, points
