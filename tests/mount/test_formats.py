#!/usr/bin/python3
"""Image files of the driver `file`: what contradicts their format, and what a QEMU writes to, is never backed up in
silence."""

import errno
import json
import os
import random
import subprocess

import content
import holdfast
from storage import launch

KIB = 2**10
MIB = 2**20
CAPACITY = 64 * MIB


class Image:
    """An image that a test writes to as its owner, beside a raw file of the same content."""

    def __init__(self, folder, form="qcow2", capacity=CAPACITY, seed=7):
        self.path, self.truth, self.form = folder / f"image.{form}", folder / "truth.raw", form
        self.random = random.Random(seed)
        with open(self.truth, "wb") as file:
            file.truncate(capacity)
        self.write(0, 100_000)
        self.write(17 * MIB + 3, 300_000)
        self.convert()

    def write(self, offset, length):
        with open(self.truth, "r+b") as file:
            os.pwrite(file.fileno(), self.random.randbytes(length), offset)

    def convert(self):
        """Makes the image anew in its place, under the same inode, as writes of a machine do."""
        made = self.path.with_suffix(".new")
        subprocess.run(["qemu-img", "convert", "-O", self.form, self.truth, made], check=True)
        self.path.touch()
        self.path.write_bytes(made.read_bytes())
        made.unlink()


def opened_by_qemu(image, form, **options):
    """A real storage daemon that has the image open as a running machine has."""
    words = "".join(f",{name.replace('_', '-')}={value}" for name, value in options.items())
    below = f"driver=file,node-name=below,filename={image}{words}"
    export = f"type=fuse,id=disk,node-name=disk,mountpoint={image}.export,writable=on"
    export = [] if options.get("read_only") else ["--export", export]
    if export:
        open(f"{image}.export", "wb").close()
    read_only = ",read-only=on" if options.get("read_only") else ""
    return launch(["--blockdev", below, "--blockdev", f"driver={form},node-name=disk,file=below{read_only}", *export])


class Formats(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_repository()
        (self.daemon.mount / "machines/m").mkdir()

    def define(self, path, **fields):
        disk = {"name": "disk-0", "path": str(path), **fields}
        self.daemon.write("machines/m/config.json", json.dumps({"driver": "file", "disks": [disk]}))

    def refused(self, *arguments, **fields):
        with self.assertRaises(OSError) as refusal:
            self.define(*arguments, **fields)
        self.assertEqual(refusal.exception.errno, errno.EINVAL)
        self.assertEqual(self.daemon.json("machines/m/status.json")["state"], "incomplete")
        return self.daemon.read("machines/m/error")

    def assert_not_backed_up(self, *words):
        """Expects a dry run and a run to fail with these words."""
        self.daemon.write("flows/f/control", "test name=trial")
        self.assertEqual(self.daemon.read("jobs/trial/wait").strip(), "error")
        self.assertEqual(self.daemon.run("f", "bad"), "error")
        for said in (self.daemon.read("jobs/trial/log"), self.daemon.read("flows/f/executions/bad/log")):
            for word in words:
                self.assertIn(word, said)
        self.assertEqual(self.daemon.points("m"), [])

    def back_up(self, name, image):
        self.assertEqual(self.daemon.run("f", name), "success", self.daemon.read(f"flows/f/executions/{name}/log"))
        restored = self.folder / f"{name}.restored"
        content.copy(self.daemon.mount / "machines/m/latest/disk-0.raw", restored)
        self.assertTrue(content.same_bytes(restored, image.truth))
        return self.daemon.json("machines/m/latest/manifest.json"), restored

    def hold(self, *arguments, **options):
        process, qmp = opened_by_qemu(*arguments, **options)

        def close():
            qmp.close()
            process.terminate()
            process.wait()

        self.addCleanup(close)
        return close


class Contradictions(Formats):
    def test_an_image_file_as_raw_is_refused_in_the_write_of_its_definition(self):
        for form in ("qcow2", "qcow", "vmdk", "vdi", "vhdx", "qed", "vpc"):
            path = self.folder / f"disk.{form}"
            subprocess.run(["qemu-img", "create", "-q", "-f", form, path, str(CAPACITY)], check=True)
            for fields in ({}, {"format": "raw"}):
                sentence = self.refused(path, **fields)
                self.assertIn(f"{path} is a {form} image", sentence)
                self.assertIn('"format": "qcow2"' if form == "qcow2" else "qemu-img convert", sentence)

    def test_a_raw_file_as_qcow2_is_refused_in_the_write_of_its_definition(self):
        path = self.folder / "disk"
        path.write_bytes(bytes(MIB))
        self.assertIn("is no qcow2 image", self.refused(path, format="qcow2"))

    def test_an_unknown_format_is_refused(self):
        self.assertIn('"raw" or "qcow2"', self.refused(self.folder / "disk", format="vmdk"))

    def test_a_file_that_becomes_an_image_later_is_refused_in_the_dry_run_and_in_the_run(self):
        self.define(self.folder / "image.qcow2")
        self.add_flow()
        Image(self.folder)
        self.assert_not_backed_up("is a qcow2 image", '"format": "qcow2"')

    def test_a_device_that_holds_an_image_is_refused_as_raw(self):
        image = Image(self.folder)
        losetup = ["losetup", "--find", "--show", image.path]
        device = subprocess.run(losetup, capture_output=True, text=True, check=True).stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", device], check=True)
        self.assertIn("is a qcow2 image", self.refused(device))
        self.define(device, format="qcow2")
        self.add_flow()
        self.back_up("first", image)

    def test_an_image_with_a_backing_or_a_data_file_is_refused_by_name(self):
        Image(self.folder)
        create = ["qemu-img", "create", "-q", "-f", "qcow2"]
        backing = ["-b", self.folder / "image.qcow2", "-F", "qcow2"]
        data = ["-o", f"data_file={self.folder}/secret.raw", self.folder / "disk", str(CAPACITY)]
        for number, (arguments, word) in enumerate([([*backing, self.folder / "disk"], "image.qcow2"), (data, "secret.raw")]):
            (self.folder / "disk").unlink(missing_ok=True)
            subprocess.run([*create, *arguments], check=True)
            self.define(self.folder / "disk", format="qcow2")
            if number == 0:
                self.add_flow()
            self.daemon.write("flows/f/control", f"test name=trial{number}")
            self.assertEqual(self.daemon.read(f"jobs/trial{number}/wait").strip(), "error")
            self.assertIn(word, self.daemon.read(f"jobs/trial{number}/log"))
            self.assertEqual(self.daemon.run("f", f"bad{number}"), "error")
            self.assertIn(word, self.daemon.read(f"flows/f/executions/bad{number}/log"))

    def test_an_image_that_was_cut_off_is_not_backed_up(self):
        image = Image(self.folder)
        os.truncate(image.path, image.path.stat().st_size - 128 * KIB)
        self.define(image.path, format="qcow2")
        self.add_flow()
        self.assert_not_backed_up("cut off")


class Qcow2(Formats):
    def test_a_qcow2_file_is_backed_up_as_the_disk_that_it_holds(self):
        image = Image(self.folder)
        self.define(image.path, format="qcow2")
        self.add_flow()
        first, restored = self.back_up("first", image)
        self.assertEqual((first["kind"], first["reason"], first["consistency"]), ("full", "no_parent", "none"))
        (disk,) = first["disks"]
        self.assertEqual(disk["capacity_bytes"], CAPACITY)
        self.assertLess(disk["bytes_read"], MIB, "holes of the image are not read")
        image.write(5 * MIB, 70_000)
        image.convert()
        second, _ = self.back_up("second", image)
        self.assertEqual((second["kind"], second["parent"]), ("incremental", first["id"]))
        self.assertLess(second["disks"][0]["bytes_stored"], 512 * KIB)
        # Negative control: the comparison can fail.
        content.flip_bit(restored, 12 * MIB)
        self.assertFalse(content.same_bytes(restored, image.truth))

    def test_no_program_is_left_after_a_run(self):
        image = Image(self.folder)
        self.define(image.path, format="qcow2")
        self.add_flow()
        self.back_up("first", image)
        children = ["pgrep", "--parent", str(self.daemon.process.pid)]
        found = subprocess.run(children, capture_output=True, text=True, check=False)
        self.assertEqual((found.returncode, found.stdout), (1, ""))


class InUse(Formats):
    def prepare(self, form):
        image = Image(self.folder, form)
        self.define(image.path, format=form)
        self.add_flow()
        return image

    def test_a_raw_image_that_a_qemu_writes_to_is_refused_with_the_ways_out(self):
        image = self.prepare("raw")
        close = self.hold(image.path, "raw")
        self.assert_not_backed_up("is open for writing in a QEMU", '"driver": "qmp"', "snapshot", '"shared": true')
        close()
        self.back_up("first", image)

    def test_a_qcow2_image_that_a_qemu_writes_to_is_refused_with_the_ways_out(self):
        image = self.prepare("qcow2")
        close = self.hold(image.path, "qcow2")
        self.assert_not_backed_up("is open for writing in a QEMU", '"driver": "qmp"', "snapshot")
        close()
        self.back_up("first", image)

    def test_an_image_that_a_qemu_reads_is_backed_up(self):
        image = self.prepare("qcow2")
        self.hold(image.path, "qcow2", read_only="on")
        self.back_up("first", image)

    def test_a_raw_image_that_is_shared_on_purpose_is_backed_up(self):
        image = Image(self.folder, "raw")
        self.hold(image.path, "raw")
        self.define(image.path, shared=True)
        self.add_flow()
        first, _ = self.back_up("first", image)
        self.assertEqual(first["consistency"], "none")

    def test_a_qcow2_image_can_not_be_shared(self):
        image = Image(self.folder)
        self.assertIn("tables", self.refused(image.path, format="qcow2", shared=True))


class Yielding(Formats):
    """A QEMU that starts during a run gets its disk, and the run ends (law 8)."""

    def expect_to_yield(self, form, **fields):
        image = Image(self.folder, form)
        self.define(image.path, format=form, **fields)
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.folder / "repository-r"), "bandwidth": "64K"}))
        self.add_flow()
        self.daemon.write("flows/f/control", "run name=first")
        status = "flows/f/executions/first/status.json"
        self.until(lambda: self.daemon.json(status)["bytes_read"] > 0)
        self.hold(image.path, form)  # raises when QEMU does not start
        self.assertEqual(self.daemon.read("flows/f/executions/first/wait").strip(), "error")
        self.assertIn("is open for writing in a QEMU", self.daemon.read("flows/f/executions/first/log"))
        self.assertEqual(self.daemon.points("m"), [])

    def test_a_run_over_a_qcow2_image_ends_when_a_qemu_opens_the_image(self):
        self.expect_to_yield("qcow2")

    def test_a_run_over_a_raw_image_ends_when_a_qemu_opens_the_image(self):
        self.expect_to_yield("raw")


if __name__ == "__main__":
    holdfast.main()
