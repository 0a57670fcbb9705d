#!/usr/bin/python3
"""A catalog that is an older copy of the one that wrote the repository deletes nothing there (law 21)."""

import contextlib
import json
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
        self.daemon.stop()
        for file in self.daemon.state.glob("catalog.sqlite*"):
            file.unlink()
        shutil.copy(saved, self.daemon.state / "catalog.sqlite")
        self.daemon.start()
        self.until(lambda: self.writing(self.daemon.state / "catalog.sqlite") == 0)
        for directory in directories:
            self.assertTrue((directory / "manifest.json").exists(), directory)
        image = directories[1] / "disk-0.qcow2"
        subprocess.run(["qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", image, record], check=True)

        fourth, record = self.back_up("fourth", expected="warning")
        raw = self.daemon.mount / f"machines/m/points/{fourth}/disk-0.raw"
        subprocess.run(["qemu-img", "compare", "-q", "-f", "raw", "-F", "raw", raw, record], check=True)


if __name__ == "__main__":
    holdfast.main()
