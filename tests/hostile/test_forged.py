#!/usr/bin/python3
"""Processes whose name looks like a line of /proc/PID/status: events have their true pid."""

import ctypes
import json
import os

import holdfast
from users import User, unnamed

PR_SET_NAME = 15
LIBC = ctypes.CDLL(None, use_errno=True)


class Forged(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.user = User(*unnamed(1))
        self.daemon.define("schedules/s", {"every": "7h"})
        os.chown(self.daemon.mount / "schedules/s", self.user.uid, self.user.gid)

    def pids(self, name):
        """Returns the pid of a process of that name, and the pid in the event of its command."""

        def act():
            if LIBC.prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")
            self.daemon.write("schedules/s/control", "disable")
            self.daemon.write("schedules/s/control", "enable")
            return os.getpid()

        true = self.user.does(act)
        return true, json.loads(self.daemon.read("events.jsonl").splitlines()[-1])["by"]["pid"]

    def test_an_event_has_the_true_pid_of_a_process_with_any_name(self):
        for name in (b"plain", b"a Tgid: 1", b"Tgid:\t1", b"a\nTgid:\t1", b"\nTgid: 1\n", b"Tgid: 1 Tgid: 1", b"\xff\xfe Tgid: 1", b""):
            true, told = self.pids(name)
            self.assertEqual(told, true, name)


if __name__ == "__main__":
    holdfast.main()
