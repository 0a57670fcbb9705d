#!/usr/bin/python3
"""Fields that name something of the host, which only root may set (law 19). A stranger who may make objects of every
kind tries every way to a file and to a command of the host."""

import errno
import json
import os

import holdfast
from three_users import STRANGER, Permissions


class HostNames(Permissions):
    """The stranger owns a machine, a flow and a repository without definitions."""

    MACHINES = [
        ({"driver": "file", "disks": [{"name": "d", "path": "/etc/shadow"}]}, "disks[0].path"),
        ({"driver": "nbd", "disks": [{"name": "d", "uri": "nbd+unix:///?socket=/etc/shadow"}]}, "disks[0].uri"),
        ({"driver": "qmp", "socket": "/etc/shadow", "disks": [{"name": "d", "node": "n"}]}, "socket"),
    ]

    def setUp(self):
        super().setUp()
        for kind in ("machines", "flows", "repositories"):
            os.chmod(self.mount / kind, 0o777)
            STRANGER.does(lambda kind=kind: os.mkdir(self.mount / kind / "mine"))

    def refused(self, path, definition):
        """Expects EPERM for the stranger's definition and returns the sentence in `error`."""

        def attempt():
            try:
                self.daemon.write(f"{path}/config.json", json.dumps(definition))
            except PermissionError as error:
                return error.errno, self.daemon.read(f"{path}/error")
            return None

        number, sentence = STRANGER.does(attempt)
        self.assertEqual(number, errno.EPERM)
        return sentence

    def test_a_stranger_reads_no_file_of_the_host_through_a_machine(self):
        for definition, field in self.MACHINES:
            with self.subTest(field=field):
                said = self.refused("machines/mine", definition)
                self.assertIn(f"EPERM: only root may set '{field}', because it names something of the host", said)
                self.assertEqual(self.daemon.json("machines/mine/status.json")["state"], "incomplete")

    def test_a_stranger_keeps_the_fields_of_root_and_changes_the_others(self):
        file = self.folder / "disk"
        file.write_bytes(bytes(2**20))
        definition = {"driver": "file", "disks": [{"name": "d", "path": str(file), "format": "raw", "shared": False}]}
        self.daemon.write("machines/mine/config.json", json.dumps(definition))
        changed = definition | {"description": "mine"}
        STRANGER.does(lambda: self.daemon.write("machines/mine/config.json", json.dumps(changed)))
        self.assertEqual(self.daemon.json("machines/mine/config.json")["description"], "mine")
        for disks in (
            [{"name": "d", "path": "/etc/shadow"}],
            [{"name": "d", "path": str(file)}, {"name": "e", "path": "/etc/shadow"}],
            [{"name": "renamed", "path": str(file)}],
        ):
            self.assertIn(".path'", self.refused("machines/mine", definition | {"disks": disks}))
        for other, _ in self.MACHINES[1:]:
            self.refused("machines/mine", other)
        self.assertEqual(self.daemon.json("machines/mine/config.json")["disks"], definition["disks"])

    def test_a_strangers_repository_gets_its_path_from_root_only(self):
        self.assertIn("'path'", self.refused("repositories/mine", {"path": str(self.folder / "elsewhere")}))
        self.assertFalse((self.folder / "elsewhere").exists())

    def test_every_field_that_a_schema_leaves_to_root_is_refused_to_others(self):
        fields = set()

        def walk(schema):
            for name, known in schema.get("properties", {}).items():
                if known.get("description", "").endswith("Set by root alone."):
                    fields.add(name)
            for below in schema.values():
                for one in below if isinstance(below, list) else [below]:
                    if isinstance(one, dict):
                        walk(one)

        for kind in ("machines", "flows", "repositories"):
            walk(self.daemon.json(f"{kind}/mine/config.schema.json"))
        # Law 19 lists these fields. A later field belongs into the tests above, too.
        self.assertLessEqual({"path", "uri", "socket", "node", "hooks", "only_if", "notify"}, fields)
        laws = {"path", "paths", "socket", "uri", "node", "domain", "credential", "hooks", "only_if"}
        self.assertLessEqual(fields, laws | {"notify"})

    def test_a_stranger_runs_no_command_through_a_flow(self):
        self.add_hook("known", "exit 0\n")
        attempts = [("only_if", "known"), ("hooks", ["known"]), ("notify", ["always http://127.0.0.1:1/"])]
        for field, value in attempts:
            flow = {"target": "machines/mine", "repository": "r", field: value}
            self.assertIn(f"'{field}'", self.refused("flows/mine", flow))
        for field, value in [("only_if", "/bin/sh"), ("hooks", ["/bin/sh"]), ("notify", ["always file:///etc/shadow"])]:
            flow = {"target": "machines/mine", "repository": "r", field: value}
            outcome = STRANGER.outcome(lambda flow=flow: self.daemon.write("flows/mine/config.json", json.dumps(flow)))
            self.assertEqual(outcome, "EINVAL", field)  # refused to root, too
        self.assertEqual(self.daemon.json("flows/mine/status.json")["state"], "incomplete")
        # A flow that root has defined and given to the stranger refuses the commands through every verb, too.
        os.chown(self.mount / "machines/mine", STRANGER.uid, STRANGER.gid)
        self.daemon.define("flows/given", {"target": "machines/m", "repository": "r"})
        for path in ("machines/m", "flows/given"):
            os.chown(self.mount / path, STRANGER.uid, STRANGER.gid)
        for field, value in attempts:
            quoted = json.dumps(json.dumps(value))  # JSON escapes quote the value of a command
            line = f"set {field}={quoted}"
            outcome = STRANGER.outcome(lambda line=line: self.daemon.write("flows/given/control", line))
            self.assertEqual(outcome, "EPERM", line)

    def test_a_stranger_imports_no_file_of_the_host(self):
        command = "import file=/etc/shadow machine=mine disk=d"
        self.assertEqual(STRANGER.outcome(lambda: self.daemon.write("repositories/r/control", command)), "EPERM")
        self.assertEqual(os.listdir(self.mount / "machines/mine/points"), [])


if __name__ == "__main__":
    holdfast.main()
