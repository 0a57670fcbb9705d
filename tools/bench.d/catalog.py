"""catalog: queries of a catalog with 10,000 flows ÷ the same with 1,000 flows.

The catalog with 10,000 flows has 1,000,000 executions and 3,000,000 jobs. Queries: a flow's status, its newest 50
executions, the summary, the due schedules. The worst ratio counts. Medians of 500 rounds, in which both catalogs take
turns."""

import catalogbench
import bench


def measure():
    lines, worst = [], 0.0
    for line in catalogbench.run("growth"):
        name, small, large = line.split()
        ratio = float(large) / float(small)
        worst = max(worst, ratio)
        lines.append(f"{name:24} {float(small):9.1f} µs  {float(large):9.1f} µs  × {ratio:.2f}")
    return bench.Result(worst, ("≤", 2.0), lines)
