#!/usr/bin/python3
"""Definitions written again: what changes nothing makes no new revision and no event, whichever tool writes it."""

import json
import os
import shutil
import tempfile

import holdfast
from face import FaceTest

# A new user's script, run in the mount with the test's folder in $1. It needs bash alone.
SCRIPT = """
set -euo pipefail
mkdir -p repositories/r machines/m groups/g schedules/nightly policies/week flows/f
echo "{\\"path\\": \\"$1/backup\\"}" > repositories/r/config.json
echo "{\\"driver\\": \\"file\\", \\"disks\\": [{\\"name\\": \\"disk-0\\", \\"path\\": \\"$1/m.disk\\"}]}" > machines/m/config.json
[ -L groups/g/members/m ] || ln -s ../../../machines/m groups/g/members/m
cat > groups/g/config.json <<< '{"description": "all of them"}'
printf '{\\n  "cron": "0 2 * * *"\\n}\\n' | tee schedules/nightly/config.json > /dev/null
cat > policies/week/config.json <<'END'
{
  "keep_daily": 7
}
END
cat > flows/f/config.json <<'END'
{"target": "groups/g", "repository": "r", "schedule": "nightly",
 "policy": "week", "tags": ["web", "prod"], "description": "the web servers"}
END
echo 'set policy=week tags=web,prod description="the web servers" hooks=[]' > flows/f/control
echo 'enable' > flows/f/control
echo 'enable' > schedules/nightly/control
echo 'enable machine=m' > groups/g/control
echo '{"max_concurrent_jobs": 3}' > config.json
chmod 0750 flows/f machines/m
chown root flows/f
chmod 0755 flows
"""


class Again(FaceTest):
    def setUp(self):
        super().setUp()
        (self.folder / "backup").mkdir()
        (self.folder / "m.disk").write_bytes(bytes(2**20))

    def state(self):
        """Revisions of all objects, and the number of events."""
        paths = self.mount.glob("*/*/status.json")
        revisions = {str(path): json.loads(path.read_text())["revision"] for path in paths}
        return revisions, len(self.daemon.read("events.jsonl").splitlines())

    def test_a_script_that_defines_everything_changes_nothing_the_second_time(self):
        script = self.folder / "setup.sh"
        script.write_text(SCRIPT)
        self.assert_runs(f"bash {script} {self.folder}")
        self.assertEqual(self.daemon.json("flows/f/status.json")["state"], "ready")
        before = self.state()
        self.assert_runs(f"bash {script} {self.folder}")
        self.assertEqual(self.state(), before)

    def test_the_first_definition_is_a_change_though_it_has_defaults_alone(self):
        (self.mount / "policies/p").mkdir()
        self.daemon.write("policies/p/config.json", "{}")
        self.assertEqual(self.daemon.json("policies/p/status.json")["state"], "ready")


class Tools(FaceTest):
    def setUp(self):
        super().setUp()
        self.daemon.define("policies/p", {"keep_last": 2})
        self.config = self.mount / "policies/p/config.json"
        self.new = self.folder / "new.json"
        self.new.write_text('{"keep_last": 3}\n')
        self.new.chmod(0o644)  # config.json has 0640

    def state(self):
        events = len(self.daemon.read("events.jsonl").splitlines())
        return self.daemon.json("policies/p/status.json")["revision"], events

    def test_tools_that_set_owner_and_mode_of_a_copy_succeed_and_change_nothing_the_second_time(self):
        for command in [
            "install {} policies/p/config.json",
            "install -m 0600 -o nobody {} policies/p/config.json",
            "cp -p {} policies/p/config.json",
            "cp -a {} policies/p/config.json",
            "rsync -a {} policies/p/config.json",
            "cp -p {} {}.copy && mv {}.copy policies/p/config.json",
        ]:
            with self.subTest(command=command):
                self.daemon.write("policies/p/config.json", '{"keep_last": 2}')
                done = self.shell(command.replace("{}", str(self.new)))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.daemon.json("policies/p/config.json")["keep_last"], 3)
                self.assertEqual(self.config.stat().st_mode & 0o777, 0o640)
                before = self.state()
                done = self.shell(command.replace("{}", str(self.new)))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.state(), before)
        self.assert_runs("touch policies/p/config.json; touch -d yesterday policies/p/config.json")
        self.assertEqual(self.state(), before)

    def test_set_takes_lists_and_json_as_a_shell_passes_them(self):
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        for told, field, value in [
            ("set tags=a,b", "tags", ["a", "b"]),
            ("""'set tags=["a b", "c"]'""", "tags", ["a b", "c"]),
            ("set tags=one", "tags", ["one"]),
            ("set tags=null", "tags", []),
            ("set notify=failure:http://host/", "notify", ["failure:http://host/"]),
            ("""'set description="two words"'""", "description", "two words"),
            ("""'set description="5"'""", "description", "5"),
            ("set schedule=null", "schedule", None),
            ("set priority=3", "priority", 3),
        ]:
            with self.subTest(told=told):
                self.assert_runs(f"echo {told} > flows/f/control")
                self.assertEqual(self.daemon.json("flows/f/config.json")[field], value)
        self.assertNotEqual(self.shell("echo 'set tags=[\"a\" \"b\"]' > flows/f/control").returncode, 0)
        self.assertIn("is no JSON", self.daemon.read("flows/f/error"))

    def test_a_mode_that_no_copy_asks_for_is_refused(self):
        self.assert_runs(f"cp {self.new} policies/p/config.json")
        done = self.shell("chmod 600 policies/p/config.json")
        self.assertIn("Operation not permitted", done.stderr)
        self.assertIn("change the object's", self.daemon.read("policies/p/error"))

    def replace(self, text, mode=None):
        """Replaces config.json with the system calls of Ansible's copy, template and lineinfile: a file elsewhere, its
        owner and mode as config.json has them, a rename; where that crosses file systems, a file beside first. `mode` is
        set at last, if it is another one."""
        facts = self.config.stat()
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as new:
            new.write(text)
        os.chmod(new.name, facts.st_mode & 0o7777)
        os.chown(new.name, facts.st_uid, facts.st_gid)
        with self.assertRaises(OSError):
            os.rename(new.name, self.config)
        handle, beside = tempfile.mkstemp(prefix=".ansible_tmp", suffix="config.json", dir=self.config.parent)
        os.close(handle)
        shutil.copyfile(new.name, beside)
        shutil.copystat(new.name, beside)
        os.chmod(beside, facts.st_mode & 0o7777)
        os.chown(beside, facts.st_uid, facts.st_gid)
        os.rename(beside, self.config)
        os.unlink(new.name)
        os.chmod(self.config, facts.st_mode & 0o7777 if mode is None else mode)
        os.chown(self.config, 0, 0)

    def test_a_copy_of_ansible_with_another_mode_succeeds_and_its_second_run_is_told_where_modes_are_set(self):
        self.replace('{"keep_last": 5}\n', mode=0o600)
        self.assertEqual(self.daemon.json("policies/p/config.json")["keep_last"], 5)
        self.assertEqual(self.config.stat().st_mode & 0o777, 0o640)
        before = self.state()
        # The module finds the same content and another mode, so it sets the mode alone.
        second = self.shell("python3 -c 'import os; os.chmod(\"policies/p/config.json\", 0o600)'")
        self.assertIn("PermissionError", second.stderr)
        self.assertIn("change the object's", self.daemon.read("policies/p/error"))
        self.assertEqual(self.daemon.json("policies/p/status.json")["revision"], before[0])
        # The mode of the object gives config.json the wanted mode; then nothing is left to do.
        os.chmod(self.mount / "policies/p", 0o700)
        self.assertEqual(self.config.stat().st_mode & 0o777, 0o600)
        before = self.state()
        self.assert_runs("python3 -c 'import os; os.chmod(\"policies/p/config.json\", 0o600)'")
        self.assertEqual(self.state(), before)

    def test_the_system_calls_of_ansible_change_nothing_the_second_time(self):
        text = '{"keep_last": 5}\n'
        self.replace(text)
        self.assertEqual(self.daemon.json("policies/p/config.json")["keep_last"], 5)
        before = self.state()
        self.replace(text)
        with self.assertRaises(FileExistsError):
            os.mkdir(self.mount / "policies/p", 0o755)
        os.chmod(self.mount / "policies/p", (self.mount / "policies/p").stat().st_mode & 0o7777)
        os.chown(self.mount / "policies/p", 0, 0)
        os.utime(self.mount / "policies/p")
        os.utime(self.config, (0, 0))
        self.assertEqual(self.state(), before)
        self.assertEqual([name for name in os.listdir(self.config.parent) if name.startswith(".")], [])


if __name__ == "__main__":
    holdfast.main(lambda: holdfast.absent("rsync"))
