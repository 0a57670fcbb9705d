#!/usr/bin/python3
"""The queue of many flows: limits hold, no flow starves, a higher priority goes first, and the totals are exact."""

import json
import os
import sqlite3

import holdfast

KIB = 1024


class Queue(holdfast.MountTest):
    def started(self):
        """Returns (flow, start, end) of all started jobs in milliseconds, in the order of their starts."""
        catalog = sqlite3.connect(f"file:{self.daemon.state}/catalog.sqlite?mode=ro", uri=True)
        try:
            return catalog.execute(
                "SELECT flows.name, jobs.started_at, jobs.completed_at FROM jobs JOIN executions ON executions.id ="
                " jobs.execution_id JOIN flows ON flows.id = executions.flow_id WHERE jobs.started_at IS NOT NULL"
                " ORDER BY jobs.started_at"
            ).fetchall()
        finally:
            catalog.close()

    def status(self, flow, name):
        return self.daemon.json(f"flows/{flow}/executions/{name}/status.json")

    def expect_wait(self, flow, name, reason):
        """Expects the execution's only job to be pending with the reason."""
        (job,) = self.status(flow, name)["created_job_ids"]
        status = self.daemon.json(f"jobs/{job}/status.json")
        self.assertEqual((status["status"], status["reason"]), ("pending", reason))
        self.assertIn("the job waits", status["message"])

    def limit(self, jobs):
        self.daemon.write("config.json", json.dumps({"max_concurrent_jobs": jobs}))


class ManyFlows(Queue):
    MACHINES, FLOWS, LIMIT = 20, 100, 4

    def test_a_hundred_flows_over_twenty_machines_keep_to_a_limit_of_four(self):
        self.add_repository(max_jobs=1000)
        storage = self.add_machine("all", [512 * KIB] * self.MACHINES)
        for number, disk in enumerate(storage.disks):
            disk.write(0, os.urandom(64 * KIB))
            disks = [{"name": "disk-0", "node": disk.node}]
            self.daemon.define(f"machines/m{number}", storage.definition() | {"disks": disks})
        flows = [f"f{number:03}" for number in range(self.FLOWS)]
        urgent = flows[-10:]
        for number, flow in enumerate(flows):
            self.add_flow(flow, f"m{number % self.MACHINES}", priority=10 if flow in urgent else 0)
        self.limit(self.LIMIT)
        self.daemon.write("control", "run flows=f* name=r")
        for flow in flows:
            self.assertEqual(self.daemon.read(f"flows/{flow}/executions/r/wait"), "success\n", flow)

        jobs = self.started()
        self.assertEqual(len(jobs), self.FLOWS)
        self.assertEqual(self.most_at_once(jobs), self.LIMIT)
        # Up to four other jobs started before the urgent ones were queued, and each eighth turn goes to a lower
        # priority.
        order = [flow for flow, *_ in jobs]
        self.assertLess(max(order.index(flow) for flow in urgent), 4 + 2 * len(urgent))
        self.assert_figures_add_up(flows)
        self.assertEqual(storage.foreign(), [])

    @staticmethod
    def most_at_once(jobs):
        moves = sorted([(began, 1) for _, began, _ in jobs] + [(ended, -1) for *_, ended in jobs])
        return max(sum(step for _, step in moves[: i + 1]) for i in range(len(moves)))

    def assert_figures_add_up(self, flows):
        sums = dict.fromkeys(("bytes_read", "bytes_transferred", "bytes_stored"), 0)
        for flow in flows:
            execution = self.status(flow, "r")
            (name,) = execution["created_job_ids"]
            job = self.daemon.json(f"jobs/{name}/status.json")
            for field in sums:
                self.assertEqual(execution[field], job[field])
                sums[field] += execution[field]
            counted = self.daemon.json(f"flows/{flow}/status.json")
            kinds = ("total", "successful", "warned", "failed")
            self.assertEqual([counted[f"{kind}_executions"] for kind in kinds], [1, 1, 0, 0])
            self.assertAlmostEqual(counted["average_seconds"], execution["execution_time_seconds"], places=3)
        totals = self.daemon.json("status.json")["totals"]
        self.assertEqual((totals["points"], totals["bytes_stored"]), (self.FLOWS, sums["bytes_stored"]))
        self.assertEqual(self.daemon.json("repositories/r/status.json")["points"], self.FLOWS)
        of_points = [json.loads(line) for line in self.daemon.read("points.jsonl").splitlines()]
        self.assertEqual(sum(disk["bytes_stored"] for point in of_points for disk in point["disks"]), sums["bytes_stored"])


class Turns(Queue):
    def setUp(self):
        super().setUp()
        self.add_repository(max_jobs=1000)
        self.add_repository("slow", bandwidth=1)
        self.add_file_machine("blocker")
        self.add_flow("blocker", "blocker", "slow")

    def block(self):
        """Fills the only job slot until unblock()."""
        self.limit(1)
        self.daemon.write("flows/blocker/control", "run name=r")
        self.until(lambda: self.status("blocker", "r")["status"] == "running")

    def unblock(self):
        self.daemon.write("flows/blocker/control", "cancel")

    def add_wide_flow(self, machines):
        self.daemon.define("groups/g", {})
        for number in range(machines):
            self.add_file_machine(f"m{number}", 4 * KIB)
            os.symlink(f"../../../machines/m{number}", self.daemon.mount / f"groups/g/members/m{number}")
        self.daemon.define("flows/wide", {"target": "groups/g", "repository": "r"})

    def test_a_flow_of_many_machines_delays_no_other_flow(self):
        self.add_wide_flow(12)
        self.add_file_machine("single", 4 * KIB)
        self.add_flow("single", "single")
        self.block()
        self.daemon.write("flows/wide/control", "run name=r")
        self.daemon.write("flows/single/control", "run name=r")
        self.assertEqual(self.status("single", "r")["status"], "pending")
        self.expect_wait("single", "r", "max_concurrent_jobs")
        self.unblock()
        self.assertEqual(self.daemon.read("flows/single/executions/r/wait"), "success\n")
        self.assertEqual(self.daemon.read("flows/wide/executions/r/wait"), "success\n")
        order = [flow for flow, *_ in self.started()]
        self.assertLessEqual(order.index("single"), 2, order)

    def test_a_higher_priority_goes_first_and_starves_no_flow(self):
        self.add_wide_flow(12)
        self.daemon.write("flows/wide/control", "set priority=50")
        for name in ("first", "urgent"):
            self.add_file_machine(name, 4 * KIB)
        self.add_flow("first", "first")
        self.add_flow("urgent", "urgent", priority=100)
        self.block()
        for name in ("first", "wide", "urgent"):
            self.daemon.write(f"flows/{name}/control", "run name=r")
        self.unblock()
        for name in ("first", "wide", "urgent"):
            self.assertEqual(self.daemon.read(f"flows/{name}/executions/r/wait"), "success\n")
        order = [flow for flow, *_ in self.started()]
        self.assertEqual(order[1], "urgent", order)
        self.assertTrue(2 < order.index("first") <= 8, order)

    def test_a_repository_is_used_by_max_jobs_at_a_time(self):
        self.limit(4)
        path = self.folder / "repository-slow"
        settings = {"path": str(path), "bandwidth": 1, "max_jobs": 1}
        self.daemon.write("repositories/slow/config.json", json.dumps(settings))
        for name in ("a", "b"):
            self.add_file_machine(name)
            self.add_flow(name, name, "slow")
            self.daemon.write(f"flows/{name}/control", "run name=r")
        self.until(lambda: self.status("a", "r")["status"] == "running")
        self.assertEqual(self.status("b", "r")["status"], "pending")
        self.expect_wait("b", "r", "max_jobs")
        self.add_flow("elsewhere", "a")
        self.daemon.write("flows/elsewhere/control", "run name=r")
        self.expect_wait("elsewhere", "r", "machine_busy")
        # Jobs for another repository go on, and a higher limit applies at once.
        self.add_file_machine("c")
        self.add_flow("c", "c")
        self.assertEqual(self.daemon.run("c", "r"), "success")
        self.assertEqual(self.status("b", "r")["status"], "pending")
        self.daemon.write("repositories/slow/config.json", json.dumps(settings | {"max_jobs": 2}))
        self.until(lambda: self.status("b", "r")["status"] == "running")


if __name__ == "__main__":
    holdfast.main()
