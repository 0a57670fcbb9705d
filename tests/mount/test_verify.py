#!/usr/bin/python3
"""Verification: damage of stored data is reported by the job, the point and the event log.

HOLDFAST_FLIPS sets how many bits are flipped, one at a time (12)."""

import errno
import json
import os
import random

import content
import holdfast

MIB = 2**20
CAPACITY = 16 * MIB + 512


class Verify(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[CAPACITY])
        self.add_flow()
        (self.disk,) = self.storage.disks
        self.disk.write(8 * MIB, b"Holdfast " * 100_000)
        self.records = {}

    def back_up(self, name, expected="success"):
        """Changes the disk, runs the flow, and returns the new point. self.records holds its record."""
        self.disk.scatter(self.random, 5, [512, 4096, 65536, 100_000])
        point, record = super().back_up(name, expected)
        self.records[point] = record
        return point

    def point_path(self, point):
        return f"machines/m/points/{point}"

    def files(self, point):
        """Returns the point's image and checksum file in the repository."""
        (image,) = self.repository.glob(f"*/{point}/*.qcow2")
        (sums,) = self.repository.glob(f"*/{point}/*.sums")
        return image, sums

    def verify(self, path, name, level="checksums"):
        """Returns how the verification ended, and the job's status."""
        self.daemon.write(f"{path}/control", f"verify level={level} name={name}")
        ended = self.daemon.read(f"jobs/{name}/wait").strip()
        return ended, self.daemon.json(f"jobs/{name}/status.json")

    def verified(self, point):
        return self.daemon.json(f"{self.point_path(point)}/manifest.json")["verified"]

    def events(self, kind):
        lines = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        return [event for event in lines if event["event"] == kind]

    def reads_right(self, point):
        """Whether the disk can be read. A read must return the disk at its instant or fail with EIO."""
        try:
            found = (self.daemon.mount / self.point_path(point) / "disk-0.raw").read_bytes()
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO)
            return False
        self.assertEqual(found, self.records[point].read_bytes())
        return True

    def test_a_sound_point_is_verified_as_good(self):
        point = self.back_up("first")
        self.assertIsNone(self.verified(point))
        for level in ("quick", "compare", "checksums"):
            ended, job = self.verify(self.point_path(point), level, level)
            self.assertEqual((ended, job["type"], job["operation"]), ("success", "verify", level))
            self.assertEqual((self.verified(point)["level"], self.verified(point)["result"]), (level, "good"))
        self.assertEqual(job["owner"], self.point_path(point))
        self.assertEqual(job["progress"]["done"], job["progress"]["total"])
        self.assertEqual(job["bytes_read"], self.files(point)[0].stat().st_size)
        event = self.events("point.verify")[-1]
        self.assertEqual((event["object"], event["result"]), (self.point_path(point), "ok"))
        (facts,) = self.repository.glob(f"*/{point}/facts.json")
        self.assertEqual(json.loads(facts.read_text())["verified"], self.verified(point))

    def test_one_flipped_bit_anywhere_is_found_and_never_read(self):
        base, point = self.back_up("first"), self.back_up("second")
        files = [*self.files(base), *self.files(point)]
        for number in range(int(os.environ.get("HOLDFAST_FLIPS", "12"))):
            # Files take turns, because random bytes of all files would hardly ever hit the checksums.
            file = files[number % len(files)]
            offset = self.random.randrange(file.stat().st_size)
            content.flip_bit(file, offset)
            ended, job = self.verify(self.point_path(point), f"flip-{number}")
            self.assertEqual((ended, job["reason"]), ("error", "damaged"), f"{file} at {offset}")
            self.assertIn(self.point_path(point), job["message"])
            self.assertEqual(job["metadata"]["damage"][0]["disk"], "disk-0")
            self.assertEqual(self.verified(point)["result"], "bad")
            # A new start drops the kernel's cache, which holds data from before the flip.
            self.daemon.stop()
            self.daemon.start()
            self.reads_right(point)
            content.flip_bit(file, offset)
        self.assertEqual(self.verify(self.point_path(point), "after")[0], "success")
        self.assertTrue(self.reads_right(point))

    def test_a_repository_is_verified_point_by_point(self):
        first, second, third = (self.back_up(name) for name in ("first", "second", "third"))
        self.assertIsNone(self.daemon.json("repositories/r/status.json")["last_verified_at"])
        image, _ = self.files(second)
        content.flip_bit(image, image.stat().st_size // 2)
        ended, job = self.verify("repositories/r", "all")
        newest = max(self.verified(point)["at"] for point in (first, second, third))
        self.assertEqual(self.daemon.json("repositories/r/status.json")["last_verified_at"], newest)
        self.assertEqual((ended, job["reason"]), ("error", "damaged"))
        self.assertEqual((job["metadata"]["points"], job["metadata"]["damaged_points"]), (3, 2))
        self.assertEqual(job["metadata"]["layers"], 3)  # each layer is read once
        self.assertEqual(self.verified(first)["result"], "good")
        self.assertEqual(self.verified(second)["result"], "bad")
        self.assertEqual(self.verified(third)["result"], "bad", "it rests on the second")
        failed = [event["object"] for event in self.events("point.verify") if event["result"] == "error"]
        self.assertEqual(failed, [self.point_path(second), self.point_path(third)])
        self.assertEqual(self.verify("machines/m", "machine")[0], "error")

    def test_latest_skips_a_bad_point_and_the_next_run_is_a_full(self):
        first, second = self.back_up("first"), self.back_up("second")
        image, _ = self.files(second)
        content.flip_bit(image, image.stat().st_size // 2)
        self.verify(self.point_path(second), "check")
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest"), f"points/{first}")
        third = self.back_up("third", "warning")
        manifest = self.daemon.json(f"{self.point_path(third)}/manifest.json")
        self.assertEqual((manifest["kind"], manifest["reason"]), ("full", "parent_damaged"))
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest"), f"points/{third}")
        self.assertTrue(self.reads_right(third))

    def test_a_quick_verification_finds_missing_truncated_and_exchanged_files(self):
        point = self.back_up("first")
        other = self.back_up("second")
        image, sums = self.files(point)
        whole_image, whole_sums = image.read_bytes(), sums.read_bytes()

        def expect_damage(name, *words):
            ended, job = self.verify(self.point_path(point), name, "quick")
            self.assertEqual((ended, job["reason"]), ("error", "damaged"), name)
            for word in words:
                self.assertIn(word, job["message"])

        os.rename(image, self.folder / "aside")
        expect_damage("missing", "disk-0.qcow2", "missing")
        os.rename(self.folder / "aside", image)
        image.write_bytes(whole_image[:-65536])
        expect_damage("short", "disk-0.qcow2", str(len(whole_image)))
        image.write_bytes(self.files(other)[0].read_bytes().ljust(len(whole_image), b"\0")[: len(whole_image)])
        expect_damage("exchanged", "disk-0.qcow2")
        image.write_bytes(whole_image)
        sums.write_bytes(whole_sums[:-1] + bytes([whole_sums[-1] ^ 1]))
        expect_damage("sums", ".sums")
        sums.write_bytes(whole_sums)
        self.assertEqual(self.verify(self.point_path(point), "restored", "quick")[0], "success")

    def test_an_absent_repository_says_nothing_about_its_points(self):
        point = self.back_up("first")
        os.rename(self.repository / "holdfast.json", self.folder / "marker")  # as on an unmounted file system
        ended, job = self.verify(self.point_path(point), "away")
        self.assertEqual((ended, job["reason"]), ("error", "failed"))
        self.assertIn(str(self.repository), job["message"])
        self.assertIsNone(self.verified(point))

    def test_a_verification_waits_for_a_job_slot_and_can_be_cancelled(self):
        point = self.back_up("first")
        self.disk.scatter(self.random, 50, [65536])
        self.daemon.write("config.json", '{"max_concurrent_jobs": 1}')
        self.storage.throttle(bytes_a_second=1, burst=65536)
        self.daemon.write("flows/f/control", "run name=slow")
        self.until(lambda: self.daemon.json("flows/f/executions/slow/status.json")["status"] == "running")
        self.daemon.write(f"{self.point_path(point)}/control", "verify name=late")
        self.daemon.write("repositories/r/control", "verify name=unwanted")
        self.assertEqual(self.daemon.json("jobs/late/status.json")["status"], "pending")
        self.daemon.write("jobs/unwanted/control", "cancel")
        self.assertEqual(self.daemon.read("jobs/unwanted/wait"), "cancelled\n")
        self.assertEqual(self.daemon.json("jobs/late/status.json")["status"], "pending")
        # A higher limit applies at once.
        self.daemon.write("config.json", '{"max_concurrent_jobs": 2}')
        self.assertEqual(self.daemon.read("jobs/late/wait"), "success\n")
        self.storage.unthrottle()
        self.assertEqual(self.daemon.read("flows/f/executions/slow/wait"), "success\n")

    def test_level_compare_compares_increments_with_qemu(self):
        self.back_up("first")
        self.disk.discard(8 * MIB, MIB)
        second = self.back_up("second")
        ended, job = self.verify(self.point_path(second), "opinion", "compare")
        self.assertEqual(ended, "success", job["message"])
        self.assertEqual(self.verified(second)["level"], "compare")
        stored = sum(self.files(point)[0].stat().st_size for point in self.daemon.points("m"))
        self.assertGreater(job["bytes_read"], stored)  # the layers and the whole disk

    def test_an_unknown_level_or_a_name_in_use_is_refused(self):
        point = self.back_up("first")
        self.verify(self.point_path(point), "taken")
        for command, code in (("verify level=lazily", errno.EINVAL), ("verify name=taken", errno.EEXIST)):
            with self.assertRaises(OSError) as refused:
                self.daemon.write(f"{self.point_path(point)}/control", command)
            self.assertEqual(refused.exception.errno, code)
        self.assertIn("taken", self.daemon.read(f"{self.point_path(point)}/error"))


if __name__ == "__main__":
    holdfast.main()
