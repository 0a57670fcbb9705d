#!/usr/bin/python3
"""Verification by policy: the daemon reads all stored bytes once in verify_every, a share at a time.

Time passes by dating the catalog's readings back while the daemon is stopped. A new daemon looks at once. A layer's making
can't be dated back, so each test begins with readings of long ago."""

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import subprocess

import content
import holdfast
from carried import Replication
from users import User, unnamed

DAY = 24 * 3600 * 1000
SPAN = 6  # days
LONG_AGO = 1000  # days


class ByPolicy(Replication):
    def setUp(self):
        super().setUp()
        self.daemon.define("policies/p", {"verify_every": f"{SPAN}d"})
        self.made = [self.days.day() for _ in range(4)]
        self.copy("all")
        for flow in ("f", "copy"):
            self.daemon.write(f"flows/{flow}/control", "set policy=p")
        for one in self.status():
            self.assertEqual((one["last_verified_at"], one["verified_share"]), (None, 0.0))
        layers = holdfast.change_catalog(self.daemon, f"UPDATE layers SET read_at = {self.now()} - ?", LONG_AGO * DAY)
        self.assertEqual(layers, 8)

    def now(self):
        return self.rows("SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000")[0][0]

    def redefine(self, **fields):
        policy = {"verify_every": f"{SPAN}d"} | fields
        self.daemon.write("policies/p/config.json", json.dumps(policy))

    def rows(self, query):
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite", timeout=60)) as catalog:
            return catalog.execute(query).fetchall()

    def layers(self):
        """Returns repository, file, size and time of the last reading of each layer."""
        return self.rows(
            "SELECT repositories.name, layers.file, layers.file_bytes, layers.read_at FROM layers"
            " JOIN chains ON chains.id = layers.chain_id JOIN repositories ON repositories.id = chains.repository_id"
        )

    def unread(self):
        old = self.now() - LONG_AGO * DAY // 2
        return [(repository, file) for repository, file, _, read_at in self.layers() if read_at < old]

    def turns(self):
        return dict(self.rows("SELECT name, done_until FROM verify_turns JOIN repositories ON id = repository_id"))

    def jobs(self):
        found = {}
        for name in os.listdir(self.daemon.mount / "jobs"):
            job = self.daemon.json(f"jobs/{name}/status.json")
            if job["type"] == "verify":
                found[name] = job
        return found

    def age(self, days):
        """Dates all readings back, and stops the daemon for that."""
        self.daemon.stop()
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            for column in ("layers SET read_at = read_at", "verify_turns SET done_until = done_until"):
                catalog.execute(f"UPDATE {column} - ?", (days * DAY,))
            catalog.execute("UPDATE points SET verified_at = verified_at - ?", (days * DAY,))

    def awake(self):
        """Starts the daemon, and waits for the end of the shares that are due. Returns their jobs."""
        before = self.turns()
        due = [name for name in ("r", "offsite") if before.get(name, 0) < self.now()]
        known = {name for (name,) in self.rows("SELECT name FROM jobs")}
        self.daemon.start()
        self.until(lambda: all(self.turns().get(name) != before.get(name) for name in due))
        jobs = {name: job for name, job in self.jobs().items() if name not in known}
        for name in jobs:
            self.daemon.read(f"jobs/{name}/wait")
        return [self.daemon.json(f"jobs/{name}/status.json") for name in jobs]

    def pass_days(self, days):
        jobs = []
        for _ in range(days):
            self.age(1)
            jobs += self.awake()
        return jobs

    def status(self, *paths):
        return [self.daemon.json(f"{path}status.json") for path in paths or ("", "machines/m/", "repositories/r/")]

    def refused(self, code, function, *arguments):
        with self.assertRaises(OSError) as refused:
            function(*arguments)
        self.assertEqual(errno.errorcode[refused.exception.errno], code)

    def test_everything_is_read_once_in_the_span_and_no_day_reads_much_more_than_its_share(self):
        sizes = {(repository, file): size for repository, file, size, _ in self.layers()}
        for day in range(SPAN + 1):
            before = set(self.unread())
            for job in self.pass_days(1):
                self.assertEqual((job["status"], job["operation"]), ("success", "checksums"), job)
            read = before - set(self.unread())
            for name in ("r", "offsite"):
                all_bytes = [size for (repository, _), size in sizes.items() if repository == name]
                today = sum(size for (repository, file), size in sizes.items() if (repository, file) in read and repository == name)
                self.assertLessEqual(today, (2 if day == 0 else 1) * sum(all_bytes) / SPAN + max(all_bytes), f"day {day}")
        self.assertEqual(self.unread(), [])
        for one in self.status("", "machines/m/", "repositories/r/", "repositories/offsite/"):
            self.assertIsNotNone(one["last_verified_at"])
            self.assertEqual(one["verified_share"], 1.0)
        for point in self.made:
            verified = self.daemon.json(f"machines/m/points/{point}/manifest.json")["verified"]
            self.assertEqual((verified["level"], verified["result"]), ("checksums", "good"))
            (facts,) = self.repository.glob(f"*/{point}/facts.json")
            told = json.loads(facts.read_text())["verified"]
            self.assertEqual((told["level"], told["result"]), ("checksums", "good"))

    def test_a_damaged_layer_names_each_point_and_each_copy_that_rests_on_it(self):
        image = self.repository / self.days.directory().name / self.made[1] / "disk-0.qcow2"
        content.flip_bit(image, image.stat().st_size // 2)
        jobs = [job for job in self.pass_days(SPAN + 1) if job["owner"] == "repositories/r"]
        (found,) = [job for job in jobs if job["reason"] == "damaged"] or self.fail(jobs)
        harmed = [f"machines/m/points/{point}" for point in self.made[1:]]
        self.assertEqual(sorted(one["point"] for one in found["metadata"]["damage"]), harmed)
        for point in self.made:
            verified = self.daemon.json(f"machines/m/points/{point}/manifest.json")["verified"]
            self.assertEqual(verified["result"], "good" if point == self.made[0] else "bad")
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        told = {event["object"] for event in events if event["event"] == "point.verify" and event["result"] == "error"}
        self.assertEqual(sorted(told), harmed)
        self.assertIn("damaged", [warning["reason"] for warning in self.status("")[0]["warnings"]])
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest"), f"points/{self.made[0]}")
        self.assertLess(self.status("repositories/r/")[0]["verified_share"], 1.0)
        self.assertEqual(self.status("repositories/offsite/")[0]["verified_share"], 1.0)
        copied = self.point(self.made[3]) / "disk-0.qcow2"
        content.flip_bit(copied, copied.stat().st_size // 2)
        self.pass_days(SPAN + 1)
        self.assertIn("damaged_copy", [warning["reason"] for warning in self.status("")[0]["warnings"]])

    def test_a_reading_that_was_cancelled_or_killed_counts_for_nothing(self):
        self.redefine(verify_bandwidth=1)
        self.age(1)
        self.daemon.start()
        running = lambda: [name for name, job in self.jobs().items() if job["status"] == "running"]  # noqa: E731
        self.until(lambda: len(running()) == 2)  # one for each repository
        self.daemon.kill()
        self.daemon.start()
        self.until(lambda: len(running()) == 2)
        for name in running():
            self.daemon.write(f"jobs/{name}/control", "cancel")
            self.assertEqual(self.daemon.read(f"jobs/{name}/wait").strip(), "cancelled")
        self.assertEqual(len(self.unread()), 8)
        self.assertEqual([one["verified_share"] for one in self.status()], [0.0] * 3)

    def test_a_verification_by_hand_counts_and_a_quick_one_does_not(self):
        for level, share in (("quick", 0.0), ("checksums", 1.0)):
            self.daemon.write("machines/m/control", f"verify level={level} name={level}")
            self.assertEqual(self.daemon.read(f"jobs/{level}/wait").strip(), "success")
            self.assertEqual([one["verified_share"] for one in self.status()], [share] * 3)
        self.assertEqual(self.unread(), [])
        self.redefine(verify_every="1d")
        self.age(3)
        self.daemon.start()
        self.until(lambda: self.status("machines/m/")[0]["verified_share"] < 1)

    def test_nothing_is_read_outside_of_the_window(self):
        (weekday,) = self.rows("SELECT CAST(strftime('%w', 'now', '+3 days') AS INTEGER)")[0]
        other = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][weekday]
        self.redefine(verify_window=[other])
        self.age(1)
        self.daemon.start()
        self.assertEqual(self.jobs(), {})
        self.redefine()
        self.until(lambda: len(self.turns()) == 2)  # one job each, by the opening of the window
        self.assertEqual(len(self.jobs()), 2)

    def test_wrong_spans_and_windows_are_refused(self):
        before = self.daemon.read("policies/p/config.json")
        for field, wrong in (("verify_every", "1h"), ("verify_window", ["22:00-25:00"]), ("verify_bandwidth", 0)):
            self.refused("EINVAL", lambda field=field, wrong=wrong: self.redefine(**{field: wrong}))
            self.assertIn(field, self.daemon.read("policies/p/error"))
        self.assertEqual(self.daemon.read("policies/p/config.json"), before)

    def test_a_recovered_catalog_knows_what_its_points_were_verified_for(self):
        self.daemon.write("machines/m/control", "verify level=checksums name=v")
        self.assertEqual(self.daemon.read("jobs/v/wait").strip(), "success")
        before = self.status("machines/m/")[0]["last_verified_at"]
        self.daemon.stop()
        shutil.rmtree(self.daemon.state)
        command = [holdfast.BINARY.parent / "holdfast", "recover", self.repository, "--state", self.daemon.state]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        self.daemon.start()
        machine = self.status("machines/m/")[0]
        self.assertEqual((machine["last_verified_at"], machine["verified_share"]), (before, 1.0))
        self.assertEqual(self.jobs(), {}, "nobody has confirmed the recovery")

    def test_a_user_is_not_shown_how_much_of_hidden_machines_is_verified(self):
        self.pass_days(1)
        self.assertIsNotNone(self.status("")[0]["last_verified_at"])
        self.folder.chmod(0o755)
        (uid,) = unnamed(1)
        seen = json.loads(User(uid).does(lambda: self.daemon.read("status.json")))
        self.assertEqual((seen["last_verified_at"], seen["verified_share"]), (None, None))


if __name__ == "__main__":
    holdfast.main()
