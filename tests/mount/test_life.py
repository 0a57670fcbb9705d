#!/usr/bin/python3
"""The life of the mount: SIGKILL and restart, SIGTERM under load, drain before an upgrade."""

import errno
import json
import os
import pathlib
import subprocess
import threading

import content
import holdfast
from processes import spawn

MIB = 2**20
CAPACITY = 16 * MIB


class Life(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.mount = self.daemon.mount
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[CAPACITY])
        self.storage.disks[0].write(0, os.urandom(8 * MIB))
        self.record = self.storage.disks[0].record(self.folder / "record")
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.image = self.mount / "machines/m/latest/disk-0.raw"

    def copying(self):
        """Starts a cp of the image that lasts until the test reads its output."""
        command = ["cp", self.image, "/dev/stdout"]
        process = spawn(command, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        start = process.stdout.read(1)
        self.assertEqual(len(start), 1)
        return process, start


class Draining(Life):
    def job(self, name):
        return self.daemon.json(f"jobs/{name}/status.json")

    def assert_runs_again(self, name):
        self.assertEqual(self.daemon.run("f", name), "success")

    def test_a_drain_lets_a_copy_end_and_takes_no_new_work(self):
        copy, start = self.copying()
        self.daemon.write("control", "drain name=upgrade")
        status = self.daemon.json("status.json")
        self.assertEqual((status["draining"], status["readers"]), (True, 1))
        self.until(lambda: self.job("upgrade")["status"] == "running")
        for path, line in [
            ("flows/f/control", "run name=no"),
            ("machines/m/control", "verify"),
            ("control", "drain"),
        ]:
            with self.assertRaises(OSError) as refusal:
                self.daemon.write(path, line)
            self.assertEqual(refusal.exception.errno, errno.EBUSY)
        self.assertNotIn("no", os.listdir(self.mount / "flows/f/executions"))
        rest, complaints = copy.communicate(timeout=holdfast.CEILING)
        self.assertEqual((copy.returncode, complaints), (0, b""))
        copied = self.folder / "copied"
        copied.write_bytes(start + rest)
        self.assertTrue(content.same_bytes(copied, self.record))
        self.assertEqual(self.daemon.read("jobs/upgrade/wait"), "success\n")
        self.assertEqual(self.job("upgrade")["type"], "drain")
        # Draining lasts until the daemon ends; the next start takes work again.
        with self.assertRaises(OSError):
            self.daemon.write("flows/f/control", "run")
        self.daemon.stop()
        self.daemon.start()
        self.assertFalse(self.daemon.json("status.json")["draining"])
        self.assert_runs_again("after")

    def occupy(self):
        """Fills the only job slot with an endless backup. Returns a function that ends the backup."""
        self.daemon.write("config.json", json.dumps({"max_concurrent_jobs": 1}))
        self.add_file_machine("slow")
        self.add_repository("slow", bandwidth=1)
        self.add_flow("slow", "slow", "slow")
        self.daemon.write("flows/slow/control", "run name=r")
        self.until(lambda: self.daemon.json("flows/slow/executions/r/status.json")["status"] == "running")
        return lambda: self.daemon.write("flows/slow/control", "cancel")

    def test_the_timeout_of_a_drain_runs_while_all_job_slots_are_taken(self):
        self.occupy()
        self.daemon.write("control", "drain name=d timeout=1s")
        self.assertEqual(self.daemon.read("jobs/d/wait"), "error\n")
        self.assertEqual(self.job("d")["reason"], "timed_out")
        self.assertIn("1 other jobs still run", self.job("d")["message"])
        self.daemon.write("flows/f/control", "run name=taken")  # pending, not refused
        self.assertEqual(self.daemon.json("flows/f/executions/taken/status.json")["status"], "pending")

    def test_a_drain_takes_no_job_slot_from_pending_jobs(self):
        end = self.occupy()
        self.daemon.define("policies/p", {"verify": "checksums"})
        self.daemon.write("flows/f/control", "set policy=p")
        self.daemon.write("flows/f/control", "run name=last")
        self.daemon.write("control", "drain name=d")
        end()
        self.assertEqual(self.daemon.read("flows/f/executions/last/wait"), "success\n")
        self.assertEqual(self.daemon.json("flows/f/executions/last/status.json")["jobs_created"], 2)
        self.assertEqual(self.daemon.read("jobs/d/wait"), "success\n")

    def test_a_drain_waits_for_running_jobs(self):
        self.daemon.write("machines/m/control", "verify name=running level=compare")
        self.daemon.write("control", "drain name=d")
        self.assertEqual(self.daemon.read("jobs/d/wait"), "success\n")
        self.assertEqual(self.job("running")["status"], "success")

    def test_a_drain_without_work_ends_at_once(self):
        self.daemon.write("control", "drain name=d")
        self.assertEqual(self.daemon.read("jobs/d/wait"), "success\n")

    def test_a_drain_without_work_and_without_patience_ends_with_success(self):
        for number in range(20):
            self.daemon.write("control", f"drain name=d{number} timeout=0s")
            self.assertEqual(self.daemon.read(f"jobs/d{number}/wait"), "success\n", number)
            self.daemon.write("control", "resume")

    def test_resume_ends_a_drain(self):
        copy, _ = self.copying()
        self.daemon.write("control", "drain name=d")
        self.until(lambda: self.job("d")["status"] == "running")
        self.daemon.write("control", "resume")
        self.assertEqual(self.daemon.read("jobs/d/wait"), "cancelled\n")
        self.assertFalse(self.daemon.json("status.json")["draining"])
        self.assert_runs_again("second")
        self.assertIsNone(copy.poll())
        with self.assertRaises(OSError) as refusal:
            self.daemon.write("control", "resume")
        self.assertEqual(refusal.exception.errno, errno.EINVAL)
        told = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        mine = [(one["event"], one["result"], one["job"]) for one in told if one["event"].startswith("daemon.")]
        self.assertEqual(mine, [("daemon.drain", "ok", "d"), ("daemon.resume", "ok", None), ("daemon.resume", "refused", None)])

    def test_a_cancel_of_its_job_ends_a_drain(self):
        self.copying()
        self.daemon.write("control", "drain name=d")
        self.daemon.write("jobs/d/control", "cancel")
        self.assertEqual(self.daemon.read("jobs/d/wait"), "cancelled\n")
        self.assert_runs_again("second")

    def test_after_the_timeout_of_a_drain_new_work_is_taken(self):
        self.copying()
        self.daemon.write("control", "drain name=d timeout=0s")
        self.assertEqual(self.daemon.read("jobs/d/wait"), "error\n")
        job = self.job("d")
        self.assertEqual(job["reason"], "timed_out")
        self.assertRegex(job["message"], "1 images are open; new work is taken again")
        self.assert_runs_again("second")


class Client(threading.Thread):
    """A thread that repeats one operation until the mount is gone. `done` lists the successes, `last` holds the final
    errno."""

    def __init__(self, act):
        super().__init__()
        self.act = act
        self.done = []
        self.refused = set()
        self.last = None
        self.start()

    def run(self):
        number = 0
        while True:
            number += 1
            try:
                self.act(number)
                self.done.append(number)
            except OSError as error:
                if error.errno == errno.EBUSY:  # refused for now, but the mount is there
                    self.refused.add(error.errno)
                    continue
                self.last = error.errno
                return


class Ending(Life):
    # Errnos after SIGTERM, as holdfastd --help announces: names are gone, open files are cut off.
    ANNOUNCED = {errno.ENOENT, errno.ENOTCONN, errno.ESHUTDOWN, errno.ECONNABORTED}

    def test_sigterm_under_load_loses_nothing_acknowledged(self):
        def read_status(_):
            self.assertTrue((self.mount / "status.json").read_text().endswith("}\n"))

        wrong = []

        def read_image(number):
            offset = number * 4096 % CAPACITY
            image = os.open(self.image, os.O_RDONLY)
            try:
                if os.pread(image, 4096, offset) != truth[offset : offset + 4096]:
                    wrong.append(offset)
            finally:
                os.close(image)

        truth = self.record.read_bytes()
        clients = {
            "make": Client(lambda number: os.mkdir(self.mount / f"flows/made-{number}")),
            "define": Client(self.describe),
            "run": Client(lambda number: self.daemon.write("flows/f/control", f"run name=r-{number}")),
            "status": Client(read_status),
            "image": Client(read_image),
        }
        for client in clients.values():
            self.addCleanup(client.join)
        self.until(lambda: all(len(client.done) >= 5 for client in clients.values()))
        self.daemon.stop()
        for name, client in clients.items():
            client.join(holdfast.CEILING)
            self.assertFalse(client.is_alive(), name)
            self.assertIn(client.last, self.ANNOUNCED, (name, errno.errorcode.get(client.last)))
        self.assertEqual(wrong, [])

        self.daemon.start()
        made = set(os.listdir(self.mount / "flows"))
        self.assertLessEqual({f"made-{number}" for number in clients["make"].done}, made)
        description = self.daemon.json("repositories/r/config.json")["description"]
        self.assertGreaterEqual(int(description), clients["define"].done[-1])
        for number in clients["run"].done:
            ended = self.daemon.read(f"flows/f/executions/r-{number}/wait").strip()
            self.assertIn(ended, {"success", "warning", "error"})
            if ended == "error":
                status = self.daemon.json(f"flows/f/executions/r-{number}/status.json")
                self.assertEqual(status["jobs_failed"], 1)
        self.assertEqual(self.daemon.run("f", "after"), "success")

    def describe(self, number):
        definition = {"path": str(self.repository), "description": str(number)}
        self.daemon.write("repositories/r/config.json", json.dumps(definition))

    def test_a_running_copy_fails_when_the_mount_goes(self):
        copy, _ = self.copying()
        self.daemon.stop()
        _, complaints = copy.communicate(timeout=holdfast.CEILING)
        self.assertNotEqual(copy.returncode, 0)
        self.assertRegex(complaints.decode(), "not connected|aborted")

    def test_a_restart_after_a_kill_mounts_again_with_all_acknowledged_changes(self):
        (self.mount / "flows/kept").mkdir()
        os.chown(self.mount / "flows/kept", 1001, 1002)
        copy, _ = self.copying()
        self.daemon.write("flows/f/control", "run name=last")
        self.daemon.kill()
        _, complaints = copy.communicate(timeout=holdfast.CEILING)
        self.assertNotEqual(copy.returncode, 0)
        self.assertRegex(complaints.decode(), "not connected|aborted")
        self.daemon.start()
        facts = (self.mount / "flows/kept").stat()
        self.assertEqual((facts.st_uid, facts.st_gid), (1001, 1002))
        self.assertIn(self.daemon.read("flows/f/executions/last/wait"), {"success\n", "error\n"})
        self.assertEqual(self.daemon.run("f", "after"), "success")
        self.assertTrue(content.same_bytes(self.image, self.record))

    def test_a_mount_point_with_something_in_it_is_refused(self):
        self.daemon.stop()
        (self.daemon.mount / "precious").write_text("x")
        with self.assertRaisesRegex(holdfast.Refused, "is not empty: 'precious' is in it; name an empty directory"):
            self.daemon.start()
        (self.daemon.mount / "precious").unlink()
        self.daemon.start()

    def test_repeated_kills_leave_one_mount(self):
        for _ in range(3):
            self.daemon.kill()
            self.daemon.start()
        mounts = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        self.assertEqual(mounts.count(f" {self.mount} "), 1)


if __name__ == "__main__":
    holdfast.main()
