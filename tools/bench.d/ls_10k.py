"""ls-10k: `ls flows` with 10,000 flows ÷ `ls` of the same names as plain directories on tmpfs.

Two ways: the names alone, and `ls -l`, which asks for the attributes of each name. The ratio of the first way
counts."""

import pathlib
import tempfile

import bench
from holdfast import Daemon

FLOWS = 10_000


def measure():
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=bench.memory()) as folder:
        plain = pathlib.Path(folder, "plain")
        plain.mkdir()
        daemon = Daemon(pathlib.Path(folder))
        try:
            daemon.start()
            ours = daemon.mount / "flows"
            for number in range(FLOWS):
                for flows in (ours, plain):
                    (flows / f"flow-{number:05}").mkdir()
            (plain / "error").touch()
            if sorted(path.name for path in ours.iterdir()) != sorted(path.name for path in plain.iterdir()):
                raise RuntimeError("what is listed is not the same")
            ratios, lines = [], []
            for command in (["ls"], ["ls", "-l"]):
                name = " ".join(command)
                through = bench.Side(f"{name}, the mount", [*command, str(ours)], daemon.process.pid)
                beside = bench.Side(f"{name}, tmpfs", [*command, str(plain)])
                ratios.append(1 / bench.alternate(through, beside))
                lines += [through.line(), beside.line(), f"{'':24} × {ratios[-1]:.1f}"]
        finally:
            daemon.close()
    return bench.Result(ratios[0], None, lines)
