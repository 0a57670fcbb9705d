#!/usr/bin/python3
"""status.json at the root: warnings and running jobs of all objects that the reader may see."""

import json
import os

import content
import holdfast
from users import User, unnamed


class Warnings(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.repository = self.add_repository(compression="none")
        self.daemon.define("schedules/never", {"cron": "0 0 29 2 *"})
        self.add_flow(schedule="never")
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        self.folder.chmod(0o755)
        self.stranger = User(*unnamed(1))

    def status(self):
        return self.daemon.json("status.json")

    def his_health(self):
        his = json.loads(self.stranger.does(lambda: self.daemon.read("status.json")))
        self.assertEqual(his["warnings"], [])
        return his["health"]

    def expect(self, health, *warnings):
        """Expects exactly these (object, reason, sentence), each with what to do."""
        status = self.status()
        self.assertEqual(status["health"], health, status["warnings"])
        found = [(one["object"], one["reason"]) for one in status["warnings"]]
        self.assertEqual(found, [(object, reason) for object, reason, _ in warnings])
        for (_, _, sentence), one in zip(warnings, status["warnings"]):
            self.assertRegex(one["message"], sentence)
            self.assertTrue(one["fix"])
            self.assertIn("since", one)

    def close_to_others(self):
        for path in ("machines/m", "repositories/r", "flows/f", "schedules/never"):
            os.chmod(self.daemon.mount / path, 0o700)

    def test_without_warnings_health_is_ok_and_unknown_to_who_may_see_nothing(self):
        self.expect("ok")
        self.assertEqual(self.his_health(), "unknown")
        os.chmod(self.daemon.mount / "machines/m", 0o755)
        self.assertEqual(self.his_health(), "ok")

    def test_a_flow_whose_last_run_failed_makes_health_an_error(self):
        self.close_to_others()
        marker = self.repository / "holdfast.json"
        marker.rename(self.folder / "aside")
        self.assertEqual(self.daemon.run("f", "r2"), "error")
        away = "has no holdfast.json"
        self.expect(
            "error", ("repositories/r", "unreachable", away), ("flows/f", "repository_unreachable", f"r2, ended.*{away}")
        )
        failed = self.status()["warnings"][1]
        self.assertEqual(failed["since"], self.daemon.json("flows/f/executions/r2/status.json")["completed_at"])
        self.assertEqual(self.his_health(), "unknown")
        (self.folder / "aside").rename(marker)
        self.assertEqual(self.daemon.run("f", "r3"), "success")
        self.expect("ok")

    def test_what_nobody_starts_or_backs_up_is_a_warning(self):
        self.daemon.define("flows/g", {"target": "machines/m", "repository": "r"})
        self.add_file_machine("alone")
        self.daemon.define("schedules/idle", {"cron": "@daily"})
        self.expect(
            "warning",
            ("flows/g", "nothing_starts_it", "nothing starts it"),
            ("machines/alone", "no_flow", "no enabled flow backs it up"),
            ("schedules/idle", "no_flow", "no flow follows it"),
        )
        (self.daemon.mount / "groups/all").mkdir()
        os.symlink("../../../machines/alone", self.daemon.mount / "groups/all/members/alone")
        self.daemon.define("flows/all", {"target": "groups/all", "repository": "r", "schedule": "idle"})
        self.daemon.write("flows/g/control", "disable")
        self.expect("ok")
        self.daemon.write("flows/f/control", "disable")
        self.expect("warning", ("machines/m", "no_flow", "no enabled flow"))

    def test_a_blackout_that_never_covers_a_time_is_a_warning(self):
        self.daemon.define("schedules/s", {"cron": "30 2 * * mon-fri", "blackout": ["sat-sun", "02:00-03:00", "04:00-05:00"]})
        self.daemon.write("flows/f/control", "set schedule=s")
        os.rmdir(self.daemon.mount / "schedules/never")
        said = ["its blackout 'sat-sun' never covers", "its blackout '04:00-05:00' never covers"]
        self.expect("warning", *(("schedules/s", "idle_blackout", sentence) for sentence in said))
        warnings = self.daemon.json("schedules/s/status.json")["warnings"]
        self.assertEqual([sentence in warning for sentence, warning in zip(said, warnings, strict=True)], [True, True])
        self.daemon.write("schedules/s/config.json", '{"cron":"30 2 * * *","blackout":["sat-sun"]}')
        self.expect("ok")

    def test_a_damaged_point_and_a_machine_without_a_good_point_are_told(self):
        (image,) = self.repository.glob("*/*/*.qcow2")
        content.flip_bit(image, image.stat().st_size // 2)
        self.daemon.write("repositories/r/control", "verify name=v")
        self.assertEqual(self.daemon.read("jobs/v/wait"), "error\n")
        both = ["1 of its points is damaged", "none of its points is good"]
        self.expect(
            "error", ("machines/m", "damaged", both[0]), ("machines/m", "no_good_point", both[1])
        )
        warnings = self.daemon.json("machines/m/status.json")["warnings"]
        self.assertEqual([sentence in warning for sentence, warning in zip(both, warnings)], [True, True])
        content.flip_bit(image, image.stat().st_size // 2)
        self.daemon.write("repositories/r/control", "verify name=again")
        self.assertEqual(self.daemon.read("jobs/again/wait"), "success\n")
        self.expect("ok")

    def test_a_missed_objective_is_a_warning(self):
        definition = self.daemon.json("machines/m/config.json") | {"objective": "1s"}
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        self.until(lambda: self.status()["warnings"])
        self.expect(
            "warning",
            ("machines/m", "objective", "the newest good point is of .*, older than the objective allows"),
        )

    def test_a_job_without_a_flow_is_listed_as_running(self):
        self.close_to_others()
        self.add_repository("slow", bandwidth=1)
        self.daemon.write("machines/m/control", "backup repository=slow name=alone")
        self.until(lambda: self.daemon.json("jobs/alone/status.json")["status"] == "running")
        self.assertEqual(self.status()["running"], ["jobs/alone"])
        his = json.loads(self.stranger.does(lambda: self.daemon.read("status.json")))
        self.assertEqual(his["running"], [])
        self.daemon.write("jobs/alone/control", "cancel")
        self.assertEqual(self.daemon.read("jobs/alone/wait"), "cancelled\n")
        self.assertEqual(self.status()["running"], [])


if __name__ == "__main__":
    holdfast.main()
