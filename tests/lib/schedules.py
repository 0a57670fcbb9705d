"""Flows that schedules and other flows start, on a real clock: each test looks until what must come has come."""

import json
import os

import holdfast


def far_hourly(now):
    """A schedule of a time an hour, none of which is near `now` (a timestamp), lest one come in between; and the last one
    before it."""
    last = int(now) // 60 * 60 - 1800
    return {"cron": f"{last // 60 % 60} * * * *"}, last


class ScheduleTest(holdfast.MountTest):
    """Machine m, whose runs take no time, and slow, whose runs last until they are cancelled; flows are the test's."""

    def setUp(self):
        super().setUp()
        self.add_repository()
        self.disk = self.add_file_machine()
        self.add_file_machine("slow")
        slow = self.daemon.json("machines/slow/config.json") | {"bandwidth": 1024}
        self.daemon.write("machines/slow/config.json", json.dumps(slow))

    def add_flow(self, name="f", machine="m", **fields):
        self.daemon.define(f"flows/{name}", {"target": f"machines/{machine}", "repository": "r", **fields})

    def change(self, path, **fields):
        config = self.daemon.json(f"{path}/config.json") | fields
        self.daemon.write(f"{path}/config.json", json.dumps(config))

    def history(self, schedule="s"):
        return [json.loads(line) for line in self.daemon.read(f"schedules/{schedule}/history.jsonl").splitlines()]

    def outcomes(self, schedule="s"):
        """What has come of its times: ("started", None), ("skipped", "blackout") …"""
        return [(time["status"], time["reason"]) for time in self.history(schedule)]

    def until_outcome(self, status, reason=None, schedule="s"):
        self.until(lambda: (status, reason) in self.outcomes(schedule))

    def executions(self, flow):
        """Their status.json, by age."""
        names = [name for name in os.listdir(self.daemon.mount / f"flows/{flow}/executions") if name != "error"]
        found = [self.daemon.json(f"flows/{flow}/executions/{name}/status.json") for name in names]
        return sorted(found, key=lambda status: status["started_at"] or "~")

    def until_runs(self, flow):
        self.until(lambda: self.daemon.json(f"flows/{flow}/status.json")["running"])

    def skips(self, flow):
        """The reasons of its events flow.skip."""
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        return [e["reason"] for e in events if e["event"] == "flow.skip" and e["object"] == f"flows/{flow}"]

    def refused(self, path, definition, *said):
        """EINVAL, its sentence, and nothing is changed."""
        before = self.daemon.catalog()
        with self.assertRaises(OSError) as refused:
            self.daemon.write(f"{path}/config.json", json.dumps(definition))
        self.assertEqual(refused.exception.strerror, "Invalid argument")
        sentence = self.daemon.read(f"{path}/error")
        for part in said:
            self.assertIn(part, sentence)
        self.assertEqual(self.daemon.catalog(), before)
