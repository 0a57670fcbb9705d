#!/usr/bin/python3
"""Flows that run after other flows (`after`, `after_when`)."""

import errno
import os

import holdfast
from schedules import ScheduleTest


class Chains(ScheduleTest):
    def setUp(self):
        super().setUp()
        self.add_flow("a")

    def ends(self, flow):
        """Statuses of the flow's executions, all of which have ended."""
        return [run["status"] for run in self.executions(flow)]

    def test_a_flow_runs_after_the_success_of_the_flow_before(self):
        self.add_flow("b", after="a")
        self.add_flow("c", after="b")
        self.assertEqual(self.daemon.run("a", "first"), "success")
        self.until(lambda: self.ends("c") == ["success"])
        (b,), (c,) = self.executions("b"), self.executions("c")
        self.assertEqual((b["execution_type"], b["by"], b["by_name"]), ("scheduled", "daemon", "flows/a"))
        self.assertEqual((c["execution_type"], c["by"], c["by_name"]), ("scheduled", "daemon", "flows/b"))
        self.assertEqual(self.ends("a"), ["success"])

    def test_after_a_failure_only_flows_with_after_when_always_run(self):
        self.add_flow("b", after="a")
        self.add_flow("c", after="a", after_when="always")
        os.unlink(self.disk.path)
        self.assertEqual(self.daemon.run("a", "first"), "error")
        self.until(lambda: self.ends("c") == ["error"])
        self.assertEqual(self.ends("b"), [])

    def test_a_follower_that_still_runs_is_skipped_or_queued(self):
        self.add_flow("b", machine="slow", after="a")
        self.add_flow("c", machine="slow", after="a", overlap="queue")
        self.daemon.run("a", "first")
        self.until_runs("b")
        self.until_runs("c")
        self.daemon.run("a", "second")
        self.until(lambda: self.skips("b") == ["already_running"])
        self.daemon.write("flows/c/control", "cancel")
        self.until(lambda: len(self.executions("c")) == 2)
        self.assertEqual(len(self.executions("b")), 1)
        self.assertEqual(self.skips("c"), [])

    def test_a_disabled_follower_is_skipped(self):
        self.add_flow("b", after="a", enabled=False)
        self.daemon.run("a", "first")
        self.until(lambda: self.skips("b") == ["disabled"])
        self.assertEqual(self.ends("b"), [])

    def test_a_follower_due_while_the_daemon_drains_runs_after_the_restart(self):
        self.add_flow("slow", machine="slow")
        self.add_flow("b", after="slow", after_when="always")
        self.daemon.write("flows/slow/control", "run name=first")
        self.daemon.write("control", "drain")
        self.daemon.write("flows/slow/control", "cancel")
        self.assertEqual(self.daemon.read("flows/slow/executions/first/wait"), "cancelled\n")
        self.assertEqual(self.ends("b"), [])
        self.daemon.stop()
        self.daemon.start()
        self.until(lambda: self.ends("b") == ["success"])

    def test_a_circle_of_flows_is_refused_and_the_error_names_its_flows(self):
        self.add_flow("b", after="a")
        self.add_flow("c", after="b")
        flow = {"target": "machines/m", "repository": "r"}
        self.refused("flows/a", flow | {"after": "c"}, "circle", "'a' after 'c' after 'b' after 'a'")
        self.refused("flows/a", flow | {"after": "a"}, "'a' after 'a'")
        with self.assertRaises(OSError) as refused:
            self.change("flows/a", after="nobody")
        self.assertEqual(refused.exception.errno, errno.ENOENT)

    def test_a_follower_keeps_the_new_name_of_its_flow_and_must_let_it_go_first(self):
        self.add_flow("b", after="a")
        os.rename(self.daemon.mount / "flows/a", self.daemon.mount / "flows/z")
        self.assertEqual(self.daemon.json("flows/b/config.json")["after"], "z")
        with self.assertRaises(OSError) as refused:
            os.rmdir(self.daemon.mount / "flows/z")
        self.assertEqual(refused.exception.errno, errno.EBUSY)
        self.daemon.write("flows/b/control", "set after=null")
        os.rmdir(self.daemon.mount / "flows/z")
        self.assertIsNone(self.daemon.json("flows/b/config.json")["after"])


if __name__ == "__main__":
    holdfast.main()
