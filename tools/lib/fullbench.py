"""A full backup through the mount beside another way to copy the same disk from an NBD server, in memory."""

import contextlib
import json
import os
import shutil

import bench
import benchdata
import content
from processes import spawn


@contextlib.contextmanager
def served(disk, socket):
    """Serves the disk's image read-only by NBD. The storage daemon that has the image open must be idle."""
    with open(disk.export, "rb+") as file:
        os.fsync(file.fileno())
    image = f"driver=qcow2,file.driver=file,file.filename={disk.image},file.locking=off,read-only=on"
    process = spawn(["qemu-nbd", "--read-only", "--persistent", f"--socket={socket}", "--image-opts", image])
    try:
        yield f"nbd+unix:///?socket={socket}", process.pid
    finally:
        process.kill()
        process.wait()


class Runs:
    """Full backups, each into its own repository, so that memory holds one backup at a time."""

    def __init__(self, site, compression):
        self._site, self._compression = site, compression
        self._count = 0
        flow = site.daemon.mount / "flows/f"
        self.command = ["sh", "-c", f'echo "run type=full" > {flow}/control && [ "$(cat {flow}/wait)" = success ]']

    def prepare(self):
        shutil.rmtree(self._folder(), ignore_errors=True)
        self._count += 1
        self._folder().mkdir()
        settings = {"path": str(self._folder()), "compression": self._compression}
        self._site.daemon.define(f"repositories/r{self._count}", settings)
        flow = {"target": "machines/m", "repository": f"r{self._count}"}
        self._site.daemon.write("flows/f/config.json", json.dumps(flow))

    def _folder(self):
        return self._site.folder / f"repository-{self._count}"


def measure(compression, name, command, bar):
    """Measures a full backup beside `command(source, target)`: shell words that copy the export `source` into the
    qcow2 file `target`."""
    with bench.Site(below=bench.memory()) as site, contextlib.ExitStack() as stack:
        benchdata.fill_mixed(site.disk)
        target = site.folder / "beside.qcow2"
        source, server = stack.enter_context(served(site.disk, site.folder / "nbd.sock"))
        runs = Runs(site, compression)
        ours = bench.Side("a run of a flow", runs.command, site.daemon.process.pid, runs.prepare)
        theirs = bench.Side(
            name, ["sh", "-c", command(source, target)], server, lambda: target.unlink(missing_ok=True)
        )
        ratio = bench.alternate(ours, theirs)
        point = site.daemon.points("m")[-1]
        bench.check_contents([site.daemon.mount / f"machines/m/points/{point}/disk-0.raw"], site.disk.truth)
        if not content.same_disk(target, site.disk.truth):
            raise RuntimeError(f"{name} has written something else")
    return bench.Result(ratio, ("≥", bar), [ours.line(), theirs.line()])


def convert(options):
    return lambda source, target: f"qemu-img convert -W -m 16 {options} -f raw -O qcow2 '{source}' {target}"
