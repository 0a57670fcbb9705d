"""Flows that schedules and other flows start, on a real clock. Tests wait for events, never for a span of time."""

import json
import os

import holdfast


def far_hourly(now):
    """Returns an hourly schedule with no time within half an hour of `now` (a timestamp), and its last time before
    `now`."""
    last = int(now) // 60 * 60 - 1800
    return {"cron": f"{last // 60 % 60} * * * *"}, last


class ScheduleTest(holdfast.MountTest):
    """Machine m, whose runs take little time, and machine slow, whose runs last until they are cancelled."""

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
        """Returns the outcomes of the schedule's times: ("started", None), ("skipped", "blackout") …"""
        return [(time["status"], time["reason"]) for time in self.history(schedule)]

    def until_outcome(self, status, reason=None, schedule="s"):
        self.until(lambda: (status, reason) in self.outcomes(schedule))

    def executions(self, flow):
        """Returns the status.json of the flow's executions, the oldest first."""
        names = os.listdir(self.daemon.mount / f"flows/{flow}/executions")
        found = [self.daemon.json(f"flows/{flow}/executions/{name}/status.json") for name in names]
        return sorted(found, key=lambda status: status["started_at"] or "~")

    def until_runs(self, flow):
        self.until(lambda: self.daemon.json(f"flows/{flow}/status.json")["running"])

    def skips(self, flow):
        """Reasons of the flow's flow.skip events."""
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        return [e["reason"] for e in events if e["event"] == "flow.skip" and e["object"] == f"flows/{flow}"]

    def refused(self, path, definition, *said):
        """Expects EINVAL with these words, and an unchanged catalog."""
        before = self.daemon.catalog()
        with self.assertRaises(OSError) as refused:
            self.daemon.write(f"{path}/config.json", json.dumps(definition))
        self.assertEqual(refused.exception.strerror, "Invalid argument")
        sentence = self.daemon.read(f"{path}/error")
        for part in said:
            self.assertIn(part, sentence)
        self.assertEqual(self.daemon.catalog(), before)
