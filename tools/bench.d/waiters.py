"""waiters: `ls -l` and `cat status.json` with 500 parked readers of a `wait` ÷ the same without.

One daemon, one unfinished run; the readers come and go between the rounds. Both are asked many times by one process,
so that it isn't the start of programs that is measured."""

import subprocess
import time

import bench
import face
from processes import spawn

MANY = 500
FLOWS = 100
TIMES = {"ls -l": 5, "cat": 500}


class Readers:
    """Of one `wait`: there, or not."""

    def __init__(self, path):
        self._path = path
        self._readers = []

    def park(self):
        self.release()
        self._readers = [spawn(["cat", self._path], stdout=subprocess.DEVNULL) for _ in range(MANY)]
        deadline = time.monotonic() + 60
        while not all(face.is_parked(reader.pid) for reader in self._readers):
            if time.monotonic() > deadline:
                raise TimeoutError(f"of {MANY} readers of {self._path} not all wait")
            time.sleep(0.05)

    def release(self):
        for reader in self._readers:
            reader.kill()
        for reader in self._readers:
            reader.wait()
        self._readers = []


def measure():
    with bench.Site(below=bench.memory(), capacity=2**20, bandwidth=1) as site:
        for number in range(FLOWS):
            (site.daemon.mount / f"flows/flow-{number}").mkdir()
        site.disk.write(0, bytes([1]) * 2**20)
        site.daemon.write("flows/f/control", "run name=held")
        readers = Readers(site.daemon.mount / "flows/f/wait")
        worst, lines = 0.0, []
        try:
            for name, path in (("ls -l", "flows"), ("cat", "status.json")):
                command = [*name.split(), *[str(site.daemon.mount / path)] * TIMES[name]]
                server = site.daemon.process.pid
                without = bench.Side(f"{name} {path}", command, server, readers.release)
                beside = bench.Side(f"  with {MANY} waiters", command, server, readers.park)
                worst = max(worst, bench.alternate(without, beside, rounds=11))
                lines += [without.line(), beside.line()]
        finally:
            readers.release()
        if site.daemon.json("flows/f/executions/held/status.json")["status"] != "running":
            raise RuntimeError("the run that they wait for has ended")
    return bench.Result(worst, ("≤", 1.2), lines)
