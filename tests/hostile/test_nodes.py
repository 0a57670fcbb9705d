#!/usr/bin/python3
"""The owner of a machine behind a storage daemon that serves the disks of others, too."""

import json

import holdfast
from three_users import OWNER, Permissions

OTHERS = "throttle-disk0"  # a node of the same storage daemon


class Nodes(Permissions):
    def define_as_owner(self, disks, **fields):
        """Writes the machine's definition as its owner. Returns the errno's name and the sentence in `error`."""
        definition = self.storage.definition() | {"disks": disks} | fields
        path = self.mount / "machines/m/config.json"
        outcome = OWNER.outcome(lambda: self.daemon.write(path, json.dumps(definition)))
        return outcome, OWNER.does(lambda: self.daemon.read("machines/m/error"))

    def test_root_alone_names_the_node_of_a_disk(self):
        before = self.daemon.read("machines/m/config.json")
        own = {"name": "disk-0", "node": "disk0"}
        for disks, field in (
            ([own | {"node": OTHERS}], "disks[0].node"),
            ([own, {"name": "disk-1", "node": OTHERS}], "disks[1].node"),
            ([{"name": "renamed", "node": "disk0"}], "disks[0].node"),
        ):
            with self.subTest(disks=disks):
                outcome, sentence = self.define_as_owner(disks)
                self.assertEqual(outcome, "EPERM")
                self.assertIn(f"only root may set '{field}', because it names something of the host", sentence)
                self.assertEqual(self.daemon.read("machines/m/config.json"), before)
        self.assertEqual(self.define_as_owner([own], description="mine")[0], "ok")

    def test_an_owner_is_not_told_the_nodes_of_others(self):
        definition = self.storage.definition() | {"disks": [{"name": "disk-0", "node": "gone"}]}
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        OWNER.does(lambda: self.daemon.write("flows/f/control", "run name=told"))
        self.assertEqual(self.daemon.read("flows/f/executions/told/wait").strip(), "error")
        (job,) = self.daemon.json("flows/f/executions/told/status.json")["created_job_ids"]
        OWNER.does(lambda: self.daemon.write("flows/f/control", "test name=tried"))
        self.daemon.read("jobs/tried/wait")
        paths = [f"jobs/{job}/status.json", "jobs/tried/status.json", "flows/f/executions/told/log", "events.jsonl"]
        paths += ["machines/m/status.json", "machines/m/disks/disk-0/status.json"]
        told = OWNER.does(lambda: "".join(map(self.daemon.read, paths)))
        self.assertIn("has no block node 'gone'", told)
        self.assertNotIn(OTHERS, told)
        self.assertIn(OTHERS, self.daemon.log.read_text(), "root finds it in the log")


if __name__ == "__main__":
    holdfast.main()
