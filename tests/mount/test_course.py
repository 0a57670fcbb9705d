#!/usr/bin/python3
"""Fields of a policy that shape a run: retries, verify, sample, bandwidth."""

import json
import os
import random
import time

import content
import holdfast

MIB = 2**20


class Course(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.repository = self.add_repository()

    def add_flow_with(self, **policy):
        self.daemon.define("policies/p", policy)
        self.add_flow(policy="p")

    def status(self, name="r1"):
        return self.daemon.json(f"flows/f/executions/{name}/status.json")

    def log(self, name="r1"):
        return self.daemon.read(f"flows/f/executions/{name}/log")

    def add_absent_machine(self):
        """Adds machine m and moves its disk away. Returns a function that moves the disk back."""
        disk = self.add_file_machine()
        away = self.folder / "away"
        os.rename(disk.path, away)
        return lambda: os.rename(away, disk.path)

    def test_an_unreachable_source_is_retried_within_the_same_execution(self):
        bring_back = self.add_absent_machine()
        self.add_flow_with(retries=1)
        self.daemon.write("flows/f/control", "run name=r1")
        self.until(lambda: "it is tried again in 10 s (1 of 1)" in self.log())
        self.assertEqual(self.status()["status"], "running")
        bring_back()
        self.assertEqual(self.daemon.read("flows/f/executions/r1/wait"), "success\n")
        self.assertEqual((self.status()["jobs_created"], len(self.daemon.points("m"))), (1, 1))

    def test_a_cancel_ends_the_pause_before_a_retry(self):
        self.add_absent_machine()
        self.add_flow_with(retries=9)
        self.daemon.write("flows/f/control", "run name=r1")
        self.until(lambda: "it is tried again" in self.log())
        self.daemon.write("flows/f/control", "cancel")
        self.assertEqual(self.daemon.read("flows/f/executions/r1/wait"), "cancelled\n")

    def test_a_flow_without_a_policy_retries_nothing(self):
        self.add_absent_machine()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "error")
        self.assertNotIn("tried again", self.log())

    def test_a_policy_with_verify_verifies_each_new_point(self):
        self.add_file_machine()
        self.add_flow_with(verify="checksums")
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        status = self.status()
        self.assertEqual((status["jobs_created"], status["jobs_completed"], status["machines_processed"]), (2, 2, 1))
        backup, verification = (self.daemon.json(f"jobs/{job}/status.json") for job in status["created_job_ids"])
        self.assertEqual([backup["type"], verification["type"]], ["backup", "verify"])
        self.assertEqual(verification["operation"], "checksums")
        verified = self.daemon.json("machines/m/latest/manifest.json")["verified"]
        self.assertEqual((verified["level"], verified["result"]), ("checksums", "good"))

    def run_and_damage(self, name):
        """Runs flow f and damages the new point before its verification. A blocking job runs between backup and
        verification."""
        before = set(self.repository.glob("*/*/disk-0.qcow2"))
        self.add_file_machine("blocker")
        self.add_repository("slow", bandwidth=1)
        self.add_flow("blocker", "blocker", "slow", priority=1)
        self.daemon.write("config.json", json.dumps({"max_concurrent_jobs": 1}))
        self.add_hook("wait", f"until [ -e {self.folder}/go ]; do sleep 0.1; done\n")
        self.daemon.write("flows/f/control", 'set hooks=["wait"]')
        self.daemon.write("flows/f/control", f"run name={name}")
        # The hook runs before the blocker is there, which goes first otherwise.
        self.until(lambda: self.daemon.json(f"flows/f/executions/{name}/status.json")["status"] == "running")
        self.daemon.write("flows/blocker/control", "run name=r1")
        (self.folder / "go").touch()
        self.until(lambda: self.daemon.json("flows/blocker/executions/r1/status.json")["status"] == "running")
        (image,) = set(self.repository.glob("*/*/disk-0.qcow2")) - before
        content.flip_bit(image, image.stat().st_size // 2)
        self.daemon.write("flows/blocker/control", "cancel")
        return self.daemon.read(f"flows/f/executions/{name}/wait").strip()

    def test_a_failed_verification_makes_the_execution_a_warning_with_reason_damaged(self):
        self.add_file_machine()
        self.add_flow_with(verify="checksums")
        self.assertEqual(self.run_and_damage("r1"), "warning")
        status = self.status()
        self.assertEqual((status["reason"], status["jobs_completed"], status["jobs_failed"]), ("damaged", 1, 1))
        self.assertIn("1 of 1 points are damaged", status["message"])

    def test_a_point_that_fails_its_verification_lets_no_older_point_go(self):
        self.add_file_machine()
        self.add_flow_with(verify="checksums", keep_last=1)
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        (good,) = self.daemon.points("m")
        self.assertEqual(self.run_and_damage("r2"), "warning")
        self.until(lambda: self.daemon.json("machines/m/status.json")["state"] == "ready")
        self.assertIn(good, self.daemon.points("m"))
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest"), f"points/{good}")
        # A point that passes its verification lets the older points go.
        self.daemon.write("flows/f/control", 'set hooks=[]')
        self.assertEqual(self.daemon.run("f", "r3", "type=full"), "success")
        self.until(lambda: good not in self.daemon.points("m"))

    def test_arguments_of_a_run_override_sample_and_bandwidth_of_its_policy(self):
        self.storage = self.add_machine(capacities=[16 * MIB])
        self.storage.disks[0].write(0, random.Random(5).randbytes(4 * MIB))
        self.add_flow_with(sample=100)
        self.back_up("first")
        self.back_up("second")
        self.assertEqual(self.status("second")["bytes_read"], 4 * MIB + content.CLUSTER, "the last one is read twice")
        self.back_up("third", sample="1%")
        self.assertLess(self.status("third")["bytes_read"], 4 * MIB)
        self.daemon.write("policies/p/config.json", json.dumps({"bandwidth": "2M"}))
        begun = time.monotonic()
        self.back_up("fourth", type="full")
        self.assertGreaterEqual(time.monotonic() - begun, 4 / 2 / 1.1)
        self.daemon.write("policies/p/config.json", json.dumps({"bandwidth": 1}))
        self.back_up("fifth", type="full", bandwidth="64M")


if __name__ == "__main__":
    holdfast.main()
