#!/usr/bin/python3
"""A point's disks as images: DISK.qcow2, which is computed when it is read, and damage in the repository."""

import errno
import hashlib
import json
import os
import random
import subprocess

import content
import holdfast

MIB = 2**20
CAPACITY = 32 * MIB + 12 * 1024 + 512
TEXT = 16 * MIB  # place of the compressible data
SIZES = [512, 4096, 65536, 100_000, MIB]


class Images(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())

    def begin(self, **settings):
        self.repository = self.add_repository(**settings)
        self.storage = self.add_machine(capacities=[CAPACITY])
        self.add_flow()
        (self.disk,) = self.storage.disks
        self.disk.scatter(self.random, 12, SIZES)
        # Compressible data, beside the random bytes.
        self.disk.write(TEXT, b"Holdfast " * 500_000)

    def image(self, point, form="qcow2"):
        return self.daemon.mount / "machines/m/points" / point / f"disk-0.{form}"

    def stored(self, point, form="qcow2"):
        (found,) = self.repository.glob(f"*/{point}/*.{form}")
        return found

    def back_up_thrice(self):
        points = dict([self.back_up("first")])
        for name in ("second", "third"):
            self.disk.scatter(self.random, 6, SIZES)
            self.disk.discard(TEXT, MIB)
            points |= [self.back_up(name)]
        return points

    def test_the_owner_of_a_copy_that_keeps_its_mode_can_write_to_it(self):
        self.begin()
        point, _ = self.back_up("first")
        for form in ("raw", "qcow2"):
            copied = self.folder / f"restored.{form}"
            subprocess.run(["cp", "--preserve=mode", self.image(point, form), copied], check=True)
            self.assertEqual(copied.stat().st_mode & 0o777, 0o640)

    def expect_flat_images(self, **settings):
        self.begin(**settings)
        for point, record in self.back_up_thrice().items():
            copied = self.folder / f"{point}.qcow2"
            content.copy(self.image(point), copied)
            self.assertTrue(content.sound(copied))
            self.assertTrue(content.same_disk(copied, record))
            facts = json.loads(subprocess.check_output(["qemu-img", "info", "--output=json", copied]))
            self.assertNotIn("backing-filename", facts)
            manifest = self.daemon.json(f"machines/m/points/{point}/manifest.json")
            self.assertEqual(self.image(point).stat().st_size, manifest["disks"][0]["qcow2_bytes"])

    def test_a_copied_qcow2_is_the_disk_and_has_no_backing_file(self):
        self.expect_flat_images()

    def test_a_copied_qcow2_of_deflated_clusters_is_the_disk(self):
        self.expect_flat_images(compression="deflate", compression_level=6)

    def test_a_copied_qcow2_of_plain_clusters_of_2_mib_is_the_disk(self):
        self.expect_flat_images(compression="none", cluster_size=2 * MIB)

    def test_a_flipped_bit_fails_the_comparison(self):
        self.begin()
        point, record = self.back_up("first")
        content.copy(self.image(point), self.folder / "copied")
        content.flip_bit(record, TEXT)
        self.assertFalse(content.same_disk(self.folder / "copied", record))

    def test_a_qcow2_is_as_large_as_its_data_and_readable_in_place(self):
        self.begin(compression="none")
        point, record = self.back_up("first")
        written = len(content.clusters(self.disk.written)) * content.CLUSTER
        size = self.image(point).stat().st_size
        self.assertLessEqual(size, written + 2 * MIB)
        self.assertEqual(self.image(point).stat().st_blocks, -(-size // 512))
        self.assertTrue(content.same_disk(self.image(point), record))

    def test_a_qcow2_has_the_same_bytes_after_a_restart(self):
        self.begin()
        points = self.back_up_thrice()
        before = {point: hashlib.sha256(self.image(point).read_bytes()).digest() for point in points}
        self.daemon.stop()
        self.daemon.start()
        for point, digest in before.items():
            self.assertEqual(hashlib.sha256(self.image(point).read_bytes()).digest(), digest)

    def test_a_write_to_a_qcow2_fails_with_erofs(self):
        self.begin()
        point, _ = self.back_up("first")
        with self.assertRaises(OSError) as refused:
            os.open(self.image(point), os.O_RDWR)
        self.assertEqual(refused.exception.errno, errno.EROFS)

    def expect_damage_to_be_told(self, form):
        self.begin(compression="none")
        point, _ = self.back_up("first")
        damaged = self.stored(point)
        offset = damaged.stat().st_size // 2
        content.flip_bit(damaged, offset)
        with self.assertRaises(OSError) as failed:
            self.image(point, form).read_bytes()
        self.assertEqual(failed.exception.errno, errno.EIO)
        self.assertIn("checksum", self.daemon.read(f"machines/m/points/{point}/error"))
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        (told,) = [event for event in events if event["event"] == "image.damaged"]
        self.assertEqual(told["object"], f"machines/m/points/{point}/disk-0")
        self.assertIn(f"{point}/disk-0.qcow2", told["reason"])
        self.assertIn(str(offset // content.CLUSTER * content.CLUSTER), told["reason"])
        self.assertEqual((told["result"], told["by"]["uid"]), ("error", os.getuid()))

    def test_a_damaged_block_is_an_error_and_an_event_with_its_offset(self):
        self.expect_damage_to_be_told("raw")

    def test_a_damaged_block_below_a_flat_qcow2_is_an_error_and_an_event(self):
        self.expect_damage_to_be_told("qcow2")

    def test_verify_reads_false_skips_the_checksums(self):
        self.begin(compression="none")
        point, record = self.back_up("first")
        content.flip_bit(self.stored(point), self.stored(point).stat().st_size // 2)
        with self.assertRaises(OSError):
            self.image(point, "raw").read_bytes()
        self.daemon.write("config.json", '{"verify_reads": false}')
        restored = self.folder / "restored"
        content.copy(self.image(point, "raw"), restored)
        self.assertFalse(content.same_bytes(restored, record))


class Settings(holdfast.MountTest):
    def test_the_daemons_settings_are_a_definition_and_survive_a_restart(self):
        self.assertEqual(self.daemon.json("config.json")["keep_executions"], 10000)
        self.daemon.write("config.json", '{"keep_executions": 5}')
        self.assertEqual(self.daemon.json("config.json")["keep_executions"], 5)
        self.assertIs(self.daemon.json("config.json")["verify_reads"], True)
        with self.assertRaises(OSError) as refused:
            self.daemon.write("config.json", '{"keep_executions": "five"}')
        self.assertEqual(refused.exception.errno, errno.EINVAL)
        self.assertIn("keep_executions", self.daemon.read("error"))
        self.assertEqual(self.daemon.json("config.json")["keep_executions"], 5)
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.daemon.json("config.json")["keep_executions"], 5)

    def test_sed_saves_the_daemons_settings_by_renaming(self):
        done = subprocess.run(["sed", "-i", "s/10000/7/", "config.json"], cwd=self.daemon.mount, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.daemon.json("config.json")["keep_executions"], 7)
        self.assertEqual([name for name in os.listdir(self.daemon.mount) if name.startswith("sed")], [])

    def test_only_root_changes_the_daemons_settings(self):
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c"]
        before = self.daemon.read("config.json")
        for script, allowed in (("cat config.json", True), ("echo '{\"keep_executions\":1}' > config.json", False),
                                ("echo x > new", False), ("rm config.json", False)):
            # Only root may walk the path to the mount; a working directory inside needs no path.
            done = subprocess.run([*nobody, script], cwd=self.daemon.mount, capture_output=True, check=False)
            self.assertEqual(done.returncode == 0, allowed, script)
        self.assertEqual(self.daemon.read("config.json"), before)


if __name__ == "__main__":
    holdfast.main()
