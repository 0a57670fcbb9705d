"""scheduler: a look at what is due with 10,000 flows, each with its own schedule ÷ the same with 100; ten are due, and start.

Medians of 200 looks, of the processor's time, in which both are asked by turns; the catalogs lie in memory, where there is no
sync to hide behind."""

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
