#!/usr/bin/python3
"""Copies go by the policy of the flow that carried them, and a point whose own files go stays as its copy.

HOLDFAST_REPLICATION_KILLS says how often a pruning is killed, HOLDFAST_SEED repeats a run."""

import errno
import json
import os
import shutil
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
        """Where the point lies, and where its copies do."""
        manifest = self.manifest(point)
        return manifest["repository"], manifest["copies"]

    def whole(self, point, name):
        """By QEMU's judgement, where it lies there."""
        repository = {"r": self.repository, "offsite": self.offsite}[name]
        image = self.point(point, repository) / "disk-0.qcow2"
        return content.sound(image) and content.same_disk(image, self.days.records[point])

    def expect_whole(self, *points):
        """Each of these points everywhere that it is said to be."""
        for point in points:
            repository, copies = self.place(point)
            for name in (repository, *copies):
                self.assertTrue(self.whole(point, name), (point, name))

    def points_in(self, repository):
        """Those that say so themselves."""
        return {path.parent.name for path in repository.glob("*/*/manifest.json")}

    def expect_counted(self):
        """What repositories say of themselves is what lies in them."""
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

    def test_a_point_whose_own_files_go_stays_as_its_copy(self):
        made = [self.days.day() for _ in range(4)]
        self.copy("first")
        self.daemon.write(f"machines/m/points/{made[1]}/control", "verdict by=ann result=good")
        before = {point: self.manifest(point) for point in made}
        self.set_policy("f", keep_last=1)
        self.assertEqual(self.days.plan()[made[0]], ["copied"])
        (plan, *_) = self.daemon.json("machines/m/plan.json")["points"]
        self.assertEqual([(copy["repository"], copy["why"]) for copy in plan["copies"]], [("offsite", ["no_policy"])])
        self.assertEqual(self.days.prune("first"), "success")
        # The one that somebody called good stays where it is, as the newest does.
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

    def test_with_policies_on_both_sides_points_go_from_one_and_then_from_the_other(self):
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

    def test_the_chain_of_the_copies_grows_no_deeper_than_that_of_the_points(self):
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

    def test_a_point_that_is_removed_goes_with_its_copies(self):
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

    def test_a_copy_that_is_not_what_it_was_is_seen(self):
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

    def test_killed_at_any_instant_each_point_is_whole_wherever_it_is_said_to_be(self):
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
