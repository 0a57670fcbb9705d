"""Machines with points of many days, made at once: before each run, the catalog's older points are dated back."""

import contextlib
import errno
import json
import os
import random
import shutil
import sqlite3
import subprocess

import holdfast

DAY = 24 * 3600 * 1000
CLUSTER = 65536
CLUSTERS = 32


def set_back(daemon, milliseconds):
    """Dates all points and chains back by so many milliseconds."""
    with contextlib.closing(sqlite3.connect(daemon.state / "catalog.sqlite", timeout=60)) as catalog, catalog:
        catalog.execute("UPDATE points SET time = time - ?", (milliseconds,))
        catalog.execute("UPDATE chains SET created_at = created_at - ?", (milliseconds,))


class OneHistory(holdfast.MountTest):
    """Each test has one machine, its flow, its repository, and their history in `days`."""

    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine(capacity=CLUSTERS * CLUSTER)
        self.repository = self.add_repository()
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r"})
        self.days = History(self.daemon, self.folder, self.disk, self.repository, random.Random(self.seed()))

    def refused(self, code, function, *arguments):
        with self.assertRaises(OSError) as refused:
            function(*arguments)
        self.assertEqual(errno.errorcode[refused.exception.errno], code)


class History:
    """A machine with one file, its flow, its repository, and a record of each point's disk."""

    def __init__(self, daemon, folder, disk, repository, random, machine="m", flow="f"):
        self.daemon, self.folder, self.disk, self.repository, self.random = daemon, folder, disk, repository, random
        self.machine, self.flow = machine, flow
        self.records = {}  # by point, in the order of the runs
        self.runs = 0
        self.capacity = os.path.getsize(disk.path)

    def points(self):
        return set(self.daemon.points(self.machine))

    def write(self, clusters):
        """Writes random clusters, one in ten of them zeros."""
        for _ in range(clusters):
            place = self.random.randrange(self.capacity // CLUSTER) * CLUSTER
            zeros = self.random.random() < 0.1
            self.disk.write(place, bytes(CLUSTER) if zeros else self.random.randbytes(CLUSTER))

    def day(self, clusters=2, arguments="", later=DAY):
        """Dates older points back by a day, writes, and runs the flow. Returns the new point's name."""
        set_back(self.daemon, later)
        self.write(clusters)
        before = self.points()
        self.runs += 1
        status = self.daemon.run(self.flow, f"run-{self.runs}", arguments)
        assert status == "success", (status, self.daemon.json(f"flows/{self.flow}/executions/run-{self.runs}/status.json"))
        (point,) = self.of_run(self.runs) - before
        record = self.folder / f"{self.machine}-{self.runs}.record"
        shutil.copyfile(self.disk.path, record)
        self.records[point] = record
        self.settle()
        return point

    def of_run(self, run):
        execution = self.daemon.mount / f"flows/{self.flow}/executions/run-{run}/points/{self.machine}"
        return {os.path.basename(os.readlink(execution))}

    def jobs(self, kind="prune"):
        """Returns the jobs of the type by name."""
        found = {}
        for name in os.listdir(self.daemon.mount / "jobs"):
            job = self.daemon.json(f"jobs/{name}/status.json")
            if job["type"] == kind:
                found[name] = job
        return found

    def new_jobs(self, seen):
        """Returns the pruning jobs that are not in `seen`, and adds all jobs to `seen`."""
        found = {}
        for name in set(os.listdir(self.daemon.mount / "jobs")) - seen:
            job = self.daemon.json(f"jobs/{name}/status.json")
            if job["type"] == "prune":
                found[name] = job
            seen.add(name)
        return found

    def settle(self):
        """Waits until all prunings have ended."""
        while self.daemon.json(f"machines/{self.machine}/status.json")["state"] == "busy":
            for name in self.jobs():
                self.daemon.read(f"jobs/{name}/wait")

    def prune(self, name):
        self.daemon.write(f"machines/{self.machine}/control", f"prune name={name}")
        return self.daemon.read(f"jobs/{name}/wait").strip()

    def plan(self):
        plan = self.daemon.json(f"machines/{self.machine}/plan.json")
        return {point["point"]: point["why"] for point in plan["points"]}

    def directory(self):
        (key,) = {path.parent for path in self.repository.glob("*/*/*.qcow2")} and {
            path.parent.parent for path in self.repository.glob("*/*/*.qcow2")
        }
        return key

    def image(self, point):
        (image,) = (self.directory() / point).glob("*.qcow2")
        return image

    def difference(self, point):
        """QEMU's complaint about the point's image, or its difference from the record; "" for none."""
        image, record = self.image(point), self.records[point]
        check = subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", image], capture_output=True, text=True)
        if check.returncode != 0:
            return check.stdout + check.stderr
        compare = ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", record, image]
        compared = subprocess.run(compare, capture_output=True, text=True)
        return "" if compared.returncode == 0 else f"{point}: {compared.stdout}{compared.stderr}"

    def differences(self):
        """Complaints and differences of all points."""
        return [found for found in (self.difference(point) for point in self.points()) if found]

    def layers(self):
        """Layers of the newest point's chain, from chain.json."""
        newest = list(self.records)[-1]
        chain = self.daemon.json(f"machines/{self.machine}/points/{newest}/manifest.json")["chain"]
        return self.daemon.json(f"machines/{self.machine}/chains/{chain}/chain.json")["layers"]

    def depth(self, point):
        """The number of layers that QEMU opens for the point."""
        said = subprocess.check_output(["qemu-img", "info", "--backing-chain", "--output=json", "-f", "qcow2", self.image(point)])
        return len(json.loads(said))

    def verify(self, name, level="checksums"):
        self.daemon.write(f"machines/{self.machine}/control", f"verify level={level} name={name}")
        status = self.daemon.read(f"jobs/{name}/wait").strip()
        return status, self.daemon.json(f"jobs/{name}/status.json")["message"]
