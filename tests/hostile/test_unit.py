#!/usr/bin/python3
"""The systemd unit: how open it leaves the daemon, and that the daemon can do its work under it."""

import filecmp
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import holdfast
from users import unnamed

UNIT = holdfast.ROOT / "packaging/holdfast.service"
CONFINED = holdfast.ROOT / "tests/lib/confined.py"
MOST_EXPOSED = 5.0


def assess(unit):
    """The exposure of a unit by systemd's own judgement, and the names of the settings that it leaves open."""
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
    return exposure, re.findall(r"^✗ (\S+)", said, re.MULTILINE)


class Exposure(unittest.TestCase):
    def test_the_exposure_of_the_unit_is_at_most_medium(self):
        exposure, _ = assess(UNIT)
        self.assertLessEqual(exposure, MOST_EXPOSED)

    def test_the_unit_names_each_setting_that_it_leaves_open(self):
        _, left_open = assess(UNIT)
        self.assertGreater(len(left_open), 10)
        for setting in left_open:
            for name in re.findall(r"[A-Z][A-Za-z]+(?==)|(?<=~)@\w+|(?<=~)AF_[A-Z]+", setting):
                self.assertIn(name, UNIT.read_text(), setting)

    def test_a_unit_without_its_system_calls_and_capabilities_is_judged_worse(self):
        with tempfile.TemporaryDirectory() as folder:
            open_unit = pathlib.Path(folder) / "holdfast.service"
            lines = UNIT.read_text().splitlines(keepends=True)
            open_unit.write_text("".join(line for line in lines if not line.startswith(("SystemCall", "Capability"))))
            self.assertGreater(assess(open_unit)[0], MOST_EXPOSED)


class Confined(holdfast.MountTest):
    def setUp(self):
        """Puts a program in the daemon's place that confines itself as systemd does, and becomes the daemon."""
        real = holdfast.BINARY
        self.addCleanup(setattr, holdfast, "BINARY", real)
        super().setUp()
        self.daemon.stop()
        self.folder.chmod(0o755)
        self.real = real

    def start_under(self, unit):
        starter = self.folder / "confined"
        # A program under a sanitizer looks for leaks at its end by tracing itself, which no service may.
        starter.write_text(
            '#!/bin/sh\nASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" exec /usr/bin/python3 -B '
            f'{CONFINED} {unit} {self.real} "$@"\n'
        )
        starter.chmod(0o755)
        holdfast.BINARY = starter
        self.daemon.start()

    def assert_restored(self, machine, disk, truth):
        target = self.folder / f"{machine}.restored"
        subprocess.run(["cp", self.daemon.mount / f"machines/{machine}/latest/{disk}.raw", target], check=True)
        self.assertTrue(filecmp.cmp(target, truth, shallow=False))

    def test_the_daemon_backs_up_restores_runs_hooks_imports_and_ends_under_the_units_restrictions(self):
        self.start_under(UNIT)
        self.assertIn("NoNewPrivs:\t1", pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text())
        self.add_repository()
        disk = self.add_file_machine()
        (owner,) = unnamed(1)
        said = self.folder / "said"
        said.mkdir()
        said.chmod(0o777)
        self.add_hook("says", f"id -u > {said}/$HOLDFAST_PHASE")
        self.add_flow(hooks=["says"])
        for path in ("machines/m", "flows/f", "repositories/r"):
            os.chown(self.daemon.mount / path, owner, owner)
        self.assertEqual(self.daemon.run("f", "r1"), "success", self.log("f", "r1"))
        self.assert_restored("m", "disk-0", disk.path)
        self.assertEqual({file.read_text() for file in said.iterdir()}, {f"{owner}\n"})

        storage = self.add_machine("q")
        self.add_flow("q", machine="q")
        storage.disks[0].write(0, b"x" * 65536)
        for name in ("r1", "r2"):
            self.assertEqual(self.daemon.run("q", name), "success", self.log("q", name))
        self.assert_restored("q", "disk-0", storage.disks[0].truth)

        old = self.folder / "old.qcow"
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow", disk.path, old], check=True)
        listed = [{"name": "disk-0", "path": str(disk.path)}]
        self.daemon.define("machines/old", {"driver": "file", "disks": listed})
        self.daemon.write("repositories/r/control", f"import file={old} machine=old name=old")
        self.assertEqual(self.daemon.read("jobs/old/wait"), "success\n", self.daemon.read("jobs/old/log"))
        self.assert_restored("old", "disk-0", disk.path)
        self.daemon.stop()

    def log(self, flow, name):
        return self.daemon.read(f"flows/{flow}/executions/{name}/log")

    def test_a_unit_that_lacks_a_capability_or_a_call_of_the_daemon_lets_it_not_mount(self):
        text = UNIT.read_text()
        for missing in ("CAP_SYS_ADMIN", " mount "):
            poorer = self.folder / "poorer.service"
            poorer.write_text(re.sub(rf"(?m)^(CapabilityBoundingSet|SystemCallFilter)=(.*){missing}", r"\1=\2 ", text))
            self.assertNotEqual(poorer.read_text(), text)
            with self.assertRaises(holdfast.Refused):
                self.start_under(poorer)


if __name__ == "__main__":
    holdfast.main()
