"""A full backup through the mount beside `qemu-img convert` of the same disk from an NBD server."""

import contextlib
import os

import bench
import benchdata
import content
from processes import spawn


@contextlib.contextmanager
def served(disk, socket):
    """The disk's image at an NBD server of its own, read only. Its storage daemon, which has it open, must rest."""
    with open(disk.export, "rb+") as file:
        os.fsync(file.fileno())
    image = f"driver=qcow2,file.driver=file,file.filename={disk.image},file.locking=off,read-only=on"
    process = spawn(["qemu-nbd", "--read-only", "--persistent", f"--socket={socket}", "--image-opts", image])
    try:
        yield f"nbd+unix:///?socket={socket}", process.pid
    finally:
        process.kill()
        process.wait()


def measure(compression, options, bar):
    with bench.Site(compression=compression) as site, contextlib.ExitStack() as stack:
        benchdata.fill_mixed(site.disk)
        record = site.disk.record(site.folder / "record")
        target = site.folder / "beside.qcow2"
        flow = site.daemon.mount / "flows/f"
        run = f'echo "run type=full" > {flow}/control && [ "$(cat {flow}/wait)" = success ]'
        source, server = stack.enter_context(served(site.disk, site.folder / "nbd.sock"))
        convert = f"qemu-img convert -W -m 16 {options} -f raw -O qcow2 '{source}' {target} && sync {target}"
        ours = bench.Side("a run of a flow", ["sh", "-c", run], site.daemon.process.pid)
        theirs = bench.Side("qemu-img convert", ["sh", "-c", convert], server)
        ratio = bench.alternate(ours, theirs, rounds=3)
        point = site.daemon.points("m")[-1]
        bench.check_contents([site.daemon.mount / f"machines/m/points/{point}/disk-0.raw"], record)
        if not content.same_disk(target, record):
            raise RuntimeError("qemu-img convert has written something else")
    return bench.Result(ratio, ("≥", bar), [ours.line(), theirs.line()])
