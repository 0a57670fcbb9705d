#!/usr/bin/python3
"""Files installed beside the daemon keep the contract's "Life of the mount"."""

import subprocess
import unittest

import tree

# Settings that give the unit a mount namespace of its own, in which the mount would stay.
PRIVATE = (
    "Private", "Protect", "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "BindPaths", "BindReadOnlyPaths",
    "TemporaryFileSystem", "RootDirectory", "RootImage", "MountFlags", "DynamicUser",
)  # fmt: skip
# Settings that take a UTS namespace, capabilities and system calls, and leave the mounts alone.
SHARED = ("ProtectHostname", "ProtectClock")


def settings(text):
    lines = (line.strip() for line in text.splitlines())
    return [tuple(line.split("=", 1)) for line in lines if "=" in line and not line.startswith("#")]


def hides_the_mount(text):
    return [name for name, _ in settings(text) if name.startswith(PRIVATE) and name not in SHARED]


class Service(unittest.TestCase):
    def setUp(self):
        self.text = (tree.ROOT / "packaging/holdfast.service").read_text()

    def test_the_unit_has_no_mount_namespace_of_its_own(self):
        self.assertEqual(hides_the_mount(self.text), [])

    def test_a_private_mount_namespace_is_found(self):
        self.assertEqual(hides_the_mount(self.text + "PrivateTmp=yes\n"), ["PrivateTmp"])

    def test_the_unit_reports_readiness_and_unmounts_at_its_end(self):
        unit = dict(settings(self.text))
        self.assertEqual(unit["Type"], "notify")
        mount = unit["ExecStart"].split()[-1]
        self.assertEqual(unit["ExecStopPost"], f"-/usr/bin/umount --lazy --quiet {mount}")


class Updatedb(tree.MadeTreeTest):
    def kept_out(self, before):
        self.make("updatedb.conf", before)
        for _ in range(2):
            subprocess.run([tree.ROOT / "packaging/keep-updatedb-out", self.made / "updatedb.conf"], check=True)
        return (self.made / "updatedb.conf").read_text()

    def test_updatedb_is_configured_once(self):
        self.assertEqual(self.kept_out('A="1"\nPRUNEFS="NFS fuse"\n'), 'A="1"\nPRUNEFS="fuse.holdfast NFS fuse"\n')
        self.assertEqual(self.kept_out('A="1"\n'), 'A="1"\nPRUNEFS="fuse.holdfast"\n')
        already = 'PRUNEFS="NFS fuse.holdfast"\n'
        self.assertEqual(self.kept_out(already), already)


if __name__ == "__main__":
    unittest.main()
