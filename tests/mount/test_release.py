#!/usr/bin/python3
"""A source is let go of at once (law 8), whatever becomes of the repository, of other sources and of the daemon."""

import contextlib
import fcntl
import json
import os
import random
import signal
import sqlite3
import struct
import subprocess

import content
import holdfast

MIB = 2**20
MANY = 20  # sources
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN: the file system answers EIO from now on
NO_FLUSH = 2


class Release(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(14)
        self.storage = self.add_machine()
        (self.disk,) = self.storage.disks
        self.disk.write(0, self.random.randbytes(4 * MIB))

    def begin_a_slow_run(self, flow="f"):
        """Starts a run that has read something and stays in the middle of its reading."""
        self.daemon.write(f"flows/{flow}/control", "run name=slow")
        status = f"flows/{flow}/executions/slow/status.json"
        self.until(lambda: self.daemon.json(status)["progress"]["done"] > 0)

    def set_bandwidth(self, bandwidth):
        definition = self.daemon.json("repositories/r/config.json") | {"bandwidth": bandwidth}
        self.daemon.write("repositories/r/config.json", json.dumps(definition))

    def recording(self):
        return sorted(bitmap["recording"] for bitmap in self.storage.bitmaps(self.disk).values())

    def await_release(self, machine="m", storage=None):
        """Waits until the catalog knows nothing but bitmaps at the machine's source, and looks there."""
        # Asking the source meanwhile would disturb: storage.foreign() starts and stops an NBD server.
        self.until(lambda: self.held(machine) == 0)
        self.assertEqual((storage or self.storage).foreign(), [])

    def held(self, machine):
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog:
            return catalog.execute(
                "SELECT count(*) FROM leftovers JOIN machines ON machines.id = leftovers.machine_id"
                " WHERE machines.name = ? AND leftovers.kind != 'bitmap'",
                (machine,),
            ).fetchone()[0]

    def compare(self, point, record):
        raw = self.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
        self.assertTrue(content.same_bytes(raw, record))

    def test_a_repository_that_is_away_at_the_start_keeps_no_source_captured(self):
        repository = self.add_repository()
        self.add_flow()
        self.back_up("first")
        self.set_bandwidth("64K")
        self.disk.write(0, self.random.randbytes(4 * MIB))
        self.begin_a_slow_run()
        self.daemon.kill()
        away = repository.rename(self.folder / "away")
        self.daemon.start()
        self.await_release()
        self.assertEqual(list((self.daemon.state / "scratch").iterdir()), [])
        self.assertEqual(self.recording(), [False, True], "what becomes of the bitmaps is open")
        self.disk.write(8 * MIB, self.random.randbytes(MIB))

        away.rename(repository)
        self.until(lambda: self.recording() == [True])
        self.set_bandwidth(None)
        point, record = self.back_up("second")
        self.assertEqual(self.daemon.json(f"machines/m/points/{point}/manifest.json")["kind"], "incremental")
        self.compare(point, record)

    def test_a_repository_that_is_away_keeps_no_run_into_another_from_beginning(self):
        self.add_repository()
        self.add_repository("other")
        self.add_flow()
        self.add_flow("g", repository="other")
        self.set_bandwidth("64K")
        self.begin_a_slow_run()
        self.daemon.kill()
        away = (self.folder / "repository-r").rename(self.folder / "away")
        self.daemon.start()
        self.await_release()
        record = self.disk.record(self.folder / "record")
        self.assertEqual(self.daemon.run("g", "beside"), "success")
        (point,) = self.daemon.points("m")
        self.compare(point, record)
        away.rename(self.folder / "repository-r")

    def test_a_repository_whose_disk_dies_in_a_run_keeps_no_source_captured(self):
        mounted = self.mount_a_file_system()
        (mounted / "repository").mkdir()
        self.daemon.define("repositories/r", {"path": str(mounted / "repository"), "bandwidth": "64K"})
        self.add_flow()
        self.begin_a_slow_run()
        file = os.open(mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(file, SHUTDOWN, struct.pack("I", NO_FLUSH))
        finally:
            os.close(file)
        self.assertEqual(self.daemon.read("flows/f/executions/slow/wait"), "error\n")
        self.await_release()
        self.disk.write(0, self.random.randbytes(MIB))

    def mount_a_file_system(self):
        backing, mounted = self.folder / "backing", self.folder / "mounted"
        backing.touch()
        os.truncate(backing, 64 * MIB)
        subprocess.run(["mkfs.ext4", "-q", "-F", backing], check=True)
        mounted.mkdir()
        subprocess.run(["mount", "-o", "loop", backing, mounted], check=True)
        self.addCleanup(subprocess.run, ["umount", mounted], check=True)
        self.addCleanup(self.daemon.close)  # before the unmount
        return mounted

    def test_twenty_sources_that_hang_delay_neither_the_start_nor_other_machines(self):
        names = [f"hung-{number}" for number in range(MANY)]
        self.daemon.write("config.json", json.dumps({"max_concurrent_jobs": MANY + 1}))
        self.add_repository(max_jobs=MANY + 1)
        self.add_flow()
        hung = {name: self.add_machine(name) for name in names}
        for name, storage in hung.items():
            storage.disks[0].write(0, self.random.randbytes(8 * MIB))
            self.add_flow(name, machine=name)
        self.set_bandwidth("1M")
        for flow in ("f", *names):
            self.daemon.write(f"flows/{flow}/control", "run name=slow")
        for flow in ("f", *names):
            status = f"flows/{flow}/executions/slow/status.json"
            self.until(lambda: self.daemon.json(status)["progress"]["done"] > 0)
        self.daemon.kill()
        self.assertNotIn(0, [self.held(name) for name in names], "the kill left something at each source")
        for storage in hung.values():
            storage.process.send_signal(signal.SIGSTOP)
            self.addCleanup(storage.process.send_signal, signal.SIGCONT)
        before = len(self.daemon.log.read_text())
        self.assert_within(20, self.daemon.start, "a source that hangs is given up after 40 s")
        self.await_release()
        self.assertNotIn("hung", self.daemon.log.read_text()[before:], "no source was waited for in vain so far")
        self.set_bandwidth(None)
        self.assertEqual(self.daemon.run("f", "beside"), "success")
        for storage in hung.values():
            storage.process.send_signal(signal.SIGCONT)
        for name, storage in hung.items():
            self.await_release(name, storage)


if __name__ == "__main__":
    holdfast.main()
