#!/usr/bin/python3
"""The bitmap of a newest point goes when no run will continue from it: nothing is left behind at a source (law 8)."""

import json
import os
import random
import signal

import holdfast

MIB = 2**20


class LastBitmaps(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(12)
        self.storage = self.add_machine(capacities=(8 * MIB, 8 * MIB))
        self.add_repository()
        self.add_flow()
        self.write()
        self.back_up("first")
        self.assertEqual(self.bitmaps(), [1, 1])

    def write(self):
        for disk in self.storage.disks:
            disk.write(self.random.randrange(4) * MIB, self.random.randbytes(MIB))

    def bitmaps(self):
        """The number of bitmaps of each disk."""
        return [len(self.storage.bitmaps(disk)) for disk in self.storage.disks]

    def await_bitmaps(self, expected):
        self.daemon.await_settled()
        self.assertEqual(self.bitmaps(), expected)

    def change(self, path, **fields):
        definition = {key: value for key, value in self.daemon.json(path).items() if value is not None}
        self.daemon.write(path, json.dumps(definition | fields))

    def test_a_machine_that_retires_leaves_no_bitmap(self):
        self.daemon.write("machines/m/control", "retire keep=90d")
        self.await_bitmaps([0, 0])

    def test_a_machine_that_gets_another_driver_leaves_no_bitmap(self):
        disk = self.folder / "plain"
        disk.write_bytes(bytes(MIB))
        listed = [{"name": "disk-0", "path": str(disk)}]
        self.daemon.write("machines/m/config.json", json.dumps({"driver": "file", "disks": listed}))
        self.await_bitmaps([0, 0])

    def test_a_disk_that_is_dropped_keeps_no_bitmap_and_the_others_continue(self):
        definition = self.storage.definition()
        definition["disks"] = definition["disks"][:1]
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        self.await_bitmaps([1, 0])
        self.write()
        point, _ = self.back_up("second")
        self.assertEqual(self.daemon.json(f"machines/m/points/{point}/manifest.json")["kind"], "incremental")
        self.await_bitmaps([1, 0])

    def test_a_flow_that_goes_to_another_repository_leaves_one_bitmap(self):
        self.add_repository("s")
        self.change("flows/f/config.json", repository="s")
        self.await_bitmaps([0, 0])
        self.write()
        self.back_up("second")
        self.await_bitmaps([1, 1])

    def test_another_flow_into_the_same_repository_keeps_the_bitmap(self):
        self.add_repository("s")
        self.add_flow("g")
        self.change("flows/f/config.json", repository="s")
        self.await_bitmaps([1, 1])
        os.rmdir(self.daemon.mount / "flows/g")
        self.await_bitmaps([0, 0])

    def test_a_source_that_hangs_loses_the_bitmap_when_it_answers_again(self):
        self.storage.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.storage.process.send_signal, signal.SIGCONT)
        self.daemon.write("machines/m/control", "retire keep=90d")
        self.daemon.kill()
        self.storage.process.send_signal(signal.SIGCONT)
        self.daemon.start()
        self.await_bitmaps([0, 0])

    def test_a_change_that_keeps_the_disks_keeps_the_bitmaps(self):
        self.change("machines/m/config.json", description="the same disks")
        self.await_bitmaps([1, 1])
        self.write()
        self.back_up("second")
        self.await_bitmaps([1, 1])


if __name__ == "__main__":
    holdfast.main()
