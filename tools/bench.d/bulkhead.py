"""bulkhead: work beside a repository that hangs under 16 readers ÷ the same work beside one that answers.

Two daemons take turns. Each has a repository on a FUSE server and 16 readers of a point there, each with a part of
its own; one of the servers is stopped. In the other repository a backup and a restore go on at the same time; the tree
is listed, status.json is read, a flow is made. Then the daemon is ended by SIGTERM and started. Medians; the worst ratio
counts."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

import bench
import content
import holdfast
from hanging import Stopped
from holdfast import Daemon
from processes import spawn
from served import PlainDisk

MIB = 2**20
READERS = 16
TURNS, RESTARTS = 15, 5
# Opens the image, waits for a line, reads its part, and keeps the image open, as a reader that hangs does.
READ = 'exec 3< "$0"; read -r line; dd bs=1M count=1 skip=$1 of=/dev/null status=none <&3; exec sleep infinity'


class Side:
    """A daemon, the repository `sick` on a server of its own, and the repository `well`, each with a machine's point."""

    def __init__(self, stack, hangs):
        self.hangs = hangs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
        stack.callback(shutil.rmtree, self.folder)
        self.files = Stopped(self.folder / "served")
        stack.callback(self.files.close)
        self.daemon = Daemon(self.folder)
        stack.callback(self.daemon.close)
        stack.callback(self.end_readers)
        self.readers = []
        self.random = random.Random(5)
        self.daemon.start()
        (self.folder / "served/sick").mkdir()
        (self.folder / "well").mkdir()
        self.sick = self.add("sick", self.folder / "served/sick", READERS * MIB)
        self.well = self.add("well", self.folder / "well", 64 * MIB)
        self.runs = 0
        for name in ("sick", "well"):
            self.back_up(name)

    def add(self, name, path, capacity):
        disk = PlainDisk(self.folder / f"{name}.disk", capacity)
        disk.write(0, self.random.randbytes(capacity))
        listed = [{"name": "disk-0", "path": str(disk.path)}]
        self.daemon.define(f"machines/{name}", {"driver": "file", "disks": listed})
        self.daemon.define(f"repositories/{name}", {"path": str(path), "compression": "none"})
        self.daemon.define(f"flows/{name}", {"target": f"machines/{name}", "repository": name})
        return disk

    def image(self, name):
        return self.daemon.mount / f"machines/{name}/points/{self.daemon.points(name)[-1]}/disk-0.raw"

    def back_up(self, name):
        self.runs += 1
        status = self.daemon.run(name, f"run-{self.runs}")
        if status != "success":
            raise RuntimeError(f"the run ended as {status}: {self.daemon.log.read_text()}")

    def begin_readers(self):
        """Starts readers, which have the image open before the server stops, and read after it."""
        image = self.image("sick")
        bench.drop_cache(image)
        for number in range(READERS):
            words = ["sh", "-c", READ, image, str(number)]
            self.readers.append(spawn(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL))
        holdfast.until(lambda: all(os.path.exists(f"/proc/{reader.pid}/fd/3") for reader in self.readers))
        if self.hangs:
            self.files.hang()
        for reader in self.readers:
            reader.stdin.write(b"\n")
            reader.stdin.close()
        holdfast.until(lambda: all(self.is_settled(reader) for reader in self.readers))

    def is_settled(self, reader):
        """Whether the reader hangs in its read, or holds the image open after it."""
        name = pathlib.Path(f"/proc/{reader.pid}/comm").read_text().strip()
        children = pathlib.Path(f"/proc/{reader.pid}/task/{reader.pid}/children").read_text().split()
        return name == "sleep" if not self.hangs else name == "sh" and len(children) == 1

    def end_readers(self):
        self.files.server.send_signal(signal.SIGCONT)
        for reader in self.readers:
            for child in pathlib.Path(f"/proc/{reader.pid}/task/{reader.pid}/children").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)
            reader.kill()
            reader.wait()
        self.readers = []

    # Each is measured.

    def back_up_and_restore(self):
        copying = threading.Thread(target=self.restore)
        copying.start()
        self.back_up("well")
        copying.join()

    def restore(self):
        bench.drop_cache(self.point)
        subprocess.run(["cp", "--sparse=always", self.point, self.folder / "restored.raw"], check=True)

    def list_tree(self):
        subprocess.run(["ls", "-lR", self.daemon.mount], stdout=subprocess.DEVNULL, check=True)

    def read_status(self):
        self.daemon.json("status.json")

    def make_flow(self):
        self.daemon.define("flows/new", {"target": "machines/well", "repository": "well"})
        (self.daemon.mount / "flows/new").rmdir()

    def prepare(self):
        """Changes the disk, for a backup with something to do."""
        self.point = self.image("well")
        self.record = content.copy(self.well.path, self.folder / "record")
        self.well.write(self.random.randrange(56) * MIB, self.random.randbytes(8 * MIB))


def seconds(act):
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


WORK = {
    "backup and restore": Side.back_up_and_restore,
    "ls -lR": Side.list_tree,
    "cat status.json": Side.read_status,
    "new flow": Side.make_flow,
}


def work(sides, times):
    for side in sides:
        side.begin_readers()
    for _ in range(TURNS):
        for side in sides:
            side.prepare()
            for name, act in WORK.items():
                times[name][side.hangs].append(seconds(lambda act=act, side=side: act(side)))
            if not content.same_bytes(side.folder / "restored.raw", side.folder / "record"):
                raise RuntimeError("the restored disk is not what was backed up")
    for side in sides:
        if not all(side.is_settled(reader) for reader in side.readers):
            raise RuntimeError("not all readers have waited to the end")


def restart(sides, times):
    for _ in range(RESTARTS):
        for side in sides:
            times["SIGTERM"][side.hangs].append(seconds(side.daemon.stop))
            times["start"][side.hangs].append(seconds(side.daemon.start))
            side.end_readers()
            holdfast.until(lambda side=side: side.daemon.json("repositories/sick/status.json")["state"] == "ready")
            side.begin_readers()


def measure():
    times = {name: {False: [], True: []} for name in (*WORK, "SIGTERM", "start")}
    with contextlib.ExitStack() as stack:
        sides = [Side(stack, hangs) for hangs in (False, True)]
        work(sides, times)
        restart(sides, times)
    ratios, lines = [], []
    for name, of in times.items():
        without, beside = (statistics.median(of[hangs]) * 1000 for hangs in (False, True))
        ratios.append(beside / without)
        lines.append(f"{name:24} {without:8.1f} ms  beside one that hangs {beside:8.1f} ms  × {ratios[-1]:.2f}")
    return bench.Result(max(ratios), ("≤", 2), lines)
