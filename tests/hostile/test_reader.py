#!/usr/bin/python3
"""A reader who never closes an image: an upgrade goes on without those who do not own it."""

import errno
import os

import holdfast
from users import User, unnamed


class Reader(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        uid, owner, group = unnamed(3)
        self.member, self.owner = User(uid, groups=[group]), User(owner)
        self.add_file_machine()
        self.add_repository().chmod(0o755)
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        os.chown(self.daemon.mount / "machines/m", owner, group)
        self.image = self.daemon.mount / "machines/m" / os.readlink(self.daemon.mount / "machines/m/latest") / "disk-0.raw"

    def drain_beside(self, *readers):
        """Drains while these users hold the image open. Returns the job's status file."""
        for reader in readers:
            self.addCleanup(os.close, reader.opens(self.image, os.O_RDONLY))
        self.daemon.write("control", "drain name=d timeout=0s")
        self.daemon.read("jobs/d/wait")
        return self.daemon.json("jobs/d/status.json")

    def test_a_member_of_the_group_does_not_make_a_drain_fail(self):
        job = self.drain_beside(self.member)
        self.assertEqual(job["status"], "success", job)
        self.assertIn("1 open images of users who don't own their machines", job["message"])
        with self.assertRaises(OSError) as refused:
            self.daemon.write("flows/f/control", "run")
        self.assertEqual(refused.exception.errno, errno.EBUSY)

    def expect_waiting(self, *readers):
        job = self.drain_beside(*readers)
        self.assertEqual((job["status"], job["reason"]), ("error", "timed_out"))
        self.assertIn(f"{len(readers)} images are open", job["message"])
        self.assertFalse(self.daemon.json("status.json")["draining"])

    def test_a_drain_fails_while_the_owner_reads(self):
        self.expect_waiting(self.owner, self.member)

    def test_a_drain_fails_while_root_reads(self):
        self.expect_waiting(User(0))


if __name__ == "__main__":
    holdfast.main()
