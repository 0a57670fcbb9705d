#!/usr/bin/python3
"""Policies: made, defined, renamed and deleted like other objects; named by flows; stored in repositories."""

import errno
import json
import os

import holdfast


class Policies(holdfast.MountTest):
    def refused(self, code, function, *arguments):
        with self.assertRaises(OSError) as refused:
            function(*arguments)
        self.assertEqual(errno.errorcode[refused.exception.errno], code)

    def define(self, policy, definition):
        self.daemon.write(f"policies/{policy}/config.json", json.dumps(definition))

    def add_flow_with_policy(self, policy):
        self.add_repository()
        self.add_file_machine()
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r", "policy": policy})

    def policy_of_flow(self):
        return self.daemon.json("flows/f/config.json")["policy"]

    def test_a_definition_is_stored_with_all_its_fields(self):
        os.mkdir(self.daemon.mount / "policies/p")
        self.assertEqual(self.daemon.json("policies/p/status.json")["state"], "incomplete")
        definition = {
            "description": "",
            "tags": ["prod"],
            "keep_last": 3,
            "keep_hourly": None,
            "keep_daily": 30,
            "keep_weekly": 8,
            "keep_monthly": 12,
            "keep_yearly": 5,
            "min_age": "2d",
            "full_every": "30d",
            "verify": "checksums",
            "retries": 2,
            "sample": 5,
            "bandwidth": 1 << 20,
            "verify_every": "30d",
            "verify_bandwidth": 1 << 19,
            "verify_window": ["22:00-06:00", "sat-sun"],
            "boot_check": "7d",
            "boot_expect": "serial:login: ",
            "boot_timeout": "5m",
            "boot_bus": "sata",
        }
        self.define("p", definition | {"bandwidth": "1M"})
        self.assertEqual(self.daemon.json("policies/p/config.json"), definition)
        status = self.daemon.json("policies/p/status.json")
        self.assertEqual((status["state"], status["flows"], status["warnings"]), ("ready", 0, []))
        schema = self.daemon.json("policies/p/config.schema.json")
        self.assertEqual(list(schema["properties"]), list(definition))

    def test_an_invalid_definition_is_refused_and_changes_nothing(self):
        self.daemon.define("policies/p", {"keep_daily": 7})
        before = self.daemon.read("policies/p/config.json")
        for definition, why in [
            ({"keep_daily": 0}, '"keep_daily" is 0'),
            ({"keep_dayly": 7}, 'did you mean "keep_daily"'),
            ({"verify": "often"}, '"verify" is "often"'),
            ({"full_every": "never"}, '"full_every" is "never"'),
            ({"full_every": 0}, '"full_every" is 0; it must be a span of time'),
            ({"full_every": "@weekyl"}, '"@daily", "@weekly", "@monthly" or "@yearly"'),
            ({"sample": 101}, '"sample" is 101'),
            ({"boot_check": "often"}, "boot_check"),
        ]:
            with self.subTest(definition=definition):
                self.refused("EINVAL", self.define, "p", definition)
                self.assertIn(why, self.daemon.read("policies/p/error"))
                self.assertEqual(self.daemon.read("policies/p/config.json"), before)

    def test_a_policy_without_a_keep_rule_warns_that_all_points_stay(self):
        self.daemon.define("policies/p", {"retries": 3})
        self.assertIn("all points of its flows stay", self.daemon.json("policies/p/status.json")["warnings"][0])

    def test_a_flow_can_name_only_an_existing_policy(self):
        self.daemon.define("policies/p", {"keep_daily": 7})
        self.add_flow_with_policy("p")
        self.assertEqual(self.policy_of_flow(), "p")
        self.assertEqual(self.daemon.json("policies/p/status.json")["flows"], 1)
        self.refused("ENOENT", self.daemon.write, "flows/f/control", "set policy=none")
        self.assertIn("there is no policy 'none'", self.daemon.read("flows/f/error"))
        self.assertEqual(self.policy_of_flow(), "p")
        self.daemon.write("flows/f/control", 'set policy=""')
        self.assertIsNone(self.policy_of_flow())
        self.assertEqual(self.daemon.json("policies/p/status.json")["flows"], 0)

    def test_a_flow_follows_the_new_name_of_its_policy_and_must_let_it_go_first(self):
        self.daemon.define("policies/p", {"keep_daily": 7})
        self.add_flow_with_policy("p")
        os.rename(self.daemon.mount / "policies/p", self.daemon.mount / "policies/q")
        self.assertEqual(self.policy_of_flow(), "q")
        self.refused("EBUSY", os.rmdir, self.daemon.mount / "policies/q")
        self.assertIn("policy 'q' is used by flow 'f'; write 'set policy=null'", self.daemon.read("error"))
        self.assertEqual(self.policy_of_flow(), "q")
        self.daemon.write("flows/f/control", "set policy=null")
        os.rmdir(self.daemon.mount / "policies/q")
        self.assertIsNone(self.policy_of_flow())

    def test_repositories_store_policies(self):
        path = self.add_repository()
        self.daemon.define("policies/p", {"keep_daily": 7})
        file = path / "definitions/policies/p.json"
        self.until(file.exists)
        stored = json.loads(file.read_text())
        self.assertEqual((stored["kind"], stored["name"]), ("policy", "p"))
        self.assertEqual(stored["definition"], self.daemon.json("policies/p/config.json"))
        os.rmdir(self.daemon.mount / "policies/p")
        self.until(lambda: not file.exists())


if __name__ == "__main__":
    holdfast.main()
