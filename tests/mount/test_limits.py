#!/usr/bin/python3
"""Limits of a backup, set by its repository, its machine or its run: bandwidth, reserve, sample."""

import errno
import json
import os
import random
import subprocess
import time

import content
import holdfast
from processes import detach

MIB = 2**20


def free(path):
    space = os.statvfs(path)
    return space.f_bavail * space.f_frsize


class Limits(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(5)
        self.storage = self.add_machine(capacities=[64 * MIB])
        (self.disk,) = self.storage.disks

    def expect_pace(self, bytes_a_second, arguments=""):
        self.add_flow()
        self.disk.write(0, self.random.randbytes(8 * MIB))
        record = self.disk.record(self.folder / "record")
        begun = time.monotonic()
        self.assertEqual(self.daemon.run("f", "first", arguments), "success")
        taken = time.monotonic() - begun
        moved = self.daemon.json("flows/f/executions/first/status.json")["bytes_transferred"]
        self.assertEqual(moved, 8 * MIB)
        self.assertLessEqual(moved / taken, 1.1 * bytes_a_second)
        (point,) = self.daemon.points("m")
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", record))

    def test_a_backup_keeps_to_the_bandwidth_of_its_repository(self):
        self.add_repository(bandwidth="4M")
        self.expect_pace(4 * MIB)

    def test_a_backup_keeps_to_the_bandwidth_of_its_machine(self):
        self.add_repository()
        self.daemon.write("machines/m/config.json", json.dumps(self.storage.definition() | {"bandwidth": "4M"}))
        self.expect_pace(4 * MIB)

    def test_a_backup_keeps_to_the_bandwidth_of_its_run(self):
        self.add_repository()
        self.expect_pace(4 * MIB, "bandwidth=4M")

    def test_a_backup_keeps_to_the_lowest_of_several_bandwidths(self):
        self.add_repository(bandwidth="64M")
        self.expect_pace(4 * MIB, "bandwidth=4M")

    def test_a_sample_reads_a_share_of_the_unchanged_data(self):
        self.add_repository()
        self.add_flow()
        self.disk.write(0, self.random.randbytes(16 * MIB))
        self.back_up("first")
        self.back_up("second", sample="100%")
        read = self.daemon.json("flows/f/executions/second/status.json")["bytes_read"]
        self.assertEqual(read, 16 * MIB + content.CLUSTER, "the last one is read twice")
        self.assertEqual(self.daemon.json("machines/m/latest/manifest.json")["kind"], "incremental")

    def test_a_sample_finds_a_change_that_the_source_has_forgotten(self):
        self.add_repository()
        self.add_flow()
        self.disk.write(0, self.random.randbytes(16 * MIB))
        self.back_up("first")
        self.disk.write(5 * MIB, self.random.randbytes(MIB))
        (bitmap,) = self.storage.bitmaps(self.disk)
        self.storage.qmp.command("block-dirty-bitmap-clear", {"node": self.disk.node, "name": bitmap})
        point, record = self.back_up("second", expected="warning", sample="100%")
        self.assertEqual(self.daemon.json("flows/f/executions/second/status.json")["reason"], "cbt_lied")
        manifest = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        self.assertEqual((manifest["kind"], manifest["reason"]), ("full", "cbt_lied"))
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", record))

    def test_without_a_sample_a_forgotten_change_is_missed(self):
        """Negative control of the two tests above."""
        self.add_repository()
        self.add_flow()
        self.disk.write(0, self.random.randbytes(16 * MIB))
        self.back_up("first")
        self.disk.write(5 * MIB, self.random.randbytes(MIB))
        (bitmap,) = self.storage.bitmaps(self.disk)
        self.storage.qmp.command("block-dirty-bitmap-clear", {"node": self.disk.node, "name": bitmap})
        point, record = self.back_up("second")
        self.assertFalse(content.same_bytes(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", record))

    def test_an_invalid_bandwidth_or_sample_is_refused(self):
        self.add_repository()
        self.add_flow()
        for wrong in ("bandwidth=0", "bandwidth=fast", "bandwidth=-1", "sample=101%", "sample=5", "sample="):
            with self.assertRaises(OSError) as refused:
                self.daemon.write("flows/f/control", f"run {wrong}")
            self.assertEqual(refused.exception.errno, errno.EINVAL)
            self.assertIn(wrong.partition("=")[0], self.daemon.read("flows/f/error"))
        self.assertEqual(self.daemon.json("flows/f/status.json")["total_executions"], 0)

    def test_a_new_bandwidth_applies_to_a_running_backup(self):
        path = self.add_repository(bandwidth="64K")
        self.add_flow()
        self.disk.write(0, self.random.randbytes(16 * MIB))  # over four minutes at the first bandwidth
        self.daemon.write("flows/f/control", "run name=first")
        self.until(lambda: self.daemon.json("flows/f/executions/first/status.json")["progress"]["done"] > 0)
        progress = self.daemon.json("flows/f/executions/first/status.json")["progress"]
        self.assertEqual(progress["total"], 16 * MIB)
        self.assertLess(progress["done"], progress["total"])
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(path)}))
        self.assertEqual(self.daemon.read("flows/f/executions/first/wait"), "success\n")
        ended = self.daemon.json("flows/f/executions/first/status.json")["progress"]
        self.assertEqual((ended["done"], ended["total"]), (16 * MIB, 16 * MIB))

    def test_a_run_slowed_by_its_bandwidth_is_cancelled_at_once(self):
        self.add_repository(bandwidth=1)
        self.add_flow()
        self.disk.write(0, self.random.randbytes(MIB))
        self.daemon.write("flows/f/control", "run name=first")
        self.until(lambda: self.daemon.json("flows/f/executions/first/status.json")["status"] == "running")
        machine = self.daemon.json("machines/m/status.json")
        self.assertEqual((machine["state"], machine["warnings"]), ("busy", []))
        self.daemon.write("flows/f/executions/first/control", "cancel")
        self.assertEqual(self.daemon.read("flows/f/executions/first/wait"), "cancelled\n")
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual(self.storage.foreign(), [])
        machine = self.daemon.json("machines/m/status.json")
        self.assertEqual((machine["state"], machine["warnings"]), ("ready", []))

    def test_free_bytes_of_a_repository_are_current(self):
        path = self.folder / "small"
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", path], check=True)
        self.addCleanup(detach, path)
        self.addCleanup(self.daemon.close)
        self.daemon.define("repositories/r", {"path": str(path)})
        for size in (0, 8 * MIB):
            (path / "of somebody").write_bytes(bytes(size))
            before = free(path)
            told = self.daemon.json("repositories/r/status.json")["free_bytes"]
            after = free(path)
            # The daemon writes definitions meanwhile, which takes a few pages.
            self.assertLessEqual(min(before, after) - MIB, told)
            self.assertLessEqual(told, max(before, after) + MIB)

    def test_a_reserve_stays_free(self):
        path = self.folder / "small"
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", path], check=True)
        self.addCleanup(detach, path)
        self.addCleanup(self.daemon.close)
        settings = {"path": str(path), "compression": "none", "reserve": "60%"}
        self.daemon.define("repositories/r", settings)
        self.add_flow()
        self.disk.write(0, self.random.randbytes(60 * MIB))
        self.assertEqual(self.daemon.run("f", "first"), "error")
        status = self.daemon.json("flows/f/executions/first/status.json")
        self.assertEqual(status["reason"], "no_space")
        self.assertIn("60 %", status["message"])
        self.assertEqual(list(path.glob("*/*.partial")), [])
        self.daemon.write("repositories/r/config.json", json.dumps(settings | {"reserve": "0%"}))
        self.assertEqual(self.daemon.run("f", "second"), "success")

    def test_an_invalid_reserve_is_refused(self):
        self.add_repository()
        before = self.daemon.read("repositories/r/config.json")
        self.assertEqual(json.loads(before)["reserve"], "2%")
        for wrong in ('"101%"', '"-1%"', "2", '"much"', '"%"'):
            with self.assertRaises(OSError) as refused:
                self.daemon.write("repositories/r/config.json", f'{{"path":"/srv/x","reserve":{wrong}}}')
            self.assertEqual(refused.exception.errno, errno.EINVAL)
            self.assertIn("reserve", self.daemon.read("repositories/r/error"))
        self.assertEqual(self.daemon.read("repositories/r/config.json"), before)


if __name__ == "__main__":
    holdfast.main()
