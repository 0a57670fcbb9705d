#!/usr/bin/python3
"""The verb `test`: a dry run of a flow or a repository. Its log has a line for each thing that a run needs, and
nothing changes."""

import contextlib
import json
import os
import subprocess
import time

import holdfast
from processes import detach
from schedules import far_hourly
from users import User, unnamed

MIB = 2**20


class Trial(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[64 * MIB])
        self.storage.disks[0].write(0, os.urandom(MIB))

    def test_a_dry_run_is_open_to_the_owner_of_its_flow_and_closed_to_others(self):
        self.add_flow()
        self.folder.chmod(0o755)
        ann, ben = map(User, unnamed(2))
        for path in ("machines/m", "flows/f"):
            os.chown(self.daemon.mount / path, ann.uid, ann.gid)
        os.chmod(self.daemon.mount / "repositories/r", 0o777)
        ann.does(lambda: self.daemon.write("flows/f/control", "test name=hers"))
        self.assertEqual(ann.does(lambda: self.daemon.read("jobs/hers/wait")), "success\n")
        self.assertIn("ok ", ann.does(lambda: self.daemon.read("jobs/hers/log")))
        self.assertIn("hers", ann.does(lambda: os.listdir(self.daemon.mount / "jobs")))
        self.assertEqual(ben.outcome(lambda: self.daemon.read("jobs/hers/log")), "EACCES")
        os.rename(self.daemon.mount / "flows/f", self.daemon.mount / "flows/g")
        self.assertIn("ok ", ann.does(lambda: self.daemon.read("jobs/hers/log")))
        # Jobs of a removed flow belong to root.
        os.rmdir(self.daemon.mount / "flows/g")
        self.assertEqual(ann.outcome(lambda: self.daemon.read("jobs/hers/log")), "EACCES")

    def try_out(self, path, outcome, name="t"):
        self.daemon.write(f"{path}/control", f"test name={name}")
        self.assertEqual(self.daemon.read(f"jobs/{name}/wait").strip(), outcome, self.daemon.read(f"jobs/{name}/log"))
        job = self.daemon.json(f"jobs/{name}/status.json")
        self.assertEqual((job["type"], job["owner"]), ("test", path))
        lines = [line.split(" ", 1)[1].strip() for line in self.daemon.read(f"jobs/{name}/log").splitlines()]
        counts = {word: sum(line.startswith(word + " ") for line in lines) for word in ("ok", "warning", "error")}
        counts |= {"warnings": counts.pop("warning"), "errors": counts.pop("error")}
        self.assertEqual(job["metadata"], counts)
        return "\n".join(lines)

    def everything(self):
        """Traces that a run could leave behind. Definitions and the lease are excluded, because the daemon writes
        both anyway."""
        paths = [path for path in self.repository.rglob("*") if "definitions" not in path.parts]
        files = sorted(str(path) for path in paths if path.name != ".lease")
        return files, self.storage.foreign(), sorted(self.storage.bitmaps(self.storage.disks[0]))

    def test_a_ready_flow_has_an_ok_line_for_each_thing_and_nothing_changes(self):
        self.add_hook("tell", "exit 0\n")
        self.add_flow(hooks=["tell"], only_if="tell")
        before = self.everything()
        log = self.try_out("flows/f", "success")
        for line in (
            "ok its owner may write to what it names",
            "ok machines/m: its source answers",
            "ok machines/m: disk disk-0: 64 MiB",
            "ok machines/m: disk disk-0: the next run reads it whole",
            "ok repositories/r is there",
            "ok repositories/r can be written to",
            "ok repositories/r has room",
            "ok command 'tell' exists",
            "ok no schedule starts it",
        ):
            self.assertIn(line, log)
        self.assertEqual(self.everything(), before)
        self.assertEqual(self.daemon.json("flows/f/status.json")["total_executions"], 0)
        self.assertEqual(self.daemon.points("m"), [])

    def test_the_bitmap_that_the_next_run_needs_is_checked(self):
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        log = self.try_out("flows/f", "success", "first")
        self.assertRegex(log, "ok machines/m: disk disk-0: the bitmap of point .* is usable")
        self.assertRegex(log, r"a run takes about \d+ MiB")
        disk = self.storage.disks[0]
        (bitmap,) = self.storage.bitmaps(disk)
        self.storage.qmp.command("block-dirty-bitmap-remove", {"node": disk.node, "name": bitmap})
        log = self.try_out("flows/f", "warning", "second")
        self.assertRegex(log, "warning machines/m: disk disk-0: the bitmap of point .* is gone")

    def test_the_next_times_of_the_flows_schedule_are_listed(self):
        hourly, _ = far_hourly(time.time())
        self.daemon.define("schedules/s", hourly)
        self.add_flow(schedule="s")
        times = self.daemon.json("schedules/s/status.json")["next_times"][:3]
        self.assertIn(f"ok schedules/s starts it next at {', '.join(times)}", self.try_out("flows/f", "success", "first"))
        self.daemon.write("schedules/s/control", "disable")
        self.assertIn("warning schedules/s starts nothing", self.try_out("flows/f", "warning", "second"))

    def test_each_fault_is_listed_beside_the_things_that_work(self):
        path = self.add_hook("tell", "exit 0\n")
        gone = self.add_file_machine("gone")
        self.daemon.define("groups/g", {})
        for machine in ("m", "gone"):
            os.symlink(f"../../../machines/{machine}", self.daemon.mount / f"groups/g/members/{machine}")
        self.daemon.define("flows/f", {"target": "groups/g", "repository": "r", "hooks": ["tell"], "enabled": False})
        path.chmod(0o777)
        os.unlink(gone.path)
        os.unlink(self.repository / "holdfast.json")  # the marker of a repository
        (owner,) = unnamed(1)
        os.chown(self.daemon.mount / "flows/f", owner, owner)
        log = self.try_out("flows/f", "error")
        for line in (
            f"error flow 'f' belongs to user {owner}, who may not write to machines/",
            "warning flows/f is disabled",
            "ok machines/m: its source answers",
            "error machines/gone",
            "error repositories/r",
            "error others than root may write to",
        ):
            self.assertIn(line, log)

    def test_an_absent_node_is_a_failure(self):
        definition = self.storage.definition() | {"disks": [{"name": "disk-0", "node": "none"}]}
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        self.add_flow()
        self.assertRegex(self.try_out("flows/f", "error"), "error machines/m: disk disk-0: .*no block node 'none'")

    def test_an_unreachable_source_is_a_failure(self):
        self.add_flow()
        self.storage.kill()
        self.assertRegex(self.try_out("flows/f", "error"), "error machines/m: .*qmp.sock")

    def test_a_repository_has_a_dry_run_of_its_own(self):
        before = self.everything()
        log = self.try_out("repositories/r", "success", "first")
        marker = json.loads((self.repository / "holdfast.json").read_text())["id"]
        for line in (
            f"ok repositories/r is there: {self.repository}",
            f"ok repositories/r has the marker {marker}, and this daemon holds its lease",
            "ok repositories/r can be written to, and syncs and renames",
            "ok repositories/r keeps large files with holes",
            "ok repositories/r frees what is punched out of a file",
            "ok repositories/r has room",
        ):
            self.assertIn(line, log)
        self.assertEqual(log.count("ok "), 6)
        self.assertEqual(self.everything(), before)
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "reserve": "100%"}))
        self.assertIn("error repositories/r", self.try_out("repositories/r", "error", "second"))
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "read_only": True}))
        self.assertIn("error repositories/r is read-only", self.try_out("repositories/r", "error", "third"))

    def add_mounted(self, name, *arguments):
        path = self.folder / name
        path.mkdir()
        subprocess.run(["mount", *arguments, "test", path], check=True)
        self.addCleanup(detach, path)
        self.daemon.define(f"repositories/{name}", {"path": str(path)})
        return path

    def test_a_file_system_that_can_not_punch_holes_is_a_warning(self):
        self.add_mounted("plain", "-t", "ramfs")
        log = self.try_out("repositories/plain", "error")  # ramfs does not tell its room
        self.assertIn("warning repositories/plain can't punch holes", log)
        self.assertIn("ok repositories/plain can be written to", log)

    def test_a_full_file_system_fails_the_writes_and_keeps_no_file_of_the_test(self):
        path = self.add_mounted("full", "-t", "tmpfs", "-o", "size=256k")
        self.assertEqual(self.daemon.json("repositories/full/status.json")["state"], "ready")  # takes the lease
        with contextlib.suppress(OSError), open(path / "filler", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        log = self.try_out("repositories/full", "error")
        self.assertRegex(log, "error .*trial-.*No space left")
        self.assertEqual([file for file in os.listdir(path) if file.startswith("trial")], [])

    def test_a_dry_run_of_a_flow_takes_the_right_to_run_the_flow(self):
        self.add_flow()
        outcome = User(*unnamed(1)).outcome(lambda: self.daemon.write("flows/f/control", "test"))
        self.assertEqual(outcome, "EACCES")


if __name__ == "__main__":
    holdfast.main()
