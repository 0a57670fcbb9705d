#!/usr/bin/python3
"""A user who asks for backups by the thousand: the queue is bounded, others are served, the daemon stops soon, and nobody's
history goes."""

import contextlib
import errno
import json
import os
import sqlite3

import holdfast
from users import User, unnamed

OF_MACHINE = 32  # jobs at one machine that have not ended
OF_USER = 1000  # jobs of one user that have not ended
MIB = 2**20


class JobFlood(holdfast.MountTest):
    """Root's machine `slow` runs and has the only place, so that all that users ask for waits."""

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.user, self.other = (User(number) for number in unnamed(2))
        self.disk = self.add_file_machine("theirs-0", 65536)
        self.add_repository(max_jobs=1000)
        (self.daemon.mount / "repositories/r").chmod(0o777)
        os.chown(self.daemon.mount / "machines/theirs-0", self.user.uid, self.user.gid)

    def occupy(self):
        storage = self.add_machine("slow")
        storage.disks[0].write(0, os.urandom(8 * MIB))
        storage.throttle(65536, 65536)
        self.daemon.write("config.json", '{"max_concurrent_jobs": 1}')
        self.daemon.write("machines/slow/control", "backup repository=r name=slow")
        self.until(lambda: self.daemon.json("jobs/slow/status.json")["status"] == "running")

    def add_machine_of(self, user, name):
        listed = [{"name": "disk-0", "path": str(self.disk.path)}]
        self.daemon.define(f"machines/{name}", {"driver": "file", "disks": listed})
        os.chown(self.daemon.mount / f"machines/{name}", user.uid, user.gid)

    def asks(self, user, machine, most):
        """Asks for backups until one is refused. Returns how many were taken, and the refusal's errno."""

        def act():
            for number in range(most):
                try:
                    self.daemon.write(f"machines/{machine}/control", "backup repository=r")
                except OSError as refusal:
                    return number, errno.errorcode[refusal.errno]
            return most, ""

        return user.does(act)

    def rows(self, question):
        with contextlib.closing(sqlite3.connect(f"file:{self.daemon.state}/catalog.sqlite?mode=ro", uri=True)) as catalog:
            return catalog.execute(question).fetchall()

    def test_a_machine_takes_so_many_jobs_and_the_refusal_says_what_to_do(self):
        self.occupy()
        self.add_machine_of(self.other, "others")
        self.assertEqual(self.asks(self.user, "theirs-0", 2 * OF_MACHINE), (OF_MACHINE, "EDQUOT"))
        error = self.user.does(lambda: self.daemon.read("machines/theirs-0/error"))
        self.assertIn(f"{OF_MACHINE} jobs that were asked for here have not ended", error)
        self.assertIn("cancel", error)
        self.assertEqual(len(self.rows("SELECT 1 FROM jobs WHERE status = 'pending'")), OF_MACHINE)
        # Other users and root go on.
        self.assertEqual(self.asks(self.other, "others", 1), (1, ""))
        self.assertEqual(self.asks(User(0), "theirs-0", 3), (3, ""))
        # A place is free again after a cancel.
        (name,) = self.rows("SELECT name FROM jobs WHERE status = 'pending' ORDER BY id LIMIT 1")[0]
        self.user.does(lambda: self.daemon.write(f"jobs/{name}/control", "cancel"))
        self.assertEqual(self.daemon.read(f"jobs/{name}/wait"), "cancelled\n")
        self.until(lambda: self.asks(self.user, "theirs-0", 1) == (1, ""))

    def test_a_user_takes_so_many_jobs_and_the_stop_ends_them_in_one_step(self):
        self.occupy()
        taken = 0
        for number in range(OF_USER // OF_MACHINE + 2):
            if number > 0:
                self.add_machine_of(self.user, f"theirs-{number}")
            count, why = self.asks(self.user, f"theirs-{number}", OF_MACHINE + 1)
            self.assertEqual(why, "EDQUOT")
            taken += count
        self.assertEqual(taken, OF_USER)
        self.assertIn(f"{OF_USER} jobs", self.user.does(lambda: self.daemon.read(f"machines/theirs-{number}/error")))

        # Others see theirs, and root no more than fit.
        self.add_machine_of(self.other, "others")
        self.assertEqual(self.asks(self.other, "others", 1), (1, ""))
        seen = self.other.does(lambda: self.daemon.json("status.json"))["running"]
        self.assertEqual(len(seen), 1)
        self.assertLessEqual(len(self.daemon.json("status.json")["running"]), OF_USER)

        self.daemon.stop()
        ended = self.rows("SELECT status, reason, completed_at FROM jobs WHERE name <> 'slow'")
        self.assertEqual(len(ended), OF_USER + 1)
        self.assertEqual({(status, reason) for status, reason, _ in ended}, {("error", "interrupted")})
        self.assertEqual(len({at for *_, at in ended}), 1)  # the moment of one transaction

    def test_the_history_of_one_user_pushes_out_none_of_another(self):
        self.add_machine_of(self.other, "others")
        self.daemon.write("config.json", json.dumps({"keep_executions": 3}))
        for number in range(3):
            self.other.does(lambda: self.daemon.write("machines/others/control", f"prune name=others-{number}"))
            self.assertEqual(self.daemon.read(f"jobs/others-{number}/wait"), "success\n")
        for number in range(10):
            self.user.does(lambda: self.daemon.write("machines/theirs-0/control", f"prune name=theirs-{number}"))
            self.assertEqual(self.daemon.read(f"jobs/theirs-{number}/wait"), "success\n")
        for number in range(3):
            self.assertEqual(self.daemon.json(f"jobs/others-{number}/status.json")["status"], "success")
        kept = self.rows("SELECT name FROM jobs WHERE name LIKE 'theirs-%' ORDER BY name")
        self.assertEqual([name for (name,) in kept], ["theirs-7", "theirs-8", "theirs-9"])


if __name__ == "__main__":
    holdfast.main()
