#!/usr/bin/python3
"""Pruning frees room in hard cases: long chains, a full disk, a daemon killed in the middle. No kept point is lost.

HOLDFAST_PRUNING_KILLS sets how often the daemon is killed, HOLDFAST_SEED repeats a run."""

import contextlib
import errno
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import holdfast
from days import CLUSTER, History
from processes import detach

MIB = 2**20
CLUSTERS = 64
KILLS = int(os.environ.get("HOLDFAST_PRUNING_KILLS", 4))


class Pruning(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())

    def prepare(self, repository, **settings):
        self.disk = self.add_file_machine(capacity=CLUSTERS * CLUSTER)
        self.daemon.define("repositories/r", {"path": str(repository), "create": True, **settings})
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r"})
        self.days = History(self.daemon, self.folder, self.disk, repository, self.random)

    def follow(self, **policy):
        self.daemon.define("policies/p", policy)
        self.daemon.write("flows/f/control", "set policy=p")


class Depth(Pruning):
    def setUp(self):
        super().setUp()
        self.prepare(self.folder / "r")

    def test_a_chain_stays_short_and_the_next_run_is_an_increment_on_it(self):
        self.follow(keep_daily=4)
        deepest = 0
        for day in range(66):
            point = self.days.day(1)
            if day >= 58:
                deepest = max(deepest, self.days.depth(point))
        self.assertEqual(len(self.days.points()), 4)
        self.assertLessEqual(deepest, 64)
        merges = sum(job["metadata"]["merges"] for job in self.days.jobs().values())
        self.assertGreater(merges, 0)
        self.assertEqual(self.days.differences(), [])
        self.assertEqual(self.days.verify("check"), ("success", None))
        # The next run is an increment on the merged chain.
        manifest = self.daemon.json(f"machines/m/points/{self.days.day()}/manifest.json")
        self.assertEqual((manifest["kind"], manifest["disks"][0]["reason"]), ("incremental", None))
        self.assertLess(manifest["bytes_stored"], 8 * CLUSTER)


class Full(Pruning):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "small"
        self.path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", self.path], check=True)
        self.addCleanup(detach, self.path)
        self.addCleanup(self.daemon.close)  # before the unmount
        self.prepare(self.path, compression="none", reserve="0%")

    def free(self):
        space = os.statvfs(self.path)
        return space.f_bavail * space.f_frsize

    def fill(self):
        with open(self.path / "filler", "wb", buffering=0) as file, self.assertRaises(OSError) as full:
            while True:
                file.write(bytes(4096))
        self.assertEqual(full.exception.errno, errno.ENOSPC)

    def test_a_pruning_of_a_full_repository_frees_room_for_the_next_run(self):
        for _ in range(6):
            self.days.day(24)
        self.fill()
        self.assertEqual(self.free(), 0)
        self.assertEqual(self.daemon.run("f", "no-room"), "error")
        self.follow(keep_last=2)
        self.assertEqual(self.days.prune("now"), "success")
        self.assertGreater(self.free(), MIB)
        self.assertEqual(self.daemon.json("jobs/now/status.json")["metadata"]["bytes_written"], 0)
        self.assertEqual(len(self.days.points()), 2)
        self.assertEqual(self.days.differences(), [])
        self.days.day(2)
        self.assertEqual(self.days.differences(), [])

    def test_a_merge_without_room_is_postponed_and_later_keeps_the_content_sums(self):
        for _ in range(63):
            self.days.day(1)
        self.fill()
        self.follow(keep_last=1)
        self.assertIn(self.days.prune("now"), ("warning", "success"))
        job = self.daemon.json("jobs/now/status.json")
        if job["metadata"]["merges"] == 0:
            self.assertIn("room", job["message"])
            self.assertIn("room", "".join(self.daemon.json("machines/m/status.json")["warnings"]))
        self.assertEqual(self.days.differences(), [])
        os.unlink(self.path / "filler")
        (newest,) = self.days.points()
        record = self.days.records[newest].read_bytes()
        image = self.daemon.mount / f"machines/m/points/{newest}/disk-0.raw"
        with open(image, "rb", buffering=0) as reader:
            self.assertEqual(os.pread(reader.fileno(), CLUSTER, 0), record[:CLUSTER])
            self.assertEqual(self.days.prune("again"), "success")
            # The open reader continues in files that have been deleted.
            os.posix_fadvise(reader.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            self.assertEqual(reader.read(), record)
        self.assertEqual(image.read_bytes(), record)
        self.assertLessEqual(self.days.depth(newest), 60)
        self.assertEqual(self.days.differences(), [])
        self.assertEqual(self.daemon.json("machines/m/status.json")["warnings"], [])
        manifest = self.daemon.json(f"machines/m/points/{self.days.day()}/manifest.json")
        self.assertEqual((manifest["kind"], manifest["disks"][0]["reason"]), ("incremental", None))
        self.assertEqual(self.days.differences(), [])


class WithoutHoles(Pruning):
    """A repository behind bindfs, which knows no fallocate(2) and so punches no holes."""

    def setUp(self):
        super().setUp()
        backing, path = self.folder / "backing", self.folder / "r"
        backing.mkdir()
        path.mkdir()
        subprocess.run(["bindfs", backing, path], check=True)
        self.addCleanup(detach, path)
        self.addCleanup(self.daemon.close)  # before the unmount
        probe = path / "probe"
        probe.write_bytes(bytes(8192))
        punch = ["fallocate", "--punch-hole", "--offset", "0", "--length", "4096", probe]
        self.assertNotEqual(subprocess.run(punch, capture_output=True).returncode, 0, "bindfs punches holes")
        probe.unlink()
        self.prepare(path, compression="none")

    def test_a_repository_that_cannot_punch_holes_is_pruned_and_merged(self):
        for _ in range(62):
            self.days.day(1)
        self.follow(keep_last=2)
        self.assertEqual(self.days.prune("first"), "success")
        self.assertGreater(self.daemon.json("jobs/first/status.json")["metadata"]["merges"], 0)
        self.expect_in_order()
        # The policy goes on with each run, and a pruning without work ends at once.
        self.days.day(1)
        self.expect_in_order()
        self.assertEqual(self.days.prune("second"), "success")
        self.assertEqual(self.daemon.json("jobs/second/status.json")["metadata"]["bytes_written"], 0)
        self.assertEqual(self.days.verify("check"), ("success", None))

    def expect_in_order(self):
        newest = list(self.days.records)[-2:]
        self.assertEqual(self.days.points(), set(newest))
        self.assertLessEqual(self.days.depth(newest[-1]), 60)
        self.assertEqual(self.days.differences(), [])
        self.assertEqual(self.daemon.json("machines/m/status.json")["warnings"], [])
        self.assertEqual({job["status"] for job in self.days.jobs().values()}, {"success"})


class Killed(Pruning):
    def used(self):
        """Bytes on disk of the machine's files."""
        # Files ending in .new exist for a moment only.
        found = [path for path in self.days.directory().rglob("*") if path.suffix != ".new"]
        return sum(path.stat().st_blocks * 512 for path in found if path.is_file())

    def save(self, to):
        self.daemon.stop()
        for name in ("state", "r"):
            subprocess.run(["cp", "-a", "--sparse=always", self.folder / name, to / name], check=True)

    def load(self, saved):
        for name in ("state", "r"):
            shutil.rmtree(self.folder / name)
            subprocess.run(["cp", "-a", "--sparse=always", saved / name, self.folder / name], check=True)

    def change_catalog(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            changed = catalog.execute(statement, values).rowcount
        self.assertEqual(changed, 1)

    def test_a_merge_interrupted_before_or_after_its_rename_is_resolved_at_the_next_start(self):
        self.prepare(self.folder / "r")
        first, before, after = (self.days.day() for _ in range(3))
        self.daemon.stop()
        # The first merge left a part of an image; the second one's image is in place, but the catalog names the old
        # image.
        image_id = "ab" * 16
        for name in (f"{image_id}.merging", f"{image_id}.sums"):
            (self.days.directory() / before / name).write_bytes(b"x")
        merging = "UPDATE layers SET merging_image_id = ?, merging_onto = parent_layer_id WHERE file LIKE ?"
        self.change_catalog(merging, image_id, f"{before}/%")
        old = "UPDATE layers SET merging_image_id = image_id, merging_onto = parent_layer_id, image_id = ? WHERE file LIKE ?"
        self.change_catalog(old, "cd" * 16, f"{after}/%")
        self.daemon.start()
        for point in (first, before, after):
            image = self.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
            self.assertEqual(image.read_bytes(), self.days.records[point].read_bytes())
        self.assertEqual(self.days.verify("check"), ("success", None))
        self.assertEqual(list(self.days.directory().rglob(f"{image_id}*")), [])
        self.assertEqual(self.days.differences(), [])

    def test_a_merge_that_the_catalog_does_not_know_leaves_all_points_readable_and_settles_itself(self):
        self.prepare(self.folder / "r")
        points = [self.days.day() for _ in range(3)]
        self.daemon.stop()
        old = "UPDATE layers SET merging_image_id = image_id, merging_onto = parent_layer_id, image_id = ? WHERE file LIKE ?"
        self.change_catalog(old, "cd" * 16, f"{points[1]}/%")
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            catalog.execute(
                "CREATE TRIGGER refusal BEFORE UPDATE OF merging_image_id ON layers"
                " BEGIN SELECT RAISE (ABORT, 'no merge is recorded now'); END"
            )
        self.daemon.start()
        self.until(lambda: "no merge is recorded now" in self.daemon.log.read_text())
        for point in points:
            image = self.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
            self.assertEqual(image.read_bytes(), self.days.records[point].read_bytes())
        self.assertEqual(self.days.verify("while"), ("success", None))
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            catalog.execute("DROP TRIGGER refusal")
        self.until(lambda: self.unsettled() == 0)
        self.assertEqual(self.days.differences(), [])

    def unsettled(self):
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog:
            return catalog.execute("SELECT count(*) FROM layers WHERE merging_image_id IS NOT NULL").fetchone()[0]

    def test_a_pruning_killed_at_any_instant_loses_no_kept_point_and_frees_the_room_afterwards(self):
        self.prepare(self.folder / "r")
        for day in range(64):
            self.days.day(self.random.randrange(1, 4), "type=full" if day == 3 else "")
        points = list(self.days.records)
        kept = {points[i] for i in (5, 30, 31, 62, 63)}
        for point in kept - {points[63]}:
            self.daemon.write(f"machines/m/points/{point}/control", "pin")
        self.follow(keep_last=1)
        saved = self.folder / "saved"
        saved.mkdir()
        self.save(saved)

        self.daemon.start()
        begun = time.monotonic()
        self.assertEqual(self.days.prune("whole"), "success")
        span = time.monotonic() - begun  # the instants are spread over this duration
        self.assertEqual(self.days.points(), kept)
        self.assertEqual(self.days.differences(), [])
        used = self.used()
        for kill in range(KILLS):
            with self.subTest(kill=kill):
                self.daemon.stop() if kill == 0 else None
                self.load(saved)
                self.daemon.start()
                self.daemon.write("machines/m/control", "prune name=killed")
                threading.Event().wait(self.random.random() * span)
                self.daemon.kill()
                for point in kept:
                    self.assertEqual(self.days.difference(point), "")
                self.daemon.start()
                self.daemon.await_settled()
                self.assertLessEqual(kept, self.days.points())
                self.assertEqual(self.days.verify("meanwhile"), ("success", None))
                self.assertEqual(self.days.prune("after"), "success")
                self.assertEqual(self.days.points(), kept)
                self.assertEqual(self.days.differences(), [])
                self.assertEqual(self.days.verify("whole-again"), ("success", None))
                self.assertLessEqual(self.used(), used * 1.1)
                left = [path for path in self.days.directory().rglob("*.merging")]
                self.assertEqual(left, [])
                self.daemon.stop()
        self.daemon.start()


if __name__ == "__main__":
    holdfast.main(lambda: holdfast.absent("bindfs"))
