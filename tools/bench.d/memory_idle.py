"""memory-idle: memory of an idle daemon with 10,000 flows, in MiB.

Flows are made through the mount, with mkdir and a config.json each. After a restart all flows are listed once. The
larger of the values before and after the restart counts."""

import os
import pathlib
import time

import bench

FLOWS = 10_000
MIB = 2**20


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no resident memory")


def line(when, size):
    return f"{when:24} {size / MIB:7.1f} MiB"


def measure():
    with bench.Site(below=bench.memory()) as site:
        begun = time.monotonic()
        for number in range(FLOWS - 1):  # the site has made one flow
            site.daemon.define(f"flows/f{number}", {"target": "machines/m", "repository": "r"})
        seconds = time.monotonic() - begun
        made = resident_bytes(site.daemon.process.pid)
        site.daemon.stop()
        site.daemon.start()
        listed = os.listdir(site.daemon.mount / "flows")
        if len(listed) < FLOWS:
            raise RuntimeError(f"only {len(listed)} flows are there after a restart")
        restarted = resident_bytes(site.daemon.process.pid)
    lines = [line("after making them", made), line("after a restart", restarted), f"{'making them':24} {seconds:7.1f} s"]
    return bench.Result(max(made, restarted) / MIB, ("≤", 64), lines)
