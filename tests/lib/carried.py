"""Replication tests: a machine, its flow, and a flow that copies its points into another repository."""

import json
import os
import random

import content
import holdfast
from days import CLUSTER, History


class Replication(holdfast.MountTest):
    clusters = 32

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        disk = self.add_file_machine(capacity=self.clusters * CLUSTER + 512)
        self.repository = self.add_repository(**self.layout())
        self.offsite = self.add_repository("offsite")
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r"})
        self.days = History(self.daemon, self.folder, disk, self.repository, self.random)
        self.daemon.define("flows/copy", self.replication())

    def layout(self):
        return {"compression": self.random.choice(["zstd", "none"]), "compression_level": 1}

    def replication(self, **fields):
        return {"type": "replication", "target": "machines/m", "from": "r", "repository": "offsite"} | fields

    def copy(self, name, expected="success", arguments=""):
        """Runs the replication and returns its job."""
        status = self.daemon.run("copy", name, arguments)
        (job,) = os.listdir(self.daemon.mount / f"flows/copy/executions/{name}/jobs")
        job = self.daemon.json(f"jobs/{job}/status.json")
        self.assertEqual(status, expected, job)
        return job

    def copies(self, point):
        return self.daemon.json(f"machines/m/points/{point}/manifest.json")["copies"]

    def point(self, point, repository=None):
        """Directory of the point in a repository."""
        return (repository or self.offsite) / self.days.directory().name / point

    def stored(self, directory):
        """Images and checksum files in the directory."""
        return [path for path in directory.iterdir() if path.suffix in (".qcow2", ".sums")]

    def size(self, *points):
        """Bytes of the points' files, all of which a replication without merges moves."""
        return sum(path.stat().st_size for point in points for path in self.stored(self.point(point, self.repository)))

    def differences(self):
        """Points whose copies QEMU finds unsound or different from their records."""
        found = []
        for point, record in self.days.records.items():
            image = self.point(point) / "disk-0.qcow2"
            if not content.sound(image) or not content.same_disk(image, record):
                found.append(point)
        return found

    def restored(self, point, form="raw"):
        return (self.daemon.mount / f"machines/m/points/{point}/disk-0.{form}").read_bytes()

    def expect_reads(self):
        for point, record in self.days.records.items():
            self.assertEqual(self.restored(point), record.read_bytes(), point)

    def take_away(self, repository):
        """Empties the repository's directory, as if its file system were not mounted. Returns the place of the
        files."""
        away = repository.with_name(f"{repository.name}-away")
        away.mkdir()
        for path in repository.iterdir():
            path.rename(away / path.name)
        return away

    def events(self, word):
        lines = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        return [event for event in lines if event["event"] == word]
