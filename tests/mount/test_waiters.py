#!/usr/bin/python3
"""Five hundred parked readers of one `wait`: no thread each, and every reader is answered or released."""

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

    def test_all_readers_are_answered_at_the_end_of_the_run(self):
        readers = self.park()
        self.daemon.write("flows/f/control", "cancel")
        for reader in readers:
            self.assertEqual(reader.communicate(timeout=holdfast.CEILING), (b"cancelled\n", b""))

    def test_parked_readers_cost_no_thread_and_other_requests_are_served(self):
        before = self.threads()
        self.park()
        self.assertLess(self.threads() - before, MANY // 10)  # the run's own threads may have started meanwhile
        self.assert_runs("ls -lR . && cat status.json machines/m/status.json && mkdir flows/g && rmdir flows/g")

    def test_a_killed_reader_goes_at_once_and_the_others_stay(self):
        readers = self.park()
        for reader in readers[::2]:
            reader.kill()
        for reader in readers[::2]:
            self.assertEqual(reader.wait(holdfast.CEILING), -signal.SIGKILL)
        self.until_parked(*readers[1::2])
        self.daemon.write("flows/f/control", "cancel")
        for reader in readers[1::2]:
            self.assertEqual(reader.communicate(timeout=holdfast.CEILING), (b"cancelled\n", b""))

    def test_all_readers_get_eshutdown_when_the_daemon_ends(self):
        readers = self.park()
        self.daemon.stop()
        for reader in readers:
            said, complaint = reader.communicate(timeout=holdfast.CEILING)
            self.assertEqual((reader.returncode, said), (1, b""))
            self.assertIn(b"shutdown", complaint)


if __name__ == "__main__":
    holdfast.main()
