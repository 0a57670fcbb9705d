#!/usr/bin/python3
"""A catalog that is an older copy of the one that wrote the repository deletes nothing there (law 21)."""

import contextlib
import errno
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess

import holdfast

MIB = 2**20


class OlderCatalog(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(2)
        self.storage = self.add_machine()
        self.repository = self.add_repository()
        self.add_flow()
        self.back_up("first")

    def back_up(self, name, **arguments):
        self.storage.disks[0].write(self.random.randrange(8) * MIB, self.random.randbytes(2 * MIB))
        return super().back_up(name, **arguments)

    def writing(self, catalog):
        with contextlib.closing(sqlite3.connect(catalog)) as opened:
            return opened.execute("SELECT count(*) FROM points WHERE state = 'writing'").fetchone()[0]

    def save_while_a_run_writes(self, saved):
        """Copies the catalog in the middle of a run, and lets the run end well."""
        config = self.daemon.json("repositories/r/config.json")
        self.daemon.write("repositories/r/config.json", json.dumps(config | {"bandwidth": "512K"}))
        self.storage.disks[0].write(0, self.random.randbytes(2 * MIB))
        self.daemon.write("flows/f/control", "run name=second")
        status = "flows/f/executions/second/status.json"
        self.until(lambda: self.daemon.json(status)["progress"]["done"] > 0)
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as now:
            with contextlib.closing(sqlite3.connect(saved)) as copy:
                now.backup(copy)
        self.assertEqual(self.writing(saved), 1, "the copy knows the point as unfinished")
        self.assertEqual(self.daemon.read("flows/f/executions/second/wait"), "success\n")
        self.daemon.write("repositories/r/config.json", json.dumps(config))

    def test_points_that_an_older_catalog_knows_as_unfinished_stay_with_those_that_rest_on_them(self):
        saved = self.folder / "saved.sqlite"
        self.save_while_a_run_writes(saved)
        third, record = self.back_up("third")
        second, third_again = self.daemon.points("m")[1:]
        self.assertEqual(third, third_again)
        directories = [next(self.repository.glob(f"*/{name}")) for name in (second, third)]
        self.replace_catalog(saved)
        self.until(lambda: self.writing(self.daemon.state / "catalog.sqlite") == 0)
        for directory in directories:
            self.assertTrue((directory / "manifest.json").exists(), directory)
        image = directories[1] / "disk-0.qcow2"
        subprocess.run(["qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", image, record], check=True)

        fourth, record = self.back_up("fourth", expected="warning")
        raw = self.daemon.mount / f"machines/m/points/{fourth}/disk-0.raw"
        subprocess.run(["qemu-img", "compare", "-q", "-f", "raw", "-F", "raw", raw, record], check=True)

    def test_what_was_set_aside_is_named_in_both_statuses_until_a_person_deletes_it(self):
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "bandwidth": "64K"}))
        self.storage.disks[0].write(0, self.random.randbytes(2 * MIB))
        self.daemon.write("flows/f/control", "run name=second")
        self.until(lambda: list(self.repository.glob("*/*.partial")) != [])
        self.daemon.kill()
        sequence = self.repository / "sequence.json"
        sequence.write_text(json.dumps(json.loads(sequence.read_text()) | {"commits": 99}))  # a newer catalog has written

        def named():
            return [one for one in self.daemon.json("status.json")["warnings"] if one["reason"] == "aside"]

        for _ in range(2):
            self.daemon.start()
            self.until(lambda: named() != [])
            (aside,) = self.repository.glob("*/*.aside")
            (warning,) = named()
            self.assertEqual(warning["object"], "repositories/r")
            self.assertIn(str(aside), warning["fix"])
            self.assertIsNotNone(warning["since"])
            own = self.daemon.json("repositories/r/status.json")["warnings"]
            self.assertIn(warning["message"], own)
            self.daemon.stop()

        self.daemon.start()
        self.until(lambda: named() != [])
        shutil.rmtree(aside)
        self.assertNotIn(warning["message"], self.daemon.json("repositories/r/status.json")["warnings"])
        self.assertEqual(named(), [])

    def images(self):
        """Every image of a point, with the room that it takes up."""
        return {str(file): file.stat().st_blocks for file in self.repository.glob("*/*/*.qcow2")}

    def test_what_a_directory_that_was_set_aside_rests_on_stays_until_a_person_deletes_it(self):
        """Law 12."""
        first = self.daemon.points("m")[0]
        sequence = self.repository / "sequence.json"
        told = sequence.read_text()
        saved = self.folder / "saved.sqlite"
        self.save_while_a_run_writes(saved)
        # The run looks killed between its publication and its commit.
        self.replace_catalog(saved, before_the_start=lambda: sequence.write_text(told))
        self.until(lambda: list(self.repository.glob("*/*.aside")) != [])
        (aside,) = self.repository.glob("*/*.aside")
        self.daemon.define("policies/p", {"keep_last": 1})
        self.daemon.write("flows/f/control", "set policy=p")
        self.back_up("full", type="full")
        before = self.images()
        for turn in range(2):
            self.daemon.write("machines/m/control", f"prune name=early-{turn}")
            self.assertEqual(self.daemon.read(f"jobs/early-{turn}/wait"), "warning\n")
            self.assertIn(aside.name, self.daemon.json("machines/m/plan.json")["warning"])
            self.assertEqual(self.images(), before)
            self.assertEqual(len(self.daemon.points("m")), 1, "a policy decides on points as ever")
        shutil.rmtree(aside)
        self.daemon.write("machines/m/control", "prune name=late")
        self.assertEqual(self.daemon.read("jobs/late/wait"), "success\n")
        self.assertIsNone(self.daemon.json("machines/m/plan.json")["warning"])
        self.assertNotIn(first, {pathlib.Path(image).parent.name for image in self.images()})

    def save(self):
        """Stops the daemon for a copy of its catalog."""
        self.daemon.stop()
        shutil.copy(self.daemon.state / "catalog.sqlite", self.folder / "saved.sqlite")
        self.daemon.start()

    def replace_catalog(self, saved, before_the_start=lambda: None):
        """Gives the daemon the saved catalog in place of its own."""
        self.daemon.stop()
        for file in self.daemon.state.glob("catalog.sqlite*"):
            file.unlink()
        shutil.copy(saved, self.daemon.state / "catalog.sqlite")
        before_the_start()
        self.daemon.start()

    def stored(self):
        """Every file of the repository but the lease, with its content."""
        files = {}
        for file in self.repository.rglob("*"):
            if file.is_file() and file.name != ".lease":
                files[str(file.relative_to(self.repository))] = file.read_bytes()
        return files

    def warned(self):
        return [one for one in self.daemon.json("status.json")["warnings"] if one["reason"] == "older_catalog"]

    def await_told(self):
        """Waits until the repository has all definitions, those of flow `last` included."""
        self.add_flow("last")
        self.until((self.repository / "definitions/flows/last.json").exists)

    def make_an_older_catalog(self):
        """A catalog that has missed another machine's point, and definitions; nothing of machine m."""
        first = self.daemon.points("m")[0]
        self.back_up("second", type="full")
        self.save()
        self.assertEqual(self.warned(), [])
        self.add_file_machine("n")
        self.add_flow("g", machine="n")
        self.assertEqual(self.daemon.run("g", "only"), "success")
        self.await_told()
        self.replace_catalog(self.folder / "saved.sqlite")
        return first

    def test_an_older_catalog_deletes_and_overwrites_nothing_and_both_statuses_say_so(self):
        first = self.make_an_older_catalog()
        self.until(lambda: self.warned() != [])
        stored = self.stored()
        (warning,) = self.warned()
        self.assertEqual(warning["object"], "repositories/r")
        (sentence,) = self.daemon.json("repositories/r/status.json")["warnings"]
        self.assertIn("older copy", sentence)
        with self.assertRaises(OSError) as refused:
            (self.daemon.mount / "machines/m/points" / first).rmdir()
        self.assertEqual(refused.exception.errno, errno.EROFS)
        self.assertIn("older copy", self.daemon.read("machines/m/error"))
        self.daemon.write("flows/f/config.json", json.dumps(self.daemon.json("flows/f/config.json") | {"priority": 3}))
        self.daemon.write(f"machines/m/points/{self.daemon.points('m')[1]}/control", "pin why=kept")
        self.daemon.define("policies/p", {"keep_last": 1})
        self.daemon.write("flows/f/control", "set policy=p")
        self.daemon.write("machines/m/control", "prune name=now")
        self.assertEqual(self.daemon.read("jobs/now/wait"), "error\n")
        self.daemon.stop()
        self.assertEqual(self.stored(), stored)

    def test_a_run_into_the_repository_of_a_newer_catalog_adds_a_point_and_the_warning_stays(self):
        self.make_an_older_catalog()
        self.until(lambda: self.warned() != [])
        stored = self.stored()
        point, record = self.back_up("third")
        now = self.stored()
        self.assertEqual(now, now | {name: data for name, data in stored.items() if name != "sequence.json"})
        raw = self.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
        subprocess.run(["qemu-img", "compare", "-q", "-f", "raw", "-F", "raw", raw, record], check=True)
        self.daemon.stop()
        self.daemon.start()
        self.assertNotEqual(self.warned(), [])

    def test_a_new_catalog_that_is_given_a_known_repository_overwrites_nothing(self):
        self.await_told()
        self.daemon.stop()
        for file in self.daemon.state.glob("catalog.sqlite*"):
            file.unlink()
        (self.folder / f".{self.daemon.state.name}.catalog").unlink()
        self.daemon.start()
        stored = self.stored()
        self.daemon.define("repositories/r", {"path": str(self.repository)})
        self.until(lambda: self.warned() != [])
        self.daemon.define("machines/m", self.storage.definition())
        self.add_flow()
        self.daemon.stop()
        self.assertEqual(self.stored(), stored)

    def test_each_commit_has_the_next_number_of_its_repository(self):
        second, _ = self.back_up("second")
        self.await_told()
        numbers = [self.daemon.json(f"machines/m/points/{point}/manifest.json")["sequence"]
                   for point in self.daemon.points("m")]
        definition = json.loads((self.repository / "definitions/flows/last.json").read_text())["sequence"]
        self.assertEqual(sorted(numbers), numbers)
        self.assertGreater(definition, numbers[-1])
        self.assertEqual(json.loads((self.repository / "sequence.json").read_text())["commits"], definition)
        self.assertEqual(self.daemon.json("repositories/r/status.json")["commits"], definition)
        manifest = next(self.repository.glob(f"*/{second}/manifest.json"))
        self.assertEqual(json.loads(manifest.read_text())["sequence"], numbers[-1])


if __name__ == "__main__":
    holdfast.main()
