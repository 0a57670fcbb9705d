#!/usr/bin/python3
"""When a repository will be full, by its growth of the last days: full_at_estimate, and the warnings about it."""

import datetime
import json
import subprocess
import time

import holdfast
from processes import detach

DAY = 24 * 3600


class Growth(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        path = self.folder / "small"
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", path], check=True)
        self.addCleanup(detach, path)
        (path / "r").mkdir()
        self.add_file_machine()
        self.daemon.define("repositories/r", {"path": str(path / "r"), "compression": "none"})
        self.daemon.define("schedules/never", {"cron": "0 0 29 2 *"})
        self.add_flow(schedule="never")
        self.assertEqual(self.daemon.run("f", "r1"), "success")

    def status(self):
        return self.daemon.json("repositories/r/status.json")

    def date_back(self, days):
        """Makes the repository's recorded sizes so many days older, and returns their number."""
        change = "UPDATE repository_sizes SET at = at - ?, day = day - ?"
        return holdfast.change_catalog(self.daemon, change, days * DAY * 1000, days)

    def told(self):
        """Object and reason of each warning of the root."""
        return [(one["object"], one["reason"]) for one in self.daemon.json("status.json")["warnings"]]

    def grow(self, days):
        """Makes a second full so many days after the first. Returns the bytes that it has added."""
        self.date_back(days)
        before = self.status()["used_bytes"]
        self.assertEqual(self.daemon.run("f", "r2", "type=full"), "success")
        return self.status()["used_bytes"] - before

    def expected(self, status, rate, reserve=0.02):
        """Seconds from now until the room is used up."""
        return (status["free_bytes"] - status["capacity_bytes"] * reserve) / rate

    def test_the_estimate_follows_from_the_growth_since_the_oldest_of_the_last_days(self):
        self.assertIsNone(self.status()["full_at_estimate"])
        grown = self.grow(4)
        self.assertGreater(grown, 2**20)
        began = time.time()
        status = self.status()
        estimate = datetime.datetime.fromisoformat(status["full_at_estimate"]).timestamp()
        self.assertAlmostEqual((estimate - began) / self.expected(status, grown / (4 * DAY)), 1, places=2)
        self.assertEqual((status["warnings"], self.told()), ([], []))

    def test_a_day_has_one_size_and_sizes_of_a_month_ago_are_forgotten(self):
        self.assertEqual(self.daemon.run("f", "r2", "type=full"), "success")
        self.assertLessEqual(self.date_back(4), 2)  # midnight may have passed
        self.date_back(32)
        self.assertEqual(self.daemon.run("f", "r3", "type=full"), "success")
        self.assertEqual(self.date_back(0), 1)
        self.assertIsNone(self.status()["full_at_estimate"])

    def test_without_growth_or_within_a_day_the_estimate_is_null(self):
        self.assertEqual(self.daemon.run("f", "r2", "type=full"), "success")
        self.assertIsNone(self.status()["full_at_estimate"])
        holdfast.change_catalog(self.daemon, "UPDATE repository_sizes SET bytes_stored = bytes_stored * 9")
        self.date_back(4)
        self.assertEqual(self.daemon.run("f", "r3"), "success")
        self.assertIsNone(self.status()["full_at_estimate"])

    def test_sizes_from_beyond_the_present_do_not_count(self):
        self.grow(4)
        self.date_back(-8)
        self.assertIsNone(self.status()["full_at_estimate"])

    def test_a_repository_that_is_full_within_a_week_is_a_warning(self):
        self.grow(4)
        holdfast.change_catalog(self.daemon, "UPDATE repositories SET bytes_stored = bytes_stored + ?", 40 * 2**20)
        self.assertEqual(self.told(), [("repositories/r", "fills")])
        (sentence,) = self.status()["warnings"]
        self.assertIn(self.status()["full_at_estimate"][:10], sentence)
        self.assertEqual(self.daemon.json("status.json")["health"], "warning")

    def test_a_repository_without_room_for_backups_is_an_error(self):
        definition = self.daemon.json("repositories/r/config.json")
        self.daemon.write("repositories/r/config.json", json.dumps(definition | {"reserve": "99%"}))
        self.assertEqual(len(self.status()["warnings"]), 1)
        self.assertIn("reserve of 99 %", self.status()["warnings"][0])
        self.assertEqual(self.told(), [("repositories/r", "full")])
        self.assertEqual(self.daemon.json("status.json")["health"], "error")

    def test_a_repository_that_takes_no_backups_needs_no_room(self):
        definition = self.daemon.json("repositories/r/config.json")
        self.daemon.write("repositories/r/config.json", json.dumps(definition | {"reserve": "99%", "read_only": True}))
        self.assertEqual((self.status()["warnings"], self.told()), ([], []))


if __name__ == "__main__":
    holdfast.main()
