#!/usr/bin/python3
"""What a repository allows its backups: how fast they read, and how much room they leave."""

import errno
import json
import random
import subprocess
import time

import content
import holdfast
from processes import detach

MIB = 2**20


class Limits(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(5)
        self.storage = self.add_machine(capacities=[64 * MIB])
        (self.disk,) = self.storage.disks

    def test_a_backup_is_no_faster_than_the_bandwidth(self):
        self.add_repository(bandwidth="4M")
        self.add_flow()
        self.disk.write(0, self.random.randbytes(8 * MIB))
        record = self.disk.record(self.folder / "record")
        begun = time.monotonic()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        taken = time.monotonic() - begun
        moved = self.daemon.json("flows/f/executions/first/status.json")["bytes_transferred"]
        self.assertEqual(moved, 8 * MIB)
        self.assertLessEqual(moved / taken, 1.1 * 4 * MIB)
        (point,) = self.daemon.points("m")
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", record))

    def test_a_new_bandwidth_holds_for_what_runs(self):
        path = self.add_repository(bandwidth="64K")
        self.add_flow()
        self.disk.write(0, self.random.randbytes(16 * MIB))  # more than four minutes at that pace
        self.daemon.write("flows/f/control", "run name=first")
        self.until(lambda: self.daemon.json("flows/f/executions/first/status.json")["progress"]["done"] > 0)
        progress = self.daemon.json("flows/f/executions/first/status.json")["progress"]
        self.assertEqual(progress["total"], 16 * MIB)
        self.assertLess(progress["done"], progress["total"])
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(path)}))
        self.assertEqual(self.daemon.read("flows/f/executions/first/wait"), "success\n")
        ended = self.daemon.json("flows/f/executions/first/status.json")["progress"]
        self.assertEqual((ended["done"], ended["total"]), (16 * MIB, 16 * MIB))

    def test_a_run_that_is_held_back_is_cancelled_at_once(self):
        self.add_repository(bandwidth=1)
        self.add_flow()
        self.disk.write(0, self.random.randbytes(MIB))
        self.daemon.write("flows/f/control", "run name=first")
        self.until(lambda: self.daemon.json("flows/f/executions/first/status.json")["status"] == "running")
        self.daemon.write("flows/f/executions/first/control", "cancel")
        self.assertEqual(self.daemon.read("flows/f/executions/first/wait"), "cancelled\n")
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual(self.storage.foreign(), [])

    def test_a_reserve_is_left_free(self):
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

    def test_what_is_no_share_is_refused(self):
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
