#!/usr/bin/python3
"""Groups: links as members, flows over a group, commands to many flows."""

import errno
import json
import os

import holdfast
from users import User, unnamed


class Groups(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_repository()
        self.disks = {name: self.add_file_machine(name) for name in ("a", "b", "c")}
        self.daemon.define("groups/g", {"description": "the three"})
        self.members = self.daemon.mount / "groups/g/members"

    def join(self, *names):
        for name in names:
            os.symlink(f"../../../machines/{name}", self.members / name)

    def add_group_flow(self):
        self.daemon.define("flows/f", {"target": "groups/g", "repository": "r"})

    def refused(self, code, function, *arguments):
        with self.assertRaises(OSError) as refused:
            function(*arguments)
        self.assertEqual(errno.errorcode[refused.exception.errno], code)

    def listed(self, path):
        return sorted(os.listdir(self.daemon.mount / path))

    def test_ln_adds_a_member_and_rm_removes_it(self):
        self.join("a", "b")
        self.assertEqual(self.listed("groups/g/members"), ["a", "b"])
        self.assertEqual(os.readlink(self.members / "a"), "../../../machines/a")
        self.assertEqual(json.loads((self.members / "a/config.json").read_text())["driver"], "file")
        os.unlink(self.members / "a")
        self.assertEqual(self.listed("groups/g/members"), ["b"])
        self.assertEqual(self.listed("machines"), ["a", "b", "c"])
        status = self.daemon.json("groups/g/status.json")
        self.assertEqual(status["members"], [{"machine": "b", "enabled": True}])

    def test_links_in_any_spelling_become_the_canonical_link(self):
        for name, target in (("a", "machines/a/"), ("b", f"{self.daemon.mount}/machines/b"), ("c", "../machines/c")):
            os.symlink(target, self.members / name)
            self.assertEqual(os.readlink(self.members / name), f"../../../machines/{name}")

    def test_links_to_anything_but_a_machine_are_refused_with_a_reason(self):
        error = self.members.parent / "error"
        self.refused("ENOENT", os.symlink, "../../../machines/none", self.members / "none")
        self.assertIn("symlink members/none: ENOENT: there is no machines/none", error.read_text())
        self.refused("EINVAL", os.symlink, "/etc/passwd", self.members / "passwd")
        self.assertIn("link to ../../../machines/NAME", error.read_text())
        self.refused("EINVAL", os.symlink, "../../../machines/a", self.members / "other")
        self.join("a")
        self.assertEqual(error.read_text(), "")
        self.refused("EEXIST", self.join, "a")
        self.refused("ENOENT", os.unlink, self.members / "b")
        self.refused("EPERM", os.symlink, "../machines/a", self.daemon.mount / "machines/x")

    def test_a_flow_over_a_group_backs_up_its_enabled_machines(self):
        self.join("a", "b", "c")
        self.daemon.write("groups/g/control", "disable machine=b")
        self.add_group_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        status = self.daemon.json("flows/f/executions/r1/status.json")
        self.assertEqual((status["jobs_created"], status["jobs_completed"], status["machines_processed"]), (2, 2, 2))
        self.assertEqual(len(self.listed("flows/f/executions/r1/jobs")), 2)
        self.assertEqual(self.listed("flows/f/executions/r1/points"), ["a", "c"])
        (point,) = self.daemon.points("c")
        link = self.daemon.mount / "flows/f/executions/r1/points/c"
        self.assertEqual(os.readlink(link), f"../../../../../machines/c/points/{point}")
        self.assertEqual((link / "disk-0.raw").read_bytes(), self.disks["c"].path.read_bytes())
        self.assertEqual(self.daemon.points("b"), [])

    def test_a_machine_that_fails_does_not_stop_the_others(self):
        self.join("a", "b")
        os.unlink(self.disks["a"].path)
        self.add_group_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "warning")
        status = self.daemon.json("flows/f/executions/r1/status.json")
        self.assertEqual((status["jobs_completed"], status["jobs_failed"]), (1, 1))
        self.assertEqual(len(self.daemon.points("b")), 1)

    def test_a_run_over_an_empty_group_is_a_warning_that_names_the_group(self):
        self.add_group_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "warning")
        status = self.daemon.json("flows/f/executions/r1/status.json")
        self.assertEqual(status["message"], "groups/g has no enabled machine")
        self.assertIn("groups/g has no enabled machine", self.daemon.read("flows/f/executions/r1/log"))

    def test_a_run_can_be_limited_to_some_machines(self):
        self.join("a", "b")
        self.add_group_flow()
        self.assertEqual(self.daemon.run("f", "r1", "machines=b"), "success")
        self.assertEqual((self.daemon.points("a"), len(self.daemon.points("b"))), ([], 1))
        self.refused("ENOENT", self.daemon.write, "flows/f/control", "run machines=c")
        self.daemon.write("groups/g/control", "disable machine=a")
        self.refused("EINVAL", self.daemon.write, "flows/f/control", "run machines=a")
        self.assertIn("machine 'a' is disabled in groups/g", self.daemon.read("flows/f/error"))

    def test_at_has_the_points_of_all_members_at_one_time(self):
        self.join("a", "b", "c")
        self.add_group_flow()
        self.daemon.write("groups/g/control", "disable machine=c")
        self.daemon.run("f", "r1")
        self.assertEqual(self.listed("groups/g/at/now"), ["a", "b"])
        (point,) = self.daemon.points("a")
        self.assertEqual(
            os.readlink(self.daemon.mount / "groups/g/at/now/a"), f"../../../../machines/a/points/{point}"
        )
        self.assertEqual(self.listed("groups/g/at/1h-ago"), [])
        self.assertEqual(os.listdir(self.daemon.mount / "groups/g/at"), [])

    def test_a_user_adds_only_machines_that_the_user_may_write_to(self):
        owner, stranger = map(User, unnamed(2))
        os.chmod(self.folder, 0o755)
        for path in ("groups/g", "machines/a"):
            os.chown(self.daemon.mount / path, owner.uid, owner.gid)
        self.assertEqual(owner.outcome(lambda: self.join("a")), "ok")
        self.assertEqual(owner.outcome(lambda: self.join("b")), "EACCES")
        self.assertIn("machines/b is not yours", owner.does((self.members.parent / "error").read_text))
        self.assertEqual(stranger.outcome(lambda: os.unlink(self.members / "a")), "EACCES")
        self.assertEqual(owner.does(lambda: os.listdir(self.members)), ["a"])
        # Members that root has added stay hidden from users without access to the machine.
        self.join("c")
        self.assertEqual(owner.does(lambda: os.listdir(self.members)), ["a"])
        self.assertEqual(owner.outcome(lambda: os.unlink(self.members / "a")), "ok")

    def test_links_follow_renames_and_a_group_in_use_stays(self):
        self.join("a")
        self.add_group_flow()
        os.rename(self.daemon.mount / "machines/a", self.daemon.mount / "machines/x")
        os.rename(self.daemon.mount / "groups/g", self.daemon.mount / "groups/h")
        self.assertEqual(self.listed("groups/h/members"), ["x"])
        self.assertEqual(self.daemon.json("groups/h/status.json")["members"][0]["machine"], "x")
        self.assertEqual(self.daemon.json("flows/f/config.json")["target"], "groups/h")
        self.refused("EBUSY", os.rmdir, self.daemon.mount / "groups/h")
        self.assertIn("flow 'f'", self.daemon.read("error"))

    def test_disable_of_a_machine_outside_of_the_group_is_refused(self):
        self.refused("ENOENT", self.daemon.write, "groups/g/control", "disable machine=a")
        self.assertIn("machine 'a': the machine is not in the group", self.daemon.read("groups/g/error"))

    def test_one_command_reaches_all_flows_that_match_its_pattern(self):
        for name in ("day-a", "day-b", "night"):
            self.add_flow(name, machine=name[-1] if name != "night" else "c")
        self.daemon.write("control", "run flows=day-* name=bulk")
        for name in ("day-a", "day-b"):
            self.assertEqual(self.daemon.read(f"flows/{name}/executions/bulk/wait"), "success\n")
        self.assertEqual(self.daemon.json("flows/night/status.json")["total_executions"], 0)
        self.daemon.write("control", "disable flows=*-a")
        self.assertFalse(self.daemon.json("flows/day-a/config.json")["enabled"])
        self.daemon.write("control", "run flows=day-? name=again")
        self.assertEqual(self.daemon.read("flows/day-b/executions/again/wait"), "success\n")
        self.assertEqual(self.daemon.json("flows/day-a/status.json")["total_executions"], 1)
        self.refused("EINVAL", self.daemon.write, "control", "run flows=day-a")
        self.refused("ENOENT", self.daemon.write, "control", "run flows=none*")
        # One flow without a definition refuses the command for all flows.
        os.mkdir(self.daemon.mount / "flows/day-z")
        self.refused("EINVAL", self.daemon.write, "control", "run flows=day-* name=third")
        self.assertEqual(self.daemon.json("flows/day-b/status.json")["total_executions"], 2)

    def test_set_changes_single_fields_and_clone_copies_a_flow(self):
        self.add_flow("f", machine="a")
        self.daemon.write("flows/f/control", 'set description="web and mail" enabled=false tags=["prod"]')
        config = self.daemon.json("flows/f/config.json")
        self.assertEqual((config["description"], config["enabled"], config["tags"]), ("web and mail", False, ["prod"]))
        self.assertEqual(config["target"], "machines/a")
        self.refused("EINVAL", self.daemon.write, "flows/f/control", "set shedule=x")
        self.refused("ENOENT", self.daemon.write, "flows/f/control", "set target=machines/none")
        self.daemon.write("flows/f/control", "clone to=f2")
        self.assertEqual(self.daemon.read("flows/f2/config.json"), self.daemon.read("flows/f/config.json"))
        self.refused("EEXIST", self.daemon.write, "flows/f/control", "clone to=f2")
        self.refused("EINVAL", self.daemon.write, "flows/f/control", "clone to=error")


if __name__ == "__main__":
    holdfast.main()
