#!/usr/bin/python3
"""Pruning of copies: a copy follows the policy of the flow that carried the copy, and a point that loses its own files
lives on in its copy.

HOLDFAST_REPLICATION_KILLS sets how often a pruning is killed, HOLDFAST_SEED repeats a run."""

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import subprocess
import threading

import content
import holdfast
from carried import Replication
from days import set_back

KILLS = int(os.environ.get("HOLDFAST_REPLICATION_KILLS", 3))
DEEPEST = 64


class Policies(Replication):
    def set_policy(self, flow, **rules):
        if os.path.exists(self.daemon.mount / f"policies/{flow}"):
            self.daemon.write(f"policies/{flow}/config.json", json.dumps(rules))
            return
        self.daemon.define(f"policies/{flow}", rules)
        self.daemon.write(f"flows/{flow}/control", f"set policy={flow}")

    def manifest(self, point):
        return self.daemon.json(f"machines/m/points/{point}/manifest.json")

    def place(self, point):
        """Returns the point's repository and the repositories of its copies."""
        manifest = self.manifest(point)
        return manifest["repository"], manifest["copies"]

    def whole(self, point, name):
        """Whether the point's image in the repository is sound and equals its record, by QEMU's judgement."""
        repository = {"r": self.repository, "offsite": self.offsite}[name]
        image = self.point(point, repository) / "disk-0.qcow2"
        return content.sound(image) and content.same_disk(image, self.days.records[point])

    def expect_whole(self, *points):
        """Expects each point to be whole at every place that its manifest names."""
        for point in points:
            repository, copies = self.place(point)
            for name in (repository, *copies):
                self.assertTrue(self.whole(point, name), (point, name))

    def points_in(self, repository):
        """Names of the points whose manifests lie in the repository."""
        return {path.parent.name for path in repository.glob("*/*/manifest.json")}

    def expect_counted(self):
        """Expects the status of both repositories to count the points that lie there."""
        for name, directory in (("r", self.repository), ("offsite", self.offsite)):
            status = self.daemon.json(f"repositories/{name}/status.json")
            self.assertEqual(status["points"], len(self.points_in(directory)), name)

    def expect_verified(self, name):
        for repository in ("r", "offsite"):
            self.daemon.write(f"repositories/{repository}/control", f"verify level=checksums name={name}-{repository}")
            job = f"jobs/{name}-{repository}"
            self.assertEqual(self.daemon.read(f"{job}/wait").strip(), "success", self.daemon.json(f"{job}/status.json"))


class Kept(Policies):
    def test_copies_go_by_the_policy_of_the_flow_that_carried_them(self):
        made = [self.days.day() for _ in range(4)]
        self.set_policy("copy", keep_last=2)
        self.assertEqual(self.copy("first")["metadata"]["points"], made[2:], "others would only go again")
        made.append(self.days.day())
        self.assertEqual(self.copy("second")["metadata"]["points"], made[4:])
        self.days.settle()
        self.assertEqual([self.copies(point) for point in made], [[], [], [], ["offsite"], ["offsite"]])
        self.assertEqual(self.points_in(self.offsite), set(made[3:]))
        (told,) = self.events("copy.prune")
        self.assertEqual((told["object"], told["reason"]), (f"machines/m/points/{made[2]}", "repositories/offsite: policies/copy"))
        self.assertEqual(self.copy("third")["bytes_transferred"], 0, "what has gone doesn't come back")
        self.assertEqual(self.days.points(), set(made))
        self.expect_whole(*made)
        self.expect_counted()
        self.expect_verified("after")

        self.daemon.write("machines/m/points/" + made[0] + "/control", "pin")
        self.set_policy("copy", keep_last=4)
        self.assertEqual(set(self.copy("fourth")["metadata"]["points"]) & set(made), {made[0], made[1]})
        self.expect_whole(*made)

    def test_a_point_whose_own_files_go_lives_on_in_its_copy(self):
        made = [self.days.day() for _ in range(4)]
        self.copy("first")
        self.daemon.write(f"machines/m/points/{made[1]}/control", "verdict by=ann result=good")
        before = {point: self.manifest(point) for point in made}
        self.set_policy("f", keep_last=1)
        self.assertEqual(self.days.plan()[made[0]], ["copied"])
        (plan, *_) = self.daemon.json("machines/m/plan.json")["points"]
        self.assertEqual([(copy["repository"], copy["why"]) for copy in plan["copies"]], [("offsite", ["no_policy"])])
        self.assertEqual(self.days.prune("first"), "success")
        # The verdict keeps made[1] in its repository, and the newest point stays in any case.
        places = [self.place(point) for point in made]
        self.assertEqual(places, [("offsite", []), ("r", ["offsite"]), ("offsite", []), ("r", ["offsite"])])
        self.assertEqual(self.points_in(self.repository), {made[1], made[3]})
        self.assertEqual(self.daemon.json("jobs/first/status.json")["metadata"]["copies"], [made[0], made[2]])
        self.assertEqual(self.days.points(), set(made))
        for point in made:
            after = self.manifest(point)
            for field in ("id", "time", "flow", "execution", "verdicts"):
                self.assertEqual(after[field], before[point][field])
        self.assertEqual(self.manifest(made[2])["parent"], made[1])
        self.expect_whole(*made)
        self.expect_counted()
        self.expect_verified("after")

        later = self.days.day()
        self.assertEqual(self.manifest(later)["kind"], "incremental")
        self.assertEqual(self.copy("second")["bytes_transferred"], self.size(later))
        self.days.settle()
        self.expect_whole(*made, later)
        self.expect_reads()

    def test_a_point_leaves_its_repository_only_while_its_copy_is_seen(self):
        made = [self.days.day() for _ in range(3)]
        self.copy("first")
        away = self.take_away(self.offsite)
        self.set_policy("f", keep_last=1)
        self.assertEqual(self.days.prune("blind"), "warning")
        self.assertIn("none of its other places can be checked now", self.daemon.json("jobs/blind/status.json")["message"])
        self.assertEqual(self.points_in(self.repository), set(made))
        for path in away.iterdir():
            path.rename(self.offsite / path.name)
        # A copy without its image does not count as a copy.
        image = self.point(made[0]) / "disk-0.qcow2"
        image.rename(self.folder / "aside")
        self.assertEqual(self.days.prune("lost"), "warning")
        self.assertEqual(self.points_in(self.repository), set(made))
        (self.folder / "aside").rename(image)
        self.assertEqual(self.days.prune("seen"), "success")
        self.assertEqual(self.points_in(self.repository), {made[2]})
        self.expect_whole(*made)
        self.expect_reads()

    def test_policies_on_both_sides_remove_points_from_the_first_repository_and_then_from_the_second(self):
        self.set_policy("f", keep_last=2)
        self.set_policy("copy", keep_last=4)
        for day in range(9):
            self.days.day()
            self.copy(f"copy-{day}")
            self.days.settle()
        made = list(self.days.records)
        self.assertEqual(self.days.points(), set(made[-4:]))
        self.assertEqual([self.place(point) for point in made[-4:]], [("offsite", [])] * 2 + [("r", ["offsite"])] * 2)
        self.expect_whole(*made[-4:])
        self.expect_counted()
        self.expect_verified("after")

        self.daemon.write("machines/m/control", "retire keep=0s")
        self.until(lambda: not self.days.points())
        self.days.settle()
        for repository in (self.repository, self.offsite):
            self.assertEqual(list(repository.rglob("*.qcow2")), [])
        self.expect_counted()

    def test_the_chain_of_the_copies_grows_no_deeper_than_the_chain_of_the_points(self):
        self.set_policy("copy", keep_last=3)
        for day in range(DEEPEST + 6):
            self.days.day(1)
            self.copy(f"copy-{day}")
        self.days.settle()
        newest = self.point(list(self.days.records)[-1]) / "disk-0.qcow2"
        said = subprocess.check_output(["qemu-img", "info", "--backing-chain", "-f", "qcow2", newest], text=True)
        self.assertLessEqual(said.count("image: "), DEEPEST)
        self.assertLess(len(list(self.offsite.rglob("*.qcow2"))), DEEPEST)
        self.expect_whole(*list(self.days.records)[-3:])
        self.expect_verified("after")
        for point in list(self.days.records)[-3:]:
            self.until(lambda point=point: self.says_which_image(point))

    def says_which_image(self, point):
        """Whether the facts beside the copy name the image that lies there, with the checksums of that name."""
        manifest = json.loads((self.point(point) / "manifest.json").read_text())
        (named,) = (self.facts(point) or {}).get("images") or manifest["disks"]
        return (self.point(point) / f"{named['image_id']}.sums").exists()

    def test_a_removed_point_goes_with_its_copies(self):
        made = [self.days.day() for _ in range(3)]
        self.copy("first")
        with self.assertRaises(OSError) as refused:
            os.rmdir(self.daemon.mount / f"machines/m/points/{made[2]}")
        self.assertEqual(refused.exception.errno, errno.EBUSY)
        os.rmdir(self.daemon.mount / f"machines/m/points/{made[1]}")
        self.days.settle()
        self.assertEqual(self.days.points(), {made[0], made[2]})
        for repository in (self.repository, self.offsite):
            self.assertEqual(self.points_in(repository), {made[0], made[2]})
        self.assertEqual(self.copy("second")["bytes_transferred"], 0)
        self.expect_whole(made[0], made[2])
        self.expect_counted()

    def test_points_on_branches_stay_whole_when_their_common_base_goes(self):
        first = self.days.day(12)
        self.copy("first")
        self.set_policy("copy", keep_last=1)
        self.daemon.write(f"machines/m/points/{first}/control", "pin")
        second, third = self.days.day(6), self.days.day(6)
        self.assertEqual(self.copy("second")["metadata"]["points"], [third])
        self.set_policy("copy", keep_last=3)
        self.assertEqual(self.copy("third")["metadata"]["points"], [second])
        self.daemon.write(f"machines/m/points/{first}/control", "unpin")
        self.set_policy("copy", keep_last=2)
        self.assertEqual(self.days.prune("first"), "success")
        self.assertEqual([self.copies(point) for point in (first, second, third)], [[], ["offsite"], ["offsite"]])
        self.assertFalse((self.point(first) / "manifest.json").exists())
        self.expect_whole(first, second, third)
        self.expect_verified("after")
        seen = set(os.listdir(self.daemon.mount / "jobs"))
        self.assertEqual(self.days.prune("second"), "success")
        self.assertEqual(self.days.new_jobs(seen)["second"]["metadata"]["bytes_freed"], 0)

    def damage(self, point, repository):
        image = self.point(point, repository) / "disk-0.qcow2"
        content.flip_bit(image, image.stat().st_size // 2)

    def verify(self, name, expected):
        self.daemon.write(f"repositories/{name}/control", f"verify level=checksums name=check-{name}")
        self.assertEqual(self.daemon.read(f"jobs/check-{name}/wait").strip(), expected)

    def expect_stays_where_it_is_whole(self, damaged, repository, flow):
        """Damages one place of the oldest point. The flow's policy lets the other place go; the whole place must
        stay."""
        made = [self.days.day(3, "type=full") for _ in range(3)]
        self.copy("first")
        self.damage(made[0], repository)
        self.verify(damaged, "error")
        self.daemon.write(f"repositories/{damaged}/control", "verify level=quick name=quick")
        self.assertEqual(self.daemon.read("jobs/quick/wait").strip(), "success", "it looks at no data")
        self.set_policy(flow, keep_last=1)
        self.assertEqual(self.days.prune("first"), "success")
        self.assertEqual(self.place(made[0]), ("r", ["offsite"]))
        self.assertTrue(self.whole(made[0], "r" if damaged == "offsite" else "offsite"))
        self.assertEqual(self.place(made[1]), (damaged, []))

    def test_a_point_with_a_damaged_copy_keeps_its_own_files(self):
        self.expect_stays_where_it_is_whole("offsite", self.offsite, "f")

    def test_a_damaged_point_keeps_its_copy(self):
        self.expect_stays_where_it_is_whole("r", self.repository, "copy")

    def expect_is_read_before_the_other_goes(self, rotten, repository, flow):
        """Flips one bit in one place of the oldest point; nothing has verified it since. The flow's policy lets the
        other, good place go, which must stay (law 12)."""
        made = [self.days.day(3, "type=full") for _ in range(3)]
        self.copy("first")
        self.damage(made[0], repository)
        self.set_policy(flow, keep_last=1)
        self.assertEqual(self.days.prune("first"), "warning")
        good = {"offsite": "r", "r": "offsite"}[rotten]
        self.assertTrue(self.whole(made[0], good))
        self.assertEqual(self.place(made[0]), ("r", ["offsite"]))
        self.assertEqual(self.restored(made[0]), self.days.records[made[0]].read_bytes())
        message = self.daemon.json("jobs/first/status.json")["message"]
        for words in (f"point {made[0]} stays in repository '{good}'", f"{made[0]}/disk-0.qcow2", "checksum"):
            self.assertIn(words, message)
        self.assertEqual(self.place(made[1]), (rotten, []), "its other place was whole")
        (found,) = [event for event in self.events("point.verify") if event["result"] == "error"]
        self.assertEqual(found["object"], f"machines/m/points/{made[0]}")
        self.assertIn("disk-0.qcow2", found["reason"])
        (warning,) = [one for one in self.daemon.json("machines/m/status.json")["warnings"] if "damaged, by" in one]
        self.assertIn(warning, [one["message"] for one in self.daemon.json("status.json")["warnings"]])

    def test_a_good_original_stays_when_one_bit_of_its_copy_is_flipped(self):
        self.expect_is_read_before_the_other_goes("offsite", self.offsite, "f")

    def test_a_good_copy_stays_when_one_bit_of_its_original_is_flipped(self):
        self.expect_is_read_before_the_other_goes("r", self.repository, "copy")

    def test_a_layer_that_several_removals_rely_on_is_read_once(self):
        self.days.day(12)
        for _ in range(3):
            self.days.day(1)
        made = list(self.days.records)
        self.copy("first")
        stored = [path.stat().st_size for point in made[:3] for path in self.stored(self.point(point)) if path.suffix == ".qcow2"]
        self.set_policy("f", keep_last=1)
        self.assertEqual(self.days.prune("first"), "success")
        self.assertEqual([self.place(point) for point in made[:3]], [("offsite", [])] * 3)
        self.assertEqual(self.daemon.json("jobs/first/status.json")["progress"]["done"], sum(stored))

    def points_verified(self, path, name, expected):
        self.daemon.write(f"{path}/control", f"verify level=checksums name={name}")
        self.assertEqual(self.daemon.read(f"jobs/{name}/wait").strip(), expected, self.daemon.json(f"jobs/{name}/status.json"))
        return self.daemon.json(f"jobs/{name}/status.json")

    def test_a_verification_of_a_machine_or_a_point_reads_the_copies_too(self):
        made = [self.days.day(3, "type=full") for _ in range(2)]
        self.copy("first")
        self.damage(made[1], self.offsite)
        for number, path in enumerate(("machines/m", f"machines/m/points/{made[1]}")):
            job = self.points_verified(path, f"check-{number}", "error")
            (damage,) = job["metadata"]["damage"]
            self.assertEqual(damage["point"], f"machines/m/points/{made[1]}")
            self.assertIn("copy in repositories/offsite", damage["what"])
            self.assertEqual(self.manifest(made[1])["verified"]["result"], "good", "the point itself is whole")
            self.assertIn("1 of its copies is damaged, by the last verification", self.daemon.json("machines/m/status.json")["warnings"])
        self.points_verified(f"machines/m/points/{made[0]}", "other", "success")

    def test_a_verification_of_a_machine_goes_on_while_the_repository_of_its_copies_is_away(self):
        made = [self.days.day(3, "type=full") for _ in range(2)]
        self.copy("first")
        self.take_away(self.offsite)
        job = self.points_verified("machines/m", "check", "warning")
        self.assertIn(str(self.offsite), job["message"])
        self.assertEqual(job["metadata"]["points"], 2)
        self.assertEqual([self.manifest(point)["verified"]["result"] for point in made], ["good", "good"])
        self.assertEqual(self.daemon.json("machines/m/status.json")["warnings"], [], "an absent copy is no damaged one")

    def test_a_damaged_copy_is_made_anew_by_the_next_replication(self):
        made = [self.days.day(3) for _ in range(4)]
        self.copy("first")
        self.damage(made[1], self.offsite)
        self.points_verified(f"machines/m/points/{made[2]}", "check", "error")
        job = self.copy("second")
        # made[3] rests on the damaged layer, too.
        self.assertEqual((job["metadata"]["anew"], job["metadata"]["points"]), (made[1:], made[1:]))
        self.assertEqual([event["reason"] for event in self.events("copy.prune")], ["repositories/offsite: damaged"] * 3)
        log = self.daemon.read("flows/copy/executions/second/log")
        for point in made[1:]:
            self.assertIn(f"the copy of point {point} is damaged and is made anew", log)
        self.expect_whole(*made)
        self.expect_counted()
        self.assertEqual(self.daemon.json("machines/m/status.json")["warnings"], [])
        self.assertEqual(self.daemon.json("machines/m/status.json")["warnings"], [])
        self.expect_verified("after")
        self.assertEqual(self.copy("third")["bytes_transferred"], 0)

    def test_a_damaged_copy_stays_while_its_point_is_not_whole_either(self):
        made = [self.days.day(3, "type=full") for _ in range(2)]
        self.copy("first")
        for repository in (self.repository, self.offsite):
            self.damage(made[0], repository)
        self.points_verified("machines/m", "check", "error")
        job = self.copy("second", "error")
        (failure,) = job["metadata"]["failures"]
        self.assertIn(f"the copy of point {made[0]} in repository 'offsite' is damaged", failure)
        self.assertEqual((job["metadata"]["anew"], self.copies(made[0])), ([], ["offsite"]))
        self.expect_whole(made[1])

    def test_no_layer_is_carried_onto_a_damaged_copy(self):
        first = self.days.day(3)
        self.copy("first")
        self.damage(first, self.offsite)
        self.verify("offsite", "error")
        second = self.days.day()
        self.copy("second")
        self.assertEqual(self.copies(second), ["offsite"])
        self.assertTrue(self.whole(second, "offsite"))

    def test_a_point_removed_during_its_replication_leaves_nothing_in_the_target(self):
        first, second = self.days.day(20), self.days.day()
        settings = {"path": str(self.offsite)}
        self.daemon.write("repositories/offsite/config.json", json.dumps(settings | {"bandwidth": "200K"}))
        self.daemon.write("flows/copy/control", "run name=first")
        image = self.point(first).with_name(f"{first}.partial") / "disk-0.qcow2"
        self.until(lambda: image.exists() and image.stat().st_size > 0)
        os.rmdir(self.daemon.mount / f"machines/m/points/{first}")
        self.daemon.write("repositories/offsite/config.json", json.dumps(settings))
        self.assertEqual(self.daemon.read("flows/copy/executions/first/wait").strip(), "success")
        self.days.settle()
        self.assertEqual({path.parent.name for path in self.offsite.rglob("*.qcow2")}, {second})
        self.expect_whole(second)

    def test_a_point_whose_copy_is_the_last_good_one_can_not_be_removed(self):
        good, bad = self.days.day(3, "type=full"), self.days.day(3, "type=full")
        self.copy("first")
        self.daemon.write(f"machines/m/points/{bad}/control", "verdict by=ann result=bad")
        self.damage(good, self.repository)
        self.verify("r", "error")
        with self.assertRaises(OSError) as refused:
            os.rmdir(self.daemon.mount / f"machines/m/points/{good}")
        self.assertEqual(refused.exception.errno, errno.EBUSY)
        self.assertIn("last good point", self.daemon.read("machines/m/error"))

    def test_points_removed_in_any_order_leave_no_file_and_no_row(self):
        first, second = self.days.day(), self.days.day()
        self.set_policy("copy", keep_last=1)
        self.assertEqual(self.copy("first")["metadata"]["points"], [second])
        self.daemon.write("machines/m/control", "retire keep=30d")
        for point in (first, second):
            os.rmdir(self.daemon.mount / f"machines/m/points/{point}")
        self.days.settle()
        for path in ("flows/copy", "flows/f", "policies/copy", "machines/m", "repositories/r", "repositories/offsite"):
            os.rmdir(self.daemon.mount / path)
        for repository in (self.repository, self.offsite):
            self.assertEqual(list(repository.rglob("*.qcow2")), [])
        with contextlib.closing(sqlite3.connect(self.daemon.state / "catalog.sqlite")) as catalog:
            for table in ("points", "copies", "layers", "chains"):
                self.assertEqual(catalog.execute(f"SELECT count(*) FROM {table}").fetchone(), (0,), table)

    def facts(self, point, repository=None):
        path = self.point(point, repository) / "facts.json"
        return json.loads(path.read_text()) if path.exists() else None

    def test_facts_of_a_point_are_written_beside_its_copies(self):
        made = [self.days.day() for _ in range(3)]
        self.copy("first")
        self.daemon.write(f"machines/m/points/{made[1]}/control", "verdict by=ann result=bad")
        # The writer serves offsite before r, and made[0] before made[1]: no write beside made[0] is pending
        # afterwards.
        for repository in (self.offsite, self.repository):
            self.until(lambda at=repository: self.facts(made[1], at) and self.facts(made[1], at)["verdicts"])
        self.set_policy("f", keep_last=1)
        self.until(lambda: self.days.plan()[made[0]] == ["copied"])
        self.assertEqual(self.days.prune("first"), "success")
        self.assertEqual(self.place(made[0]), ("offsite", []))
        self.until(lambda: self.facts(made[0]) and self.facts(made[0])["verified"])
        self.assertFalse((self.point(made[0], self.repository) / "facts.json").exists())

    def test_a_partial_copy_of_another_flow_is_left_alone_and_goes_with_that_flow(self):
        made = [self.days.day(20), self.days.day(2)]
        self.daemon.write("flows/copy/control", "run name=killed bandwidth=100K")
        partial = self.point(made[0]).with_name(f"{made[0]}.partial")
        self.until(lambda: (partial / "disk-0.qcow2").exists())
        self.daemon.kill()
        self.daemon.start()
        self.daemon.define("policies/last", {"keep_last": 1})
        self.daemon.define("flows/other", self.replication(policy="last"))
        self.assertEqual(self.daemon.run("other", "first"), "success")
        self.assertEqual([self.copies(point) for point in made], [[], ["offsite"]])
        self.assertTrue(partial.exists())
        os.rmdir(self.daemon.mount / "flows/copy")
        self.assertEqual(self.days.prune("first"), "success")
        self.assertFalse(partial.exists())
        self.expect_whole(*made)

    def test_a_changed_record_fails_the_comparison(self):
        point = self.days.day()
        self.copy("first")
        self.assertTrue(self.whole(point, "offsite"))
        content.flip_bit(self.days.records[point], self.days.capacity // 3)
        self.assertFalse(self.whole(point, "offsite"))


class Killed(Policies):
    def save(self, to):
        self.daemon.stop()
        for name in ("state", self.repository.name, self.offsite.name):
            subprocess.run(["cp", "-a", "--sparse=always", self.folder / name, to / name], check=True)

    def load(self, saved):
        for name in ("state", self.repository.name, self.offsite.name):
            shutil.rmtree(self.folder / name)
            subprocess.run(["cp", "-a", "--sparse=always", saved / name, self.folder / name], check=True)

    def test_a_pruning_killed_at_any_instant_leaves_each_point_whole_at_its_places(self):
        made = [self.days.day(6) for _ in range(12)]
        self.copy("first")
        self.set_policy("f", keep_last=3)
        self.set_policy("copy", keep_last=5)
        set_back(self.daemon, 1)
        saved = self.folder / "saved"
        saved.mkdir()
        self.save(saved)
        for kill in range(KILLS):
            with self.subTest(kill=kill):
                self.load(saved)
                self.daemon.start()
                self.daemon.write("machines/m/control", "prune name=killed")
                threading.Event().wait(self.random.random() / 4)
                self.daemon.kill()
                self.daemon.start()
                self.expect_whole(*self.days.points())
                self.assertEqual(self.days.prune("after"), "success")
                self.assertEqual(self.days.points(), set(made[-5:]))
                self.assertEqual([self.place(one) for one in made[-5:]], [("offsite", [])] * 2 + [("r", ["offsite"])] * 3)
                self.expect_whole(*made[-5:])
                self.expect_counted()
                self.expect_verified("after")
                self.daemon.stop()
        self.daemon.start()


if __name__ == "__main__":
    holdfast.main()
