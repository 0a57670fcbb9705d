#!/usr/bin/python3
"""A random history of the whole daemon: kills, two flows, two-step replication, renames, clock steps, resizes, deep
chains. Each point always reads as its disk was, and nothing sound is called damaged.

HOLDFAST_FUZZ_STEPS is the number of steps, 40 without it; tests/long/fuzz_daemon makes 2,000."""

import contextlib
import errno
import json
import os
import random
import sqlite3
import threading

import content
import holdfast

CLUSTER = 65536
CAPACITY = 32 * CLUSTER
STEPS = int(os.environ.get("HOLDFAST_FUZZ_STEPS", 40))
HOUR = 3600 * 1000
# Ends of messages about fulls that a step has caused.
EXPECTED = ("called changed blocks unchanged: a disk was read whole", ": capacity_changed", ": bitmap_missing")


class Fuzz(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.storage = self.add_machine("machine", (CAPACITY,))
        (self.disk,) = self.storage.disks
        self.machine, self.names = "machine", 0
        for name in ("r", "s", "offsite", "further"):
            self.add_repository(name, compression=self.random.choice(["zstd", "none"]))
        self.flows = {"f": "f", "g": "g"}  # by role, because they are renamed
        for flow, repository in (("f", "r"), ("g", "s")):
            self.add_flow(flow, "machine", repository)
        for flow, (origin, target) in {"copy": ("r", "offsite"), "again": ("offsite", "further")}.items():
            self.daemon.define(f"flows/{flow}", {
                "type": "replication", "target": "machines/machine", "from": origin, "repository": target})  # fmt: skip
        self.records = {}
        self.history = []
        self.runs = 0

    def new_name(self, kind):
        self.names += 1
        return f"{kind}-{self.names}"

    def random_instant(self):
        threading.Event().wait(self.random.random() ** 2 / 4)

    # Steps; each is drawn by its weight.

    def write(self):
        for _ in range(self.random.randrange(1, 6)):
            length = self.random.choice([512, 4096, CLUSTER, 3 * CLUSTER])
            offset = self.random.randrange(0, self.disk.capacity - length, 512)
            self.disk.write(offset, self.random.choice([self.random.randbytes, bytes])(length))

    def discard(self):
        offset = self.random.randrange(self.disk.capacity // CLUSTER - 4) * CLUSTER
        self.disk.discard(offset, self.random.randrange(1, 4) * CLUSTER)

    def back_up(self):
        flow = self.flows[self.random.choice("ffg")]
        self.runs += 1
        name, kind = f"run-{self.runs}", self.random.choice(["auto"] * 9 + ["full"])
        record = self.disk.record(self.folder / f"{name}.record")
        status = self.daemon.run(flow, name, f"type={kind}")
        execution = self.daemon.json(f"flows/{flow}/executions/{name}/status.json")
        self.assertIn(status, ("success", "warning"), execution)
        if status == "warning":
            self.assertTrue(execution["message"].endswith(EXPECTED), execution)
        (link,) = (self.daemon.mount / f"flows/{flow}/executions/{name}/points").iterdir()
        self.records[os.path.basename(os.readlink(link))] = record

    def kill_in_a_run(self):
        flow = self.flows[self.random.choice("fg")]
        self.runs += 1
        self.write()
        name = f"run-{self.runs}"
        record = self.disk.record(self.folder / f"{name}.record")
        before = set(self.daemon.points(self.machine))
        self.daemon.write(f"flows/{flow}/control", f"run name={name}")
        self.random_instant()
        self.daemon.kill()
        self.daemon.start()
        self.daemon.await_settled()
        for point in set(self.daemon.points(self.machine)) - before:  # committed in time
            self.records[point] = record

    def replicate(self):
        for flow in ("copy", "again"):
            self.runs += 1
            name = f"run-{self.runs}"
            status = self.daemon.run(flow, name)
            self.assertEqual(status, "success", self.daemon.json(f"flows/{flow}/executions/{name}/status.json"))

    def kill_in_a_replication(self):
        self.runs += 1
        self.daemon.write(f"flows/{self.random.choice(['copy', 'again'])}/control", f"run name=run-{self.runs}")
        self.random_instant()
        self.daemon.kill()
        self.daemon.start()
        self.daemon.await_settled()

    def rename_the_machine(self):
        name = self.new_name("machine")
        os.rename(self.daemon.mount / "machines" / self.machine, self.daemon.mount / "machines" / name)
        self.machine = name

    def rename_a_flow(self):
        role = self.random.choice("fg")
        name = self.new_name("flow")
        os.rename(self.daemon.mount / "flows" / self.flows[role], self.daemon.mount / "flows" / name)
        self.flows[role] = name

    def step_the_clock(self):
        """Sets the clock relative to all that the catalog knows, while the daemon is down."""
        by = self.random.choice([-HOUR, HOUR, 24 * HOUR, -24 * HOUR, 3650 * 24 * HOUR])
        self.daemon.stop()
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            catalog.execute("UPDATE points SET time = time - ?", (by,))
            catalog.execute("UPDATE chains SET created_at = created_at - ?", (by,))
            catalog.execute("UPDATE seen_clock SET at = at - ?", (by,))
        self.daemon.start()
        if self.random.random() < 0.8:
            with contextlib.suppress(OSError):  # the clock was believed by itself
                self.daemon.write("control", "resume")

    def resize(self):
        if self.random.random() < 0.5:
            capacity = self.disk.capacity
            self.storage.resize(self.disk, capacity // 2)
            self.storage.resize(self.disk, capacity)
        else:
            self.storage.resize(self.disk, self.random.choice([24, 32, 40]) * CLUSTER)

    def keep_few(self):
        policy = self.new_name("policy")
        self.daemon.define(f"policies/{policy}", {"keep_last": self.random.randrange(1, 5)})
        for flow in (self.flows["f"], "copy"):
            self.daemon.write(f"flows/{flow}/control", f"set policy={policy}")
        self.daemon.write(f"machines/{self.machine}/control", f"prune name={policy}")
        self.assertIn(self.daemon.read(f"jobs/{policy}/wait"), ("success\n", "warning\n"))
        for flow in (self.flows["f"], "copy"):
            self.daemon.write(f"flows/{flow}/control", "set policy=")

    def remove_a_point(self):
        point = self.random.choice(self.daemon.points(self.machine) or [None])
        if point is None:
            return
        try:
            (self.daemon.mount / f"machines/{self.machine}/points/{point}").rmdir()
        except OSError as refused:
            self.assertEqual(refused.errno, errno.EBUSY)

    def verify(self):
        name = self.new_name("verification")
        self.daemon.write(f"machines/{self.machine}/control", f"verify level=checksums name={name}")
        self.assertEqual(self.daemon.read(f"jobs/{name}/wait"), "success\n")

    def restart(self):
        self.daemon.stop()
        self.daemon.start()
        self.daemon.await_settled()

    STEPS = {
        write: 6, discard: 2, back_up: 14, kill_in_a_run: 4, replicate: 3, kill_in_a_replication: 2,
        rename_the_machine: 1, rename_a_flow: 1, step_the_clock: 2, resize: 2, keep_few: 1, remove_a_point: 2, verify: 1,
        restart: 1,
    }  # fmt: skip

    def settle(self):
        """Waits until nothing is at work, because prunings begin by themselves."""
        self.until(lambda: self.daemon.json(f"machines/{self.machine}/status.json")["state"] != "busy")

    def check(self, points):
        for point in points:
            raw = self.daemon.mount / f"machines/{self.machine}/points/{point}/disk-0.raw"
            self.assertTrue(content.same_bytes(raw, self.records[point]), f"{point} is wrong after {self.history}")

    def check_nothing_is_damaged(self):
        said = self.daemon.json(f"machines/{self.machine}/status.json")["warnings"]
        said += [one["message"] for one in self.daemon.json("status.json")["warnings"]]
        self.assertEqual([one for one in said if "damage" in json.dumps(one)], [], self.history)

    def check_stored(self):
        """QEMU's opinion of every image in every repository that belongs to a point."""
        for manifest in self.folder.glob("repository-*/*/*/manifest.json"):
            image = manifest.parent / "disk-0.qcow2"
            self.assertTrue(content.sound(image), image)
            if manifest.parent.name in self.records:
                self.assertTrue(content.same_disk(image, self.records[manifest.parent.name]), image)

    def test_a_random_history_leaves_every_point_as_its_disk_was(self):
        steps, weights = list(self.STEPS), list(self.STEPS.values())
        self.back_up()
        for _ in range(STEPS):
            (step,) = self.random.choices(steps, weights)
            self.history.append(step.__name__)
            step(self)
            self.settle()
            points = self.daemon.points(self.machine)
            self.assertEqual(set(points) - set(self.records), set(), self.history)
            self.check(points[-1:] + self.random.sample(points, min(1, len(points))))
            self.check_nothing_is_damaged()
        self.check(self.daemon.points(self.machine))
        self.check_stored()

    def test_the_comparison_of_this_file_sees_a_flipped_bit(self):
        self.write()
        self.back_up()
        (point,) = self.daemon.points(self.machine)
        content.flip_bit(self.records[point], self.disk.capacity // 2)
        with self.assertRaises(AssertionError):
            self.check([point])
        with self.assertRaises(AssertionError):
            self.check_stored()


if __name__ == "__main__":
    holdfast.main()
