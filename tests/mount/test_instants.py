#!/usr/bin/python3
"""Law 4: each point is one instant of both disks. A writer writes one block at a time: number k fills block b(k) of
one disk, then of the other. A consistent point is the state after a prefix of the writer's log, and at most one write
lies between the two disks.

HOLDFAST_POINTS sets the number of points, HOLDFAST_SEED repeats a run."""

import os
import random
import threading
import unittest

import holdfast

BLOCK = 64 * 1024
BLOCKS = 48
PAUSE = 0.001  # seconds between two writes; without pauses the writer starves a backup on one processor


def pattern(number):
    return number.to_bytes(4, "little") * (BLOCK // 4)


def prefix_of(disk, log):
    """Checks that the disk is the state after a prefix of the log, and returns the prefix's length."""
    blocks = [disk[at : at + BLOCK] for at in range(0, len(disk), BLOCK)]
    newest = max(int.from_bytes(block[:4], "little") for block in blocks)
    expected = [0] * BLOCKS
    for number, where in enumerate(log[:newest], start=1):
        expected[where] = number
    for where, (block, number) in enumerate(zip(blocks, expected, strict=True)):
        if block != pattern(number):
            raise AssertionError(f"block {where} is not what write {number} left there, though write {newest} is there")
    return newest


class Writer(threading.Thread):
    """A thread that writes to all files in turn. log[k - 1] is b(k), logged before the write."""

    def __init__(self, files, seed):
        super().__init__(daemon=True)
        self.log = []
        self.error = None
        self._files = files
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._written = threading.Condition()
        self._count = 0

    def run(self):
        try:
            files = [os.open(path, os.O_WRONLY) for path in self._files]
            while not self._stopping.wait(PAUSE):
                where = self._random.randrange(BLOCKS)
                self.log.append(where)
                for file in files:
                    os.pwrite(file, pattern(len(self.log)), where * BLOCK)
                with self._written:
                    self._count = len(self.log)
                    self._written.notify_all()
            for file in files:
                os.close(file)
        except OSError as error:
            self.error = error

    def await_more(self, writes):
        with self._written:
            wanted = self._count + writes
            if not self._written.wait_for(lambda: self._count >= wanted or self.error, holdfast.CEILING):
                raise TimeoutError("the writer hangs")

    def stop(self):
        self._stopping.set()
        self.join()
        if self.error:
            raise self.error


class Instants(holdfast.MountTest):
    def test_every_point_is_one_instant_of_both_disks(self):
        points = int(os.environ.get("HOLDFAST_POINTS", 8))
        self.add_repository()
        storage = self.add_machine(capacities=[BLOCK * BLOCKS] * 2)
        self.add_flow()
        writer = Writer([disk.export for disk in storage.disks], self.seed())
        writer.start()
        self.addCleanup(writer.stop)
        for i in range(points):
            writer.await_more(5)
            self.assertEqual(self.daemon.run("f", f"run-{i}"), "success")
        writer.stop()

        before = 0
        names = self.daemon.points("m")
        self.assertEqual(len(names), points)
        # Sorts by run, because names within one second do not sort by text.
        for name in sorted(names, key=self.order):
            with self.subTest(point=name):
                folder = self.daemon.mount / "machines/m/points" / name
                first, second = (
                    prefix_of((folder / f"{disk.name}.raw").read_bytes(), writer.log) for disk in storage.disks
                )
                self.assertIn(first - second, (0, 1))
                self.assertGreater(first, before)
                before = first
        self.assertEqual(storage.foreign(), [])

    def order(self, name):
        # Examples: 2026-11-20T02-00-00Z, 2026-11-20T02-00-00Z-2.
        second, _, number = name.partition("Z")
        return second, int(number.removeprefix("-") or 1)


class Proof(unittest.TestCase):
    """Negative controls of prefix_of()."""

    LOG = [3, 5, 3]

    def disk(self, **blocks):
        numbers = {3: 3, 5: 2} | {int(key[1:]): value for key, value in blocks.items()}
        return b"".join(pattern(numbers.get(where, 0)) for where in range(BLOCKS))

    def test_the_state_after_a_prefix_is_recognised(self):
        self.assertEqual(prefix_of(self.disk(), self.LOG), 3)

    def test_a_lost_write_fails_the_check(self):
        with self.assertRaises(AssertionError):
            prefix_of(self.disk(b5=0), self.LOG)

    def test_a_flipped_bit_fails_the_check(self):
        disk = bytearray(self.disk())
        disk[7 * BLOCK + 100] ^= 1
        with self.assertRaises(AssertionError):
            prefix_of(bytes(disk), self.LOG)


if __name__ == "__main__":
    holdfast.main()
