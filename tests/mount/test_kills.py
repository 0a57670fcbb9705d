#!/usr/bin/python3
"""Kills in the middle of a run (laws 2, 3, 8 and 16): of the daemon, of the storage daemon, of the NBD connection,
each at random instants. No change is lost and nothing is left behind.

HOLDFAST_KILLS_DAEMON, _SOURCE and _CONNECTION set how often, HOLDFAST_SEED repeats a run."""

import os
import random
import threading
import time

import content
import holdfast
from qmp import QmpError

MIB = 2**20
CAPACITY = 24 * MIB
SIZES = [512, 4096, 65536, 100_000]
FINAL = ("success", "warning", "error", "cancelled")


def count(what, default):
    return int(os.environ.get(f"HOLDFAST_KILLS_{what}", default))


class Kills(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[CAPACITY, CAPACITY // 2])
        self.add_flow()
        self.write(20)
        begun = time.monotonic()
        self.expect_point("first", "full")
        self.span = time.monotonic() - begun  # duration of a run, over which the instants are spread

    def write(self, writes):
        for disk in self.storage.disks:
            disk.scatter(self.random, writes, SIZES)

    def random_instant(self):
        threading.Event().wait(self.random.random() * self.span)

    def status(self, name):
        return self.daemon.json(f"flows/f/executions/{name}/status.json")

    def expect_point(self, name, kind, reason=None):
        """Runs the flow and compares the new point with both disks. Only the point's own bitmaps are left."""
        records = [disk.record(self.folder / f"{disk.name}.record") for disk in self.storage.disks]
        before = set(self.daemon.points("m"))
        self.daemon.run("f", name)
        self.assertIn(self.status(name)["status"], ("success", "warning"), self.status(name))
        (point,) = set(self.daemon.points("m")) - before
        manifest = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        self.assertEqual(manifest["kind"], kind, manifest)
        if reason:
            self.assertEqual(manifest["reason"], reason)
        self.expect_same(point, records)
        self.expect_nothing_left()
        for disk in self.storage.disks:
            bitmaps = self.storage.bitmaps(disk)
            self.assertEqual([b["recording"] for b in bitmaps.values()], [True], bitmaps)

    def expect_same(self, point, records):
        for disk, record in zip(self.storage.disks, records):
            raw = self.daemon.mount / "machines/m/points" / point / f"{disk.name}.raw"
            self.assertTrue(content.same_bytes(raw, record), f"{point}: {disk.name}")

    def expect_nothing_left(self):
        self.assertEqual(self.storage.foreign(), [])
        self.assertEqual(os.listdir(self.daemon.state / "scratch"), [])
        self.assertEqual(list(self.repository.glob("*/*.partial")), [])

    def begin(self, name):
        self.write(4)
        self.daemon.write("flows/f/control", f"run name={name}")

    def test_a_killed_daemon_loses_no_change(self):
        for i in range(count("DAEMON", 6)):
            with self.subTest(kill=i):
                self.begin(f"killed-{i}")
                self.random_instant()
                self.daemon.kill()
                self.write(2)  # writes while no daemon runs
                self.daemon.start()
                self.daemon.await_settled()
                self.assertIn(self.status(f"killed-{i}")["status"], FINAL)
                self.expect_nothing_left()
                self.expect_point(f"after-{i}", "incremental")

    def test_a_killed_storage_daemon_loses_no_change(self):
        for i in range(count("SOURCE", 2)):
            with self.subTest(kill=i):
                if self.random.random() < 0.5:  # a clean stop stores the bitmaps in the image
                    self.storage.stop()
                    self.storage.start()
                self.write(4)
                self.sync()
                self.daemon.write("flows/f/control", f"run name=killed-{i}")
                self.random_instant()
                self.storage.kill()
                self.daemon.read(f"flows/f/executions/killed-{i}/wait")
                self.storage.start()
                lost = [self.lost(disk) for disk in self.storage.disks]
                if all(lost):
                    self.expect_point(f"after-{i}", "full", lost[0])
                else:
                    self.expect_point(f"after-{i}", "incremental")
                    self.assertFalse(any(lost), "of two disks of one source one bitmap was lost")

    def lost(self, disk):
        """The reason why the newest point's bitmap is unusable; "" for a usable bitmap."""
        newest = self.daemon.json(f"machines/m/points/{self.daemon.points('m')[-1]}/manifest.json")
        (change_id,) = [d["change_id"] for d in newest["disks"] if d["name"] == disk.name]
        bitmap = self.storage.bitmaps(disk).get(change_id)
        if bitmap is None:
            return "bitmap_missing"
        return "bitmap_inconsistent" if bitmap.get("inconsistent") else ""

    def sync(self):
        """Flushes all writes, so that they survive the death of the storage daemon."""
        for disk in self.storage.disks:
            file = os.open(disk.export, os.O_RDWR)
            os.fsync(file)
            os.close(file)

    def test_a_killed_connection_loses_no_change(self):
        for i in range(count("CONNECTION", 3)):
            with self.subTest(kill=i):
                self.begin(f"killed-{i}")
                status = f"killed-{i}"
                self.until(lambda name=status: self.exports() or self.status(name)["status"] in FINAL)
                self.random_instant()
                for export in self.exports():
                    try:
                        self.storage.qmp.command("block-export-del", {"id": export, "mode": "hard"})
                    except QmpError:
                        pass  # the export has ended meanwhile
                self.daemon.read(f"flows/f/executions/killed-{i}/wait")
                self.write(2)
                self.expect_nothing_left()
                self.expect_point(f"after-{i}", "incremental")

    def exports(self):
        found = self.storage.qmp.command("query-block-exports")
        return [export["id"] for export in found if export["id"].startswith("hf-")]


if __name__ == "__main__":
    holdfast.main()
