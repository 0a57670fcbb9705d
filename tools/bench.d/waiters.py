"""waiters: `ls -l` and `cat status.json` on a mount with 500 parked readers of a `wait` ÷ the same on a mount without.

Two daemons, each with an unfinished run, take turns under one process. So neither the start of programs nor the
machine's other load counts. Medians of 500 turns; the worse ratio counts."""

import contextlib
import os
import statistics
import subprocess
import time

import bench
import face
import holdfast
from processes import spawn

MANY = 500
FLOWS = 20
TURNS = 500


def list_flows(mount):
    with os.scandir(mount / "flows") as entries:
        return [entry.stat(follow_symlinks=False).st_mode for entry in entries]


def read_status(mount):
    return (mount / "status.json").read_bytes()


def hold_run(site):
    for number in range(FLOWS):
        (site.daemon.mount / f"flows/flow-{number}").mkdir()
    site.disk.write(0, bytes([1]) * 2**20)
    site.daemon.write("flows/f/control", "run name=held")


def still_held(site):
    return site.daemon.json("flows/f/executions/held/status.json")["status"] == "running"


def all_parked(readers):
    return all(face.is_parked(reader.pid) for reader in readers)


@contextlib.contextmanager
def parked(path):
    """Starts many readers of one `wait`, all parked."""
    readers = [spawn(["cat", path], stdout=subprocess.DEVNULL) for _ in range(MANY)]
    try:
        holdfast.until(lambda: all_parked(readers))
        yield
        if not all_parked(readers):
            raise RuntimeError("not all readers have waited to the end")
    finally:
        for reader in readers:
            reader.kill()
        for reader in readers:
            reader.wait()


def seconds(ask, mount):
    begun = time.perf_counter()
    ask(mount)
    return time.perf_counter() - begun


def measure():
    with contextlib.ExitStack() as stack:
        sites = [
            stack.enter_context(bench.Site(below=bench.memory(), capacity=2**20, bandwidth=1)) for _ in range(2)
        ]
        for site in sites:
            hold_run(site)
        stack.enter_context(parked(sites[0].daemon.mount / "flows/f/wait"))
        ratios, lines = [], []
        for name, ask in (("ls -l flows", list_flows), ("cat status.json", read_status)):
            turns = [[seconds(ask, site.daemon.mount) for site in sites] for _ in range(TURNS)]
            many, none = (statistics.median(side) * 1e6 for side in zip(*turns))
            ratios.append(many / none)
            lines.append(f"{name:24} {none:7.0f} µs  with {MANY} waiters {many:7.0f} µs  × {ratios[-1]:.2f}")
        if not all(still_held(site) for site in sites):
            raise RuntimeError("the run that they wait for has ended")
    return bench.Result(max(ratios), ("≤", 1.2), lines)
