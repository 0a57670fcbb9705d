"""status: `cat status.json` of the root and of a flow ÷ `cat` of the same files on tmpfs.

The mount has 1,000 flows. One process reads each file many times, so that the start of `cat` does not count. The
root's ratio counts."""

import pathlib
import shutil
import tempfile

import bench
from holdfast import Daemon

FLOWS = 1000
TIMES = 1000


def measure():
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=bench.memory()) as folder:
        daemon = Daemon(pathlib.Path(folder))
        try:
            daemon.start()
            for number in range(FLOWS):
                (daemon.mount / f"flows/flow-{number}").mkdir()
            ratios, lines = [], []
            for path in ("status.json", "flows/flow-500/status.json"):
                plain = pathlib.Path(folder, f"plain-{len(ratios)}.json")
                shutil.copy(daemon.mount / path, plain)
                ours = ["cat", *[str(daemon.mount / path)] * TIMES]
                through = bench.Side("the mount", ours, daemon.process.pid)
                beside = bench.Side("tmpfs", ["cat", *[str(plain)] * TIMES])
                ratios.append(1 / bench.alternate(through, beside))
                each = f"{'':24} × {ratios[-1]:.1f}, {through.median() / TIMES * 1e6:.0f} µs each"
                lines += [f"{TIMES} × {path}", through.line(), beside.line(), each]
        finally:
            daemon.close()
    return bench.Result(ratios[0], None, lines)
