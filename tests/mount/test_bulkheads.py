#!/usr/bin/python3
"""A repository that hangs (its file system does not answer) stops nothing else (law 20)."""

import contextlib
import random
import signal
import sqlite3
import subprocess
import threading
import time

import content
import holdfast
from processes import detach, is_mounted, spawn

MIB = 2**20
READERS = 24  # more readers than the daemon has threads for them


class Bulkheads(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve_file_system()
        self.slow = self.add_file_machine("slow", READERS * MIB)
        self.quick = self.add_file_machine("quick", MIB)
        (self.folder / "served/r").mkdir()
        self.daemon.define("repositories/slow", {"path": str(self.folder / "served/r"), "compression": "none"})
        self.add_repository("quick")
        for name in ("slow", "quick"):
            self.add_flow(name, machine=name, repository=name)
            self.assertEqual(self.daemon.run(name, "first"), "success")

    def serve_file_system(self):
        """Mounts a directory again by a FUSE server, which can be stopped."""
        backing, served = self.folder / "backing", self.folder / "served"
        backing.mkdir()
        served.mkdir()
        process = spawn(["bindfs", "-f", backing, served])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(detach, served)
        self.addCleanup(self.daemon.close)
        self.addCleanup(process.send_signal, signal.SIGCONT)
        self.until(lambda: is_mounted(served))
        return process

    def image(self, machine):
        (point,) = self.daemon.points(machine)[:1]
        return self.daemon.mount / f"machines/{machine}/points/{point}/disk-0.raw"

    def begin_to_read(self):
        """Starts a process for each MiB of the image that hangs."""
        readers = []
        for number in range(READERS):
            words = ["dd", f"if={self.image('slow')}", "of=/dev/null", "bs=1M", f"skip={number}", "count=1", "status=none"]
            readers.append(spawn(words, stderr=subprocess.DEVNULL))
            self.addCleanup(readers[-1].wait)
            self.addCleanup(readers[-1].kill)
        return readers

    def expect_others_served(self, run):
        self.assertTrue(content.same_bytes(self.image("quick"), self.quick.path))
        self.assertEqual(self.daemon.run("quick", run), "success")
        self.daemon.json("status.json")
        self.daemon.write("flows/quick/control", "disable")
        self.daemon.write("flows/quick/control", "enable")
        subprocess.run(["ls", "-lR", self.daemon.mount], stdout=subprocess.DEVNULL, check=True)

    def state(self):
        return self.daemon.json("repositories/slow/status.json")["state"]

    def test_a_repository_that_hangs_stops_nothing_else_and_says_so(self):
        self.server.send_signal(signal.SIGSTOP)
        readers = self.begin_to_read()
        states = []
        asking = threading.Thread(target=lambda: states.append(self.state()))
        asking.start()
        self.expect_others_served("second")
        asking.join(holdfast.CEILING)
        self.assertEqual(states, ["hanging"])
        self.assertEqual(self.state(), "hanging")
        warnings = self.daemon.json("status.json")["warnings"]
        (hanging,) = [warning for warning in warnings if warning["object"] == "repositories/slow"]
        self.assertEqual(hanging["reason"], "hanging")
        self.assertIn("'slow' hangs", hanging["message"])
        self.assertEqual(self.daemon.run("slow", "second"), "error")
        end = self.daemon.json("flows/slow/executions/second/status.json")
        self.assertEqual(end["reason"], "repository_unreachable")
        self.expect_others_served("third")

        self.server.send_signal(signal.SIGCONT)
        for reader in readers:
            reader.wait(holdfast.CEILING)
        self.until(lambda: self.state() == "ready")
        self.assertTrue(content.same_bytes(self.image("slow"), self.slow.path))
        self.assertEqual(self.daemon.run("slow", "third"), "success")

    def test_a_listing_hardly_waits_for_a_repository_that_begins_to_hang(self):
        self.server.send_signal(signal.SIGSTOP)
        self.begin_to_read()

        def list_tree():
            subprocess.run(["ls", "-lR", self.daemon.mount], stdout=subprocess.DEVNULL, check=True)

        self.assert_within(10, list_tree, "a status waits for 1 s; everything else that asks for a repository for 20 s")
        self.assertEqual(self.state(), "hanging")

    def test_a_daemon_starts_while_a_repository_hangs(self):
        self.daemon.stop()
        self.server.send_signal(signal.SIGSTOP)
        self.assert_within(20, self.daemon.start, "a repository that hangs is given up after 20 s")
        self.begin_to_read()
        self.expect_others_served("second")

    def test_a_daemon_ends_while_readers_and_definitions_hang_in_a_repository(self):
        self.server.send_signal(signal.SIGSTOP)
        self.begin_to_read()
        self.daemon.write("flows/slow/control", "set description=changed")
        self.assert_within(30, self.daemon.stop, "what hangs is waited for 45 s, unless waiting is known to be useless")
        self.server.send_signal(signal.SIGCONT)
        self.daemon.start()
        self.until(lambda: "changed" in (self.folder / "served/r/definitions/flows/slow.json").read_text())
        self.expect_others_served("second")

    def test_a_daemon_lets_go_of_a_storage_daemon_and_ends_while_the_run_hangs_in_its_repository(self):
        storage = self.add_machine("captured", [16 * MIB])
        storage.disks[0].write(0, random.Random(14).randbytes(16 * MIB))
        self.add_flow("captured", machine="captured", repository="slow")
        storage.throttle(64 * 2**10, MIB)
        self.daemon.write("flows/captured/control", "run name=first")

        def done():
            return self.daemon.json("flows/captured/executions/first/status.json")["progress"]["done"]

        self.until(lambda: done() > 0)
        self.server.send_signal(signal.SIGSTOP)
        storage.unthrottle()
        before = done()
        self.until(lambda: done() > before + MIB)  # the source is quick again, so the run gets stuck in the repository
        self.assert_within(30, self.daemon.stop, "what hangs is waited for 45 s, unless waiting is known to be useless")
        self.assertEqual(storage.foreign(), [])
        self.server.send_signal(signal.SIGCONT)
        self.daemon.start()
        self.assertEqual(self.daemon.run("captured", "second"), "success")

    def test_definitions_reach_a_repository_while_another_hangs(self):
        self.server.send_signal(signal.SIGSTOP)
        self.daemon.write("flows/slow/control", "set description=changed")
        file = self.folder / "repository-quick/definitions/flows/slow.json"
        self.until(lambda: "changed" in file.read_text())

    def test_an_image_opens_while_the_catalog_is_written(self):
        opened = "SELECT count(*) FROM events WHERE event = 'image.open'"
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite", isolation_level=None)) as catalog:
            before = catalog.execute(opened).fetchone()[0]
            catalog.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            with open(self.image("quick"), "rb"):
                seconds = time.monotonic() - begun
            catalog.execute("ROLLBACK")
            self.assertLess(seconds, 3, "the catalog's patience with a writer is longer")
            self.until(lambda: catalog.execute(opened).fetchone()[0] > before)


if __name__ == "__main__":
    holdfast.main()
