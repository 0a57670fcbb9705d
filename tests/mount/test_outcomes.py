#!/usr/bin/python3
"""Statuses of executions with their reasons, each caused for real and read from the mount."""

import json
import os
import random

import holdfast

MIB = 2**20


class Outcomes(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[16 * MIB])
        (self.disk,) = self.storage.disks
        self.disk.write(0, random.Random(7).randbytes(4 * MIB))

    def expect(self, outcome, reason, name, flow="f"):
        """Waits for the end of an execution, checks status and reason, and returns its status.json. All its jobs have
        ended, too."""
        ended = self.daemon.read(f"flows/{flow}/executions/{name}/wait").strip()
        status = self.daemon.json(f"flows/{flow}/executions/{name}/status.json")
        self.assertEqual((ended, status["status"], status["reason"]), (outcome, outcome, reason), status["message"])
        done = status["jobs_completed"] + status["jobs_failed"] + status["jobs_skipped"]
        self.assertEqual(done, status["jobs_created"])
        self.assertIsNotNone(status["completed_at"])
        self.assertFalse(self.daemon.json(f"flows/{flow}/status.json")["running"])
        for job in os.listdir(self.daemon.mount / f"flows/{flow}/executions/{name}/jobs"):
            self.assertIsNotNone(self.daemon.json(f"jobs/{job}/status.json")["completed_at"])
        return status

    def expect_clean(self):
        self.assertEqual(self.storage.foreign(), [])
        self.assertEqual(list(self.repository.glob("*/*.partial")), [])

    def run_flow(self, outcome, reason, name="r1", arguments="", flow="f"):
        self.daemon.run(flow, name, arguments)
        return self.expect(outcome, reason, name, flow)

    def test_a_run_without_trouble_is_a_success(self):
        self.add_flow()
        status = self.run_flow("success", None)
        self.assertEqual((status["jobs_completed"], status["machines_processed"]), (1, 1))

    def test_an_unplanned_full_makes_a_warning(self):
        self.add_flow()
        self.run_flow("success", None, "r1")
        (bitmap,) = self.storage.bitmaps(self.disk)
        self.storage.qmp.command("block-dirty-bitmap-remove", {"node": self.disk.node, "name": bitmap})
        self.assertIn("bitmap_missing", self.run_flow("warning", "unplanned_full", "r2")["message"])

    def add_group(self, *machines):
        self.daemon.define("groups/g", {})
        for machine in machines:
            os.symlink(f"../../../machines/{machine}", self.daemon.mount / f"groups/g/members/{machine}")
        self.daemon.define("flows/f", {"target": "groups/g", "repository": "r"})

    def test_one_failed_member_of_a_group_makes_a_warning(self):
        os.unlink(self.add_file_machine("gone").path)
        self.add_group("m", "gone")
        status = self.run_flow("warning", "source_unreachable")
        self.assertEqual((status["jobs_completed"], status["jobs_failed"]), (1, 1))
        self.assertEqual(len(self.daemon.points("m")), 1)

    def test_an_empty_group_makes_a_warning(self):
        self.add_group()
        status = self.run_flow("warning", "no_machines")
        self.assertEqual((status["jobs_created"], status["message"]), (0, "groups/g has no enabled machine"))

    def test_an_unreachable_source_makes_an_error(self):
        self.add_flow()
        self.storage.kill()
        status = self.run_flow("error", "source_unreachable")
        self.assertRegex(status["message"], "qmp.sock")

    def test_an_absent_repository_makes_an_error(self):
        self.add_flow()
        self.run_flow("success", None, "r1")
        self.repository.rename(self.folder / "elsewhere")
        self.repository.mkdir()
        self.daemon.stop()
        self.daemon.start()
        self.run_flow("error", "repository_unreachable", "r2")
        self.assertEqual(list(self.repository.iterdir()), [])

    def test_a_repository_moved_away_under_the_daemon_makes_an_error_and_takes_no_point(self):
        self.add_flow()
        self.run_flow("success", None, "r1")
        away = self.repository.rename(self.folder / "elsewhere")
        self.repository.mkdir()
        before = set(away.glob("*/*"))
        self.run_flow("error", "repository_unreachable", "r2")
        self.assertEqual((set(away.glob("*/*")), list(self.repository.iterdir())), (before, []))
        self.repository.rmdir()
        away.rename(self.repository)
        self.run_flow("success", None, "r3")

    def test_an_absent_disk_makes_an_error(self):
        definition = self.storage.definition() | {"disks": [{"name": "disk-0", "node": "no-such-node"}]}
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        self.add_flow()
        self.assertIn("no-such-node", self.run_flow("error", "failed")["message"])

    def hold_back(self, **fields):
        """Starts run r1 of a flow whose repository takes one byte per second."""
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "bandwidth": 1}))
        self.add_flow(**fields)
        self.daemon.write("flows/f/control", "run name=r1")
        self.until(lambda: self.daemon.json("flows/f/executions/r1/status.json")["status"] != "pending")

    def test_a_cancelled_run_is_cancelled(self):
        self.hold_back()
        self.daemon.write("flows/f/control", "cancel")
        self.assertEqual(self.expect("cancelled", "cancelled", "r1")["jobs_skipped"], 1)
        self.expect_clean()

    def test_a_run_longer_than_its_timeout_is_an_error(self):
        self.hold_back(timeout="1s")
        self.assertIn("timeout, 1s", self.expect("error", "timed_out", "r1")["message"])
        self.expect_clean()

    def test_a_run_without_progress_for_its_stall_is_an_error(self):
        self.hold_back(stall="1s")
        self.assertIn("no progress for 1s", self.expect("error", "stalled", "r1")["message"])
        self.expect_clean()
        # A run longer than its stall succeeds while it progresses: 4 MiB in 16 pieces over more than 10 s.
        self.daemon.write("flows/f/control", "set stall=10s")
        settings = {"path": str(self.repository), "bandwidth": "350K", "compression": "none"}
        self.daemon.write("repositories/r/config.json", json.dumps(settings))
        self.assertGreater(self.run_flow("success", None, "r2")["execution_time_seconds"], 10)

    def test_a_timeout_counts_for_the_whole_execution(self):
        self.daemon.write("config.json", json.dumps({"max_concurrent_jobs": 1}))
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "bandwidth": 1}))
        self.add_file_machine("other")
        self.add_group("m", "other")
        config = self.daemon.json("flows/f/config.json") | {"timeout": "1s"}
        self.daemon.write("flows/f/config.json", json.dumps(config))
        status = self.run_flow("error", "timed_out")
        self.assertEqual((status["jobs_created"], status["jobs_failed"]), (2, 2))
        self.expect_clean()

    def test_a_run_of_a_killed_daemon_is_an_interrupted_error(self):
        self.hold_back()
        self.daemon.kill()
        self.daemon.start()
        self.daemon.await_settled()
        self.assertRegex(self.expect("error", "interrupted", "r1")["message"], "the daemon ended")
        self.until(lambda: self.storage.foreign() == [])

    def test_a_run_of_a_stopped_daemon_is_an_interrupted_error(self):
        self.hold_back()
        self.daemon.stop()
        self.daemon.start()
        self.expect("error", "interrupted", "r1")
        self.expect_clean()

    def test_a_full_repository_makes_an_error(self):
        settings = {"path": str(self.repository), "reserve": "100%"}
        self.daemon.write("repositories/r/config.json", json.dumps(settings))
        self.add_flow()
        self.run_flow("error", "no_space")
        self.expect_clean()

    def test_a_source_that_lied_makes_a_warning(self):
        self.add_flow()
        self.run_flow("success", None, "r1")
        self.disk.write(MIB, random.Random(8).randbytes(MIB))
        (bitmap,) = self.storage.bitmaps(self.disk)
        self.storage.qmp.command("block-dirty-bitmap-clear", {"node": self.disk.node, "name": bitmap})
        self.run_flow("warning", "cbt_lied", "r2", "sample=100%")


if __name__ == "__main__":
    holdfast.main()
