#!/usr/bin/python3
"""An NBD server as an attacker: whatever it answers, and however slowly, it costs its own run alone. Cancel, the flow's
limits and SIGTERM end that run at once, and the daemon's memory stays bounded."""

import json
import pathlib
import threading

import holdfast
from lying_nbd import LyingNbd
from lying_qmp import LyingQmp, reply
from served import uri

MIB = 2**20
MEMORY = 300 * MIB  # the most that a lie may add, with a sanitizer's own on top of what the limits allow
AT_ONCE = 20  # seconds within which what is ended must have ended; a wait that overlooks it takes a minute or more
LONGEST_SENTENCE = 1024


class Lied(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_repository()
        self.add_file_machine("sound")
        self.add_flow("sound", "sound")
        self.assertEqual(self.daemon.run("sound", "first"), "success")

    def lie(self, lie, size=MIB, fields=None, **flow):
        """Defines machine m and flow f with the liar as its source."""
        path = self.folder / "nbd.sock"
        liar = LyingNbd(path, lie, size)
        self.addCleanup(liar.close)
        disk = {"name": "d", "uri": uri(path)} | (fields or {})
        self.daemon.define("machines/m", {"driver": "nbd", "disks": [disk]})
        self.asked = liar.asked
        self.add_flow(**flow)

    def message(self, name="lied-to"):
        """The sentence of the run's job."""
        (job,) = self.daemon.json(f"flows/f/executions/{name}/status.json")["created_job_ids"]
        message = self.daemon.json(f"jobs/{job}/status.json")["message"]
        self.assertLess(len(message.encode()), LONGEST_SENTENCE)
        return message

    def peak(self):
        """The most memory that the daemon has had, in bytes."""
        status = pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def limit(self, jobs):
        settings = self.daemon.json("config.json") | {"max_concurrent_jobs": jobs}
        self.daemon.write("config.json", json.dumps(settings))

    def begin(self):
        """Starts the run, and returns when it has met the lie and another source's run has ended beside it."""
        self.daemon.write("flows/f/control", "run name=lied-to")
        self.assertTrue(self.asked.wait(holdfast.CEILING))
        self.assertEqual(self.daemon.run("sound", "meanwhile"), "success")

    def ends(self):
        """Waits for the run's end, and shows that the only place is free again. Returns the end's status."""
        ended = []

        def the_end():
            ended.append(self.daemon.read("flows/f/executions/lied-to/wait").strip())

        self.assert_within(AT_ONCE, the_end)
        self.limit(1)
        self.assertEqual(self.daemon.run("sound", "afterwards"), "success")
        return ended[0]

    def is_refused(self, sentence):
        """Runs against a lie that is found out, in little memory."""
        before = self.peak()
        self.assertEqual(self.daemon.run("f", "lied-to"), "error")
        self.assertTrue(self.asked.is_set())
        self.assertIn(sentence, self.message())
        self.assertLess(self.peak() - before, MEMORY)
        self.assertEqual(self.ends(), "error")

    def is_cancelled(self):
        """Runs against a lie that has no end, and cancels."""
        before = self.peak()
        self.begin()
        self.daemon.write("flows/f/executions/lied-to/control", "cancel")
        self.assertEqual(self.ends(), "cancelled")
        self.assertLess(self.peak() - before, MEMORY)


class NbdServer(Lied):
    def test_the_truth_is_backed_up(self):
        self.lie("")
        self.assertEqual(self.daemon.run("f", "first"), "success")

    def test_a_disk_of_2_to_the_62_bytes_is_refused(self):
        self.lie("huge")
        self.is_refused(f"claims a disk of {2**62} bytes; at most {256 * 2**40} are read")

    def test_a_server_that_takes_small_requests_only_is_refused(self):
        self.lie("small blocks")
        self.is_refused("answers requests of at most 4096 bytes")

    def test_a_handshake_without_end_is_refused(self):
        self.lie("endless contexts")
        self.is_refused("handshake has no end")

    def test_an_extent_for_each_byte_is_refused(self):
        self.lie("many bytes", size=64 * MIB)
        self.is_refused(f"into more than {64 * MIB // 512 + 1024} extents")

    def test_alternating_extents_of_a_byte_are_refused(self):
        trusted = {"bitmap": "b", "trust_bitmap": True}
        self.lie("alternating", 64 * MIB, trusted)
        self.is_refused("into more than")

    def test_answers_of_an_extent_of_one_byte_end_by_cancel(self):
        self.lie("byte by byte", size=2**40)
        self.is_cancelled()

    def test_an_answer_without_end_ends_by_cancel(self):
        self.lie("endless chunks")
        self.is_cancelled()

    def test_a_silent_server_ends_by_cancel(self):
        self.lie("mute")
        self.is_cancelled()

    def test_a_slow_server_ends_by_cancel(self):
        self.lie("dripping")
        self.is_cancelled()

    def test_a_server_that_never_answers_a_read_ends_by_cancel(self):
        self.lie("mute reads")
        self.is_cancelled()

    def test_a_server_that_answers_a_read_slowly_ends_by_cancel(self):
        self.lie("dripping reads")
        self.is_cancelled()

    def test_a_slow_server_ends_by_the_timeout(self):
        self.lie("dripping", timeout="2s")
        self.begin()
        self.assertEqual(self.ends(), "error")
        self.assertIn("longer than its flow's timeout", self.message())

    def test_a_slow_server_ends_by_the_watchdog(self):
        self.lie("dripping", stall="2s")
        self.begin()
        self.assertEqual(self.ends(), "error")
        self.assertIn("no progress for 2s", self.message())

    def test_a_slow_server_does_not_delay_the_end_of_the_daemon(self):
        self.lie("dripping")
        self.begin()
        self.assert_within(AT_ONCE, self.daemon.stop)
        self.daemon.start()
        self.assertEqual(self.daemon.json("flows/f/executions/lied-to/status.json")["status"], "error")

    def test_a_server_that_never_greets_does_not_delay_the_end_of_the_daemon(self):
        self.lie("no greeting")
        self.begin()
        self.assert_within(AT_ONCE, self.daemon.stop)


class NbdServerOfQemu(Lied):
    """The server that a QMP peer starts for a capture."""

    def lie_of_qemu(self, lie):
        capacity = 16 * MIB
        storage = self.add_machine("real", [capacity])
        peer = LyingQmp(self.folder / "peer.sock", storage.socket)
        self.addCleanup(peer.close)
        self.addCleanup(self.daemon.close)
        self.asked = threading.Event()

        def start(request):
            liar = LyingNbd(request["arguments"]["addr"]["data"]["path"], lie, capacity)
            liar.asked = self.asked
            self.addCleanup(liar.close)
            return reply(request, {})

        peer.lies |= {
            "nbd-server-start": start,
            "nbd-server-stop": lambda request: reply(request, {}),
            "block-export-add": lambda request: reply(request, {}),
            "query-block-exports": lambda request: reply(request, []),
        }
        self.daemon.define("machines/m", storage.definition() | {"socket": str(peer.path)})
        self.add_flow()

    def test_the_truth_is_backed_up(self):
        self.lie_of_qemu("")
        self.assertEqual(self.daemon.run("f", "first"), "success")

    def test_a_slow_server_ends_by_cancel(self):
        self.lie_of_qemu("dripping")
        self.is_cancelled()

    def test_a_silent_server_does_not_delay_the_end_of_the_daemon(self):
        self.lie_of_qemu("mute")
        self.begin()
        self.assert_within(AT_ONCE, self.daemon.stop)


if __name__ == "__main__":
    holdfast.main()
