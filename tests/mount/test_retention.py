#!/usr/bin/python3
"""Retention: kept points keep their content, other points go, and every hold on a point counts (law 12)."""

import contextlib
import datetime
import errno
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess

import content
import holdfast
from days import CLUSTER, CLUSTERS, OneHistory, set_back

HOUR = 3600 * 1000


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def week(day):
    return day.isocalendar()[:2]


class Kept(OneHistory):
    def follow(self, **policy):
        """Gives the flow a policy with these rules."""
        if not (self.daemon.mount / "policies/p").exists():
            self.daemon.define("policies/p", policy)
            self.daemon.write("flows/f/control", "set policy=p")
        else:
            self.daemon.write("policies/p/config.json", json.dumps(policy))

    def path(self, point):
        return self.daemon.mount / "machines/m/points" / point

    def restart(self, later=0):
        """Restarts the daemon, as if `later` hours had passed since the events in its log."""
        self.daemon.stop()
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog, catalog:
            catalog.execute("UPDATE events SET at = at - ?", (later * HOUR,))
        self.daemon.start()

    def expect_same(self):
        self.assertEqual(self.days.differences(), [])
        for point in self.days.points():
            raw = self.path(point) / "disk-0.raw"
            self.assertTrue(content.same_bytes(raw, self.days.records[point]), point)


class Policies(Kept):
    def test_points_beyond_the_rules_go_after_a_run_and_kept_points_keep_their_content(self):
        self.follow(keep_daily=3)
        made = [self.days.day() for _ in range(7)]
        self.assertEqual(self.days.points(), set(made[-3:]))
        self.assertEqual(self.days.differences(), [])
        self.assertEqual(self.days.verify("check"), ("success", None))
        self.expect_same()
        status = self.daemon.json("machines/m/status.json")
        self.assertEqual((status["points"], status["warnings"]), (3, []))
        events = [line for line in self.daemon.read("events.jsonl").splitlines() if '"point.prune"' in line]
        self.assertEqual(len(events), 4)
        self.assertIn("policies/p", events[0])

    def test_used_bytes_count_the_files_of_all_layers_even_of_removed_points(self):
        def files():
            kinds = (".qcow2", ".sums", ".content")
            found = [path for path in self.repository.glob("*/*/*") if path.suffix in kinds]
            return sum(path.stat().st_blocks * 512 for path in found)

        for policy in ({"keep_last": 9}, {"keep_last": 2}):
            self.follow(**policy)
            for _ in range(4):
                self.days.day(8)
            for path in ("repositories/r", "machines/m"):
                status = self.daemon.json(f"{path}/status.json")
                self.assertEqual(status.get("used_bytes", status.get("bytes_stored")), files(), path)
        self.assertGreater(files(), CLUSTERS * CLUSTER / 2)  # layers below the two kept points remain

    def test_a_flipped_bit_fails_the_comparison(self):
        point = self.days.day()
        with open(self.days.records[point], "rb+") as record:
            record.seek(5 * CLUSTER)
            byte = record.read(1)[0]
            record.seek(5 * CLUSTER)
            record.write(bytes([byte ^ 1]))
        self.assertNotEqual(self.days.differences(), [])

    def test_the_plan_gives_the_reasons_why_each_point_stays(self):
        made = [self.days.day() for _ in range(5)]
        self.assertEqual(set(map(tuple, list(self.days.plan().values())[:-1])), {("no_policy",)})
        self.daemon.write(f"machines/m/points/{made[0]}/control", "pin why=upgrade")
        self.daemon.write(f"machines/m/points/{made[4]}/control", "verdict result=bad by=ann")
        self.follow(keep_last=2, min_age="2d")
        plan = self.days.plan()
        self.assertEqual(plan[made[0]], ["pinned"])
        self.assertEqual(plan[made[1]], [])
        self.assertEqual(plan[made[2]], ["last"])
        self.assertEqual(plan[made[3]], ["last", "min_age", "newest_good"])
        self.assertEqual(plan[made[4]], ["last", "min_age", "next_run"])
        plan = self.daemon.json("machines/m/plan.json")
        self.assertEqual((plan["stay"], plan["go"]), (4, 1))
        self.assertEqual((plan["points"][1]["policy"], plan["points"][1]["flow"]), ("p", "f"))
        self.assertEqual(self.days.prune("now"), "success")
        self.assertEqual(self.days.points(), set(made) - {made[1]})
        self.assertEqual(self.daemon.json("jobs/now/status.json")["metadata"]["points"], [made[1]])
        self.assertEqual(self.days.differences(), [])

    def test_without_a_policy_no_point_goes(self):
        for _ in range(3):
            self.days.day()
        set_back(self.daemon, 1000 * 24 * HOUR)
        self.assertEqual(self.days.prune("now"), "success")
        self.assertEqual(len(self.days.points()), 3)

    def test_points_are_judged_by_the_flow_that_made_them_under_any_name(self):
        made = [self.days.day() for _ in range(3)]
        os.rename(self.daemon.mount / "flows/f", self.daemon.mount / "flows/g")
        self.daemon.define("policies/p", {"keep_last": 1})
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r", "policy": "p"})
        self.assertEqual(self.days.prune("now"), "success")
        self.assertEqual(self.days.points(), set(made))
        self.daemon.write("flows/g/control", "set policy=p")
        self.assertEqual(self.days.prune("again"), "success")
        self.assertEqual(self.days.points(), {made[-1]})
        self.assertEqual(self.days.differences(), [])

    def test_full_every_3d_makes_a_full_when_the_newest_full_is_three_days_old(self):
        self.follow(keep_last=10, full_every="3d")
        kinds = []
        for _ in range(8):
            manifest = self.daemon.json(f"machines/m/points/{self.days.day()}/manifest.json")
            kinds.append((manifest["kind"][0], manifest["reason"]))
        full, none = ("f", "by_policy"), ("i", None)
        self.assertEqual(kinds, [("f", "no_parent"), none, none, full, none, none, full, none])

    def kinds(self, days):
        manifests = [self.daemon.json(f"machines/m/points/{self.days.day()}/manifest.json") for _ in range(days)]
        return [(manifest["kind"][0], manifest["reason"]) for manifest in manifests]

    def test_full_every_3_makes_each_third_point_a_full_even_where_points_have_gone(self):
        self.follow(keep_last=2, full_every=3)
        full, none = ("f", "by_policy"), ("i", None)
        self.assertEqual(self.kinds(8), [("f", "no_parent"), none, none, full, none, none, full, none])

    def test_full_every_daily_and_weekly_make_one_full_per_period(self):
        self.follow(keep_last=99, full_every="@daily")
        full = ("f", "by_policy")
        self.assertEqual(self.kinds(3), [("f", "no_parent"), full, full])
        self.follow(keep_last=99, full_every="@weekly")
        begun, age = {today()}, 0  # the chain's first day, before it was dated back by `age` days
        for _ in range(7):
            age += 1
            days = {today()}
            (kind,) = self.kinds(1)
            days.add(today())  # midnight may have passed
            due = {week(day) != week(first - datetime.timedelta(age)) for day in days for first in begun}
            self.assertIn(kind == full, due, (days, begun, age))
            if kind == full:
                begun, age = days, 0
        self.assertEqual(self.daemon.json("policies/p/config.json")["full_every"], "@weekly")

    def test_a_chain_without_kept_points_goes_completely(self):
        self.follow(keep_last=2, full_every="3d")
        for _ in range(8):
            self.days.day()
        # Both kept points are of the newest chain.
        self.assertEqual(len(list(self.days.directory().iterdir())), 2)
        self.assertEqual(self.days.differences(), [])


class OfASourceThatTellsChanges(holdfast.MountTest):
    def test_points_of_several_disks_go_and_the_next_run_is_an_increment(self):
        rng = random.Random(12)
        self.add_repository()
        self.storage = self.add_machine(capacities=[8 * 2**20, 4 * 2**20])
        self.daemon.define("policies/p", {"keep_last": 2})
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r", "policy": "p"})
        records = {}
        for run in range(5):
            for disk in self.storage.disks:
                disk.scatter(rng, 6, [512, 65536, 100_000])
            made = [disk.record(self.folder / f"{run}-{disk.name}.record") for disk in self.storage.disks]
            self.assertEqual(self.daemon.run("f", f"run-{run}"), "success")
            link = self.daemon.mount / f"flows/f/executions/run-{run}/points/m"
            records[os.path.basename(os.readlink(link))] = made
            self.until(lambda: self.daemon.json("machines/m/status.json")["state"] == "ready")
        kinds = [self.daemon.json(f"machines/m/points/{point}/manifest.json")["kind"] for point in self.daemon.points("m")]
        self.assertEqual(kinds, ["incremental", "incremental"])
        self.assertEqual(set(self.daemon.points("m")), set(list(records)[-2:]))
        for point in self.daemon.points("m"):
            for disk, record in zip(self.storage.disks, records[point], strict=True):
                image = self.daemon.mount / f"machines/m/points/{point}/{disk.name}.raw"
                self.assertTrue(content.same_bytes(image, record), (point, disk.name))
        for disk in self.storage.disks:
            self.assertEqual(len(self.storage.bitmaps(disk)), 1)


class Held(Kept):
    def setUp(self):
        super().setUp()
        self.made = [self.days.day() for _ in range(4)]

    def remove(self, point):
        os.rmdir(self.path(point))

    def test_rmdir_removes_a_point_and_later_points_keep_their_content(self):
        for point in self.made[:2]:
            self.remove(point)
            self.assertNotIn(point, self.days.points())
        self.days.settle()
        self.assertEqual(self.days.points(), set(self.made[2:]))
        self.assertEqual(self.days.differences(), [])
        self.assertFalse((self.days.directory() / self.made[0] / "manifest.json").exists())
        self.assertTrue((self.days.directory() / self.made[0] / "retired.json").exists())
        self.expect_same()

    def test_rmdir_of_a_held_point_is_refused_with_the_reason(self):
        error = self.daemon.mount / "machines/m/error"
        self.refused("EBUSY", self.remove, self.made[-1])
        self.assertIn("last good point", error.read_text())
        self.daemon.write(f"machines/m/points/{self.made[-1]}/control", "verdict result=bad by=ann")
        self.refused("EBUSY", self.remove, self.made[-1])
        self.assertIn("the next run takes up from it", error.read_text())
        self.daemon.write(f"machines/m/points/{self.made[0]}/control", "pin")
        self.refused("EBUSY", self.remove, self.made[0])
        self.assertIn("it is pinned", error.read_text())
        self.daemon.write(f"machines/m/points/{self.made[0]}/control", "unpin")
        self.daemon.write(f"machines/m/points/{self.made[0]}/control", "verdict result=good by=bob")
        self.refused("EBUSY", self.remove, self.made[0])
        self.assertIn("that a user marked good", error.read_text())
        with open(self.path(self.made[1]) / "disk-0.raw", "rb"):
            self.refused("EBUSY", self.remove, self.made[1])
            self.assertIn("open", error.read_text())
        self.refused("EPERM", os.mkdir, self.path("2026-01-01T00-00-00Z"))
        self.refused("EPERM", os.rename, self.path(self.made[1]), self.path("x"))
        self.assertEqual(self.days.points(), set(self.made))
        self.daemon.write(f"machines/m/points/{self.made[-1]}/control", "verdict result=good by=ann")
        self.remove(self.made[2])
        self.assertEqual(error.read_text(), "")

    def test_rmdir_of_a_point_does_not_wait_for_the_hour_after_a_read(self):
        self.path(self.made[1]).joinpath("disk-0.raw").read_bytes()
        self.until(lambda: self.days.plan()[self.made[1]][-1] == "read")
        self.remove(self.made[1])
        self.days.settle()
        self.assertEqual(self.days.points(), {self.made[0], *self.made[2:]})
        self.expect_same()

    def test_a_point_that_is_open_or_was_read_within_an_hour_stays(self):
        self.follow(keep_last=1)
        with open(self.path(self.made[0]) / "disk-0.raw", "rb", buffering=0) as image:
            self.assertEqual(self.days.prune("one"), "success")
            self.assertEqual(self.days.points(), {self.made[0], self.made[3]})
            self.assertEqual(image.read(), self.days.records[self.made[0]].read_bytes())
        self.until(lambda: self.days.plan()[self.made[0]] == ["read"])
        self.assertEqual(self.days.prune("two"), "success")
        self.assertEqual(self.days.points(), {self.made[0], self.made[3]})
        self.restart()
        self.assertEqual(self.days.prune("three"), "success")
        self.assertEqual(self.days.points(), {self.made[0], self.made[3]})
        self.restart(later=1)
        self.assertEqual(self.days.prune("four"), "success")
        self.assertEqual(self.days.points(), {self.made[3]})
        self.assertEqual(self.days.differences(), [])

    def expect_nothing_goes(self, name, why):
        directory = self.days.directory()
        before = sorted(directory.rglob("*"))
        self.assertEqual(self.days.prune(name), "error")
        self.assertIn(why, self.daemon.json(f"jobs/{name}/status.json")["message"])
        self.assertIn(why, "".join(self.daemon.json("machines/m/status.json")["warnings"]))
        self.assertEqual(sorted(directory.rglob("*")), before)
        self.assertEqual(self.days.points(), set(self.made))

    def test_nothing_goes_where_the_repository_differs_from_the_catalog(self):
        self.follow(keep_last=1)
        marker, away = self.repository / "holdfast.json", self.folder / "away"
        os.rename(marker, away)
        self.expect_nothing_goes("no-marker", "no holdfast.json")
        self.refused("EIO", self.remove, self.made[0])
        os.rename(away, marker)

        point = self.days.directory() / self.made[1]
        os.rename(point, away)
        self.expect_nothing_goes("missing", "but the catalog lists it")
        os.rename(away, point)

        shutil.copytree(point, self.days.directory() / "2020-01-01T00-00-00Z")
        self.expect_nothing_goes("unknown", "that the catalog doesn't know")
        self.refused("EIO", self.remove, self.made[0])
        shutil.rmtree(self.days.directory() / "2020-01-01T00-00-00Z")

        self.daemon.stop()
        os.rename(self.repository, away)
        self.daemon.start()
        self.assertEqual(self.days.prune("no-directory"), "error")
        os.rename(away, self.repository)
        self.assertEqual(self.days.prune("in-order"), "success")
        self.assertEqual(self.daemon.json("machines/m/status.json")["warnings"], [])
        self.assertEqual(self.days.points(), {self.made[3]})
        self.assertEqual(self.days.differences(), [])


class Retired(Kept):
    def test_a_retired_machine_runs_no_more_and_its_points_go_after_its_time(self):
        made = [self.days.day() for _ in range(3)]
        self.daemon.write(f"machines/m/points/{made[1]}/control", "pin")
        self.daemon.write("machines/m/control", "retire")
        status = self.daemon.json("machines/m/status.json")
        self.assertEqual(status["state"], "retired")
        self.assertEqual(set(map(tuple, self.days.plan().values())), {("retired",), ("pinned", "retired")})
        self.refused("EINVAL", self.daemon.write, "flows/f/control", "run")
        self.assertIn("'m' is retired", self.daemon.read("flows/f/error"))
        self.refused("EINVAL", self.daemon.write, "machines/m/control", "backup repository=r")
        self.refused("EINVAL", self.daemon.write, "repositories/r/control", f"import file={self.days.image(made[0])} machine=m")
        self.assertIn("'m' is retired", self.daemon.read("repositories/r/error"))
        self.daemon.write("machines/m/control", "unretire")
        self.refused("EINVAL", self.daemon.write, "machines/m/control", "unretire")
        made.append(self.days.day())

        self.daemon.write("machines/m/control", "retire keep=0s")
        self.days.settle()
        self.assertEqual(self.days.points(), {made[1]})
        self.assertEqual(self.days.differences(), [])
        self.daemon.write(f"machines/m/points/{made[1]}/control", "unpin")
        self.assertEqual(self.days.prune("last"), "success")
        self.assertEqual(self.days.points(), set())
        self.assertEqual(list(self.repository.glob("*/*")), list(self.repository.glob("definitions/*")))
        os.rmdir(self.daemon.mount / "flows/f")
        os.rmdir(self.daemon.mount / "machines/m")

    def test_a_machine_goes_at_once_by_the_commands_that_its_refusals_name(self):
        made = [self.days.day() for _ in range(3)]
        self.daemon.write(f"machines/m/points/{made[1]}/control", "pin")
        self.path(made[0]).joinpath("disk-0.raw").read_bytes()
        self.until(lambda: self.days.plan()[made[0]][-1] == "read")
        steps = []
        while (self.daemon.mount / "machines/m").exists():
            self.assertLess(len(steps), 10, steps)
            try:
                os.rmdir(self.daemon.mount / "machines/m")
            except OSError as refused:
                self.assertEqual(refused.errno, errno.EBUSY)
                sentence = self.daemon.read("error").split("; next: ")[1]
                steps.append(re.search(r"(rmdir|echo|cat) [^\n;]*", sentence).group())
                subprocess.run(["bash", "-ec", steps[-1]], cwd=self.daemon.mount, check=True, stdout=subprocess.DEVNULL)
        # The retirement begins a pruning of its own, which may have ended before it can be waited for.
        commands = [step for step in steps if not step.startswith("cat jobs/")]
        unpin = f"echo unpin > machines/m/points/{made[1]}/control"
        expected = ["rmdir flows/f", "echo 'retire keep=0s' > machines/m/control", unpin, "echo prune > machines/m/control"]
        self.assertEqual(commands, expected)
        self.assertEqual(list(self.repository.glob("*/*")), list(self.repository.glob("definitions/*")))

    def test_a_retirement_with_a_span_spares_what_was_just_read_and_rmdir_does_not(self):
        made = [self.days.day() for _ in range(2)]
        self.path(made[0]).joinpath("disk-0.raw").read_bytes()
        self.until(lambda: self.days.plan()[made[0]][-1] == "read")
        os.rmdir(self.daemon.mount / "flows/f")
        self.daemon.write("machines/m/control", "retire keep=1s")
        self.until(lambda: "retired" not in self.days.plan()[made[0]])
        self.assertEqual(self.days.prune("now"), "success")
        self.days.settle()
        self.assertEqual(self.days.points(), {made[0]})
        self.refused("EBUSY", os.rmdir, self.daemon.mount / "machines/m")
        self.assertIn(f"next: rmdir machines/m/points/{made[0]}", self.daemon.read("error"))
        os.rmdir(self.path(made[0]))

    def test_a_span_beyond_the_limit_is_refused_and_nothing_goes(self):
        made = [self.days.day(), self.days.day()]
        for span in ("36501d", "106751991168d", "9223372036854775807s"):
            self.refused("EINVAL", self.daemon.write, "machines/m/control", f"retire keep={span}")
            self.assertIn("the longest is 36500d", self.daemon.read("machines/m/error"))
        self.assertEqual(self.daemon.json("machines/m/status.json")["state"], "ready")
        self.daemon.write("machines/m/control", "retire keep=36500d")
        self.days.settle()
        self.assertEqual(self.days.points(), set(made))

    def test_a_pruning_prevented_by_a_drain_runs_after_the_next_start(self):
        gone, *_ = [self.days.day() for _ in range(3)]
        self.daemon.write("control", "drain name=d")
        self.assertEqual(self.daemon.read("jobs/d/wait"), "success\n")
        os.rmdir(self.path(gone))
        before = content.bytes_on_disk(self.days.directory() / gone)
        self.assertTrue((self.days.directory() / gone / "manifest.json").exists(), "no pruning while it drains")
        self.daemon.stop()
        self.daemon.start()
        self.until(lambda: (self.days.directory() / gone / "retired.json").exists())
        self.days.settle()
        self.assertLess(content.bytes_on_disk(self.days.directory() / gone), before)
        self.expect_same()
        # A further start finds nothing to prune.
        self.daemon.stop()
        seen = len(self.days.jobs()) if (self.daemon.mount / "jobs").exists() else None
        self.daemon.start()
        self.assertIsNone(seen)
        self.assertEqual(len(self.days.jobs()), 1)

    def test_a_retired_machine_of_a_group_is_skipped(self):
        self.add_file_machine("n")
        self.daemon.define("groups/g", {})
        for name in ("m", "n"):
            os.symlink(f"../../../machines/{name}", self.daemon.mount / "groups/g/members" / name)
        self.daemon.define("flows/all", {"target": "groups/g", "repository": "r"})
        self.daemon.write("machines/m/control", "retire keep=1d")
        self.assertEqual(self.daemon.run("all", "one"), "success")
        self.assertEqual((self.daemon.points("m"), len(self.daemon.points("n"))), ([], 1))
        self.refused("EINVAL", self.daemon.write, "flows/all/control", "run machines=m")


if __name__ == "__main__":
    holdfast.main()
