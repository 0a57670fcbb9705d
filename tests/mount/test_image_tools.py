#!/usr/bin/python3
"""A point's disks under cp, dd, qemu-img, a loop device and a guest, and under random reads."""

import contextlib
import errno
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

import content
import differential
import guest
import holdfast

MIB = 2**20
CAPACITY = 96 * MIB + 12 * 1024 + 512
FILES = 48 * MIB  # capacity of the disk that holds an ext4
READS = 20_000


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def data(path, size):
    """Returns the (start, end) of all data, by SEEK_DATA and SEEK_HOLE."""
    found, at = [], 0
    with open(path, "rb") as file:
        while at < size:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError as nothing:
                if nothing.errno != errno.ENXIO:
                    raise
                break
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            found.append((start, at))
    return found


class Site(holdfast.MountTest):
    """Two points of two disks: disk-0 with random content, disk-1 with an ext4. The newest point is an increment."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[CAPACITY, FILES])
        self.add_flow()
        disk, files = self.storage.disks
        disk.scatter(self.random, 40, [512, 4096, 65536, 100_000, MIB])
        disk.write(40 * MIB, b"Holdfast " * 500_000)
        self.make_files(files)
        self.back_up("first")
        disk.scatter(self.random, 20, [512, 4096, 65536, 100_000])
        disk.discard(41 * MIB, MIB)
        point, self.record = self.back_up("second")
        self.point = self.daemon.mount / "machines/m/points" / point

    def make_files(self, disk):
        """Fills the disk with an ext4: busybox, and a few files whose checksums self.files holds by name."""
        tree = self.folder / "tree"
        (tree / "bin").mkdir(parents=True)
        (tree / "dev").mkdir()
        shutil.copy(shutil.which("busybox"), tree / "bin/busybox")
        self.files = {}
        for number in range(20):
            held = self.random.randbytes(self.random.randrange(300_000))
            (tree / f"file{number}").write_bytes(held)
            self.files[f"file{number}"] = hashlib.sha256(held).hexdigest()
        made = self.folder / "made.raw"
        with open(made, "wb") as file:
            file.truncate(FILES)
        output("mkfs.ext4", "-q", "-F", "-d", tree, made)
        for start, end in data(made, FILES):
            with open(made, "rb") as file:
                disk.write(start, os.pread(file.fileno(), end - start, start))
        made.unlink()


class PointTest(unittest.TestCase):
    """Tests of one class share a site, because no test changes its points. Each test has a folder of its own."""

    @classmethod
    def setUpClass(cls):
        site = Site()
        cls.addClassCleanup(site.doCleanups)
        site.setUp()
        cls.site, cls.random, cls.disk, cls.files = site, site.random, site.storage.disks[0], site.files
        cls.point, cls.raw, cls.qcow2 = site.point, site.point / "disk-0.raw", site.point / "disk-0.qcow2"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.site.folder))
        self.addCleanup(shutil.rmtree, self.folder)
        self.record = self.folder / "record"
        content.copy(self.site.record, self.record)


class Tools(PointTest):
    def copied(self, *command, form="raw"):
        """Runs the command with source and target, and returns the target."""
        target = self.folder / f"copied.{form}"
        target.unlink(missing_ok=True)
        output(*command, self.point / f"disk-0.{form}", target)
        return target

    def test_cp_copies_the_disk_with_its_holes(self):
        for how in ("--sparse=auto", "--sparse=always", "--sparse=never", "--reflink=auto"):
            with self.subTest(how=how):
                copied = self.copied("cp", how)
                self.assertTrue(content.same_bytes(copied, self.record))
                if how != "--sparse=never":
                    self.assertLessEqual(copied.stat().st_blocks, self.raw.stat().st_blocks)
                flat = self.copied("cp", how, form="qcow2")
                self.assertTrue(content.sound(flat))
                self.assertTrue(content.same_disk(flat, self.record))

    def test_dd_reads_the_images_in_blocks_of_any_size(self):
        for words in (["bs=1M"], ["bs=64k", "conv=sparse"], ["bs=777777"], ["bs=1M", "iflag=direct"]):
            for form, same in (("raw", content.same_bytes), ("qcow2", content.same_disk)):
                with self.subTest(words=words, form=form):
                    copied = self.folder / f"copied.{form}"
                    copied.unlink(missing_ok=True)
                    image = self.point / f"disk-0.{form}"
                    output("dd", *words, "status=none", f"if={image}", f"of={copied}")
                    os.truncate(copied, image.stat().st_size)  # conv=sparse writes no hole at the end
                    self.assertTrue(same(copied, self.record))

    def test_qemu_img_converts_both_images(self):
        for form in ("raw", "qcow2"):
            with self.subTest(form=form):
                raw = self.copied("qemu-img", "convert", "-f", form, "-O", "raw", form=form)
                self.assertTrue(content.same_bytes(raw, self.record))
                packed = self.copied("qemu-img", "convert", "-c", "-f", form, "-O", "qcow2", form=form)
                self.assertTrue(content.sound(packed))
                self.assertTrue(content.same_disk(packed, self.record))

    def test_qemu_img_compares_the_images_in_place(self):
        self.assertTrue(content.same_disk(self.qcow2, self.raw))
        self.assertTrue(content.same_disk(self.qcow2, self.record))
        content.flip_bit(self.record, self.random.randrange(CAPACITY))
        self.assertFalse(content.same_disk(self.qcow2, self.record))
        self.assertFalse(content.same_bytes(self.raw, self.record))

    def test_qemu_img_maps_data_and_holes_of_both_images(self):
        for form, image in (("raw", self.raw), ("qcow2", self.qcow2)):
            areas = json.loads(output("qemu-img", "map", "--output=json", "-f", form, image))
            mapped = [(area["start"], area["start"] + area["length"]) for area in areas if not area["zero"]]
            self.expect_honest(mapped)
            self.assertEqual(areas[-1]["start"] + areas[-1]["length"], -(-CAPACITY // 512) * 512)

    def expect_honest(self, stretches):
        """All nonzero data lies in the stretches, and the stretches contain only clusters that were written."""
        clusters = content.clusters([(start, end - start) for start, end in stretches])
        self.assertLessEqual(clusters, content.clusters(self.disk.written))
        at = 0
        with open(self.record, "rb") as file:
            for start, end in [*stretches, (CAPACITY, CAPACITY)]:
                self.assertFalse(any(os.pread(file.fileno(), start - at, at)), f"{at} to {start} is no hole")
                at = end

    def test_holes_size_and_blocks_in_use_match_the_data(self):
        found = data(self.raw, CAPACITY)
        self.expect_honest(found)
        used = sum(end - start for start, end in found)
        self.assertLess(used, CAPACITY // 2)
        self.assertEqual(self.raw.stat().st_blocks, -(-used // 512))
        self.assertEqual(self.raw.stat().st_size, CAPACITY)
        self.assertEqual(int(output("du", "--block-size=512", self.raw).split()[0]), -(-used // 512))

    def test_seeking_beyond_the_end_fails_with_enxio(self):
        with open(self.raw, "rb") as file:
            for whence in (os.SEEK_DATA, os.SEEK_HOLE):
                with self.assertRaises(OSError) as refused:
                    os.lseek(file.fileno(), CAPACITY, whence)
                self.assertEqual(refused.exception.errno, errno.ENXIO)
            self.assertIn(os.lseek(file.fileno(), CAPACITY - 1, os.SEEK_HOLE), (CAPACITY - 1, CAPACITY))

    def test_every_write_to_an_image_fails_with_erofs(self):
        target = self.folder / "elsewhere"
        target.write_text("x")
        for image in (self.raw, self.qcow2):
            for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):
                with self.assertRaises(OSError) as refused:
                    os.open(image, flags)
                self.assertEqual(refused.exception.errno, errno.EROFS)
            with self.assertRaises(OSError) as refused:
                os.truncate(image, 0)
            self.assertEqual(refused.exception.errno, errno.EROFS)
            for command in (["cp", target, image], ["dd", f"of={image}", f"if={target}", "conv=notrunc"],
                            ["fallocate", "--punch-hole", "-o", "0", "-l", "4096", image]):  # fmt: skip
                done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("Read-only file system", done.stderr)
        self.assertTrue(content.same_bytes(self.raw, self.record))

    def test_a_loop_device_mounts_the_file_system_of_a_point(self):
        folder = self.folder / "files"
        folder.mkdir()
        device = output("losetup", "--read-only", "--find", "--show", self.point / "disk-1.raw").strip()
        with contextlib.ExitStack() as undo:
            undo.callback(output, "losetup", "--detach", device)
            output("mount", "-t", "ext4", "-o", "ro,noload", device, folder)
            undo.callback(output, "umount", folder)
            found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in self.files}
        self.assertEqual(found, self.files)

    def test_an_overlay_of_a_point_takes_writes_and_leaves_the_point_unchanged(self):
        overlay = self.folder / "overlay.qcow2"
        output("qemu-img", "create", "-q", "-f", "qcow2", "-b", self.raw, "-F", "raw", overlay)
        self.assertTrue(content.same_disk(overlay, self.record))
        output("qemu-io", "-f", "qcow2", "-c", "write -P 7 0 64k", overlay)
        self.assertFalse(content.same_disk(overlay, self.record))
        self.assertTrue(content.same_bytes(self.raw, self.record))

    def test_a_guest_boots_from_a_point_and_leaves_the_point_unchanged(self):
        images = [(self.point / f"disk-1.{form}", form) for form in ("raw", "qcow2")]
        before = [hashlib.sha256(path.read_bytes()).digest() for path, _ in images]
        booted = guest.SnapshotGuest(self.folder / "guest", guest.make_initrd(self.folder), images)
        self.addCleanup(booted.close)
        for device in ("/dev/vda", "/dev/vdb"):
            booted.run(f"mount -t ext4 {device} /mnt")
            # The summing program comes from the backup, too.
            said = booted.run("chroot /mnt /bin/busybox sha256sum " + " ".join(self.files))
            self.assertEqual({name: line.split()[0] for name, line in zip(self.files, said.splitlines())}, self.files)
            booted.run("echo written >/mnt/file0 && sync && umount /mnt && mount -t ext4 " + device + " /mnt")
            self.assertEqual(booted.run("cat /mnt/file0"), "written")
            booted.run("umount /mnt")
        booted.close()
        self.assertEqual([hashlib.sha256(path.read_bytes()).digest() for path, _ in images], before)


class Reads(PointTest):
    """Random reads of the images, compared with the record of the disk."""

    def test_random_reads_of_the_raw_image_equal_the_record(self):
        self.assertEqual(differential.differences(self.raw, self.record, READS, self.random), [])

    def test_random_reads_of_the_flat_qcow2_equal_its_copy(self):
        copied = self.folder / "copied.qcow2"
        content.copy(self.qcow2, copied)
        self.assertTrue(content.same_disk(copied, self.record))
        self.assertEqual(differential.differences(self.qcow2, copied, READS // 10, self.random), [])

    def test_each_way_of_reading_notices_a_flipped_bit(self):
        for offset in range(0, CAPACITY, MIB):
            content.flip_bit(self.record, offset)
        for way in differential.WAYS:
            found = differential.differences(self.raw, self.record, 400, self.random, threads=2, ways=[way])
            self.assertGreater(len(found), 0, way.__name__)


if __name__ == "__main__":
    holdfast.main(guest.missing)
