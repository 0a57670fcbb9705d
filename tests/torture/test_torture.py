#!/usr/bin/python3
"""The breaker: a real daemon, a real storage daemon, real mounts and disks, and everything that may happen to them at once.

A round is a handful of random deeds and disasters; then all is made whole again as a person would do it, and the laws are
checked against a record that neither Holdfast nor QEMU has made: every byte of every point, every image by the stock tools,
nothing lost, nothing left over, every run and job ended. HOLDFAST_TORTURE_SECONDS says for how long (60), HOLDFAST_SEED
repeats the deeds; what the disasters meet depends on the moment."""

import collections
import contextlib
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import content
import holdfast
from sick_disk import SickDisk

SECONDS = float(os.environ.get("HOLDFAST_TORTURE_SECONDS", 60))
FINAL = ("success", "warning", "error", "cancelled")
CLUSTER = 65536
SIZES = [512, 4096, CLUSTER, 100_000]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Torture(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.disk = SickDisk(self.folder / "disk")
        self.addCleanup(self.disk.close)
        self.addCleanup(self.daemon.close)  # the daemon ends before its disk
        self.places = {"r": self.disk.path / "repository", "offsite": self.folder / "offsite"}
        for name, path in self.places.items():
            path.mkdir()
            self.daemon.define(f"repositories/{name}", {"path": str(path), "compression": "none", "reserve": "1%"})
        self.storage = self.add_machine("vm", (4 * 2**20, 2 * 2**20 + 512))
        self.plain = self.add_file_machine("plain", 2 * 2**20)
        self.daemon.define("policies/few", {"keep_last": 6, "retries": 0})
        for machine in ("vm", "plain"):
            flow = {"target": f"machines/{machine}", "repository": "r", "policy": "few"}
            self.daemon.define(f"flows/{machine}", flow)
            copy = {"type": "replication", "target": f"machines/{machine}", "from": "r", "repository": "offsite"}
            self.daemon.define(f"flows/copy-{machine}", copy)
        self.runs = 0
        self.states = {}  # by machine and run: the digest of each disk when it began
        self.points = {}  # by machine and point: the digest of each disk
        self.pinned = set()
        self.done = collections.Counter()
        self.damaged = False

    # The record, which is kept without Holdfast.

    def disks(self, machine):
        if machine == "plain":
            return {"disk-0": self.plain.path}
        return {disk.name: disk.truth for disk in self.storage.disks}

    def state(self, machine):
        return {name: digest(path) for name, path in self.disks(machine).items()}

    def write_disks(self):
        for disk in self.storage.disks:
            disk.scatter(self.random, self.random.randrange(6), SIZES)
        for _ in range(self.random.randrange(4)):
            self.plain.write(self.random.randrange(32) * CLUSTER, self.random.randbytes(CLUSTER))

    # Deeds. Each returns at once, or when its work has ended; refusals are part of life.

    def control(self, path, line):
        with contextlib.suppress(OSError):
            self.daemon.write(f"{path}/control", line)
            return True
        return False

    def back_up(self, machine, wait, kind="auto"):
        self.runs += 1
        run = f"run-{self.runs}"
        self.states[machine, run] = self.state(machine)
        if self.control(f"flows/{machine}", f"run name={run} type={kind}") and wait:
            self.wait_for(f"flows/{machine}/executions/{run}")

    def copy(self, flow):
        self.runs += 1
        if self.control(f"flows/{flow}", f"run name=run-{self.runs}"):
            self.wait_for(f"flows/{flow}/executions/run-{self.runs}")

    def wait_for(self, path):
        with contextlib.suppress(OSError):
            self.daemon.read(f"{path}/wait")

    def job(self, path, verb):
        self.runs += 1
        if self.control(path, f"{verb} name=job-{self.runs}"):
            self.wait_for(f"jobs/job-{self.runs}")

    def any_machine(self):
        return self.random.choice(["vm", "plain"])

    def any_point(self):
        machine = self.any_machine()
        with contextlib.suppress(OSError):
            points = self.daemon.points(machine)
            if points:
                return machine, self.random.choice(points)
        return machine, None

    def deed_run(self):
        self.write_disks()
        self.back_up(self.any_machine(), wait=True, kind=self.random.choice(["auto", "auto", "auto", "full"]))

    def deed_copy(self):
        self.copy(f"copy-{self.any_machine()}")

    def deed_prune(self):
        self.job(f"machines/{self.any_machine()}", "prune")

    def deed_verify(self):
        self.job(f"repositories/{self.random.choice(['r', 'offsite'])}", "verify")

    def deed_repair(self):
        self.job(f"repositories/{self.random.choice(['r', 'offsite'])}", "repair")

    def deed_test(self):
        self.job("repositories/r", "test")

    def deed_remove(self):
        machine, point = self.any_point()
        if point and (machine, point) not in self.pinned:
            with contextlib.suppress(OSError):
                (self.daemon.mount / f"machines/{machine}/points/{point}").rmdir()

    def deed_pin(self):
        machine, point = self.any_point()
        if point and self.control(f"machines/{machine}/points/{point}", "pin why=torture"):
            self.pinned.add((machine, point))

    def deed_unpin(self):
        for machine, point in list(self.pinned):
            if self.control(f"machines/{machine}/points/{point}", "unpin"):
                self.pinned.discard((machine, point))

    def deed_restore(self):
        machine, point = self.any_point()
        if point:
            with contextlib.suppress(OSError):
                self.expect_point(machine, point, self.points.get((machine, point)))

    def deed_rename(self):
        with contextlib.suppress(OSError):
            (self.daemon.mount / "policies/few").rename(self.daemon.mount / "policies/other")
            (self.daemon.mount / "policies/other").rename(self.daemon.mount / "policies/few")

    def deed_detach(self):
        name = self.random.choice(list(self.places))
        if self.control(f"repositories/{name}", "detach"):
            self.control(f"repositories/{name}", "attach")

    def deed_distrust(self):
        self.control(f"machines/{self.any_machine()}", "reset-cbt")

    # Disasters: each in the middle of a run.

    def during_a_run(self, act):
        """Begins work without waiting for it, acts at a random moment, and lets the work end."""
        self.write_disks()
        machine = self.any_machine()
        flow = self.random.choice([machine, machine, f"copy-{machine}"])
        if flow == machine:
            self.back_up(machine, wait=False)
        else:
            self.runs += 1
            self.control(f"flows/{flow}", f"run name=run-{self.runs}")
        threading.Event().wait(self.random.random() * 0.3)
        act()

    def disaster_killed_daemon(self):
        self.during_a_run(self.daemon.kill)
        self.daemon.start()

    def disaster_killed_source(self):
        for disk in self.storage.disks:
            with open(disk.export, "r+b") as file:
                os.fsync(file.fileno())
        self.during_a_run(self.storage.kill)
        self.storage.start()

    def disaster_hanging_disk(self):
        def hang():
            self.disk.hang()
            threading.Event().wait(self.random.random() * 3)
            self.disk.resume()

        self.during_a_run(hang)

    def disaster_full_disk(self):
        self.during_a_run(self.disk.fill)

    def disaster_dead_disk(self):
        self.during_a_run(self.disk.die)

    def disaster_cancelled_run(self):
        def cancel():
            for flow in ("vm", "plain", "copy-vm", "copy-plain"):
                self.control(f"flows/{flow}", "cancel")

        self.during_a_run(cancel)

    def disaster_flipped_bits(self):
        """Damages what has a copy; the other side heals it."""
        images = [path for path in self.places["r"].glob("*/2*/*") if path.suffix in (".qcow2", ".sums")]
        images = [path for path in images if (self.places["offsite"] / path.relative_to(self.places["r"])).exists()]
        if images and not self.disk.is_dead():
            path = self.random.choice(images)
            content.flip_bit(path, self.random.randrange(path.stat().st_size))
            self.damaged = True

    def disaster_lost_catalog(self):
        """A new host: the state directory is gone, the repositories are left."""
        self.make_whole()
        self.settle()
        self.daemon.stop()
        shutil.rmtree(self.daemon.state)
        for path in self.random.sample(list(self.places.values()), 2):
            command = [holdfast.BINARY.parent / "holdfast", "recover", path, "--state", self.daemon.state]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.daemon.start()
        self.daemon.write("control", "resume")

    # Making whole, and the laws.

    def make_whole(self):
        """Does what a person would do after the disasters."""
        self.disk.resume()
        if self.disk.is_dead():
            self.disk.revive()
        self.disk.empty()
        self.settle()
        for name in self.places:
            self.control(f"repositories/{name}", "attach")
        if self.damaged:
            self.job("repositories/r", "repair")
            self.damaged = False
        for machine in ("vm", "plain"):  # a copy that was interrupted is continued by the next run
            self.copy(f"copy-{machine}")

    def settle(self):
        """Waits until no work is left, and what earlier lives left is swept."""
        for kind in ("flows/vm", "flows/plain", "flows/copy-vm", "flows/copy-plain"):
            for name in os.listdir(self.daemon.mount / kind / "executions"):
                self.wait_for(f"{kind}/executions/{name}")
        self.until(lambda: not self.daemon.json("status.json")["running"])
        self.daemon.await_settled()

    def learn_points(self):
        """Each new point must be what its run began with."""
        for machine in ("vm", "plain"):
            for point in self.daemon.points(machine):
                if (machine, point) in self.points:
                    continue
                manifest = self.daemon.json(f"machines/{machine}/points/{point}/manifest.json")
                self.points[machine, point] = self.states[machine, manifest["execution"]]

    def expect_point(self, machine, point, record):
        for disk, wanted in (record or {}).items():
            self.assertEqual(digest(self.daemon.mount / f"machines/{machine}/points/{point}/{disk}.raw"), wanted,
                             f"{machine} {point} {disk}")

    def check_laws(self):
        self.learn_points()
        for machine in ("vm", "plain"):
            points = self.daemon.points(machine)
            for point in points:
                self.expect_point(machine, point, self.points[machine, point])
            missing = {point for one, point in self.pinned if one == machine} - set(points)
            self.assertEqual(missing, set(), "a pin holds its point")
            for flow in (machine, f"copy-{machine}"):
                for name in os.listdir(self.daemon.mount / f"flows/{flow}/executions"):
                    status = self.daemon.json(f"flows/{flow}/executions/{name}/status.json")
                    self.assertIn(status["status"], FINAL, status)
        for place in self.places.values():
            # A kill may leave the new file of a replacement, which the next replacement writes over.
            patterns = ["*.partial", "*.mending"] + ([] if self.done["disaster_killed_daemon"] else ["*.new"])
            self.assertEqual([str(path) for pattern in patterns for path in place.rglob(pattern)], [])
            for image in place.glob("*/2*/*.qcow2"):
                if (image.parent / "manifest.json").exists():
                    self.assertTrue(content.sound(image), image)
        self.assertEqual(self.storage.foreign(), [])
        self.assertEqual(os.listdir(self.daemon.state / "scratch"), [])
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog:
            self.assertEqual(catalog.execute("PRAGMA foreign_key_check").fetchall(), [])
            self.assertEqual(catalog.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        for line in self.daemon.read("events.jsonl").splitlines():
            json.loads(line)

    def expect_next_run(self):
        """The next run works, and its point is what the disks hold."""
        for machine in ("vm", "plain"):
            before = set(self.daemon.points(machine))
            self.back_up(machine, wait=True)
            status = self.daemon.json(f"flows/{machine}/executions/run-{self.runs}/status.json")
            self.assertIn(status["status"], ("success", "warning"), status)
            self.assertEqual(len(set(self.daemon.points(machine)) - before), 1, status)

    def test_rounds_of_deeds_and_disasters(self):
        deeds = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("deed_")]
        disasters = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("disaster_")]
        self.write_disks()
        self.expect_next_run()
        until, rounds = time.monotonic() + SECONDS, 0
        while time.monotonic() < until or rounds == 0:
            rounds += 1
            acts = self.random.choices(deeds, k=self.random.randrange(1, 5)) + [self.random.choice(disasters)]
            self.random.shuffle(acts)
            print(f"round {rounds}: {', '.join(act.__name__.split('_', 1)[1] for act in acts)}", flush=True)
            for act in acts:
                act()
                self.done[act.__name__] += 1
            self.make_whole()
            self.settle()
            self.check_laws()
            self.write_disks()
            self.expect_next_run()
            self.settle()
            self.check_laws()
        print(f"{rounds} rounds, {self.runs} runs and jobs, {len(self.points)} points, nothing lost, wrong or left over: "
              f"{dict(sorted(self.done.items()))}", flush=True)

    def test_a_changed_record_is_found(self):
        self.write_disks()
        self.expect_next_run()
        self.learn_points()
        (machine, point), record = next(iter(self.points.items()))
        self.points[machine, point] = {disk: "0" * 64 for disk in record}
        with self.assertRaises(AssertionError):
            self.check_laws()


if __name__ == "__main__":
    holdfast.main()
