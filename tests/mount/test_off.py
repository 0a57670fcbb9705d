#!/usr/bin/python3
"""A machine that is off is read from its images; when its QEMU starts, that QEMU gets them (laws 3, 4 and 8)."""

import errno
import json
import os
import pathlib
import random
import shutil
import socket
import tempfile

import content
import guest
import holdfast
from storage import StorageDaemon

KIB = 2**10
MIB = 2**20
CAPACITY = 32 * MIB


def with_images(definition, disks, form="qcow2"):
    """The definition with the path and the format of each disk's image."""
    images = {disk.name: {"path": str(disk.image), "format": form} for disk in disks}
    return definition | {"disks": [disk | images[disk["name"]] for disk in definition["disks"]]}


class OffTest(holdfast.MountTest):
    def define(self, machine):
        self.daemon.define("machines/m", with_images(machine.definition(), machine.disks))

    def log(self, name):
        return self.daemon.read(f"flows/f/executions/{name}/log")


class Off(OffTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.storage = StorageDaemon(self.folder / "machine", (CAPACITY, 8 * MIB))
        self.addCleanup(self.storage.close)
        self.disk = self.storage.disks[0]
        self.disk.scatter(self.random, 20, (4 * KIB, 100_000))
        self.define(self.storage)
        self.add_repository()
        self.add_flow()

    def switch_off(self):
        """Stops the source, which stores its bitmaps. Returns a record of the first disk."""
        record = self.disk.record(self.folder / "record")
        self.storage.stop()
        return record

    def back_up_off(self, name, record, expected="success"):
        self.assertEqual(self.daemon.run("f", name), expected, self.log(name))
        restored = self.folder / f"{name}.restored"
        content.copy(self.daemon.mount / "machines/m/latest/disk-0.raw", restored)
        self.assertTrue(content.same_bytes(restored, record))
        return self.daemon.json("machines/m/latest/manifest.json"), restored

    def test_a_machine_that_was_never_on_is_backed_up_and_then_compared(self):
        record = self.switch_off()
        first, restored = self.back_up_off("first", record)
        self.assertEqual((first["kind"], first["reason"], first["consistency"]), ("full", "no_parent", "crash"))
        self.assertEqual([disk["capacity_bytes"] for disk in first["disks"]], [CAPACITY, 8 * MIB])
        second, _ = self.back_up_off("second", record)
        self.assertEqual((second["kind"], second["disks"][0]["read"]), ("incremental", "everything"))
        # Negative control: the comparison can fail.
        content.flip_bit(restored, MIB)
        self.assertFalse(content.same_bytes(restored, record))

    def test_changes_are_followed_by_the_bitmap_from_on_to_off_to_on(self):
        self.back_up("on")
        self.disk.clear_written()
        self.disk.scatter(self.random, 3, (4 * KIB, 70_000))
        wanted = content.clusters(self.disk.written)
        (bitmap,) = self.storage.bitmaps(self.disk)
        second, _ = self.back_up_off("off", self.switch_off())
        (disk, untouched) = second["disks"]
        self.assertEqual((second["kind"], disk["change_id"]), ("incremental", bitmap))
        # One cluster at the end of each disk is compared with the parent.
        self.assertLessEqual(disk["bytes_read"], (len(wanted) + 1) * content.CLUSTER)
        self.assertLessEqual(untouched["bytes_read"], content.CLUSTER)
        third, _ = self.back_up_off("again", self.folder / "record")
        self.assertEqual((third["kind"], third["disks"][0]["change_id"]), ("incremental", bitmap))
        self.storage.start()
        self.disk.scatter(self.random, 3, (4 * KIB, 70_000))
        point, record = self.back_up("on-again")
        fourth = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        self.assertEqual((fourth["kind"], fourth["parent"]), ("incremental", third["id"]))
        restored = self.folder / "last"
        content.copy(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", restored)
        self.assertTrue(content.same_bytes(restored, record))
        self.assertEqual([len(self.storage.bitmaps(disk)) for disk in self.storage.disks], [1, 1])
        self.assertNotIn(bitmap, self.storage.bitmaps(self.disk))

    def test_a_machine_that_was_killed_is_read_whole_and_its_bitmap_goes_when_it_is_on(self):
        self.back_up("on")
        self.storage.stop()  # stores the bitmap
        self.storage.start()
        self.disk.scatter(self.random, 3, (4 * KIB, 70_000))
        record = self.disk.record(self.folder / "record")
        with open(self.disk.export, "rb+") as export:
            os.fsync(export.fileno())  # QEMU writes its tables
        self.storage.kill()
        second, _ = self.back_up_off("off", record, "warning")
        self.assertEqual((second["kind"], second["reason"]), ("full", "no_change_id"))
        third, _ = self.back_up_off("again", record)
        self.assertEqual((third["kind"], third["disks"][0]["read"]), ("incremental", "everything"))
        self.storage.start()
        point, _ = self.back_up("on-again", "warning")
        fourth = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        self.assertEqual((fourth["kind"], fourth["reason"]), ("full", "bitmap_inconsistent"))
        self.assertEqual(len(self.storage.bitmaps(self.disk)), 1)

    def test_an_image_that_somebody_has_open_is_not_read(self):
        self.storage.socket.unlink()
        self.daemon.write("flows/f/control", "test name=trial")
        self.assertEqual(self.daemon.read("jobs/trial/wait").strip(), "error")
        self.assertEqual(self.daemon.run("f", "first"), "error")
        for said in (self.daemon.read("jobs/trial/log"), self.log("first")):
            self.assertIn(f"{self.disk.image} is open for writing in a QEMU", said)
        self.assertEqual(self.daemon.points("m"), [])

    def test_a_socket_that_is_there_and_does_not_answer_is_no_machine_that_is_off(self):
        self.switch_off()
        self.storage.socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(self.storage.socket))
            silent.listen()
            self.assertEqual(self.daemon.run("f", "first"), "error")
        self.assertEqual(self.daemon.points("m"), [])

    def test_a_machine_without_paths_says_what_would_let_it_be_read(self):
        self.daemon.write("machines/m/config.json", json.dumps(self.storage.definition()))
        self.switch_off()
        self.assertEqual(self.daemon.run("f", "first"), "error")
        self.assertIn('"path"', self.log("first"))

    def test_a_dry_run_says_that_the_machine_is_off(self):
        self.switch_off()
        self.daemon.write("flows/f/control", "test name=trial")
        self.assertEqual(self.daemon.read("jobs/trial/wait").strip(), "success")
        self.assertIn("the machine is off", self.daemon.read("jobs/trial/log"))

    def test_a_path_that_contradicts_its_format_is_refused_in_the_write_of_the_definition(self):
        before = self.daemon.read("machines/m/config.json")
        with self.assertRaises(OSError) as refusal:
            wrong = with_images(self.storage.definition(), self.storage.disks, "raw")
            self.daemon.write("machines/m/config.json", json.dumps(wrong))
        self.assertEqual(refusal.exception.errno, errno.EINVAL)
        self.assertIn("is a qcow2 image", self.daemon.read("machines/m/error"))
        self.assertEqual(self.daemon.read("machines/m/config.json"), before)


class Starting(OffTest):
    def test_a_real_machine_that_starts_during_the_run_boots_and_is_backed_up_then(self):
        home = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-guest-"))
        self.addCleanup(shutil.rmtree, home)
        machine = guest.Guest(home / "guest", guest.make_initrd(home), [CAPACITY, 8 * MIB])
        self.addCleanup(machine.close)
        machine.run(f"yes before | head -c {8 * MIB} | dd of=/dev/vdb bs=64k conv=fsync")
        machine.close()
        self.define(machine)
        self.add_repository()
        self.add_flow()
        self.daemon.write("flows/f/control", "run name=off bandwidth=256K")
        self.until(lambda: self.daemon.json("flows/f/executions/off/status.json")["bytes_read"] > 0)
        machine.start()
        machine.run("mount /dev/vda /mnt; echo on >/mnt/on; sync; umount /mnt; echo on | dd of=/dev/vdb conv=notrunc,fsync")
        self.assertEqual(self.daemon.read("flows/f/executions/off/wait").strip(), "error")
        self.assertIn("is open for writing in a QEMU", self.log("off"))
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual(self.daemon.run("f", "on"), "success", self.log("on"))
        truth, restored = self.folder / "truth", self.folder / "restored"
        truth.write_bytes(b"on\n" + (b"before\n" * (8 * MIB // 7 + 1))[3 : 8 * MIB])
        content.copy(self.daemon.mount / "machines/m/latest/disk-1.raw", restored)
        self.assertTrue(content.same_bytes(restored, truth))
        self.assertEqual(machine.foreign(), [])


if __name__ == "__main__":
    holdfast.main(guest.missing)
