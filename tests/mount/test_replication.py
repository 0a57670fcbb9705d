#!/usr/bin/python3
"""Replication: points are copied into another repository with only the missing data, and read from there when the
first repository is away or damaged.

HOLDFAST_REPLICATION_KILLS sets how often a replication is killed, HOLDFAST_REPLICATION_POINTS the length of its chain,
HOLDFAST_SEED repeats a run."""

import errno
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import threading

import content
import holdfast
from carried import Replication
from days import CLUSTER
from processes import detach

MIB = 2**20
KILLS = int(os.environ.get("HOLDFAST_REPLICATION_KILLS", 3))
POINTS = int(os.environ.get("HOLDFAST_REPLICATION_POINTS", 12))


class Carried(Replication):
    def test_each_new_point_is_copied_once_and_byte_for_byte(self):
        made = [self.days.day(), self.days.day(), self.days.day(2, "type=full"), self.days.day()]
        job = self.copy("first")
        self.assertEqual((job["type"], job["bytes_transferred"]), ("replication", self.size(*made)))
        self.assertEqual(job["metadata"]["points"], made)
        self.assertEqual(job["progress"]["done"], job["progress"]["total"])
        self.assertEqual(self.daemon.json("flows/copy/executions/first/status.json")["machines_processed"], 1)
        for point in made:
            self.assertEqual(self.copies(point), ["offsite"])
            for path in self.stored(self.point(point, self.repository)):
                self.assertTrue(filecmp.cmp(path, self.point(point) / path.name, shallow=False), path)
        self.assertEqual(self.differences(), [])
        self.assertEqual(self.copy("again")["bytes_transferred"], 0)

        later = self.days.day()
        self.assertEqual(self.copies(later), [])
        self.assertEqual(self.copy("later")["bytes_transferred"], self.size(later))
        self.assertEqual(self.differences(), [])
        manifest = json.loads((self.point(later) / "manifest.json").read_text())
        self.assertEqual((manifest["repository"], manifest["parent"]), ("offsite", made[-1]))
        self.assertIn("qemu-img convert", (self.point(later) / "RESTORE.txt").read_text())
        told = self.events("point.copy")
        self.assertEqual([event["object"].split("/")[-1] for event in told], [*made, later])
        self.assertEqual({event["reason"] for event in told}, {"repositories/offsite"})
        self.assertEqual(self.daemon.json("repositories/offsite/status.json")["points"], 5)

    def test_layers_of_removed_points_are_merged_into_one_in_the_copy(self):
        made = [self.days.day(3) for _ in range(6)]
        for point in (made[1], made[2], made[4]):
            (self.daemon.mount / f"machines/m/points/{point}").rmdir()
            del self.days.records[point]
            self.days.settle()
        flat = {point: hashlib.sha256(self.restored(point, "qcow2")).digest() for point in self.days.records}
        self.copy("first")
        self.assertEqual(self.differences(), [])
        self.take_away(self.repository)
        for point, digest in flat.items():
            self.assertEqual(hashlib.sha256(self.restored(point, "qcow2")).digest(), digest)
        self.expect_reads()

    def test_a_changed_record_fails_the_comparison(self):
        self.days.day()
        point = self.days.day()
        self.copy("first")
        content.flip_bit(self.days.records[point], self.days.capacity // 2)
        self.assertEqual(self.differences(), [point])

    def test_a_damaged_point_is_skipped_and_later_points_are_copied(self):
        self.days.day()
        damaged = self.days.day()
        image = self.point(damaged, self.repository) / "disk-0.qcow2"
        content.flip_bit(image, image.stat().st_size // 2)
        whole = self.days.day(1, "type=full")
        job = self.copy("first", "warning")
        self.assertEqual((job["reason"], job["metadata"]["points"][-1]), ("damaged", whole))
        self.assertIn("checksum", job["message"])
        self.assertEqual(self.copies(damaged), [])
        self.assertFalse(self.point(damaged).exists())

    def test_a_verification_of_copies_says_nothing_about_their_points(self):
        point = self.days.day()
        self.copy("first")
        self.daemon.write("repositories/offsite/control", "verify name=good")
        self.assertEqual(self.daemon.read("jobs/good/wait").strip(), "success")
        self.assertEqual(self.daemon.json("jobs/good/status.json")["metadata"]["points"], 1)
        image = self.point(point) / "disk-0.qcow2"
        content.flip_bit(image, image.stat().st_size // 2)
        self.daemon.write("repositories/offsite/control", "verify name=bad")
        self.assertEqual(self.daemon.read("jobs/bad/wait").strip(), "error")
        self.assertIn("copy in repositories/offsite", self.daemon.json("jobs/bad/status.json")["message"])
        self.assertIsNone(self.daemon.json(f"machines/m/points/{point}/manifest.json")["verified"])

    def test_a_foreign_directory_under_a_points_name_is_neither_shown_nor_changed(self):
        point = self.days.day()
        strange = self.point(point).with_name(f"{point}.partial")
        strange.mkdir(parents=True)
        (strange / "disk-0.qcow2").write_text("somebody's")
        job = self.copy("first", "error")
        self.assertIn(f"{point}.partial exists", job["message"])
        self.assertEqual(((strange / "disk-0.qcow2").read_text(), self.copies(point)), ("somebody's", []))
        strange.rename(self.folder / "aside")
        self.copy("second")
        self.assertEqual(self.differences(), [])

    def test_an_absent_target_ends_the_replication_and_the_next_run_copies_everything(self):
        self.days.day()
        away = self.take_away(self.offsite)
        self.assertEqual(self.copy("first", "error")["reason"], "repository_unreachable")
        self.offsite.rmdir()
        away.rename(self.offsite)
        self.copy("second")
        self.assertEqual(self.differences(), [])

    def test_a_full_target_ends_the_replication_cleanly_and_the_next_run_continues(self):
        whole, last = self.days.day(), self.days.day(20)
        self.offsite = self.folder / "small"
        self.offsite.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8M", "tmpfs", self.offsite], check=True)
        self.addCleanup(detach, self.offsite)
        self.addCleanup(self.daemon.close)  # before the unmount
        self.daemon.define("repositories/small", {"path": str(self.offsite), "reserve": "0%"})
        self.daemon.write("flows/copy/config.json", json.dumps(self.replication(repository="small")))
        filler = self.offsite / "filler"
        filler.write_bytes(bytes(8 * MIB - self.size(whole) - self.size(last) // 2))
        self.assertEqual(self.copy("first", "error")["reason"], "no_space")
        self.assertEqual((self.copies(whole), self.copies(last)), (["small"], []))
        self.assertEqual([path for path in self.offsite.rglob("*.partial")], [])
        filler.unlink()
        self.assertEqual(self.copy("second")["bytes_transferred"], self.size(last))
        self.assertEqual(self.differences(), [])

    def test_a_dry_run_checks_both_repositories_and_no_source(self):
        self.daemon.write("flows/copy/control", "test name=dry")
        self.assertEqual(self.daemon.read("jobs/dry/wait").strip(), "success")
        log = self.daemon.read("jobs/dry/log")
        for said in ("ok repositories/r is there", "ok repositories/offsite can be written to"):
            self.assertIn(said, log)
        self.assertNotIn("machines/m", log)

    def test_an_inconsistent_definition_or_argument_is_refused(self):
        for wrong, said in [
            (self.replication() | {"from": None}, '"from" is missing'),
            (self.replication(repository="r"), "copies go to another one"),
            (self.replication(type="backup"), 'for flows of type "replication"'),
        ]:
            with self.assertRaises(OSError) as refused:
                self.daemon.write("flows/copy/config.json", json.dumps(wrong))
            self.assertEqual(refused.exception.errno, errno.EINVAL)
            self.assertIn(said, self.daemon.read("flows/copy/error"))
        for arguments in ("type=full", "sample=1%"):
            with self.assertRaises(OSError) as refused:
                self.daemon.write("flows/copy/control", f"run {arguments}")
            self.assertEqual(refused.exception.errno, errno.EINVAL)
        self.assertEqual(self.daemon.json("flows/copy/config.json")["from"], "r")


class Detours(Replication):
    def layout(self):
        return {"compression": "none"}  # without compression a flipped bit anywhere damages a cluster of the disk

    def setUp(self):
        super().setUp()
        self.made = [self.days.day() for _ in range(4)]
        self.copy("first")

    def damage(self, repository):
        image = self.point(self.made[0], repository) / "disk-0.qcow2"
        content.flip_bit(image, image.stat().st_size // 2)

    def test_reads_come_from_the_copy_when_the_first_repository_is_away(self):
        self.take_away(self.repository)
        self.expect_reads()
        told = self.events("image.failover")
        self.assertEqual({event["object"] for event in told}, {f"machines/m/points/{one}/disk-0" for one in self.made})
        self.assertIn("read from repositories/offsite: ", told[0]["reason"])
        self.assertIn("repository-r", told[0]["reason"])

    def test_a_read_with_a_wrong_checksum_comes_from_the_copy(self):
        self.damage(self.repository)
        for form in ("raw", "qcow2"):
            with self.subTest(form=form):
                whole = self.restored(self.made[0], form)
                if form == "raw":
                    self.assertEqual(whole, self.days.records[self.made[0]].read_bytes())
        damaged, (told, *_) = self.events("image.damaged"), self.events("image.failover")
        self.assertIn("checksum", damaged[0]["reason"])
        self.assertEqual((told["object"], told["result"]), (f"machines/m/points/{self.made[0]}/disk-0", "ok"))
        self.assertIn("read from repositories/offsite: ", told["reason"])
        self.assertIn("checksum", told["reason"])

    def test_an_open_image_continues_from_the_copy(self):
        record = self.days.records[self.made[0]].read_bytes()
        with open(self.daemon.mount / f"machines/m/points/{self.made[0]}/disk-0.raw", "rb", buffering=0) as image:
            first = os.pread(image.fileno(), CLUSTER, 0)
            self.damage(self.repository)
            rest = b"".join(os.pread(image.fileno(), CLUSTER, at) for at in range(CLUSTER, len(record), CLUSTER))
        self.assertEqual(first + rest, record)

    def test_a_read_fails_when_both_places_are_damaged(self):
        self.damage(self.repository)
        self.damage(self.offsite)
        with self.assertRaises(OSError) as failed:
            self.restored(self.made[0])
        self.assertEqual(failed.exception.errno, errno.EIO)


class Killed(Replication):
    clusters = 64

    def save(self, to):
        self.daemon.stop()
        for name in ("state", self.offsite.name):
            subprocess.run(["cp", "-a", "--sparse=always", self.folder / name, to / name], check=True)

    def load(self, saved):
        for name in ("state", self.offsite.name):
            shutil.rmtree(self.folder / name)
            subprocess.run(["cp", "-a", "--sparse=always", saved / name, self.folder / name], check=True)

    def missing(self):
        """Bytes that the target lacks: differing clusters of images, and incomplete checksum files."""
        count = 0
        for point in self.days.records:
            if self.copies(point):
                continue
            for path in self.stored(self.point(point, self.repository)):
                wanted, there = path.read_bytes(), b""
                for place in (self.point(point), self.point(point).with_name(f"{point}.partial")):
                    if (place / path.name).exists():
                        there = (place / path.name).read_bytes()
                if path.suffix == ".sums":
                    count += len(wanted) if there != wanted else 0
                    continue
                there = there.ljust(len(wanted), b"\0")
                for at in range(0, len(wanted), CLUSTER):
                    count += CLUSTER if wanted[at : at + CLUSTER] != there[at : at + CLUSTER] else 0
        return count

    def expect_whole(self):
        self.assertEqual({tuple(self.copies(point)) for point in self.days.records}, {("offsite",)})
        self.assertEqual(self.differences(), [])
        self.assertEqual([path for path in self.offsite.rglob("*.partial")], [])

    def test_a_replication_killed_at_any_instant_continues_and_moves_only_missing_data(self):
        for _ in range(POINTS):
            self.days.day(self.random.randrange(1, 6))
        sums = {path: hashlib.sha256(path.read_bytes()).digest() for path in self.repository.rglob("*.qcow2")}
        saved = self.folder / "saved"
        saved.mkdir()
        self.save(saved)
        self.daemon.start()
        all_of_it = self.copy("whole")["bytes_transferred"]
        self.assertEqual(all_of_it, self.size(*self.days.records))
        self.expect_whole()
        self.daemon.stop()
        in_the_middle = 0
        for kill in range(10 * KILLS):
            if kill >= KILLS and in_the_middle:
                break
            with self.subTest(kill=kill):
                self.load(saved)
                self.daemon.start()
                # The bandwidth makes the replication last one second on any machine; the instants are spread over that
                # second.
                self.daemon.write("flows/copy/control", f"run name=killed bandwidth={all_of_it}")
                threading.Event().wait(self.random.random())
                self.daemon.kill()
                self.daemon.start()
                missing = self.missing()
                in_the_middle += 0 < missing < all_of_it
                if missing:
                    self.assertEqual(self.daemon.json("flows/copy/executions/killed/status.json")["status"], "error")
                self.assertEqual(self.copy("after")["bytes_transferred"], missing)
                self.expect_whole()
                self.daemon.stop()
        self.assertGreater(in_the_middle, 0)
        for path, digest in sums.items():
            self.assertEqual(hashlib.sha256(path.read_bytes()).digest(), digest, path)
        self.daemon.start()

    def kill_while_copying(self):
        """Kills the daemon while it copies a new point. Returns the point and the directory of the begun copy."""
        point = self.days.day()
        self.daemon.write("flows/copy/control", "run name=killed bandwidth=1M")
        partial = self.point(point).with_name(f"{point}.partial")
        image = partial / "disk-0.qcow2"
        self.until(lambda: image.exists() and image.stat().st_size > 0)
        self.daemon.kill()
        return point, partial

    def test_a_copy_that_was_published_but_not_committed_before_a_kill_is_continued(self):
        point, partial = self.kill_while_copying()
        partial.rename(self.point(point))
        self.daemon.start()
        self.copy("after")
        self.expect_whole()

    def test_a_published_copy_that_others_rely_on_is_left_alone(self):
        point, partial = self.kill_while_copying()
        (partial / "facts.json").write_text("{}")  # facts follow the commit, so another catalog has committed it
        partial.rename(self.point(point))
        self.daemon.start()
        self.copy("after", "error")
        self.assertTrue((self.point(point) / "facts.json").exists())

    def test_a_partial_image_without_checksums_is_copied_again(self):
        _, partial = self.kill_while_copying()
        content.flip_bit(partial / "disk-0.qcow2", CLUSTER // 2)
        self.daemon.start()
        missing = self.missing()
        self.assertEqual(self.copy("after")["bytes_transferred"], missing)
        self.expect_whole()


if __name__ == "__main__":
    holdfast.main()
