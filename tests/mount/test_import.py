#!/usr/bin/python3
"""Import: an image made by another program becomes a machine's first point, or is refused without any change."""

import errno
import json
import os
import pathlib
import random
import re
import signal
import subprocess

import content
import holdfast
from storage import StorageDaemon

MIB = 2**20
CAPACITY = 40 * MIB + 3 * 512


def qemu_img(*words):
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True)


class Import(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.repository = self.add_repository()
        self.truth = self.folder / "truth.raw"
        self.make_truth(CAPACITY, 30)

    def make_truth(self, capacity, writes):
        with open(self.truth, "wb") as file:
            file.truncate(capacity)
            for _ in range(writes):
                size = self.random.choice([512, 4096, 65536, 100_000, MIB])
                file.seek(self.random.randrange(capacity - size))
                file.write(self.random.randbytes(size))

    def image(self, name, output, *options):
        """Converts the truth into an image of the format."""
        path = self.folder / name
        qemu_img("convert", "-f", "raw", "-O", output, *options, self.truth, path)
        return path

    def start_import(self, path, machine, name, more=""):
        self.daemon.write("repositories/r/control", f"import file={path} machine={machine} name={name} {more}".strip())

    def end_of(self, name):
        return self.daemon.read(f"jobs/{name}/wait").strip()

    def job(self, name):
        return self.daemon.json(f"jobs/{name}/status.json")

    def restored(self, machine, disk="disk-0"):
        (point,) = self.daemon.points(machine)
        target = self.folder / f"{machine}.restored"
        content.copy(self.daemon.mount / "machines" / machine / "points" / point / f"{disk}.raw", target)
        return target

    def stored(self):
        return sorted(str(path) for path in self.repository.glob("*/2*"))

    def reader(self):
        """Returns the pid of the daemon's child that reads version 1 images, or None."""
        for task in pathlib.Path(f"/proc/{self.daemon.process.pid}/task").iterdir():
            try:
                for child in (task / "children").read_text().split():
                    if pathlib.Path(f"/proc/{child}/comm").read_text() == "holdfast-qcow\n":
                        return int(child)
            except (FileNotFoundError, ProcessLookupError):
                pass  # the thread or the child has ended meanwhile
        return None

    def limit(self, **bandwidth):
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), **bandwidth}))

    def stop_in_the_middle(self, path, machine, name):
        """Starts an import and stops its reader while the copy is partial; returns the reader's pid. A bandwidth limit
        slows the import until the stop, so that the reader cannot finish first. Afterwards the limit is gone."""
        self.limit(bandwidth="256K")
        self.start_import(path, machine, name)
        self.until(self.reader)
        reader = self.reader()
        while True:
            os.kill(reader, signal.SIGSTOP)
            self.assertEqual(self.job(name)["status"], "running")
            if list(self.repository.glob("*/*.partial/disk-0.qcow2")):
                self.limit()
                return reader
            os.kill(reader, signal.SIGCONT)

    def test_an_imported_image_is_what_qemu_reads(self):
        images = {
            "plain-1": self.image("plain-1", "qcow"),
            "plain-2": self.image("plain-2", "qcow2", "-o", "compat=0.10"),
            "deflate": self.image("deflate", "qcow2", "-c"),
            "zstd": self.image("zstd", "qcow2", "-c", "-o", "compression_type=zstd,cluster_size=4k"),
        }
        for machine, path in images.items():
            (self.daemon.mount / "machines" / machine).mkdir()
            self.start_import(path, machine, machine)
            self.assertEqual(self.end_of(machine), "success")
            self.assertTrue(content.same_bytes(self.restored(machine), self.truth), machine)
        self.daemon.stop()
        for point in self.stored():
            self.assertTrue(content.sound(f"{point}/disk-0.qcow2"), point)
            self.assertTrue(content.same_disk(f"{point}/disk-0.qcow2", self.truth), point)
        content.flip_bit(self.truth, CAPACITY - 1)
        self.assertFalse(content.same_bytes(self.folder / "plain-1.restored", self.truth))

    def test_the_job_the_point_and_the_event_of_an_import_name_its_facts(self):
        (self.daemon.mount / "machines/m").mkdir()
        path = self.image("a.qcow", "qcow")
        self.start_import(path, "m", "first", "disk=system")
        self.assertEqual(self.end_of("first"), "success")
        job = self.job("first")
        self.assertEqual((job["type"], job["owner"], job["machine"]), ("import", "repositories/r", "m"))
        self.assertEqual(
            job["metadata"], {"file": str(path), "disk": "system", "format": "qcow", "version": 1}
        )
        self.assertEqual(job["progress"]["done"], job["progress"]["total"])
        (point,) = self.daemon.points("m")
        manifest = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        self.assertEqual((manifest["kind"], manifest["reason"]), ("full", "no_parent"))
        self.assertEqual([disk["name"] for disk in manifest["disks"]], ["system"])
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        (asked,) = [event for event in events if event["event"] == "repository.import"]
        self.assertEqual((asked["object"], asked["job"], asked["by"]["uid"]), ("repositories/r", "first", 0))
        self.assertEqual([event["event"] for event in events].count("point.commit"), 1)

    def test_a_large_empty_disk_costs_only_its_data(self):
        path = self.folder / "large.qcow"
        qemu_img("create", "-q", "-f", "qcow", path, "1T")
        subprocess.run(["qemu-io", "-f", "qcow", "-c", "write -P 3 900G 1M", path], check=True, capture_output=True)
        (self.daemon.mount / "machines/m").mkdir()
        self.start_import(path, "m", "first")
        self.assertEqual(self.end_of("first"), "success")
        self.assertEqual(self.job("first")["bytes_read"], MIB)
        (point,) = self.daemon.points("m")
        with open(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", "rb") as disk:
            self.assertEqual(disk.seek(0, os.SEEK_DATA), 900 * 1024 * MIB)
            self.assertEqual(disk.read(MIB), b"\3" * MIB)

    def test_the_first_backup_after_an_import_is_a_full_and_the_second_an_increment(self):
        storage = self.add_machine(capacities=[64 * MIB])
        self.add_flow()
        self.start_import(self.image("a.qcow", "qcow"), "m", "first")
        self.assertEqual(self.end_of("first"), "success")
        (disk,) = storage.disks
        disk.scatter(self.random, 3, [65536])
        self.assertEqual(self.daemon.run("f", "second"), "warning")
        disk.scatter(self.random, 3, [65536])
        self.assertEqual(self.daemon.run("f", "third"), "success")
        manifests = [self.daemon.json(f"machines/m/points/{p}/manifest.json") for p in self.daemon.points("m")]
        self.assertEqual(
            [(m["kind"], m["reason"]) for m in manifests],
            [("full", "no_parent"), ("full", "no_change_id"), ("incremental", None)],
        )

    def test_a_machine_can_be_defined_after_its_import_and_keeps_its_disk(self):
        (self.daemon.mount / "machines/m").mkdir()
        self.start_import(self.image("a.qcow", "qcow"), "m", "first")
        self.assertEqual(self.end_of("first"), "success")
        source = StorageDaemon(self.folder / "m", [64 * MIB])
        self.addCleanup(source.close)
        self.daemon.write("machines/m/config.json", json.dumps(source.definition()))
        self.assertEqual(set(os.listdir(self.daemon.mount / "machines/m/disks")), {"disk-0"})
        self.assertTrue(content.same_bytes(self.restored("m"), self.truth))

    def test_an_import_to_a_machine_of_several_disks_needs_a_disk(self):
        self.add_machine(capacities=[64 * MIB, 64 * MIB])
        path = self.image("a.qcow", "qcow")
        self.assert_refused(f"import file={path} machine=m", errno.EINVAL, "disk-0, disk-1.*disk=NAME")
        self.assert_refused(f"import file={path} machine=m disk=x", errno.ENOENT, "no disk 'x', only disk-0, disk-1")
        self.start_import(path, "m", "first", "disk=disk-1")
        self.assertEqual(self.end_of("first"), "success")
        self.assertTrue(content.same_bytes(self.restored("m", "disk-1"), self.truth))

    def assert_refused(self, command, code, sentence):
        before = self.state_of_things()
        with self.assertRaises(OSError) as refusal:
            self.daemon.write("repositories/r/control", command)
        said = self.daemon.read("repositories/r/error")
        self.assertEqual(refusal.exception.errno, code, said)
        self.assertRegex(said, rf"\A[^\n]*{sentence}[^\n]*\n\Z")
        self.assertEqual(self.state_of_things(), before)
        return said

    def state_of_things(self):
        return self.daemon.catalog(), self.stored(), sorted(os.listdir(self.daemon.mount / "jobs"))

    def test_an_impossible_import_is_refused_in_its_write(self):
        (self.daemon.mount / "machines/m").mkdir()
        good = self.image("good.qcow2", "qcow2")
        link = self.folder / "link"
        link.symlink_to(good)
        cut = self.image("cut.qcow", "qcow")
        os.truncate(cut, cut.stat().st_size - 65536)
        increment = self.folder / "increment.qcow2"
        qemu_img("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", good, increment)
        extended = self.image("extended.qcow2", "qcow2", "-o", "extended_l2=on")
        huge = self.folder / "huge.qcow2"
        qemu_img("create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", huge, "63T")
        self.add_repository("small", cluster_size="4K")

        self.assert_refused("import machine=m", errno.EINVAL, "'import' wants file=FILE")
        self.assert_refused(f"import file={good}", errno.EINVAL, "'import' wants machine=MACHINE")
        self.assert_refused("import file=good.qcow2 machine=m", errno.EINVAL, "no absolute path")
        self.assert_refused(f"import file={good} machine=x", errno.ENOENT, "'x'")
        self.assert_refused("import file=/absent machine=m", errno.ENOENT, "/absent")
        self.assert_refused(f"import file={self.folder} machine=m", errno.EINVAL, "no file and no block device")
        self.assert_refused(f"import file={link} machine=m", errno.EINVAL, re.escape(f"the file itself: {good}"))
        self.assert_refused(f"import file={self.truth} machine=m", errno.EINVAL, "no mark.*`qemu-img convert -f raw")
        self.assert_refused(f"import file={cut} machine=m", errno.EINVAL, "`qemu-img convert --salvage")
        self.assert_refused(f"import file={increment} machine=m", errno.EINVAL, "backing file.*not in a repository, by `qemu-img convert -f qcow2 .* /var/tmp/")
        said = self.assert_refused(f"import file={extended} machine=m", errno.EINVAL, "extended L2.*`qemu-img convert")

        with self.assertRaises(OSError) as refusal:
            self.daemon.write("repositories/small/control", f"import file={huge} machine=m")
        self.assertEqual(refusal.exception.errno, errno.EINVAL)
        self.assertIn("choose larger ones", self.daemon.read("repositories/small/error"))

        # The conversion that a refusal suggests makes an importable image.
        subprocess.run(said[said.index("`") + 1 : said.rindex("`")], shell=True, check=True)
        self.start_import(f"{extended}.plain.qcow2", "m", "first")
        self.assertEqual(self.end_of("first"), "success")
        self.assertTrue(content.same_bytes(self.restored("m"), self.truth))
        self.assertEqual(self.daemon.read("repositories/r/error"), "")

    def test_a_second_import_into_the_same_repository_is_refused(self):
        (self.daemon.mount / "machines/m").mkdir()
        path = self.image("a.qcow", "qcow")
        self.make_truth(64 * MIB, 0)
        self.start_import(path, "m", "first")
        self.assertEqual(self.end_of("first"), "success")
        self.assert_refused(f"import file={path} machine=m", errno.EEXIST, "has points in repository 'r' already")
        self.add_repository("other")
        self.daemon.write("repositories/other/control", f"import file={path} machine=m name=elsewhere")
        self.assertEqual(self.end_of("elsewhere"), "success")

    def test_a_second_import_during_the_first_is_refused(self):
        self.make_truth(64 * MIB, 60)
        (self.daemon.mount / "machines/m").mkdir()
        path = self.image("a.qcow", "qcow")
        reader = self.stop_in_the_middle(path, "m", "first")
        with self.assertRaises(OSError) as refusal:
            self.start_import(path, "m", "second")
        self.assertEqual(refusal.exception.errno, errno.EBUSY)
        self.assertIn("'first'", self.daemon.read("repositories/r/error"))
        os.kill(reader, signal.SIGCONT)
        self.assertEqual(self.end_of("first"), "success")
        self.assertTrue(content.same_bytes(self.restored("m"), self.truth))

    def test_a_cancelled_import_leaves_nothing(self):
        self.make_truth(64 * MIB, 60)
        (self.daemon.mount / "machines/m").mkdir()
        reader = self.stop_in_the_middle(self.image("a.qcow", "qcow"), "m", "first")
        self.daemon.write("jobs/first/control", "cancel")
        os.kill(reader, signal.SIGCONT)
        self.assertEqual(self.end_of("first"), "cancelled")
        self.assert_nothing_is_left()

    def test_an_import_of_a_killed_daemon_leaves_nothing(self):
        self.make_truth(64 * MIB, 60)
        (self.daemon.mount / "machines/m").mkdir()
        path = self.image("a.qcow", "qcow")
        reader = self.stop_in_the_middle(path, "m", "first")
        self.daemon.kill()
        self.until(lambda: not pathlib.Path(f"/proc/{reader}/fd/0").exists())
        self.daemon.start()
        self.daemon.await_settled()
        self.assertEqual(self.end_of("first"), "error")
        self.assertEqual(self.job("first")["reason"], "interrupted")
        self.assert_nothing_is_left()
        self.start_import(path, "m", "again")
        self.assertEqual(self.end_of("again"), "success")
        self.assertTrue(content.same_bytes(self.restored("m"), self.truth))

    def assert_nothing_is_left(self):
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual([path for path in self.repository.glob("*/*") if "definitions" not in path.parts], [])
        self.assertEqual(os.listdir(self.daemon.mount / "machines/m/disks"), [])

    def test_an_image_changed_during_its_import_fails_the_job(self):
        self.make_truth(64 * MIB, 60)
        (self.daemon.mount / "machines/m").mkdir()
        path = self.image("a.qcow", "qcow")
        reader = self.stop_in_the_middle(path, "m", "first")
        os.utime(path)
        os.kill(reader, signal.SIGCONT)
        self.assertEqual(self.end_of("first"), "error")
        self.assertIn("was changed while it was read", self.job("first")["message"])
        self.assert_nothing_is_left()

    def test_a_full_repository_ends_the_import_with_no_space_and_leaves_nothing(self):
        tight = self.folder / "tight"
        tight.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16M", "none", tight], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", tight], check=True)
        self.daemon.define("repositories/tight", {"path": str(tight)})
        (self.daemon.mount / "machines/m").mkdir()
        with open(self.truth, "wb") as file:
            file.write(self.random.randbytes(32 * MIB))
        path = self.image("a.qcow", "qcow")
        self.daemon.write("repositories/tight/control", f"import file={path} machine=m name=first")
        self.assertEqual(self.end_of("first"), "error")
        self.assertEqual(self.job("first")["reason"], "no_space")
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual(list(self.repository.glob("inner/*/2*")), [])


if __name__ == "__main__":
    holdfast.main()
