#!/usr/bin/python3
"""`holdfast recover` and `rescan`: what a repository has is enough for Holdfast to begin again.

HOLDFAST_RECOVER_KILLS sets how often a recovery is killed, HOLDFAST_SEED repeats a run."""

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

import content
import holdfast
from holdfast import BINARY
from users import User, unnamed

KILLS = int(os.environ.get("HOLDFAST_RECOVER_KILLS", 5))
MIB = 2**20
KINDS = ("machines", "repositories", "flows", "groups", "schedules", "policies")
# Fields that tell of this catalog's own history, or of its own time.
OWN = {"revision"}


class Recovery(holdfast.MountTest):
    """A house of machines, flows and points in two repositories, to be recovered from these alone."""

    def setUp(self):
        super().setUp()
        self.repository = self.add_repository("r")
        self.offsite = self.add_repository("offsite")
        self.storage = self.add_machine("m")
        self.add_file_machine("n")
        daemon = self.daemon
        daemon.define("policies/p", {"keep_last": 100, "retries": 3, "description": "kept"})
        daemon.define("schedules/s", {"cron": "0 3 * * *", "enabled": True})
        daemon.define("groups/g", {"description": "both"})
        for machine in ("m", "n"):
            os.symlink(f"../../../machines/{machine}", daemon.mount / f"groups/g/members/{machine}")
        daemon.write("groups/g/control", "disable machine=n")
        self.add_flow("f", schedule="s", policy="p")
        daemon.define(
            "flows/copy", {"type": "replication", "target": "machines/m", "from": "r", "repository": "offsite", "after": "f"}
        )
        self.add_flow("second", "n", "offsite", after="copy")
        config = daemon.json("config.json")
        config["keep_executions"] = 123
        daemon.write("config.json", json.dumps(config))
        os.chown(daemon.mount / "machines/m", 1234, 1234)
        os.chmod(daemon.mount / "machines/m", 0o700)
        os.chmod(daemon.mount / "flows", 0o775)
        self.change()

    def change(self):
        self.storage.disks[0].scatter(random.Random(7), 20, [4096, 70000])

    def make_points(self):
        """Fulls and increments of both machines, copies of some, a pin, verdicts and a verification."""
        points, self.records = [], {}
        for number in range(3):
            self.change()
            point, self.records[point] = self.back_up(f"run{number}")
            points.append(point)
            self.await_chain("copy", number + 1)
            self.await_chain("second", number + 1)
        self.daemon.write(f"machines/m/points/{points[0]}/control", "pin why=audit until=2040-01-01T00:00:00Z")
        self.daemon.write(f"machines/m/points/{points[1]}/control", "verdict result=good by=ci text=boots")
        self.daemon.write(f"machines/m/points/{points[2]}/control", "verify name=look")
        self.assertEqual(self.daemon.read("jobs/look/wait").strip(), "success")
        return points

    def await_chain(self, flow, count):
        """Waits for the runs that follow a run of f."""
        self.until(lambda: self.daemon.json(f"flows/{flow}/status.json")["total_executions"] >= count)
        self.daemon.read(f"flows/{flow}/wait")

    def settle(self):
        """Ends the daemon, which first tells its repositories what they lack."""
        self.daemon.read("status.json")
        self.daemon.stop()

    def held(self):
        """Returns all that a recovery must bring back, by path."""
        mount = self.daemon.mount
        held = {"config.json": self.daemon.json("config.json")}
        for kind in KINDS:
            held[kind] = owner(mount / kind)
            for name in sorted(os.listdir(mount / kind)):
                path = f"{kind}/{name}"
                held[path] = (owner(mount / path), self.daemon.json(f"{path}/config.json"))
        held["members"] = {
            name: self.daemon.json(f"groups/g/status.json")["members"] for name in sorted(os.listdir(mount / "groups/g/members"))
        }
        for machine in sorted(os.listdir(mount / "machines")):
            for point in self.daemon.points(machine):
                path = f"machines/{machine}/points/{point}"
                manifest = {key: value for key, value in self.daemon.json(f"{path}/manifest.json").items() if key not in OWN}
                images = {
                    name: hashlib.sha256((mount / path / name).read_bytes()).hexdigest()
                    for name in sorted(os.listdir(mount / path))
                    if name.endswith((".raw", ".qcow2"))
                }
                held[path] = (manifest, images)
            latest = mount / f"machines/{machine}/latest"
            held[f"latest of {machine}"] = os.readlink(latest) if latest.is_symlink() else None
        return held

    def lose(self):
        """The host is gone: what is left is the repositories."""
        shutil.rmtree(self.daemon.state)

    def recover(self, directory, *flags, expected=0):
        command = [BINARY.parent / "holdfast", "recover", directory, "--state", self.daemon.state, *flags]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def assert_same(self, found, expected):
        self.assertEqual(sorted(found), sorted(expected))
        for path, value in expected.items():
            self.assertEqual(found[path], value, path)


def owner(path):
    its = path.stat()
    return (its.st_uid, its.st_gid, its.st_mode & 0o7777)


class Recover(Recovery):
    def test_two_repositories_bring_back_all_and_the_next_run_is_an_increment(self):
        points = self.make_points()
        before = self.held()
        self.settle()
        for order in ((self.repository, self.offsite), (self.offsite, self.repository)):
            with self.subTest(first=order[0].name):
                self.lose()
                for directory in order:
                    self.recover(directory)
                self.daemon.start()
                self.assert_same(self.held(), before)
                self.assertEqual(self.daemon.json("status.json")["totals"]["points"], 9)
                self.daemon.stop()
        self.daemon.start()
        self.change()
        self.daemon.write("control", "resume")
        point, record = self.back_up("after")
        self.assertEqual(self.daemon.json(f"machines/m/points/{point}/manifest.json")["kind"], "incremental")
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", record))
        self.assertEqual(self.daemon.json(f"machines/m/points/{point}/manifest.json")["parent"], points[-1])

    def test_one_repository_brings_back_all_that_it_has(self):
        self.make_points()
        before = self.held()
        self.settle()
        self.lose()
        self.recover(self.repository)
        self.daemon.start()
        found = self.held()
        for path, value in before.items():
            if "points" not in path and not path.startswith("latest"):
                self.assertEqual(found[path], value, path)
        for point in self.daemon.points("m"):
            path = f"machines/m/points/{point}"
            self.assertEqual(found[path][1], before[path][1])
            self.assertEqual({**before[path][0], "copies": []}, found[path][0])
        self.assertEqual(self.daemon.points("n"), [])

    def test_a_changed_record_fails_the_comparison(self):
        self.make_points()
        before = self.held()
        before["flows/f"][1]["policy"] = "another"
        with self.assertRaises(AssertionError):
            self.assert_same(self.held(), before)

    def test_nothing_starts_by_itself_before_a_person_has_confirmed(self):
        self.daemon.write("schedules/s/config.json", json.dumps({"every": "1s"}))
        self.daemon.define("flows/never", {"type": "backup", "target": "machines/n", "repository": "r", "schedule": "s"})
        self.until(lambda: self.daemon.json("flows/never/status.json")["total_executions"] > 0)
        self.settle()
        self.lose()
        self.recover(self.repository)
        self.daemon.start()
        warning = [one for one in self.daemon.json("status.json")["warnings"] if one["reason"] == "recovered"]
        self.assertIn("resume", warning[0]["fix"])
        self.assertEqual(self.daemon.run("never", "by-hand"), "success")  # a person may run what he wants
        self.assertEqual(self.daemon.json("flows/never/status.json")["total_executions"], 1)
        self.daemon.write("control", "resume")
        self.until(lambda: self.daemon.json("flows/never/status.json")["total_executions"] > 1)
        self.assertEqual([one for one in self.daemon.json("status.json")["warnings"] if one["reason"] == "recovered"], [])

    def test_a_plan_tells_and_changes_nothing(self):
        self.make_points()
        self.settle()
        self.lose()
        stored = listing(self.repository)
        said = self.recover(self.repository, "--plan")
        self.assertIn("+ machines/m", said)
        self.assertIn("would be added", said)
        self.assertFalse(self.daemon.state.exists())
        self.assertEqual(listing(self.repository), stored)
        plan = json.loads(self.recover(self.repository, "--plan", "--json"))
        self.assertEqual((plan["points"], plan["copies"], plan["plan"]), (3, 0, True))
        self.recover(self.repository)
        again = json.loads(self.recover(self.repository, "--plan", "--json"))
        self.assertEqual((again["points"], again["known"], again["objects"]), (0, 3, []))

    def test_a_recovery_that_is_killed_is_continued_by_the_next(self):
        rng = random.Random(self.seed())
        self.make_points()
        before = self.held()
        self.settle()
        self.lose()
        begun = time.monotonic()
        self.recover(self.repository)
        whole = time.monotonic() - begun
        for _ in range(KILLS):
            self.lose()
            for directory in (self.repository, self.offsite):
                command = [BINARY.parent / "holdfast", "recover", directory, "--state", self.daemon.state]
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    process.wait(rng.uniform(0, 1.2) * whole)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
            for directory in (self.repository, self.offsite):
                self.recover(directory)
        self.daemon.start()
        self.assert_same(self.held(), before)

    def test_what_can_not_be_used_is_told_file_by_file(self):
        points = self.make_points()
        self.settle()
        self.lose()
        machine = next(path for path in self.repository.iterdir() if path.name.startswith("m-"))
        (machine / points[2] / "manifest.json").write_text("{")
        (self.repository / "definitions/policies/p.json").write_text("[]")
        said = self.recover(self.repository, expected=1)
        self.assertIn(f"{machine.name}/{points[2]}", said)
        self.assertIn("definitions/policies/p.json", said)
        self.daemon.start()
        self.assertEqual(self.daemon.points("m"), points[:2])

    def test_another_point_of_the_same_name_is_no_copy(self):
        points = self.make_points()
        self.settle()
        self.lose()
        machine = next(path for path in self.offsite.iterdir() if path.name.startswith("m-"))
        manifest = machine / points[1] / "manifest.json"
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "point_id": 5}))
        self.recover(self.repository)
        self.assertIn("another point of that name", self.recover(self.offsite, expected=1))
        self.daemon.start()
        copies = [self.daemon.json(f"machines/m/points/{point}/manifest.json")["copies"] for point in points]
        self.assertEqual(copies, [["offsite"], [], []])

    def test_an_image_that_is_gone_makes_its_points_damaged_and_the_others_serve(self):
        points = self.make_points()
        self.settle()
        self.lose()
        machine = next(path for path in self.repository.iterdir() if path.name.startswith("m-"))
        (machine / points[2] / "disk-0.qcow2").unlink()
        self.recover(self.repository, expected=1)
        self.daemon.start()
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest").split("/")[-1], points[1])
        with self.assertRaises(OSError) as refused:
            (self.daemon.mount / f"machines/m/points/{points[2]}/disk-0.raw").read_bytes()
        self.assertEqual(refused.exception.errno, errno.EIO)

    def test_a_running_daemon_and_a_wrong_directory_refuse_a_recovery(self):
        self.assertIn("another", self.recover(self.repository, expected=5))
        (self.folder / "empty").mkdir()
        self.assertIn("no repository", self.recover(self.folder / "empty", expected=1))
        self.recover(self.folder / "nowhere", expected=4)


class Rescan(Recovery):
    def test_the_owner_of_the_repository_does_not_see_what_a_rescan_found(self):
        """Law 19."""
        self.make_points()
        (number,) = unnamed(1)
        os.chown(self.daemon.mount / "repositories/r", number, number)
        self.folder.chmod(0o755)
        self.daemon.write("repositories/r/control", "rescan name=all")
        self.daemon.read("jobs/all/wait")
        self.assertIn("all", os.listdir(self.daemon.mount / "jobs"))
        self.assertNotIn("all", User(number).does(lambda: os.listdir(self.daemon.mount / "jobs")))

    def test_a_rescan_brings_an_older_catalog_and_its_repository_together(self):
        self.make_points()
        self.settle()
        older = self.folder / "older.sqlite"
        shutil.copy(self.daemon.state / "catalog.sqlite", older)
        self.daemon.start()
        self.change()
        later, record = self.back_up("later")
        self.daemon.define("policies/new", {"keep_last": 3})
        self.settle()
        shutil.copy(older, self.daemon.state / "catalog.sqlite")
        self.daemon.start()
        self.change()
        self.assertEqual(self.daemon.run("f", "beside"), "warning")
        ours = self.daemon.points("m")
        self.assertNotIn(later, ours)
        self.assertEqual(self.older("r"), ["older_catalog"])
        self.daemon.write("repositories/r/control", "rescan name=both")
        self.assertEqual(self.daemon.read("jobs/both/wait").strip(), "success")
        self.assertEqual(self.daemon.points("m"), sorted([*ours, later]))
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{later}/disk-0.raw", record))
        self.assertEqual(self.daemon.json("policies/new/config.json")["keep_last"], 3)
        self.assertEqual(self.older("r"), [])
        (self.daemon.mount / f"machines/m/points/{later}").rmdir()  # deleted again, as any other

    def test_a_rescan_lets_go_of_what_the_newer_catalog_has_deleted(self):
        points = self.make_points()
        self.settle()
        older = self.folder / "older.sqlite"
        shutil.copy(self.daemon.state / "catalog.sqlite", older)
        self.daemon.start()
        self.daemon.write(f"machines/m/points/{points[2]}/control", "verdict result=good by=ci")  # no hold on the other now
        (self.daemon.mount / f"machines/m/points/{points[1]}").rmdir()
        self.change()
        self.records[self.back_up("later")[0]] = self.folder / "later.record"
        self.daemon.write("machines/m/control", "prune name=room")
        self.assertEqual(self.daemon.read("jobs/room/wait").strip(), "success")
        kept = self.daemon.points("m")
        self.settle()
        shutil.copy(older, self.daemon.state / "catalog.sqlite")
        self.daemon.start()
        for repository in ("r", "offsite"):
            self.daemon.write(f"repositories/{repository}/control", f"rescan name=of-{repository}")
            self.assertEqual(self.daemon.read(f"jobs/of-{repository}/wait").strip(), "success")
        self.assertEqual(self.daemon.points("m"), kept)
        for point in kept:
            image = self.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
            self.assertTrue(content.same_bytes(image, self.records[point]), point)
        self.daemon.write("machines/m/control", "prune name=again")
        self.assertEqual(self.daemon.read("jobs/again/wait").strip(), "success")
        self.daemon.write("repositories/r/control", "verify name=all")
        self.assertEqual(self.daemon.read("jobs/all/wait").strip(), "success")

    def older(self, repository):
        warnings = self.daemon.json("status.json")["warnings"]
        return [one["reason"] for one in warnings if one["object"] == f"repositories/{repository}" and one["reason"] == "older_catalog"]

    def test_only_root_rescans(self):
        os.chown(self.daemon.mount / "repositories/r", 1234, 1234)
        code = "import os,sys; os.setgid(1234); os.setuid(1234); open(sys.argv[1], 'w').write('rescan\\n')"
        control = str(self.daemon.mount / "repositories/r/control")
        done = subprocess.run(["/usr/bin/python3", "-c", code, control], capture_output=True, text=True)
        self.assertIn("PermissionError", done.stderr)


def listing(directory):
    return sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in directory.rglob("*") if path.name != ".lease")


if __name__ == "__main__":
    holdfast.main()
