#!/usr/bin/python3
"""Nothing goes by age while the clock is not plausible (law 21). The catalog is told of another time than the clock's."""

import contextlib
import sqlite3

import days
import holdfast


class Clock(days.OneHistory):
    def setUp(self):
        super().setUp()
        for _ in range(2):
            self.days.day()
        self.daemon.define("policies/p", {"keep_last": 1})
        self.daemon.write("flows/f/control", "set policy=p")

    def see(self, days_ago, boot):
        """Starts the daemon on a catalog that has seen the clock so many days ago, after that start of the host."""
        self.daemon.stop()
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            changed = catalog.execute("UPDATE seen_clock SET at = at - ?, boot = ?", (days_ago * days.DAY, boot))
            self.assertEqual(changed.rowcount, 1)
        self.daemon.start()

    def warned(self):
        return [one for one in self.daemon.json("status.json")["warnings"] if one["reason"] == "clock"]

    def boot(self):
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()

    def test_a_clock_that_jumped_lets_nothing_go_until_a_person_says_resume(self):
        self.assertEqual(self.warned(), [])
        self.see(days_ago=1, boot=self.boot())
        (warning,) = self.warned()
        self.assertIn("ahead", warning["message"])
        before = self.days.points()
        self.assertEqual(self.days.prune("early"), "warning")
        self.assertEqual(self.days.points(), before)
        self.assertIn("clock", self.daemon.json("jobs/early/status.json")["message"])
        self.daemon.write("control", "resume")
        self.assertEqual(self.warned(), [])
        self.assertEqual(self.days.prune("later"), "success")
        self.assertEqual(len(self.days.points()), 1)
        self.assertEqual(self.days.differences(), [])
        self.refused("EINVAL", self.daemon.write, "control", "resume")

    def test_a_doubt_lasts_over_restarts_and_ends_when_the_clock_is_right(self):
        for _ in range(2):
            self.see(days_ago=-20, boot="another")
            (warning,) = self.warned()
            self.assertIn("behind", warning["message"])
        self.see(days_ago=41, boot="another")
        self.assertEqual(self.warned(), [], "one day since, by the clock")
        self.assertEqual(self.days.prune("now"), "success")
        self.assertEqual(len(self.days.points()), 1)

    def test_a_pin_whose_time_the_jump_passed_still_holds(self):
        oldest = sorted(self.days.points())[0]
        self.daemon.write(f"machines/m/points/{oldest}/control", "pin until=2099-01-01T00:00:00Z")
        self.daemon.stop()
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            catalog.execute("UPDATE pins SET until = (SELECT at FROM seen_clock) - ?", (days.DAY // 2,))
        self.daemon.start()
        self.see(days_ago=1, boot=self.boot())
        path = self.daemon.mount / "machines/m/points" / oldest
        self.refused("EBUSY", path.rmdir)
        self.daemon.write("control", "resume")
        path.rmdir()

    def test_a_daemon_that_was_off_for_weeks_believes_the_clock(self):
        self.see(days_ago=25, boot="another")
        self.assertEqual(self.warned(), [])


if __name__ == "__main__":
    holdfast.main()
