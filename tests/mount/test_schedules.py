#!/usr/bin/python3
"""Schedules: the runs they start, the times they skip with the reason, the times they announce."""

import datetime
import errno
import os
import sqlite3
import time

import holdfast
from schedules import ScheduleTest, far_hourly
from users import User, unnamed

EACH_SECOND = {"every": "1s"}
ALWAYS = {"blackout": ["mon-sun"]}


def parsed(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Schedules(ScheduleTest):
    def test_a_flow_runs_by_its_schedule(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        self.add_flow(schedule="s")
        self.until(lambda: self.outcomes().count(("started", None)) >= 2)
        self.daemon.write("schedules/s/control", "disable")
        started = [time for time in self.history() if time["status"] == "started"]
        run = self.daemon.json(f"{started[0]['execution']}/status.json")
        self.assertEqual((run["execution_type"], run["by"], run["by_name"]), ("scheduled", "daemon", "schedules/s"))
        self.assertEqual(self.daemon.read(f"{started[0]['execution']}/wait"), "success\n")
        self.assertEqual(len({time["at"] for time in started}), len(started))

    def test_a_time_during_a_run_is_skipped(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        self.add_flow(machine="slow", schedule="s")
        self.until_outcome("skipped", "already_running")
        self.assertEqual(self.outcomes().count(("started", None)), 1)
        self.assertIn("already_running", self.skips("f"))

    def test_a_manual_run_during_a_scheduled_run_is_refused(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        for overlap in ("skip", "queue"):
            self.add_flow(overlap, machine="slow", schedule="s", overlap=overlap)
            self.until_runs(overlap)
            with self.assertRaises(OSError) as refused:
                self.daemon.write(f"flows/{overlap}/control", "run name=mine")
            self.assertEqual(refused.exception.strerror, "Device or resource busy")
            self.assertFalse((self.daemon.mount / f"flows/{overlap}/executions/mine").exists())

    def test_a_time_during_a_run_waits_for_its_end_where_the_flow_queues(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        self.add_flow(machine="slow", schedule="s", overlap="queue")
        self.until_outcome("skipped", "already_running")  # one start is queued by now
        self.assertEqual(self.outcomes().count(("started", None)), 1)
        self.daemon.write("schedules/s/control", "disable")
        # Disabling the schedule drops the queued start.
        (first,) = self.executions("f")
        self.daemon.write("flows/f/control", "cancel")
        self.until_outcome("skipped", "disabled")
        self.daemon.write("schedules/s/control", "enable")
        self.until(lambda: len(self.executions("f")) == 2)
        before = self.outcomes().count(("skipped", "already_running"))
        self.until(lambda: self.outcomes().count(("skipped", "already_running")) > before)
        self.daemon.write("flows/f/control", "cancel")
        self.until(lambda: len(self.executions("f")) == 3)
        self.until(lambda: all(run["started_at"] for run in self.executions("f")))
        runs = self.executions("f")
        self.assertEqual(runs[0]["id"], first["id"])
        for earlier, later in zip(runs, runs[1:]):
            self.assertLessEqual(earlier["completed_at"], later["started_at"])

    def test_times_in_a_blackout_are_skipped(self):
        self.daemon.define("schedules/s", EACH_SECOND | ALWAYS)
        self.add_flow(schedule="s")
        self.until_outcome("skipped", "blackout")
        self.assertEqual(self.executions("f"), [])
        self.assertEqual(self.daemon.json("schedules/s/status.json")["next_times"], [])
        self.assertIsNone(self.daemon.json("flows/f/status.json")["next_execution_time"])

    def test_a_disabled_flow_is_skipped_and_a_disabled_schedule_has_no_times(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        self.add_flow(schedule="s", enabled=False)
        self.until_outcome("skipped", "disabled")
        self.daemon.write("schedules/s/control", "disable")
        self.assertEqual(self.daemon.json("schedules/s/status.json")["next_times"], [])
        self.assertEqual(self.executions("f"), [])

    def test_times_are_skipped_while_the_daemon_drains(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        self.daemon.write("control", "drain")
        self.add_flow(schedule="s")
        self.until_outcome("skipped", "draining")
        self.assertEqual(self.executions("f"), [])
        self.daemon.write("control", "resume")
        self.until_outcome("started")

    def test_a_flow_whose_owner_lacks_a_right_is_skipped_with_the_reason(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        self.add_flow(schedule="s")
        (owner,) = unnamed(1)
        os.chown(self.daemon.mount / "flows/f", owner, owner)
        self.until_outcome("skipped", "refused")
        self.assertIn("who may not write to machines/m", "".join(self.skips("f")))

    def miss_hours(self, **definition):
        """Stops the daemon over the last three times of an hourly schedule. Returns the outcomes of these times."""
        hourly, last = far_hourly(time.time())
        self.daemon.define("schedules/s", hourly | definition)
        self.add_flow(schedule="s")
        self.daemon.stop()
        with sqlite3.connect(self.daemon.state / "catalog.sqlite") as catalog:
            catalog.execute("UPDATE schedules SET next_at = ?", ((last - 7200) * 1000,))
        catalog.close()
        self.daemon.start()
        self.until(lambda: len(self.history()) >= 3)
        self.assertEqual(parsed(self.history()[0]["at"]).timestamp(), last - 7200)
        return self.outcomes()

    def test_the_last_of_several_missed_times_is_made_up_for(self):
        *missed, last = self.miss_hours()
        self.assertEqual(missed, [("missed", "daemon_was_down")] * len(missed))
        self.assertEqual(last, ("started", None))
        self.until(lambda: [run["status"] for run in self.executions("f")] == ["success"])

    def test_no_missed_time_is_made_up_for_where_the_schedule_says_skip(self):
        self.assertEqual(set(self.miss_hours(missed="skip")), {("missed", "daemon_was_down")})
        self.assertEqual(self.executions("f"), [])

    def be_away(self):
        """Stops the daemon while times come. Returns the outcomes of those times."""
        self.daemon.define("schedules/s", EACH_SECOND)
        self.add_flow(schedule="s")
        self.until_outcome("started")
        self.daemon.stop()
        gone = time.time()
        self.until(lambda: time.time() > gone + 2.5)
        back = time.time()
        self.daemon.start()
        self.until_outcome("missed", "daemon_was_down")
        came = lambda one: one["status"] == "started" and parsed(one["at"]).timestamp() > gone
        self.until(lambda: any(came(one) for one in self.history()))
        away = [one for one in self.history() if gone + 1 < parsed(one["at"]).timestamp() < back]
        self.assertGreaterEqual(len(away), 1)
        return [(one["status"], one["reason"]) for one in away]

    def test_times_during_an_absence_are_missed_and_later_times_are_started(self):
        away = self.be_away()
        self.assertEqual(away[:-1], [("missed", "daemon_was_down")] * (len(away) - 1))
        met = self.outcomes().count(("started", None))
        self.until(lambda: self.outcomes().count(("started", None)) > met)

    def test_the_next_times_are_shown_by_schedule_flow_and_root(self):
        # Twelve hours from now: no time comes between two reads. Tokyo is nine hours ahead of UTC all year.
        utc = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=12)
        tokyo = utc + datetime.timedelta(hours=9)
        self.daemon.define("schedules/s", {"cron": f"{tokyo.minute} {tokyo.hour} * * *", "timezone": "Asia/Tokyo"})
        self.add_flow(schedule="s")
        told = [parsed(at) for at in self.daemon.json("schedules/s/status.json")["next_times"]]
        self.assertEqual(len(told), 10)
        self.assertEqual({(at.hour, at.minute) for at in told}, {(utc.hour, utc.minute)})
        self.assertEqual({b - a for a, b in zip(told, told[1:])}, {datetime.timedelta(days=1)})
        self.assertLess(datetime.datetime.now(datetime.timezone.utc), told[0])
        self.assertEqual(self.daemon.json("schedules/s/status.json")["flows"], ["f"])
        self.assertEqual(parsed(self.daemon.json("flows/f/status.json")["next_execution_time"]), told[0])
        (start,) = self.daemon.json("status.json")["next"]
        self.assertEqual((start["flow"], parsed(start["at"])), ("flows/f", told[0]))
        utc, tokyo = (time + datetime.timedelta(minutes=75) for time in (utc, tokyo))
        self.change("schedules/s", cron=f"{tokyo.minute} {tokyo.hour} * * *")
        at = parsed(self.daemon.json("flows/f/status.json")["next_execution_time"])
        self.assertEqual((at.hour, at.minute), (utc.hour, utc.minute))

    def test_a_reader_sees_only_flows_that_are_open_to_the_reader(self):
        self.daemon.define("schedules/s", EACH_SECOND)
        self.add_flow("hidden", schedule="s")
        self.add_flow("shown", schedule="s")
        for path, bits in (("schedules/s", 0o755), ("flows/shown", 0o755), ("flows/hidden", 0o750)):
            os.chmod(self.daemon.mount / path, bits)
        self.folder.chmod(0o755)
        self.until_outcome("started")
        stranger = User(*unnamed(1))
        self.assertEqual(stranger.does(lambda: self.daemon.json("schedules/s/status.json")["flows"]), ["shown"])
        self.until(lambda: {one["flow"] for one in self.history()} == {"hidden", "shown"})
        self.assertEqual(stranger.does(lambda: {one["flow"] for one in self.history()}), {"shown"})
        self.assertEqual(
            stranger.does(lambda: [one["flow"] for one in self.daemon.json("status.json")["next"]]), ["flows/shown"]
        )
        os.chmod(self.daemon.mount / "flows/shown", 0o750)
        self.assertEqual(stranger.does(lambda: self.daemon.json("schedules/s/status.json")["flows"]), [])

    def test_no_removal_of_a_schedule_disarms_a_flow_in_silence(self):
        self.daemon.define("schedules/s", {"every": "1h"})
        self.add_flow(schedule="s")
        os.rename(self.daemon.mount / "schedules/s", self.daemon.mount / "schedules/t")
        self.assertEqual(self.daemon.json("flows/f/config.json")["schedule"], "t")
        with self.assertRaises(OSError) as refused:
            os.rmdir(self.daemon.mount / "schedules/t")
        self.assertEqual(refused.exception.errno, errno.EBUSY)
        self.assertIn("schedule 't' is used by flow 'f'; write 'set schedule=null'", self.daemon.read("error"))
        self.daemon.write("flows/f/control", "set schedule=null")
        os.rmdir(self.daemon.mount / "schedules/t")
        self.assertIsNone(self.daemon.json("flows/f/config.json")["schedule"])
        self.assertIsNone(self.daemon.json("flows/f/status.json")["next_execution_time"])

    def test_an_invalid_definition_is_refused_with_a_suggestion(self):
        self.daemon.define("schedules/s", {"cron": "0 2 * * *"})
        for definition, *said in [
            ({"cron": "0 24 * * *"}, 'field "cron" is "0 24 * * *"', "hour has '24'", "from 0 to 23"),
            ({"cron": "0 2 * *"}, "4 fields", "minute, hour, day of month, month, day of week"),
            ({"cron": "0 0 30 2 *"}, "never comes"),
            ({"cron": "@daily", "timezone": "Europe/Berln"}, 'field "timezone" is "Europe/Berln"', "Europe/Berlin"),
            ({"cron": "@daily", "timezone": "../../../etc/passwd"}, 'field "timezone"'),
            ({"cron": "@daily", "blackout": ["sat", "22-06"]}, 'field "blackout[1]" is "22-06"', "22:00-06:00"),
            ({"cron": "@daily", "jitter": "2d"}, 'field "jitter"', "at most 24h"),
            ({"every": "4000d"}, 'field "every"', "at most 3660d"),
        ]:
            with self.subTest(definition=definition):
                self.refused("schedules/s", definition, *said)


if __name__ == "__main__":
    holdfast.main()
