#!/usr/bin/python3
"""An owner who would have all slots: root alone lets a flow go before those of others."""

import json
import os

import holdfast
from users import User, unnamed


class Priority(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.owner = User(*unnamed(1))
        self.add_file_machine()
        self.add_repository().chmod(0o755)
        self.add_flow()
        for path in ("machines/m", "repositories/r", "flows/f"):
            os.chown(self.daemon.mount / path, self.owner.uid, self.owner.gid)

    def sets(self, **fields):
        """The outcome of a definition with these fields, by the owner."""
        text = json.dumps(self.daemon.json("flows/f/config.json") | fields)
        return self.owner.outcome(lambda: self.daemon.write("flows/f/config.json", text))

    def priority(self):
        return self.daemon.json("flows/f/config.json")["priority"]

    def test_an_owner_lowers_a_priority_and_raises_none_above_zero(self):
        self.assertEqual(self.sets(priority=1), "EPERM")
        self.assertIn("priority", self.owner.does(lambda: self.daemon.read("flows/f/error")))
        self.assertEqual((self.sets(priority=-7), self.priority()), ("ok", -7))
        self.assertEqual((self.sets(priority=0), self.priority()), ("ok", 0))
        self.assertEqual(self.owner.outcome(lambda: self.daemon.write("flows/f/control", "set priority=100")), "EPERM")

    def test_an_owner_keeps_the_priority_that_root_has_set(self):
        self.daemon.write("flows/f/control", "set priority=50")
        self.assertEqual((self.sets(description="his"), self.priority()), ("ok", 50))
        self.assertEqual(self.sets(priority=51), "EPERM")
        self.assertEqual((self.sets(priority=20), self.priority()), ("ok", 20))
        self.assertEqual(self.sets(priority=50), "EPERM")


if __name__ == "__main__":
    holdfast.main()
