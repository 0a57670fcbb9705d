#!/usr/bin/python3
"""Five hundred readers of one `wait`: they cost nothing but room, and each is answered or let go."""

import os
import signal

import holdfast
from face import FaceTest

MANY = 500


class Waiters(FaceTest):
    def setUp(self):
        super().setUp()
        self.hold_run()

    def threads(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/task"))

    def park(self):
        readers = [self.wait_in() for _ in range(MANY)]
        self.until_parked(*readers)
        return readers

    def test_all_are_woken_when_what_they_wait_for_has_ended(self):
        readers = self.park()
        self.daemon.write("flows/f/control", "cancel")
        for reader in readers:
            self.assertEqual(reader.communicate(timeout=holdfast.CEILING), (b"cancelled\n", b""))

    def test_they_cost_no_thread_and_others_are_served(self):
        before = self.threads()
        self.park()
        self.assertLess(self.threads() - before, MANY // 10)  # the run's own may have come meanwhile
        self.assert_runs("ls -lR . && cat status.json machines/m/status.json && mkdir flows/g && rmdir flows/g")

    def test_a_killed_one_goes_at_once_and_the_others_stay(self):
        readers = self.park()
        for reader in readers[::2]:
            reader.kill()
        for reader in readers[::2]:
            self.assertEqual(reader.wait(holdfast.CEILING), -signal.SIGKILL)
        self.until_parked(*readers[1::2])
        self.daemon.write("flows/f/control", "cancel")
        for reader in readers[1::2]:
            self.assertEqual(reader.communicate(timeout=holdfast.CEILING), (b"cancelled\n", b""))

    def test_all_are_let_go_when_the_daemon_ends(self):
        readers = self.park()
        self.daemon.stop()
        for reader in readers:
            said, complaint = reader.communicate(timeout=holdfast.CEILING)
            self.assertEqual((reader.returncode, said), (1, b""))
            self.assertIn(b"shutdown", complaint)


if __name__ == "__main__":
    holdfast.main()
