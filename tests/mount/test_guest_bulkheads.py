#!/usr/bin/python3
"""A real guest writes on, whatever hangs or is away: a repository, the daemon, other sources (laws 8 and 20).

QEMU's disks are captured by copy filters here; test_release and test_bulkheads have the same with jobs."""

import contextlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess

import content
import guest
import holdfast
from hanging import Stopped
from processes import detach

MIB = 2**20
BLOCK = 4096
BLOCKS = 16
# Writer in the guest: number k goes to block k % 16 of /dev/vda, then of /dev/vdb.
WRITER = (
    "n=0; while [ ! -e /tmp/stop ]; do n=$((n+1)); printf '%-4095d\\n' $n >/tmp/n; for d in vda vdb; do "
    f"dd if=/tmp/n of=/dev/$d bs=4k seek=$((n%{BLOCKS})) oflag=direct conv=notrunc 2>/dev/null || echo $n >/tmp/failed; "
    "done; echo $n >/tmp/written; sleep 0.05; done"
)


class GuestBulkheads(holdfast.MountTest):
    @classmethod
    def setUpClass(cls):
        cls.guest = guest.of_class(cls, [8 * MIB, 8 * MIB])

    def setUp(self):
        super().setUp()
        self.random = random.Random(9)
        self.daemon.define("machines/m", self.guest.definition(quiesce="never"))
        self.guest.run("rm -f /tmp/*; echo 0 >/tmp/written; for d in vda vdb; do dd if=/dev/urandom of=/dev/$d bs=1M; "
                       f"dd if=/dev/zero of=/dev/$d bs=4k count={BLOCKS} conv=notrunc; done 2>/dev/null; sync")  # fmt: skip
        self.guest.run(f"({WRITER}) >/dev/null 2>&1 &")
        self.addCleanup(self.end_writer)

    def end_writer(self):
        self.guest.run('touch /tmp/stop; while [ "$(pidof dd)" ]; do sleep 0.1; done')
        for disk in self.guest.disks:
            for bitmap in self.guest.bitmaps(disk):
                self.guest.qmp.command("block-dirty-bitmap-remove", {"node": disk.node, "name": bitmap})

    def expect_writing(self):
        """Waits until the guest has written to each of its blocks again."""
        self.guest.run(f"w=$(cat /tmp/written); while [ $(cat /tmp/written) -lt $((w+{BLOCKS})) ]; do sleep 0.1; done")
        self.assertEqual(self.guest.status(), "running")
        self.guest.run("[ ! -e /tmp/failed ]")
        happened = {event["event"] for event in self.guest.qmp.events}
        self.assertEqual(happened & {"STOP", "RESUME", "BLOCK_IO_ERROR"}, set())

    def begin_a_slow_run(self, repository):
        config = self.daemon.json(f"repositories/{repository}/config.json")
        self.daemon.write(f"repositories/{repository}/config.json", json.dumps(config | {"bandwidth": "256K"}))
        self.daemon.write("flows/f/control", "run name=slow")
        self.until(lambda: self.daemon.json("flows/f/executions/slow/status.json")["progress"]["done"] > 0)

    def await_release(self):
        def held():
            with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog:
                return catalog.execute("SELECT count(*) FROM leftovers WHERE kind NOT LIKE '%bitmap'").fetchone()[0]

        self.until(lambda: held() == 0)
        self.assertEqual(self.guest.foreign(), [])

    def expect_one_instant(self, flow):
        """Makes a point and checks that each disk is the state after a prefix of the writes."""
        self.assertEqual(self.daemon.run(flow, "checked"), "success")
        newest = []
        for disk in self.guest.disks:
            raw = self.folder / f"{disk.name}.raw"
            content.copy(self.daemon.mount / "machines/m/latest" / f"{disk.name}.raw", raw)
            data = raw.read_bytes()[: BLOCK * BLOCKS]
            found = [int(data[at : at + BLOCK].strip(b"\0 \n") or 0) for at in range(0, len(data), BLOCK)]
            newest.append(max(found))
            expected = [newest[-1] - (newest[-1] - place) % BLOCKS for place in range(BLOCKS)]
            self.assertEqual(found, [max(number, 0) for number in expected])
        self.assertIn(newest[0] - newest[1], (0, 1))

    def test_a_guest_writes_on_while_the_repository_is_away_after_a_kill(self):
        repository = self.add_repository()
        self.add_flow()
        self.begin_a_slow_run("r")
        self.daemon.kill()
        self.expect_writing()
        away = repository.rename(self.folder / "away")
        self.daemon.start()
        self.await_release()
        self.expect_writing()
        away.rename(repository)
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(repository)}))
        self.expect_one_instant("f")
        self.expect_writing()

    def test_a_guest_writes_on_while_the_repository_hangs_and_when_the_daemon_ends(self):
        served = Stopped(self.folder / "served")
        self.addCleanup(served.close)
        self.addCleanup(self.daemon.close)
        (served.path / "r").mkdir()
        self.daemon.define("repositories/r", {"path": str(served.path / "r")})
        self.add_repository("well")
        self.add_flow()
        self.add_flow("g", repository="well")
        self.begin_a_slow_run("r")
        served.hang()
        self.expect_writing()
        self.daemon.stop()
        self.assertEqual(self.guest.foreign(), [])
        self.expect_writing()
        self.daemon.start()
        self.expect_one_instant("g")
        self.expect_writing()

    def move_state_to_a_small_file_system(self):
        self.daemon.stop()
        small = self.folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200M", "small", small], check=True)
        self.addCleanup(detach, small)
        self.addCleanup(self.daemon.close)  # before the unmount
        shutil.copytree(self.daemon.state, small, dirs_exist_ok=True)
        self.daemon.state = small
        self.daemon.start()
        return small

    def test_scratch_leaves_the_catalog_room_while_the_repository_hangs(self):
        small = self.move_state_to_a_small_file_system()
        self.daemon.write("config.json", json.dumps({"scratch_reserve": "100M"}))
        served = Stopped(self.folder / "served")
        self.addCleanup(served.close)
        self.addCleanup(self.daemon.close)
        (served.path / "r").mkdir()
        self.daemon.define("repositories/r", {"path": str(served.path / "r")})
        self.add_flow()
        self.begin_a_slow_run("r")
        served.hang()
        self.expect_writing()
        room = shutil.disk_usage(small).free
        subprocess.run(["fallocate", "-l", str(room - 90 * MIB), small / "filler"], check=True)
        self.until(lambda: self.guest.foreign() == [])
        self.expect_writing()
        self.daemon.write("flows/f/control", "disable")  # the catalog commits
        served.resume()
        self.assertEqual(self.daemon.read("flows/f/executions/slow/wait"), "error\n")
        status = self.daemon.json("flows/f/executions/slow/status.json")
        self.assertEqual(status["reason"], "no_space")
        self.assertIn("a backup keeps 104857600 free", self.daemon.read("flows/f/executions/slow/log"))
        self.expect_writing()

    def test_a_guest_writes_on_and_is_backed_up_while_other_sources_hang_at_the_start(self):
        self.add_repository()
        self.add_flow()
        hung = [self.add_machine(f"hung-{number}") for number in range(3)]
        for number, storage in enumerate(hung):
            storage.disks[0].write(0, self.random.randbytes(4 * MIB))
            self.add_flow(f"hung-{number}", machine=f"hung-{number}")
        self.daemon.write("repositories/r/config.json", json.dumps(
            self.daemon.json("repositories/r/config.json") | {"bandwidth": "256K", "max_jobs": 4}))  # fmt: skip
        for flow in ("f", *(f"hung-{number}" for number in range(3))):
            self.daemon.write(f"flows/{flow}/control", "run name=slow")
        for flow in ("f", *(f"hung-{number}" for number in range(3))):
            status = f"flows/{flow}/executions/slow/status.json"
            self.until(lambda: self.daemon.json(status)["progress"]["done"] > 0)
        self.daemon.kill()
        for storage in hung:
            storage.process.send_signal(signal.SIGSTOP)
            self.addCleanup(storage.process.send_signal, signal.SIGCONT)
        self.daemon.start()
        self.until(lambda: self.guest.foreign() == [])
        self.expect_writing()
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.folder / "repository-r")}))
        self.expect_one_instant("f")
        self.expect_writing()


if __name__ == "__main__":
    holdfast.main(guest.missing)
