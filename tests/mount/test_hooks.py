#!/usr/bin/python3
"""Commands of a flow: only_if, and hooks before and after its jobs. Each command runs as the flow's owner with few
rights; a command that hangs, fails, floods or is missing is bounded and reported."""

import errno
import json
import os
import pathlib

import holdfast
from users import User, unnamed

OWNER = User(*unnamed(1))


class Hooks(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.add_repository()
        self.add_file_machine()
        self.said = self.folder / "said"
        self.said.mkdir()
        self.said.chmod(0o777)

    def be_impatient(self):
        """Sets a short hook_timeout for commands that hang."""
        self.daemon.write("config.json", json.dumps({"hook_timeout": "2s"}))

    def run_flow(self, outcome, reason=None, name="r1"):
        self.assertEqual(self.daemon.run("f", name), outcome, self.log(name))
        status = self.daemon.json(f"flows/f/executions/{name}/status.json")
        self.assertEqual(status["reason"], reason)
        return status

    def log(self, name="r1"):
        return self.daemon.read(f"flows/f/executions/{name}/log")

    def points(self):
        return len(self.daemon.points("m"))

    def refused(self, code, **fields):
        definition = {"target": "machines/m", "repository": "r", **fields}
        with self.assertRaises(OSError) as refusal:
            self.daemon.write("flows/f/config.json", json.dumps(definition))
        self.assertEqual(errno.errorcode[refusal.exception.errno], code)
        return self.daemon.read("flows/f/error")


class OnlyIf(Hooks):
    def test_a_flow_runs_only_if_its_condition_exits_with_zero(self):
        self.add_hook("on-mains", f'[ -e {self.said}/mains ] || {{ echo "on battery"; exit 3; }}\n')
        self.add_flow(only_if="on-mains")
        status = self.run_flow("cancelled", "condition_not_met", "r1")
        self.assertEqual((status["jobs_created"], status["jobs_skipped"], self.points()), (1, 1, 0))
        self.assertIn("exited with 3", status["message"])
        self.assertIn("on-mains: on battery", self.log("r1"))
        (self.said / "mains").touch()
        self.run_flow("success", None, "r2")
        self.assertEqual(self.points(), 1)
        counted = self.daemon.json("flows/f/status.json")
        self.assertEqual([counted[f"{kind}_executions"] for kind in ("total", "successful", "failed")], [2, 1, 0])

    def test_a_missing_condition_is_an_error_instead_of_a_no(self):
        path = self.add_hook("on-mains", "exit 0\n")
        self.add_flow(only_if="on-mains")
        path.unlink()
        status = self.run_flow("error", "hook_failed")
        self.assertIn("No such file", status["message"])
        self.assertEqual(self.points(), 0)

    def test_a_condition_that_hangs_is_killed_and_the_run_is_an_error(self):
        self.be_impatient()
        self.add_hook("on-mains", "sleep 1000\n")
        self.add_flow(only_if="on-mains")
        self.assertIn("took longer than 2s", self.run_flow("error", "hook_failed")["message"])

    def test_a_hanging_condition_ends_with_the_flows_timeout_and_with_a_cancel(self):
        self.add_hook("on-mains", f"touch {self.said}/begun; sleep 1000\n")
        self.add_flow(only_if="on-mains", timeout="1s")
        self.run_flow("error", "timed_out", "r1")
        (self.said / "begun").unlink(missing_ok=True)  # where it came to nothing within that second
        self.daemon.write("flows/f/control", "set timeout=1h")
        self.daemon.write("flows/f/control", "run name=r2")
        self.until((self.said / "begun").exists)
        self.assertEqual(self.daemon.json("flows/f/executions/r2/status.json")["status"], "running")
        self.daemon.write("flows/f/control", "cancel")
        self.assertEqual(self.daemon.read("flows/f/executions/r2/wait"), "cancelled\n")
        self.assertEqual(self.points(), 0)


class BeforeAndAfter(Hooks):
    TELL = 'env > {0}/$HOLDFAST_PHASE.env; cat > {0}/$HOLDFAST_PHASE.json; id -u > {0}/$HOLDFAST_PHASE.id; echo "hello"\n'

    def told(self, phase):
        lines = (self.said / f"{phase}.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines), json.loads((self.said / f"{phase}.json").read_text())

    def test_each_hook_is_called_before_and_after_the_jobs_with_the_execution(self):
        self.add_hook("tell", self.TELL.format(self.said))
        self.add_flow(hooks=["tell"])
        self.run_flow("success")
        environment, execution = self.told("before")
        self.assertEqual((environment["HOLDFAST_FLOW"], environment["HOLDFAST_EXECUTION"]), ("f", "r1"))
        self.assertEqual((environment["HOLDFAST_STATUS"], execution["status"]), ("running", "running"))
        self.assertEqual(execution["jobs_completed"], 0)
        environment, execution = self.told("after")
        self.assertEqual((environment["HOLDFAST_STATUS"], execution["status"]), ("success", "success"))
        final = self.daemon.json("flows/f/executions/r1/status.json")
        for field in ("id", "flow", "jobs_completed", "bytes_read", "bytes_stored", "created_job_ids"):
            self.assertEqual(execution[field], final[field], field)
        self.assertEqual(self.log().count("tell: hello"), 2)
        known = {"PATH", "LANG", "PWD", "_", "SHLVL", "OLDPWD"}
        self.assertEqual({name for name in environment if not name.startswith("HOLDFAST_")} - known, set())

    def test_a_hook_runs_as_the_flows_owner_without_new_privileges(self):
        script = self.TELL.format(self.said) + f"grep -E 'NoNewPrivs|Groups|CapEff' /proc/self/status > {self.said}/status; ls -l /proc/self/fd > {self.said}/fds\n"
        self.add_hook("tell", script)
        self.add_flow(hooks=["tell"])
        for path in ("machines/m", "repositories/r", "flows/f"):
            os.chown(self.daemon.mount / path, OWNER.uid, OWNER.gid)
        self.run_flow("success")
        self.assertEqual((self.said / "after.id").read_text(), f"{OWNER.uid}\n")
        self.assertEqual((self.said / "after.json").stat().st_uid, OWNER.uid)
        status = (self.said / "status").read_text().split()
        self.assertEqual(status[status.index("NoNewPrivs:") + 1], "1")
        self.assertEqual(int(status[status.index("CapEff:") + 1], 16), 0)
        # Open descriptors: the standard files, the script, and the descriptors of ls itself.
        self.assertNotIn("catalog", (self.said / "fds").read_text())
        self.assertNotIn("fuse", (self.said / "fds").read_text())

    def test_a_hook_that_fails_before_the_jobs_refuses_the_run_and_earlier_hooks_get_their_after(self):
        self.add_hook("first", f"echo $HOLDFAST_PHASE >> {self.said}/first\n")
        self.add_hook("second", '[ $HOLDFAST_PHASE = after ] || { echo "no room" >&2; exit 1; }\n')
        self.add_hook("third", f"touch {self.said}/third\n")
        self.add_flow(hooks=["first", "second", "third"])
        status = self.run_flow("error", "hook_failed")
        self.assertIn("hook 'second' (before) exited with 1", status["message"])
        self.assertIn("second: no room", self.log())
        self.assertEqual((self.points(), (self.said / "third").exists()), (0, False))
        self.assertEqual((self.said / "first").read_text(), "before\nafter\n")

    def test_a_hook_that_fails_after_the_jobs_makes_a_warning(self):
        self.add_hook("tell", "[ $HOLDFAST_PHASE = before ] || exit 7\n")
        self.add_flow(hooks=["tell"])
        status = self.run_flow("warning", "hook_failed")
        self.assertIn("hook 'tell' (after) exited with 7", status["message"])
        self.assertEqual(self.points(), 1)

    def child(self):
        """The pid of the child that the hook has named; "" before."""
        path = self.said / "child"
        return path.read_text().strip() if path.exists() else ""

    def expect_killed(self):
        """Waits until the hook's child has ended."""
        status = pathlib.Path("/proc", self.child(), "status")

        def is_gone():
            try:
                return "zombie" in status.read_text()
            except (FileNotFoundError, ProcessLookupError):
                return True

        self.until(is_gone)

    def test_a_hook_that_hangs_is_killed_with_all_its_children(self):
        """The limit grows until the hook has named its child within the limit, however slow the machine is."""
        self.add_hook("tell", f"[ $HOLDFAST_PHASE = before ] && exit; sleep 1000 & echo $! > {self.said}/child; wait\n")
        self.add_flow(hooks=["tell"])
        limit = 1
        while not self.child():
            limit *= 2
            self.daemon.write("config.json", json.dumps({"hook_timeout": f"{limit}s"}))
            ended = self.daemon.run("f", f"r{limit}")
        self.assertEqual(ended, "warning")
        status = self.daemon.json(f"flows/f/executions/r{limit}/status.json")
        self.assertEqual(status["reason"], "hook_failed")
        self.assertIn(f"took longer than {limit}s", status["message"])
        self.expect_killed()

    def test_a_child_that_a_hook_leaves_running_is_killed(self):
        self.add_hook("tell", f"sleep 1000 & echo $! > {self.said}/child\n")
        self.add_flow(hooks=["tell"])
        self.run_flow("success")
        self.expect_killed()

    def test_a_hook_that_prints_megabytes_has_its_output_cut(self):
        self.add_hook("tell", "[ $HOLDFAST_PHASE = before ] || { yes 0123456789 | head -c 20000000; printf '\\0\\033\\377'; }\n")
        self.add_flow(hooks=["tell"])
        self.run_flow("success")
        self.assertLess((self.daemon.mount / "flows/f/executions/r1/log").stat().st_size, 65536)
        self.assertRegex(self.log(), r"tell: … 199\d{5} bytes more, which are not kept")

    def test_a_hook_that_is_missing_or_not_executable_refuses_the_run(self):
        path = self.add_hook("tell", "exit 0\n")
        self.add_flow(hooks=["tell"])
        path.chmod(0o644)
        self.assertIn("Permission denied", self.run_flow("error", "hook_failed", "r1")["message"])
        path.unlink()
        self.assertIn("No such file", self.run_flow("error", "hook_failed", "r2")["message"])
        self.assertEqual(self.points(), 0)

    def test_the_after_part_of_a_hook_runs_after_a_cancelled_run(self):
        path = self.add_repository("slow", bandwidth=1)
        self.assertTrue(path.exists())
        self.add_hook("tell", f"echo $HOLDFAST_PHASE $HOLDFAST_STATUS >> {self.said}/calls\n")
        self.add_flow(repository="slow", hooks=["tell"])
        self.daemon.write("flows/f/control", "run name=r1")
        self.until(lambda: self.daemon.json("flows/f/executions/r1/status.json")["progress"]["total"] > 0)
        self.daemon.write("flows/f/control", "cancel")
        self.assertEqual(self.daemon.read("flows/f/executions/r1/wait"), "cancelled\n")
        self.assertEqual((self.said / "calls").read_text(), "before running\nafter cancelled\n")


class Law19(Hooks):
    def test_a_command_that_others_than_root_could_change_is_not_run(self):
        path = self.add_hook("tell", f"touch {self.said}/run\n")
        self.add_flow(hooks=["tell"])
        hooks = self.daemon.hooks

        def swap(act, undo, sentence, name):
            act()
            self.assertRegex(self.run_flow("error", "hook_failed", name)["message"], sentence)
            undo()

        swap(lambda: path.chmod(0o775), lambda: path.chmod(0o755), "others than root may write", "file-mode")
        swap(lambda: hooks.chmod(0o777), lambda: hooks.chmod(0o755), "others than root may write", "folder-mode")
        swap(lambda: os.chown(path, OWNER.uid, 0), lambda: os.chown(path, 0, 0), f"belongs to user {OWNER.uid}", "file-owner")
        swap(lambda: os.chown(hooks, OWNER.uid, 0), lambda: os.chown(hooks, 0, 0), f"belongs to user {OWNER.uid}", "folder-owner")
        real = self.folder / "real"
        path.rename(real)
        swap(lambda: path.symlink_to(real), path.unlink, "symbolic link", "link")
        swap(path.mkdir, path.rmdir, "is no plain file", "folder")
        swap(lambda: os.mkfifo(path), path.unlink, "is no plain file", "pipe")
        self.assertFalse((self.said / "run").exists())
        real.rename(path)
        self.run_flow("success", None, "at-last")
        self.assertTrue((self.said / "run").exists())

    def test_a_flow_with_an_absent_or_invalid_command_is_refused_when_it_is_set(self):
        self.add_flow()
        self.assertIn("No such file", self.refused("ENOENT", only_if="none"))
        self.assertIn("No such file", self.refused("ENOENT", hooks=["none"]))
        self.refused("EINVAL", only_if="/bin/true")
        self.refused("EINVAL", hooks=["../tell"])
        self.refused("EINVAL", hooks="tell")

    def test_only_root_clones_fields_that_only_root_may_set(self):
        self.add_hook("tell", "exit 0\n")
        self.add_flow(hooks=["tell"])
        os.chmod(self.daemon.mount / "flows", 0o777)
        for path in ("machines/m", "repositories/r", "flows/f"):
            os.chown(self.daemon.mount / path, OWNER.uid, OWNER.gid)
        clone = lambda: self.daemon.write("flows/f/control", "clone to=mine")
        self.assertEqual(OWNER.outcome(clone), "EPERM")
        # The owner keeps the fields that root has set, and changes the others.
        self.assertEqual(OWNER.outcome(lambda: self.daemon.write("flows/f/control", "set description=his")), "ok")
        self.assertEqual(self.daemon.json("flows/f/config.json")["hooks"], ["tell"])
        self.assertEqual(OWNER.outcome(lambda: self.daemon.write("flows/f/control", "set hooks=[]")), "EPERM")
        clone()


if __name__ == "__main__":
    holdfast.main()
