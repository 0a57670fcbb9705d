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

    def test_a_cluster_comes_back_from_another_layer_that_stored_the_same(self):
        for compression in ("none", "zstd", "deflate"):
            with self.subTest(compression):
                path = self.add_repository(compression, compression=compression)
                self.daemon.define(f"flows/{compression}", {"target": "machines/m", "repository": compression})
                # Text compresses, so that several clusters of the disk share one of the file.
                self.days.disk.write(4 * CLUSTER, b"Holdfast %d " % self.random.randrange(10**6) * 40_000)
                for kind in ("full", "full"):
                    self.assertEqual(self.daemon.run(compression, f"{kind}-{self.jobs}", f"type={kind}"), "success")
                    self.jobs += 1
                written = {image: image.read_bytes() for image in path.glob("*/*/*.qcow2")}
                first = min(written)
                content.flip_bit(first, 5 * CLUSTER + self.random.randrange(CLUSTER))
                self.expect_healed(f"repositories/{compression}")
                self.assertEqual({image: image.read_bytes() for image in written}, written)

    def test_the_source_heals_what_has_not_changed_there(self):
        fresh = self.random.randbytes(CLUSTER)  # no earlier point has it, and it is stored as it is
        self.days.disk.write(5 * CLUSTER, fresh)
        self.assertEqual(self.daemon.run("f", "only", "type=full"), "success")
        written = {image: image.read_bytes() for image in self.repository.glob("*/*/*.qcow2")}
        full = self.image(self.daemon.points("m")[-1])
        content.flip_bit(full, written[full].index(fresh) + self.random.randrange(CLUSTER))
        ended, job = self.work("repair")
        self.assertEqual(ended, "error")
        self.assertIn("a new full point of the machine", job["message"])
        # The newest point rests on the damaged one, so the run reads everything.
        self.assertEqual(self.daemon.run("f", "anew"), "warning")
        newest = self.daemon.points("m")[-1]
        self.assertEqual(self.daemon.json(f"machines/m/points/{newest}/manifest.json")["reason"], "parent_damaged")
        self.expect_healed()
        self.assertEqual({image: image.read_bytes() for image in written}, written)

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
        facts = directory / "facts.json"
        self.until(lambda: facts.exists() and "audit" in facts.read_text())
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

    def victims(self):
        """Files of the repository `r` that a random damage may hit, by kind."""
        points = [self.point(point, self.repository) for point in self.made]
        return {
            "image": [point / "disk-0.qcow2" for point in points],
            "sums": [path for point in points for path in point.glob("*.sums")],
            "manifest": [point / "manifest.json" for point in points],
            "facts": [point / "facts.json" for point in points],
            "definition": sorted((self.repository / "definitions").glob("*/*.json")),
        }

    def said_in(self, document):
        """The document without its number, which grows with each writing."""
        return json.loads(document.read_text()) | {"sequence": None}

    def random_damage(self):
        """Does one random harm to one file, or to a point's directory. Returns its description and what is hit."""
        kind = self.random.choice(list(self.victims()))
        path, other = self.random.sample(self.victims()[kind], 2)
        size = path.stat().st_size

        def flips():
            for bit in {self.random.randrange(size) for _ in range(self.random.randrange(1, 20))}:
                content.flip_bit(path, bit)

        def scribble():
            with open(path, "r+b") as file:
                file.seek(self.random.randrange(size))
                file.write(self.random.randbytes(self.random.randrange(1, 3 * CLUSTER)))

        def truncate():
            os.truncate(path, self.random.randrange(size))

        def delete():
            path.unlink()

        def rename():
            path.rename(path.with_name("moved"))

        def swap():
            # Checksums and their image bear one id, so that two names that are swapped are two files renamed.
            kept = path.with_name("kept")
            path.rename(kept)
            other.rename(path)
            kept.rename(other)

        def duplicate():
            shutil.copyfile(other, path)

        def restore_old():
            shutil.copyfile(self.old[path], path)

        def remove_point():
            shutil.rmtree(path.parent)

        harms = [flips, scribble, truncate, delete, rename, swap, duplicate]
        if path in self.old and path.suffix == ".json" and self.said_in(self.old[path]) != self.said_in(path):
            harms += [restore_old] * 3
        if kind != "definition":
            harms.append(remove_point)
        harm = self.random.choice(harms)
        harm()
        return f"{harm.__name__} of {path}", path.parent if harm is remove_point else path

    def reads_right_or_not_at_all(self, what):
        for point, record in self.days.records.items():
            with open(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", "rb", buffering=0) as disk:
                os.posix_fadvise(disk.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                wanted = record.read_bytes()
                for offset in range(0, len(wanted), CLUSTER):
                    try:
                        found = os.pread(disk.fileno(), CLUSTER, offset)
                    except OSError as error:
                        self.assertEqual(error.errno, errno.EIO, what)
                        continue
                    self.assertEqual(found, wanted[offset : offset + CLUSTER], what)

    def give_facts(self, name):
        """Gives each point facts, and waits until both repositories have them."""
        for point in self.made:
            self.daemon.write(f"machines/m/points/{point}/control", f"pin why={name}")
        for point in self.made:
            facts = self.point(point, self.repository) / "facts.json"
            self.until(lambda facts=facts: facts.exists() and name in facts.read_text())

    def test_random_damage_is_found_named_never_served_and_healed(self):
        self.give_facts("once")
        self.old = {}  # copies of documents from before their last change
        for path in (path for paths in self.victims().values() for path in paths):
            self.old[path] = self.folder / f"old-{len(self.old)}"
            shutil.copyfile(path, self.old[path])
        self.give_facts("twice")
        self.daemon.write("flows/f/config.json", json.dumps({"target": "machines/m", "repository": "r", "description": "x"}))
        self.until(lambda: '"x"' in (self.repository / "definitions/flows/f.json").read_text())
        self.carry()
        self.assertEqual(self.work("verify", "repositories/r")[0], "success")
        for number in range(DAMAGES):
            what, path = self.random_damage()
            self.reads_right_or_not_at_all(what)
            ended, job = self.work("verify", "repositories/r")
            self.assertEqual(ended, "error", what)
            self.assertIn(str(path.relative_to(self.repository)), json.dumps(job["metadata"]), what)
            job = self.expect_healed("repositories/r")
            for left in [*self.repository.rglob("moved"), *self.repository.rglob("*.displaced")]:
                left.unlink()
            self.assertEqual(self.digests(), self.written, (what, job))
            self.assertEqual(self.work("verify", "repositories/r")[0], "success", what)
        self.expect_all_as_written()

    def test_a_repository_without_its_marker_is_told_and_left_alone(self):
        self.carry()
        marker = self.repository / "holdfast.json"
        marker.rename(marker.with_name("aside"))
        before = self.digests()
        for verb in ("verify", "repair"):
            ended, job = self.work(verb, "repositories/r")
            self.assertEqual(ended, "error")
            self.assertIn("has no holdfast.json", job["message"])
        self.assertFalse(marker.exists())
        marker.with_name("aside").rename(marker)
        self.assertEqual(self.digests(), before)
        self.assertEqual(self.work("verify", "repositories/r")[0], "success")


if __name__ == "__main__":
    holdfast.main()
