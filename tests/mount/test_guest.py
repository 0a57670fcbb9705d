#!/usr/bin/python3
"""Backups of a running guest under QEMU's own emulation: quiescing through its agent, its survival, one instant of all
disks."""

import json
import os
import signal
import subprocess

import content
import guest
import holdfast

MIB = 2**20
BLOCK = 4096
BLOCKS = 64
# Writer in the guest: number k goes to block k % 64 of /dev/vdb, then of /dev/vdc. /dev/vda holds an ext4.
WRITER = (
    "n=0; while [ ! -e /tmp/stop ]; do n=$((n+1)); printf '%-4095d\\n' $n >/tmp/n; for d in vdb vdc; do "
    f"dd if=/tmp/n of=/dev/$d bs=4k seek=$((n%{BLOCKS})) oflag=direct conv=notrunc 2>/dev/null; done; "
    "echo $n >/tmp/written; sleep 0.05; done"
)
# Hook of the guest agent: a freeze lasts until the test creates /tmp/go.
SLOW_HOOK = (
    "printf '#!/bin/sh\\n[ $1 = freeze ] || exit 0\\ntouch /tmp/freezing\\n"
    "while [ ! -e /tmp/go ]; do sleep 0.1; done\\n' >/tmp/hook; chmod +x /tmp/hook"
)


class Guests(holdfast.MountTest):
    """All tests share one guest. Each test begins with a running agent and a mounted /dev/vda."""

    @classmethod
    def setUpClass(cls):
        cls.guest = guest.of_class(cls, [32 * MIB, 32 * MIB, 4 * MIB])

    def setUp(self):
        super().setUp()
        self.repository = self.add_repository()
        self.guest.run("mount /dev/vda /mnt")
        self.addCleanup(self.rest)
        self.start_agent()

    def rest(self):
        self.stop_agent()
        self.guest.run("umount /mnt && rm -f /tmp/*")
        for disk in self.guest.disks:
            for bitmap in self.guest.bitmaps(disk):
                self.guest.qmp.command("block-dirty-bitmap-remove", {"node": disk.node, "name": bitmap})

    def start_agent(self, options=""):
        self.guest.run(f"agent {options}")
        self.until(lambda: self.agent_is_open() is True)

    def stop_agent(self):
        self.guest.run("pid=$(cat /run/qga.pid 2>/dev/null) && kill -9 $pid && rm /run/qga.pid; true")
        self.until(lambda: self.agent_is_open() is False)

    def agent_is_open(self):
        (agent,) = [c for c in self.guest.qmp.command("query-chardev") if c["label"] == "agent"]
        return agent["frontend-open"]

    def define(self, **fields):
        self.daemon.define("machines/m", self.guest.definition(**fields))
        self.add_flow()

    def manifest(self):
        return self.daemon.json("machines/m/latest/manifest.json")

    def restored(self, disk):
        target = self.folder / f"{disk.name}.raw"
        content.copy(self.daemon.mount / "machines/m/latest" / f"{disk.name}.raw", target)
        return target

    def write_files(self):
        self.guest.run("i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i >/mnt/file$i; done")

    def expect_untouched(self):
        self.assertEqual(self.guest.foreign(), [])
        self.assertEqual(self.guest.status(), "running")
        self.guest.run("echo thawed >/mnt/thawed; sync; umount /mnt; mount /dev/vda /mnt; rm /mnt/thawed")

    def test_a_quiesced_point_says_filesystem_and_holds_a_clean_file_system(self):
        self.define()
        self.write_files()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.assertEqual(self.manifest()["consistency"], "filesystem")
        self.assertEqual(guest.complaints(self.restored(self.guest.disks[0])), "")
        self.expect_untouched()

    def test_a_point_without_an_agent_says_crash_and_holds_an_open_journal(self):
        self.define()
        self.stop_agent()
        self.write_files()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.assertEqual(self.manifest()["consistency"], "crash")
        self.assertIn("journal", guest.complaints(self.restored(self.guest.disks[0])))
        self.expect_untouched()

    def test_quiesce_never_leaves_the_agent_alone(self):
        self.define(quiesce="never")
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.assertEqual(self.manifest()["consistency"], "crash")

    def test_quiesce_required_without_an_agent_fails_the_run(self):
        self.define(quiesce="required")
        self.stop_agent()
        self.assertEqual(self.daemon.run("f", "first"), "error")
        message = self.daemon.json("flows/f/executions/first/status.json")["message"]
        self.assertRegex(message, 'no agent runs in it|which its machine\'s "quiesce" requires')
        self.assertEqual(self.daemon.points("m"), [])
        self.expect_untouched()

    def test_quiesce_required_with_an_agent_that_refuses_fails_the_run_and_leaves_the_guest_thawed(self):
        self.define(quiesce="required")
        self.stop_agent()
        self.start_agent("-b guest-fsfreeze-freeze")
        self.assertEqual(self.daemon.run("f", "first"), "error")
        message = self.daemon.json("flows/f/executions/first/status.json")["message"]
        self.assertIn("refuses guest-fsfreeze-freeze", message)
        self.expect_untouched()
        definition = self.guest.definition(quiesce="auto")
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        self.assertEqual(self.daemon.run("f", "second"), "success")
        self.assertEqual(self.manifest()["consistency"], "crash")

    def test_a_daemon_killed_during_a_freeze_thaws_the_guest_at_its_next_start(self):
        self.define()
        self.stop_agent()
        self.guest.run(SLOW_HOOK)
        self.start_agent("-F/tmp/hook")
        self.daemon.write("flows/f/control", "run name=first")
        self.guest.run("while [ ! -e /tmp/freezing ]; do sleep 0.1; done")
        self.daemon.kill()
        self.guest.run("touch /tmp/go")
        self.guest.run("while ! cat /run/qga.state.isfrozen >/dev/null 2>&1; do sleep 0.1; done")
        self.daemon.start()
        self.daemon.await_settled()
        self.expect_untouched()
        self.assertEqual(self.daemon.run("f", "second"), "success")
        self.assertEqual(self.manifest()["consistency"], "filesystem")

    def test_the_guest_runs_on_when_the_scratch_area_is_full(self):
        disk = self.guest.disks[1]
        self.daemon.stop()
        scratch = self.daemon.state / "scratch"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80M", "tmpfs", scratch], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", scratch], check=True)
        self.daemon.start()
        self.define()
        self.guest.run(f"yes first | head -c {disk.capacity} >{disk.device}; sync")
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.guest.run(f"yes second | head -c {MIB} | dd of={disk.device} bs=64k conv=notrunc,fsync 2>/dev/null")

        # Slow enough that the run lasts until SIGSTOP.
        self.daemon.write("flows/f/control", "run name=second bandwidth=64K")
        self.until(lambda: any(export.startswith("hf-") for export in self.exports()))
        self.daemon.process.send_signal(signal.SIGSTOP)
        frozen = bool(self.exports())
        self.guest.qmp.events.clear()
        room = os.statvfs(scratch)
        with open(scratch / "filler", "wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, room.f_bavail * room.f_frsize - MIB)
        self.guest.run(f"yes third | head -c {disk.capacity} | dd of={disk.device} bs=64k conv=fsync")
        self.assertEqual(self.guest.status(), "running")
        self.daemon.process.send_signal(signal.SIGCONT)
        end = self.daemon.read("flows/f/executions/second/wait").strip()
        self.assertEqual((frozen, end), (True, "error"))
        status = self.daemon.json("flows/f/executions/second/status.json")
        self.assertEqual(status["reason"], "no_space")
        self.assertIn("scratch area", status["message"])
        # QEMU would have sent an event for each pause and each error in between.
        self.assertEqual(self.guest.status(), "running")
        happened = {event["event"] for event in self.guest.qmp.events}
        self.assertEqual(happened & {"STOP", "RESUME", "BLOCK_IO_ERROR"}, set())
        (scratch / "filler").unlink()
        self.expect_untouched()

        self.assertEqual(self.daemon.run("f", "third"), "success")
        self.assertEqual(self.manifest()["kind"], "incremental")
        truth = self.folder / "truth"
        with open(truth, "wb") as file:
            file.write(b"third\n" * (disk.capacity // 6 + 1))
            file.truncate(disk.capacity)
        self.assertTrue(content.same_bytes(self.restored(disk), truth))

    def test_a_disk_made_smaller_and_as_large_again_under_a_guest_is_read_whole(self):
        """The case of test_fulls, with copy filters."""
        disk = self.guest.disks[1]
        truth = self.folder / "truth"
        truth.write_bytes((b"first\n" * (disk.capacity // 6 + 1))[: disk.capacity])
        self.define(quiesce="never")
        self.guest.run(f"yes first | head -c {disk.capacity} >{disk.device}; sync")
        self.assertEqual(self.daemon.run("f", "first"), "success")

        self.guest.run(f"dd if=/dev/zero of={disk.device} bs=64k count=16 seek=16 conv=notrunc,fsync 2>/dev/null")
        with open(truth, "r+b") as file:
            os.pwrite(file.fileno(), bytes(MIB), MIB)
        self.assertEqual(self.daemon.run("f", "zeros"), "success")
        self.assertTrue(content.same_bytes(self.restored(disk), truth))

        for size in (4 * MIB, disk.capacity):
            self.guest.qmp.command("block_resize", {"node-name": disk.node, "size": size})
            os.truncate(truth, size)
        self.assertEqual(self.daemon.run("f", "resized"), "warning")
        self.assertEqual(self.daemon.json("flows/f/executions/resized/status.json")["reason"], "cbt_lied")
        self.assertEqual(self.manifest()["disks"][1]["reason"], "cbt_lied")
        self.assertTrue(content.same_bytes(self.restored(disk), truth))
        self.assertEqual(self.daemon.run("f", "after"), "success")
        self.expect_untouched()

    def exports(self):
        return [export["id"] for export in self.guest.qmp.command("query-block-exports")]

    def test_all_disks_of_a_running_guest_are_one_instant(self):
        self.define()
        self.guest.run("echo 0 >/tmp/written; for d in vdb vdc; do "
                       f"dd if=/dev/zero of=/dev/$d bs=4k count={BLOCKS} oflag=direct 2>/dev/null; done")  # fmt: skip
        self.guest.run(f"({WRITER}) >/dev/null 2>&1 &")
        before = 0
        for i in range(int(os.environ.get("HOLDFAST_POINTS", 3))):
            self.guest.run("w=$(cat /tmp/written); while [ $(cat /tmp/written) -lt $((w+3)) ]; do sleep 0.1; done")
            self.assertEqual(self.daemon.run("f", f"run-{i}"), "success")
            first, second = (self.prefix_of(disk) for disk in self.guest.disks[1:])
            self.assertIn(first - second, (0, 1))
            self.assertGreater(first, before)
            before = first
        self.assertEqual(self.manifest()["kind"], "incremental")
        self.guest.run("touch /tmp/stop; while [ \"$(pidof dd)\" ]; do sleep 0.1; done")  # fmt: skip
        self.expect_untouched()

    def prefix_of(self, disk):
        """Checks that the point's disk is the state after a prefix of the writes, and returns the prefix's length."""
        raw = self.restored(disk).read_bytes()[: BLOCK * BLOCKS]
        found = [int(raw[at : at + BLOCK].strip(b"\0 \n") or 0) for at in range(0, len(raw), BLOCK)]
        newest = max(found)
        expected = [newest - (newest - where) % BLOCKS for where in range(BLOCKS)]
        self.assertEqual(found, [max(number, 0) for number in expected])
        return newest


if __name__ == "__main__":
    holdfast.main(guest.missing)
