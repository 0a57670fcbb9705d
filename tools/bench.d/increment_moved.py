"""increment-moved: bytes that an increment moves ÷ the clusters that have changed.

Bytes are counted twice: by the daemon, and by the kernel as reads of the storage daemon."""

import pathlib

import bench
import benchdata
import content


def bytes_read_by(pid):
    counters = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(counters["rchar"])


def measure():
    with bench.Site() as site:
        benchdata.fill_mixed(site.disk)
        site.back_up("full")
        changed = benchdata.change_scattered(site.disk) * content.CLUSTER
        record = site.disk.record(site.folder / "record")
        before = bytes_read_by(site.storage.process.pid)
        point = site.back_up("increment")
        served = bytes_read_by(site.storage.process.pid) - before
        moved = site.daemon.json("flows/f/executions/increment/status.json")["bytes_transferred"]
        bench.check_contents([site.daemon.mount / f"machines/m/points/{point}/disk-0.raw"], record)
    lines = [
        f"{'changed clusters':24} {changed / 2**20:9.2f} MiB",
        f"{'moved, by the daemon':24} {moved / 2**20:9.2f} MiB",
        f"{'read at the source':24} {served / 2**20:9.2f} MiB (its tables included)",
    ]
    return bench.Result(max(moved, served) / changed, ("≤", 1.05), lines)
