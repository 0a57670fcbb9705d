#!/usr/bin/python3
"""Pruning of random chains: each kept point keeps its content, for QEMU and for the mount, and the newest good point
stays.

HOLDFAST_CHAINS sets the number of chains, HOLDFAST_SEED repeats a run."""

import os
import random

import content
import holdfast
from days import CLUSTER, DAY, History, set_back

CHAINS = int(os.environ.get("HOLDFAST_CHAINS", 4))
POINTS = 10
RULES = ("keep_last", "keep_hourly", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly")


class Chains(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())

    def make(self, name):
        """Makes a machine with points of random times, kinds, pins and verdicts. Returns its history."""
        disk = self.add_file_machine(name, capacity=self.random.choice([7, 32, 65]) * CLUSTER + 512)
        compression = self.random.choice(["zstd", "deflate", "none"])
        repository = self.add_repository(name, compression=compression, compression_level=1)
        self.daemon.define(f"flows/{name}", {"target": f"machines/{name}", "repository": name})
        days = History(self.daemon, self.folder, disk, repository, self.random, name, name)
        for _ in range(POINTS):
            later = int(self.random.choice([0.02, 0.3, 1, 3, 40]) * DAY)
            days.day(self.random.randrange(5), "type=full" if self.random.random() < 0.15 else "", later)
        for point in days.records:
            control = f"machines/{name}/points/{point}/control"
            if self.random.random() < 0.1:
                self.daemon.write(control, "pin")
            if self.random.random() < 0.25:
                self.daemon.write(control, f"verdict by=ann result={self.random.choice(['good', 'bad', 'bad'])}")
        return days

    def newest_good(self, name):
        link = self.daemon.mount / f"machines/{name}/latest"
        return os.path.basename(os.readlink(link)) if os.path.lexists(link) else None

    def expect_same(self, days):
        self.assertEqual(days.differences(), [])

    def test_every_kept_point_keeps_its_content_and_the_newest_good_one_stays(self):
        gone = 0
        for chain in range(CHAINS):
            with self.subTest(chain=chain):
                name = f"m{chain}"
                days = self.make(name)
                policy = {rule: self.random.randrange(1, 4) for rule in RULES if self.random.random() < 0.4}
                self.daemon.define(f"policies/{name}", policy or {"keep_last": 1})
                self.daemon.write(f"flows/{name}/control", f"set policy={name}")
                for round in range(3):
                    self.expect_same(days)
                    newest, plan = self.newest_good(name), days.plan()
                    self.assertEqual(days.prune(f"{name}-{round}"), "success")
                    kept = {point for point, why in plan.items() if why}
                    gone += len(plan) - len(kept)
                    self.assertEqual(days.points(), kept)
                    self.assertTrue(newest is None or newest in kept)
                    self.assertEqual(self.newest_good(name), newest)
                    self.expect_same(days)
                    self.assertEqual(days.verify(f"{name}-{round}-check"), ("success", None))
                    set_back(self.daemon, self.random.randrange(40) * DAY)
                    days.day(2)
                for point in days.points():
                    image = self.daemon.mount / f"machines/{name}/points/{point}/disk-0.raw"
                    self.assertTrue(content.same_bytes(image, days.records[point]), point)
                for path in days.records.values():
                    path.unlink()
        self.assertGreater(gone, CHAINS)

    def test_a_changed_record_fails_the_comparison(self):
        days = self.make("m")
        point = self.random.choice(list(days.records))
        content.flip_bit(days.records[point], days.capacity // 3)
        self.assertNotEqual(days.differences(), [])


if __name__ == "__main__":
    holdfast.main()
