#!/usr/bin/python3
"""Leftovers of a failed run (law 8): the daemon removes them as soon as the source is back, without another run or a
restart."""

import json
import random

import content
import holdfast

MIB = 2**20


class Leftovers(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(11)
        self.storage = self.add_machine(capacities=[16 * MIB])
        (self.disk,) = self.storage.disks
        self.add_repository()
        self.add_flow()
        self.disk.write(0, self.random.randbytes(4 * MIB))
        self.back_up("first")

    def begin_a_slow_run(self, name):
        """Starts a run that has read something and stays in the middle of its reading."""
        self.set_bandwidth("64K")
        self.disk.write(0, self.random.randbytes(4 * MIB))
        self.daemon.write("flows/f/control", f"run name={name}")
        self.until(lambda: self.daemon.json(f"flows/f/executions/{name}/status.json")["progress"]["done"] > 0)

    def set_bandwidth(self, bandwidth):
        definition = self.daemon.json("repositories/r/config.json") | {"bandwidth": bandwidth}
        self.daemon.write("repositories/r/config.json", json.dumps(definition))

    def test_leftovers_are_removed_when_the_source_is_back(self):
        self.begin_a_slow_run("second")
        self.storage.stop()
        self.assertEqual(self.daemon.read("flows/f/executions/second/wait"), "error\n")
        self.storage.start()
        two = self.storage.bitmaps(self.disk)
        self.assertEqual(sorted(bitmap["recording"] for bitmap in two.values()), [False, True])
        self.until(lambda: len(self.storage.bitmaps(self.disk)) == 1)
        (bitmap,) = self.storage.bitmaps(self.disk).values()
        self.assertTrue(bitmap["recording"])
        self.assertEqual(self.storage.foreign(), [])
        self.assertEqual(list((self.daemon.state / "scratch").iterdir()), [])

        self.set_bandwidth(None)
        point, record = self.back_up("third")
        self.assertEqual(self.daemon.json(f"machines/m/points/{point}/manifest.json")["kind"], "incremental")
        raw = self.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
        self.assertTrue(content.same_bytes(raw, record))

    def test_a_daemon_with_a_pending_retry_ends_at_once(self):
        self.begin_a_slow_run("second")
        self.storage.stop()
        self.daemon.read("flows/f/executions/second/wait")
        self.daemon.stop()


if __name__ == "__main__":
    holdfast.main()
