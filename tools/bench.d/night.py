"""night: increments of 200 small machines, one after another, beside the same bytes as one machine.

Each machine has a disk of 4 GiB, ten of them at a storage daemon. The one machine's disk is as large as all of these.
Of each disk 1 % changes, to mixed data. Only the increments are measured, once each and one way after the other,
because everything is in memory."""

import contextlib
import pathlib
import random
import shutil
import tempfile

import bench
import benchdata
import content
from holdfast import Daemon
from storage import StorageDaemon

MACHINES, TOGETHER = 200, 10
CAPACITY = 4 * 2**30
CHANGED = CAPACITY // 100 // content.CLUSTER  # clusters


def change(disk, clusters, rng, pool):
    """Writes to the disk alone, without a record, because memory has no room for both."""
    places = sorted(rng.sample(range(disk.capacity // content.CLUSTER), clusters))
    with open(disk.export, "rb+", buffering=0) as file:
        for place in places:
            file.seek(place * content.CLUSTER)
            file.write(rng.choice(pool))
    return places


def clusters_to_write(rng):
    """Returns clusters of each kind of mixed data."""
    pieces = [kind() for kind in benchdata.kinds(rng) for _ in range(4)]
    size = content.CLUSTER
    return [piece[at : at + size] for piece in pieces for at in range(0, len(piece), size)]


def measure_way(name, storages_of, rng, pool):
    """Returns the seconds of the increments of all disks, one machine after another."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=bench.memory()))
        stack.callback(shutil.rmtree, folder)
        daemon = Daemon(folder)
        stack.callback(daemon.close)
        daemon.start()
        (folder / "repository").mkdir()
        daemon.define("repositories/r", {"path": str(folder / "repository"), "max_jobs": 4})
        machines = {}
        for storage in storages_of(folder):
            stack.callback(storage.close)
            for disk in storage.disks:
                machine = f"m{len(machines)}"
                definition = storage.definition() | {"disks": [{"name": disk.name, "node": disk.node}]}
                daemon.define(f"machines/{machine}", definition)
                daemon.define(f"flows/{machine}", {"target": f"machines/{machine}", "repository": "r"})
                machines[machine] = disk

        flows = daemon.mount / "flows"
        one = f'echo run > {flows}/$f/control && [ "$(cat {flows}/$f/wait)" = success ] || exit 1'
        side = bench.Side(name, ["sh", "-c", f"for f in {' '.join(machines)}; do {one}; done"], daemon.process.pid)
        side.measure()  # fulls of empty disks
        side.seconds.clear()
        side.cpu.clear()
        changed = {
            machine: change(disk, CHANGED * MACHINES // len(machines), rng, pool) for machine, disk in machines.items()
        }
        side.measure()
        for machine in list(machines)[:: max(1, len(machines) // 5)]:
            check(daemon, machine, machines[machine], changed[machine])
    return side


def check(daemon, machine, disk, places):
    """Checks that the newest point is an increment with the written data."""
    point = daemon.points(machine)[-1]
    if daemon.json(f"machines/{machine}/points/{point}/manifest.json")["kind"] != "incremental":
        raise RuntimeError(f"{machine} was read whole")
    image = daemon.mount / f"machines/{machine}/points/{point}/{disk.name}.raw"
    with open(image, "rb") as ours, open(disk.export, "rb") as theirs:
        for place in places:
            ours.seek(place * content.CLUSTER)
            theirs.seek(place * content.CLUSTER)
            if ours.read(content.CLUSTER) != theirs.read(content.CLUSTER):
                raise RuntimeError(f"{machine}: {point} is not what the disk is at cluster {place}")


def measure():
    rng = random.Random(3)
    pool = clusters_to_write(rng)
    many = measure_way(
        f"{MACHINES} machines",
        lambda folder: (StorageDaemon(folder / f"s{n}", [CAPACITY] * TOGETHER) for n in range(MACHINES // TOGETHER)),
        rng,
        pool,
    )
    one = measure_way("one machine", lambda folder: [StorageDaemon(folder / "s", [CAPACITY * MACHINES])], rng, pool)
    return bench.Result(many.median() / one.median(), ("≤", 1.5), [many.line(), one.line()])
