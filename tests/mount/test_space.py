#!/usr/bin/python3
"""Law 14: a run without disk space ends with the reason and leaves nothing, and the next run works. Law 20: images can
be read while the state directory is full."""

import errno
import json
import os
import random
import subprocess

import content
import holdfast
from processes import detach

MIB = 2**20


def fill(path):
    """Makes a file, with which the file system is full to the last byte, even while others write."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(file, bytes(65536))
    except OSError as full:
        if full.errno != errno.ENOSPC:
            raise
    finally:
        os.close(file)


class Capacity(holdfast.MountTest):
    def test_a_file_system_with_two_repositories_counts_once(self):
        for name in ("one", "two"):
            self.add_repository(name)
            self.assertEqual(self.daemon.json(f"repositories/{name}/status.json")["state"], "ready")
        host, shown = os.statvfs(self.folder), os.statvfs(self.daemon.mount)
        self.assertEqual(shown.f_blocks * shown.f_frsize, host.f_blocks * host.f_frsize)
        capacity = self.daemon.json("status.json")["capacity"]["capacity_bytes"]
        self.assertEqual(capacity, host.f_blocks * host.f_frsize)


class Space(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(14)
        self.storage = self.add_machine(capacities=[64 * MIB])
        (self.disk,) = self.storage.disks
        self.path = self.folder / "small"
        self.path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "tmpfs", self.path], check=True)
        self.addCleanup(detach, self.path)
        # The daemon must end before the unmount.
        self.addCleanup(self.daemon.close)
        self.daemon.define("repositories/r", {"path": str(self.path), "compression": "none"})
        self.add_flow()

    def partials(self):
        return list(self.path.glob("*/*.partial"))

    def test_a_run_without_room_leaves_old_points_whole_and_the_next_run_loses_no_change(self):
        self.disk.write(0, self.random.randbytes(4 * MIB))
        first_record = self.disk.record(self.folder / "first.record")
        self.assertEqual(self.daemon.run("f", "first"), "success")
        (first,) = self.daemon.points("m")

        self.disk.write(8 * MIB, self.random.randbytes(32 * MIB))
        self.assertEqual(self.daemon.run("f", "second"), "error")
        status = self.daemon.json("flows/f/executions/second/status.json")
        self.assertEqual(status["reason"], "no_space")
        self.assertIn("space", status["message"].lower())
        self.assertEqual(self.daemon.points("m"), [first])
        self.assertEqual(self.partials(), [])
        self.assertEqual(self.storage.foreign(), [])

        subprocess.run(["mount", "-o", "remount,size=64M", self.path], check=True)
        third_record = self.disk.record(self.folder / "third.record")
        self.assertEqual(self.daemon.run("f", "third"), "success")
        third = self.daemon.points("m")[-1]
        self.assertEqual(self.daemon.json(f"machines/m/points/{third}/manifest.json")["kind"], "incremental")
        for point, record in ((first, first_record), (third, third_record)):
            restored = self.folder / "restored"
            content.copy(self.daemon.mount / "machines/m/points" / point / "disk-0.raw", restored)
            self.assertTrue(content.same_bytes(restored, record), point)
            os.unlink(restored)

    def test_a_run_without_a_single_free_byte_ends_with_no_space(self):
        fill(self.path / "filler")
        self.disk.write(0, self.random.randbytes(MIB))
        self.assertEqual(self.daemon.run("f", "first"), "error")
        self.assertEqual(self.daemon.json("flows/f/executions/first/status.json")["reason"], "no_space")
        self.assertEqual(self.partials(), [])
        os.unlink(self.path / "filler")
        self.assertEqual(self.daemon.run("f", "second"), "success")


class ScratchArea(holdfast.MountTest):
    """The scratch area, where backup jobs of a storage daemon keep overwritten data."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(15)
        self.storage = self.add_machine(capacities=[24 * MIB])
        (self.disk,) = self.storage.disks
        self.daemon.stop()
        scratch = self.daemon.state / "scratch"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=72M", "tmpfs", scratch], check=True)
        self.addCleanup(detach, scratch)
        self.daemon.start()
        self.path = self.add_repository()
        self.add_flow()

    def set_bandwidth(self, bandwidth):
        settings = {"path": str(self.path), "bandwidth": bandwidth}
        self.daemon.write("repositories/r/config.json", json.dumps(settings))

    def test_a_full_scratch_area_fails_the_run_but_no_write_and_the_next_run_loses_no_change(self):
        self.disk.write(0, self.random.randbytes(24 * MIB))
        first, _ = self.back_up("first")
        self.disk.write(0, self.random.randbytes(24 * MIB))
        self.set_bandwidth("64K")
        self.daemon.write("flows/f/control", "run name=second")
        self.until(lambda: self.daemon.json("flows/f/executions/second/status.json")["progress"]["done"] > 0)
        for offset in range(0, 24 * MIB, MIB):
            self.disk.write(offset, self.random.randbytes(MIB))  # raises when the write fails
        self.assertEqual(self.daemon.read("flows/f/executions/second/wait"), "error\n")
        status = self.daemon.json("flows/f/executions/second/status.json")
        self.assertEqual(status["reason"], "no_space")
        self.assertIn("scratch area", status["message"])
        self.assertEqual(self.daemon.points("m"), [first])
        self.assertEqual(list(self.path.glob("*/*.partial")), [])
        self.assertEqual(self.storage.foreign(), [])

        self.set_bandwidth(None)
        point, record = self.back_up("third")
        self.assertEqual(self.daemon.json(f"machines/m/points/{point}/manifest.json")["kind"], "incremental")
        restored = self.folder / "restored"
        content.copy(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", restored)
        self.assertTrue(content.same_bytes(restored, record))


class StateDirectory(holdfast.MountTest):
    """The state directory, where the catalog lies."""

    def setUp(self):
        super().setUp()
        self.daemon.stop()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "tmpfs", self.daemon.state], check=True)
        self.addCleanup(detach, self.daemon.state)
        # The daemon must end before the unmount.
        self.addCleanup(self.daemon.close)
        (self.folder / f".{self.daemon.state.name}.catalog").unlink()  # the new file system has no catalog
        self.daemon.start()
        self.disk = self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        (point,) = self.daemon.points("m")
        self.object = f"machines/m/points/{point}/disk-0"
        self.image = self.daemon.mount / f"{self.object}.raw"
        self.filler = self.daemon.state / "filler"

    def events(self, kind):
        lines = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        return [event for event in lines if event["event"] == kind]

    def test_an_image_is_restored_while_the_state_directory_is_full_and_its_opening_is_recorded_later(self):
        fill(self.filler)
        restored = self.folder / "restored"
        subprocess.run(["cp", self.image, restored], check=True)
        self.assertTrue(content.same_bytes(restored, self.disk.path))
        self.assertEqual(self.events("image.open"), [])
        os.unlink(self.filler)
        self.until(lambda: self.events("image.open"))
        (opening,) = self.events("image.open")
        self.assertEqual((opening["object"], opening["result"]), (self.object, "ok"))
        self.assertEqual(opening["by"]["uid"], os.getuid())

    def test_of_many_openings_while_the_state_directory_is_full_the_last_thousand_are_recorded(self):
        fill(self.filler)
        for _ in range(1050):
            os.close(os.open(self.image, os.O_RDONLY))
        os.unlink(self.filler)
        self.until(lambda: len(self.events("image.open")) >= 1000)
        # The catalog may have had room for the first few.
        recorded = len(self.events("image.open"))
        (untold,) = self.events("image.untold")
        self.assertTrue(untold["reason"].startswith(f"{1050 - recorded} older events"), untold["reason"])

    def test_an_opening_is_recorded_when_the_daemon_ends(self):
        fill(self.filler)
        os.close(os.open(self.image, os.O_RDONLY))
        os.unlink(self.filler)
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual([event["object"] for event in self.events("image.open")], [self.object])


if __name__ == "__main__":
    holdfast.main()
