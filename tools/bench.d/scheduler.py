"""scheduler: a look for due times with 10,000 flows ÷ the same with 100 flows.

Each flow has its own schedule; ten flows are due and start. Medians of the processor time of 200 looks, in which both
catalogs take turns. The catalogs are in memory, because a sync would hide the difference."""

import pathlib
import subprocess
import tempfile

import bench
import holdfast


def measure():
    program = pathlib.Path(holdfast.BINARY).resolve().parent / "tests/scheduler_bench"
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=holdfast.memory()) as folder:
        done = subprocess.run([program, folder], stdout=subprocess.PIPE, text=True, check=True)
    small, large = (float(figure) for figure in done.stdout.split())
    lines = [f"100 flows {small:9.1f} µs   10,000 flows {large:9.1f} µs"]
    return bench.Result(large / small, ("≤", 2.0), lines)
