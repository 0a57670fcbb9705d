#!/usr/bin/python3
"""Repair: damaged bytes come back from whatever file still has them, and what nothing has is named.

The truth is a digest of every file in both repositories from before the damage: a repaired image is the written one, byte
for byte. HOLDFAST_DAMAGES sets how many random damages are made, one at a time (24); HOLDFAST_REPAIR_KILLS how often a
repair is killed (3); HOLDFAST_SEED repeats a run."""

import errno
import hashlib
import json
import os
import shutil

import content
import holdfast
from carried import Replication
from days import CLUSTER

DAMAGES = int(os.environ.get("HOLDFAST_DAMAGES", 24))
KILLS = int(os.environ.get("HOLDFAST_REPAIR_KILLS", 3))
STORED = (".qcow2", ".sums")


class Repair(Replication):
    def setUp(self):
        super().setUp()
        self.made = [self.days.day(6), self.days.day(4), self.days.day(2, "type=full"), self.days.day(4)]
        self.jobs = 0

    def carry(self):
        self.copy("copied")
        self.written = self.digests()

    def digests(self):
        """The digest of each image and checksums file, by its path."""
        return {
            path: hashlib.sha256(path.read_bytes()).hexdigest()
            for repository in (self.repository, self.offsite)
            for path in sorted(repository.glob("*/2*/*"))
            if path.suffix in STORED
        }

    def work(self, verb, path="machines/m", **arguments):
        """Writes the verb into the object's control, and returns how its job ended."""
        self.jobs += 1
        name = f"job-{self.jobs}"
        words = "".join(f" {key}={value}" for key, value in arguments.items())
        self.daemon.write(f"{path}/control", f"{verb} name={name}{words}")
        ended = self.daemon.read(f"jobs/{name}/wait").strip()
        return ended, self.daemon.json(f"jobs/{name}/status.json")

    def image(self, point, repository=None):
        return self.point(point, repository or self.repository) / "disk-0.qcow2"

    def sums(self, point, repository=None):
        (path,) = self.point(point, repository or self.repository).glob("*.sums")
        return path

    def start_anew(self):
        """A new start drops what the kernel holds of the images."""
        self.daemon.stop()
        self.daemon.start()

    def expect_all_as_written(self):
        self.assertEqual(self.digests(), self.written)
        self.assertEqual(list(self.repository.rglob("*.mending")) + list(self.offsite.rglob("*.mending")), [])
        self.start_anew()
        self.expect_reads()

    def expect_healed(self, path="machines/m"):
        ended, job = self.work("repair", path)
        self.assertEqual(ended, "success", job)
        self.assertEqual((job["type"], job["metadata"]["lost"]), ("repair", []), job)
        return job

    def test_one_flipped_bit_comes_back_from_the_copy(self):
        self.carry()
        image = self.image(self.made[1])
        content.flip_bit(image, image.stat().st_size // 2)
        self.assertEqual(self.work("verify")[0], "error")
        job = self.expect_healed()
        self.assertEqual((job["metadata"]["damaged_layers"], job["metadata"]["healed_layers"]), (1, 1))
        self.assertEqual(job["metadata"]["healed_bytes"], CLUSTER)
        (healed,) = job["metadata"]["healed"]
        self.assertEqual(healed["file"], str(image.relative_to(self.repository)))
        self.assertTrue(healed["object"].startswith("machines/m/points/"))
        self.expect_all_as_written()
        self.assertEqual(self.daemon.json(f"machines/m/points/{self.made[1]}/manifest.json")["verified"]["result"], "good")
        self.assertEqual([event["object"] for event in self.events("repair")], ["machines/m"])
        self.assertEqual([event["result"] for event in self.events("repair.end")], ["ok"])

    def test_a_damaged_copy_comes_back_from_the_point(self):
        self.carry()
        image = self.image(self.made[0], self.offsite)
        os.truncate(image, image.stat().st_size - CLUSTER)
        self.expect_healed("repositories/offsite")
        self.expect_all_as_written()

    def test_nothing_damaged_is_nothing_changed(self):
        self.carry()
        ended, job = self.work("repair", "repositories/r")
        self.assertEqual((ended, job["message"]), ("success", "nothing is damaged"))
        self.assertEqual(self.digests(), self.written)

    def test_lost_checksums_are_computed_anew_from_their_own_image(self):
        self.written = self.digests()
        self.sums(self.made[0]).unlink()
        os.truncate(self.sums(self.made[2]), 100)
        job = self.expect_healed()
        self.assertEqual((job["metadata"]["healed_layers"], job["metadata"]["healed_bytes"]), (2, 0))
        self.expect_all_as_written()

    def test_swapped_and_renamed_images_are_found_where_they_lie(self):
        self.written = self.digests()
        one, other, aside = self.image(self.made[0]), self.image(self.made[2]), self.image(self.made[1])
        shutil.move(one, one.with_name("kept"))
        shutil.move(other, one)
        shutil.move(one.with_name("kept"), other)
        shutil.move(aside, aside.with_name("renamed.qcow2"))
        self.assertEqual(self.work("verify")[0], "error")
        self.expect_healed()
        # Files that are left are for a person to delete.
        self.assertEqual(len(list(self.repository.rglob("*.displaced"))), 2)
        for path in [aside.with_name("renamed.qcow2"), *self.repository.rglob("*.displaced")]:
            path.unlink()
        self.expect_all_as_written()

    def test_a_point_whose_directory_is_gone_comes_back_from_its_copy(self):
        self.carry()
        shutil.rmtree(self.point(self.made[1], self.repository))
        self.expect_healed("repositories/r")
        manifest = json.loads((self.point(self.made[1], self.repository) / "manifest.json").read_text())
        self.assertEqual((manifest["id"], manifest["parent"]), (self.made[1], self.made[0]))
        self.assertEqual(self.work("verify", "repositories/r")[0], "success")
        self.expect_all_as_written()

    def test_bytes_that_nothing_has_are_named_by_disk_and_points(self):
        self.written = self.digests()
        image = self.image(self.made[1])
        before = image.read_bytes()
        content.flip_bit(image, len(before) - CLUSTER - 1)
        damaged = image.read_bytes()
        ended, job = self.work("repair")
        self.assertEqual((ended, job["reason"]), ("error", "damaged"), job)
        lost = job["metadata"]["lost"]
        self.assertEqual({one["file"] for one in lost}, {str(image.relative_to(self.repository))})
        # Only the point itself rests on that layer: the next one is a full.
        self.assertEqual([one["point"] for one in lost], [f"machines/m/points/{self.made[1]}"])
        self.assertEqual(image.read_bytes(), damaged, "nothing is written over it")
        self.start_anew()
        path = self.daemon.mount / f"machines/m/points/{self.made[1]}/disk-0.raw"
        record = self.days.records[self.made[1]].read_bytes()
        harmed = content.clusters([(one["offset"], one["length"]) for one in lost[0]["ranges"]])
        with open(path, "rb", buffering=0) as disk:
            for number in range(-(-len(record) // CLUSTER)):
                wanted = record[number * CLUSTER : (number + 1) * CLUSTER]
                try:
                    found = os.pread(disk.fileno(), CLUSTER, number * CLUSTER)
                except OSError as error:
                    self.assertEqual(error.errno, errno.EIO)
                    self.assertTrue(number in harmed or not lost[0]["ranges"], number)
                    continue
                self.assertEqual(found, wanted)
                self.assertNotIn(number, harmed)

    def test_a_changed_document_is_found_named_and_written_anew(self):
        self.carry()
        self.daemon.write(f"machines/m/points/{self.made[0]}/control", "pin why=audit")
        self.daemon.await_settled()
        directory = self.point(self.made[0], self.repository)
        self.until(lambda: "audit" in (directory / "facts.json").read_text() if (directory / "facts.json").exists() else False)
        for path in (
            directory / "manifest.json",
            directory / "facts.json",
            self.point(self.made[0]) / "manifest.json",
            self.repository / "INDEX.txt",
            self.repository / "definitions/machines/m.json",
            self.repository / "definitions/revision",
        ):
            with self.subTest(path.name):
                repository = "offsite" if self.offsite in path.parents else "r"
                size = path.stat().st_size
                # A lower revision only says that the repository lacks a change.
                content.flip_bit(path, self.random.randrange(size) if path.name != "revision" else 3)
                ended, job = self.work("verify", f"repositories/{repository}", level="quick")
                relative = str(path.relative_to(self.offsite if repository == "offsite" else self.repository))
                self.assertEqual(ended, "error", relative)
                self.assertIn(relative, [one["file"] for one in job["metadata"]["documents"]])
                self.expect_healed(f"repositories/{repository}")
                self.assertEqual(self.work("verify", f"repositories/{repository}")[0], "success")

    def test_a_damaged_count_of_commits_is_found_and_written_anew(self):
        path = self.repository / "sequence.json"
        whole = path.read_bytes()
        for damaged in (b"", b"{}", whole[:-9], b'{"catalog": 5}', whole.replace(b'"commits"', b'"commitz"')):
            path.write_bytes(damaged)
            ended, job = self.work("verify", "repositories/r", level="quick")
            self.assertEqual((ended, [one["file"] for one in job["metadata"]["documents"]]), ("error", ["sequence.json"]))
            self.expect_healed("repositories/r")
            self.assertEqual(path.read_bytes(), whole)
        path.unlink()
        self.expect_healed("repositories/r")
        self.assertEqual(path.read_bytes(), whole)

    def test_a_count_that_another_catalog_may_have_written_is_left_to_rescan(self):
        path = self.repository / "sequence.json"
        written = json.loads(path.read_text())
        path.write_text(json.dumps(written | {"commits": written["commits"] + 1}))
        ended, job = self.work("repair", "repositories/r")
        self.assertEqual(ended, "warning", job)
        self.assertIn("write 'rescan'", job["metadata"]["hindered"][0])
        self.assertEqual(self.work("rescan", "repositories/r")[0], "success")
        self.assertEqual(self.work("verify", "repositories/r")[0], "success")

    def test_a_read_only_repository_is_left_alone(self):
        self.carry()
        image = self.image(self.made[1])
        content.flip_bit(image, image.stat().st_size // 2)
        damaged = image.read_bytes()
        definition = self.daemon.json("repositories/r/config.json") | {"read_only": True}
        self.daemon.write("repositories/r/config.json", json.dumps(definition))
        ended, job = self.work("repair")
        self.assertEqual((ended, job["reason"]), ("error", "damaged"))
        self.assertIn("read-only: nothing is repaired there", job["metadata"]["hindered"][0])
        self.assertEqual(image.read_bytes(), damaged)

    def test_a_changed_file_fails_the_comparison(self):
        self.carry()
        content.flip_bit(self.image(self.made[0]), 5000)
        self.assertNotEqual(self.digests(), self.written)

    def test_a_repair_that_is_killed_is_continued_by_the_next(self):
        self.carry()
        for number in range(KILLS):
            damaged = [self.image(point) for point in self.made]
            for image in damaged:
                content.flip_bit(image, self.random.randrange(image.stat().st_size))
            self.daemon.write("machines/m/control", f"repair name=killed-{number}")
            wanted = self.random.randrange(1, len(damaged) + 1)
            self.until(lambda: sum(self.digests().get(image) == self.written[image] for image in damaged) >= wanted
                       or self.daemon.json(f"jobs/killed-{number}/status.json")["status"] not in ("pending", "running"))
            self.daemon.kill()
            self.daemon.start()
            self.expect_healed()
            self.expect_all_as_written()

    def random_damage(self):
        """Does one random harm to the repository `r`, whose copy is whole. Returns its description."""
        point = self.random.choice(self.made)
        path = self.random.choice([self.image(point), self.sums(point)])
        other = self.random.choice([self.image(one) for one in self.made if one != point])
        size = path.stat().st_size

        def flips():
            for _ in range(self.random.randrange(1, 20)):
                content.flip_bit(path, self.random.randrange(size))

        def scribble():
            with open(path, "r+b") as file:
                file.seek(self.random.randrange(size))
                file.write(self.random.randbytes(self.random.randrange(1, 3 * CLUSTER)))

        def swap():
            image = self.image(point)
            kept = image.with_name("kept")
            image.rename(kept)
            other.rename(image)
            kept.rename(other)

        harm = self.random.choice(
            [
                flips,
                scribble,
                swap,
                lambda: os.truncate(path, self.random.randrange(size)),
                path.unlink,
                lambda: path.rename(path.with_name("moved")),
                lambda: shutil.copyfile(other, self.image(point)),
                lambda: path.write_bytes(b""),
                lambda: shutil.rmtree(path.parent),
            ]
        )
        harm()
        return f"{getattr(harm, '__name__', harm)} of {path}"

    def test_random_damage_is_found_and_healed(self):
        self.carry()
        for number in range(DAMAGES):
            what = self.random_damage()
            self.assertEqual(self.work("verify", "repositories/r")[0], "error", what)
            job = self.expect_healed("repositories/r")
            for stray in self.repository.glob("*/*/moved"):
                stray.unlink()
            self.assertEqual(self.digests(), self.written, (what, job))
        self.expect_all_as_written()


if __name__ == "__main__":
    holdfast.main()
