#!/usr/bin/python3
"""The whole engine in a simulation (tests/simulation/main.cpp): 150 seeded histories of 200 steps break no law.

`tools/test --long simulation` runs 10,000, and all laws switched off. HOLDFAST_HISTORIES sets the number. Laws 2, 3, 4, 6, 8, 11, 12, 13, 14 and 16."""

import os
import pathlib
import subprocess
import unittest

PROGRAM = pathlib.Path(os.environ.get("HOLDFAST_BUILD", "build/release")) / "tests/simulation"
HISTORIES = int(os.environ.get("HOLDFAST_HISTORIES", 150))


def simulation(*arguments):
    return subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


class Histories(unittest.TestCase):
    def test_histories_break_no_law(self):
        processors = len(os.sched_getaffinity(0))
        share = -(-HISTORIES // processors)
        running = [simulation("--seeds", first, min(share, HISTORIES + 1 - first))
                   for first in range(1, HISTORIES + 1, share)]
        said = [process.communicate()[0] for process in running]
        print("".join(said))
        self.assertEqual([process.returncode for process in running], [0] * len(running), "".join(said))

    def test_a_seed_repeats_its_history_event_by_event(self):
        first, second = (simulation("--trace", 7) for _ in range(2))
        events, again = first.communicate()[0].splitlines(), second.communicate()[0].splitlines()
        self.assertGreater(len(events), 10_000)
        for number, (one, other) in enumerate(zip(events, again)):
            self.assertEqual(one, other, f"event {number} differs")
        self.assertEqual(len(events), len(again))

    def test_another_seed_gives_another_history(self):
        one, other = (simulation("--digest", seed).communicate()[0] for seed in (7, 8))
        self.assertNotEqual(one, other)

    def test_a_broken_law_is_found(self):
        """Law 4, whose switch lets a guest write between the freezes of two disks."""
        process = simulation("--switched-off", 5, 4)
        said = process.communicate()[0]
        self.assertEqual(process.returncode, 0, said)
        self.assertRegex(said, "law  4, .*: found after")


if __name__ == "__main__":
    unittest.main()
