#!/usr/bin/python3
"""Law 10: each repository carries the definitions of all objects, as files that survive the daemon."""

import json
import os

import holdfast


class Definitions(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.repository = self.add_repository()
        self.machine = {"driver": "qmp", "socket": "/run/m.qmp", "disks": [{"name": "disk-0", "node": "disk0"}]}
        self.daemon.define("machines/m", self.machine)
        self.add_flow()

    def file(self, name):
        return self.repository / "definitions" / name

    def read(self, name):
        return json.loads(self.file(name).read_text())

    def test_definitions_written_to_the_mount_are_stored_in_the_repository(self):
        self.until(self.file("flows/f.json").exists)
        self.daemon.stop()
        flow, machine = self.read("flows/f.json"), self.read("machines/m.json")
        self.assertEqual(flow["definition"]["target"], "machines/m")
        self.assertEqual(flow["owner"]["uid"], os.getuid())
        self.assertEqual(machine["definition"]["socket"], "/run/m.qmp")
        self.assertEqual(self.read("repositories/r.json")["definition"]["path"], str(self.repository))

    def test_changes_renames_and_deletions_reach_the_repository(self):
        self.until(self.file("flows/f.json").exists)
        self.daemon.write("machines/m/config.json", json.dumps(self.machine | {"description": "the web server"}))
        self.until(lambda: self.read("machines/m.json")["definition"]["description"] == "the web server")
        os.rename(self.daemon.mount / "machines/m", self.daemon.mount / "machines/web")
        self.until(lambda: self.read("flows/f.json")["definition"]["target"] == "machines/web")
        self.assertFalse(self.file("machines/m.json").exists())
        os.rmdir(self.daemon.mount / "flows/f")
        self.until(lambda: not self.file("flows/f.json").exists())

    def test_a_refused_change_changes_no_file_in_the_repository(self):
        self.until(self.file("machines/m.json").exists)
        before = self.file("machines/m.json").read_bytes()
        with self.assertRaises(OSError):
            self.daemon.write("machines/m/config.json", '{"driver": "abacus"}')
        # The writer stores changes in order: once machine n is stored, a stored refused change would be visible.
        self.daemon.define("machines/n", self.machine)
        self.until(self.file("machines/n.json").exists)
        self.assertEqual(self.file("machines/m.json").read_bytes(), before)

    def test_a_change_that_a_killed_daemon_had_not_stored_is_stored_after_the_next_start(self):
        self.until(self.file("flows/f.json").exists)
        away = self.folder / "away"
        os.rename(self.repository, away)
        self.daemon.write("machines/m/config.json", json.dumps(self.machine | {"description": "changed meanwhile"}))
        self.daemon.kill()
        os.rename(away, self.repository)
        self.daemon.start()
        self.until(lambda: self.read("machines/m.json")["definition"]["description"] == "changed meanwhile")

    def age(self, *paths):
        """Gives the files the texts of an earlier version; returns the present texts."""
        present = [path.read_text() for path in paths]
        for path in paths:
            path.write_text("of an earlier version\n")
        return present

    def test_the_texts_of_an_earlier_version_are_renewed_at_the_start_and_at_attach(self):
        self.add_file_machine("d")
        self.add_flow("d", machine="d")
        self.assertEqual(self.daemon.run("d", "first"), "success")
        paths = [self.repository / "INDEX.txt", *self.repository.glob("*/*/RESTORE.txt")]
        self.assertEqual(len(paths), 2)
        self.daemon.stop()
        present = self.age(*paths)
        self.daemon.start()
        self.until(lambda: [path.read_text() for path in paths] == present)
        self.until(lambda: self.write("detach"))
        self.age(*paths)
        self.assertTrue(self.write("attach"))
        self.until(lambda: [path.read_text() for path in paths] == present)

    def write(self, word):
        try:
            self.daemon.write("repositories/r/control", word)
        except OSError:
            return False
        return True

    def test_a_text_that_is_up_to_date_is_not_written_again(self):
        self.until(self.file("flows/f.json").exists)
        self.daemon.stop()
        before = (self.repository / "INDEX.txt").stat()
        self.daemon.start()
        self.daemon.define("machines/n", self.machine)
        self.until(self.file("machines/n.json").exists)
        self.daemon.stop()
        after = (self.repository / "INDEX.txt").stat()
        self.assertEqual((after.st_ino, after.st_mtime_ns), (before.st_ino, before.st_mtime_ns))


if __name__ == "__main__":
    holdfast.main()
