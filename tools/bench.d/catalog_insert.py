"""catalog-insert: 100,000 executions with 3 jobs each through the stores ÷ the same by the bare sqlite3 C interface.

Both insert the same rows with the same statements, 1,000 executions a transaction. Medians of alternating rounds."""

import statistics

import catalogbench
import bench


def measure():
    rounds = [[float(word) for word in line.split()] for line in catalogbench.run("insert")]
    ours, bare, ours_cpu, bare_cpu = (statistics.median(column) for column in zip(*rounds))
    lines = [
        f"{'through the stores':24} {ours:7.2f} s  CPU {ours_cpu:6.2f} s",
        f"{'bare sqlite3':24} {bare:7.2f} s  CPU {bare_cpu:6.2f} s",
    ]
    return bench.Result(ours / bare, ("≤", 1.5), lines)
