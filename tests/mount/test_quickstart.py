#!/usr/bin/python3
"""tools/quickstart as a new user runs it: once, again, after --stop."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import holdfast
from processes import detach, is_mounted


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-quickstart-"))
        self.addCleanup(shutil.rmtree, self.place)
        for mount in ("mnt", "var/demo/disk.raw"):
            self.addCleanup(detach, self.place / mount)
        self.addCleanup(self.quickstart, "--stop")

    def quickstart(self, *words):
        command = [holdfast.ROOT / "tools/quickstart", "--in", self.place, *words]
        environment = {**os.environ, "HOLDFASTD": str(holdfast.BINARY)}
        done = subprocess.run(command, env=environment, stdout=-1, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def points(self):
        return set(os.listdir(self.place / "mnt/machines/demo/points"))

    def pids(self):
        return [(self.place / "var" / name).read_text() for name in ("holdfastd.pid", "demo/storage.pid")]

    def test_each_quickstart_adds_an_increment_and_the_first_shows_a_full_and_an_increment(self):
        said = self.quickstart()
        self.assertEqual(len(self.points()), 2)
        self.assertEqual(len(re.findall("^identical$", said, re.MULTILINE)), 2)
        # Two points of one second have different names: "…Z" and "…Z-2".
        self.assertEqual(set(re.findall(r"\$ cp .*/points/([^/]+)/disk-0.raw ", said)), self.points())
        full, increment = map(int, re.findall(r'"bytes_transferred":(\d+)', said))
        self.assertGreater(full, 60 * 2**20)
        self.assertLess(increment, 4 * 2**20)

        running = self.pids()
        said = self.quickstart()
        self.assertEqual(len(self.points()), 3)
        self.assertEqual(len(re.findall("^identical$", said, re.MULTILINE)), 2)
        self.assertEqual(self.pids(), running)
        self.assertEqual(len(re.findall(r'"bytes_transferred"', said)), 1)

        self.quickstart("--stop")
        self.assertFalse(is_mounted(self.place / "mnt"))
        said = self.quickstart()
        self.assertEqual(len(self.points()), 4)
        self.assertLess(int(re.search(r'"bytes_transferred":(\d+)', said)[1]), 4 * 2**20)

    def test_stop_leaves_a_process_of_others_alone(self):
        stranger = subprocess.Popen(["sleep", "infinity"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        (self.place / "var/demo").mkdir(parents=True)
        for name in ("holdfastd.pid", "demo/storage.pid"):
            (self.place / "var" / name).write_text(f"{stranger.pid}\n")
        self.quickstart("--stop")
        self.assertIsNone(stranger.poll())


if __name__ == "__main__":
    holdfast.main()
