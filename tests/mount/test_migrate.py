#!/usr/bin/python3
"""`holdfast migrate`: status, up, down and verify of the catalog of a stopped daemon."""

import os
import sqlite3
import subprocess

import holdfast

COMMAND = holdfast.BINARY.parent / "holdfast"


class Migrate(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_repository()
        self.catalog = self.daemon.state / "catalog.sqlite"

    def migrate(self, *words):
        """Returns the exit status, standard output and standard error."""
        done = subprocess.run([COMMAND, "migrate", *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def run_on(self, what):
        return self.migrate(what, "--state", self.daemon.state)

    def version(self):
        with sqlite3.connect(self.catalog) as db:
            (version,) = db.execute("SELECT max(version) FROM schema_migrations").fetchone()
        return version

    def test_status_works_beside_a_running_daemon(self):
        status, said, _ = self.run_on("status")
        self.assertEqual(status, 0)
        self.assertIn("0001_model", said)
        self.assertNotIn("to be applied", said)

    def test_up_down_and_verify_are_refused_while_a_daemon_runs(self):
        for what in ("up", "down", "verify"):
            status, _, complaint = self.run_on(what)
            self.assertEqual(status, 1, what)
            self.assertIn(str(self.catalog), complaint)
        self.assertIn("path", self.daemon.read("repositories/r/config.json"))

    def test_down_and_up_keep_all_data_and_make_a_copy(self):
        self.daemon.stop()
        newest = self.version()
        status, said, _ = self.run_on("down")
        self.assertEqual(status, 0)
        self.assertEqual(self.version(), newest - 1)
        copy = self.daemon.state / f"catalog.sqlite.before-{newest - 1}"
        self.assertIn(str(copy), said)
        self.assertTrue(copy.exists())
        self.assertIn("to be applied", self.run_on("status")[1])
        self.assertEqual(self.run_on("up")[0], 0)
        self.assertEqual(self.version(), newest)
        self.assertIn("nothing to do", self.run_on("up")[1])
        self.daemon.start()
        self.assertIn("path", self.daemon.read("repositories/r/config.json"))

    def test_the_daemon_migrates_an_older_catalog_at_its_start(self):
        self.daemon.stop()
        newest = self.version()
        self.assertEqual(self.run_on("down")[0], 0)
        self.daemon.start()
        self.assertTrue((self.daemon.state / f"catalog.sqlite.before-{newest}").exists())
        self.assertIn("path", self.daemon.read("repositories/r/config.json"))

    def test_the_names_of_a_catalog_from_before_callers_were_stored_stay_and_their_callers_are_null(self):
        self.add_file_machine()
        self.add_flow()
        self.add_flow("later", after="f")
        self.daemon.run("f", "manual")
        self.until(lambda: (self.daemon.mount / "flows/later/latest").exists())
        self.daemon.read("flows/later/wait")
        (point, _) = self.daemon.points("m")
        self.daemon.write(f"machines/m/points/{point}/control", "pin why=held")
        self.daemon.write(f"machines/m/points/{point}/control", "verdict result=good by=ann")
        events = self.daemon.read("events.jsonl")
        self.daemon.stop()
        while self.version() > 8:
            self.assertEqual(self.run_on("down")[0], 0)
        self.daemon.start()
        self.assertTrue(self.daemon.read("events.jsonl").startswith(events))
        manifest = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        facts = [
            self.daemon.json("flows/f/executions/manual/status.json"),
            self.daemon.json("flows/later/latest/status.json"),
            *manifest["pins"],
            *manifest["verdicts"],
        ]
        told = [(fact["by"], fact["by_name"]) for fact in facts]
        self.assertEqual(told, [(None, "root"), ("daemon", "flows/f"), (None, "root"), (None, "ann")])
        self.assertEqual(self.daemon.run("f", "next"), "success")

    def test_a_newer_catalog_is_refused_by_the_daemon_and_by_the_command(self):
        self.daemon.stop()
        with sqlite3.connect(self.catalog) as db:
            db.execute("INSERT INTO schema_migrations SELECT max(version) + 1, 'future', 'x', 0 FROM schema_migrations")
        for refusal in (self.run_on("up")[2], self.run_on("down")[2]):
            self.assertIn("run the newer Holdfast", refusal)
        with self.assertRaisesRegex(holdfast.Refused, "run the newer Holdfast"):
            self.daemon.start()

    def test_verify_finds_a_dangling_reference(self):
        self.daemon.stop()
        self.assertEqual(self.run_on("verify")[0], 0)
        with sqlite3.connect(self.catalog) as db:
            db.execute("INSERT INTO disks (id, machine_id, name, key, configured) VALUES (9, 12345, 'd', 'd-1', 0)")
        status, said, complaint = self.run_on("verify")
        self.assertEqual(status, 1)
        self.assertIn("of disks refers", said)
        self.assertIn("1 fault\n", complaint)

    def test_verify_finds_a_damaged_page(self):
        self.daemon.stop()
        with open(self.catalog, "r+b") as file:
            file.seek(5 * 4096)
            file.write(os.urandom(4096))
        self.assertEqual(self.run_on("verify")[0], 1)

    def test_a_wrong_command_line_prints_the_usage_and_changes_nothing(self):
        for words in ((), ("sideways",), ("up", "down"), ("up", "--wat")):
            status, _, help_text = self.migrate(*words)
            self.assertEqual(status, 2, words)
            self.assertIn("Usage: holdfast migrate", help_text)
        status, said, _ = self.migrate("--help")
        self.assertEqual(status, 0)
        self.assertIn("status|up|down|verify", said)

    def test_a_directory_without_a_catalog_is_named_in_the_error(self):
        status, _, complaint = self.migrate("status", "--state", self.folder)
        self.assertEqual(status, 1)
        self.assertIn(f"there is no catalog {self.folder}", complaint)


if __name__ == "__main__":
    holdfast.main()
