"""night: 200 small machines, 1 % changed each, one after another through one daemon, beside the same bytes as one machine.

Each machine has a disk of 1 GiB of a storage daemon's; the one machine's disk is as large as all of them. What is measured is the
increments alone, on a disk: what a machine costs beside its bytes is mostly what has to be on stable storage."""

import contextlib
import pathlib
import random
import shutil
import tempfile

import bench
import content
from holdfast import Daemon
from storage import StorageDaemon

MACHINES = 200
CAPACITY = 2**30
CHANGED = CAPACITY // 100 // content.CLUSTER  # clusters
ROUNDS = 3


def add(daemon, storage, disk, name):
    definition = storage.definition() | {"disks": [{"name": disk.name, "node": disk.node}]}
    daemon.define(f"machines/{name}", definition)
    daemon.define(f"flows/{name}", {"target": f"machines/{name}", "repository": "r"})


def change(disk, clusters, rng):
    for cluster in rng.sample(range(disk.capacity // content.CLUSTER), clusters):
        disk.write(cluster * content.CLUSTER, rng.randbytes(content.CLUSTER))


def runs(daemon, names):
    """A shell that runs these flows one after another."""
    flows = daemon.mount / "flows"
    one = f'echo run > {flows}/$f/control && [ "$(cat {flows}/$f/wait)" = success ] || exit 1'
    return ["sh", "-c", f"for f in {' '.join(names)}; do {one}; done"]


def measure():
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=bench.memory()))
        stack.callback(shutil.rmtree, folder)
        daemon = Daemon(folder)
        stack.callback(daemon.close)
        daemon.start()
        (folder / "repository").mkdir()
        daemon.define("repositories/r", {"path": str(folder / "repository")})
        many = StorageDaemon(folder / "many", [CAPACITY] * MACHINES)
        stack.callback(many.close)
        one = StorageDaemon(folder / "one", [CAPACITY * MACHINES])
        stack.callback(one.close)

        names = [f"m{number}" for number in range(MACHINES)]
        for name, disk in zip(names, many.disks, strict=True):
            add(daemon, many, disk, name)
        add(daemon, one, one.disks[0], "all")

        rng = random.Random(3)

        def change_many():
            for disk in many.disks:
                change(disk, CHANGED, rng)

        def change_one():
            change(one.disks[0], CHANGED * MACHINES, rng)

        each = bench.Side(f"{MACHINES} machines", runs(daemon, names), daemon.process.pid, change_many)
        whole = bench.Side("one machine", runs(daemon, ["all"]), daemon.process.pid, change_one)
        ratio = 1 / bench.alternate(each, whole, ROUNDS)  # the first round, of fulls, is not counted
        for name, disk in (("m7", many.disks[7]), ("all", one.disks[0])):
            point = daemon.points(name)[-1]
            if daemon.json(f"machines/{name}/points/{point}/manifest.json")["kind"] != "incremental":
                raise RuntimeError(f"{name} was read whole")
            if not content.same_bytes(daemon.mount / f"machines/{name}/points/{point}/{disk.name}.raw", disk.truth):
                raise RuntimeError(f"{name}: {point} is not what the disk was")
    return bench.Result(ratio, ("≤", 1.5), [each.line(), whole.line()])
