#!/usr/bin/python3
"""Facts that users add to points: pins and verdicts, in the manifest at once and beside the point in its
repository."""

import errno
import json
import os
import time

import holdfast


class Facts(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.repository = self.add_repository()
        self.add_flow()
        self.daemon.run("f", "r1")
        (self.point,) = self.daemon.points("m")

    def say(self, command, point=None):
        self.daemon.write(f"machines/m/points/{point or self.point}/control", command)

    def refused(self, code, command):
        with self.assertRaises(OSError) as refused:
            self.say(command)
        self.assertEqual(errno.errorcode[refused.exception.errno], code)
        return self.daemon.read(f"machines/m/points/{self.point}/error")

    def manifest(self):
        return self.daemon.json(f"machines/m/points/{self.point}/manifest.json")

    def stored(self):
        found = list(self.repository.glob(f"*/{self.point}/facts.json"))
        return json.loads(found[0].read_text()) if found else {}

    def test_a_pin_holds_until_unpin(self):
        self.assertEqual(self.manifest()["pins"], [])
        self.say('pin until=2126-11-20 why="before the \\"big\\" upgrade"')
        (pin,) = self.manifest()["pins"]
        self.assertEqual(pin["until"], "2126-11-20T23:59:59Z")
        self.assertEqual(pin["why"], 'before the "big" upgrade')
        self.assertEqual(pin["by_name"], "root")
        self.say("pin")
        self.assertEqual([pin["until"] for pin in self.manifest()["pins"]], ["2126-11-20T23:59:59Z", None])
        self.until(lambda: self.stored().get("pins") == self.manifest()["pins"])
        self.say("unpin")
        self.assertEqual(self.manifest()["pins"], [])
        self.until(lambda: self.stored()["pins"] == [])
        self.assertIn("not pinned", self.refused("ENOENT", "unpin"))

    def test_a_change_gives_each_affected_file_a_new_revision_and_mtime(self):
        self.daemon.define("policies/p", {"keep_last": 3})
        flow = self.daemon.json("flows/f/config.json")
        chain = self.manifest()["chain"]
        manifest, machine = f"machines/m/points/{self.point}/manifest.json", "machines/m/status.json"
        plan, links = "machines/m/plan.json", f"machines/m/chains/{chain}/chain.json"
        for act, changed in [
            (lambda: self.say("pin"), (manifest, machine, plan)),
            (lambda: self.say("verdict result=good by=ann"), (manifest, machine, plan)),
            (lambda: self.daemon.write("machines/m/control", "retire keep=90d"), (machine, plan)),
            (lambda: self.daemon.write("machines/m/control", "unretire"), (machine, plan)),
            (lambda: self.daemon.write("machines/m/control", "reset-cbt"), ("machines/m/disks/disk-0/status.json",)),
            (lambda: self.daemon.write("flows/f/config.json", json.dumps(flow | {"policy": "p"})), (plan, "policies/p/status.json")),
            (lambda: self.daemon.write("policies/p/config.json", json.dumps({"keep_last": 9})), (plan,)),
            (lambda: self.verify(), (manifest, machine, "repositories/r/status.json")),
            (lambda: self.daemon.run("f", "r2"), (machine, links, "repositories/r/status.json", "flows/f/status.json")),
        ]:
            before = {path: self.daemon.json(path).get("revision", 0) for path in changed}
            began = time.time()
            act()
            for path in changed:
                with self.subTest(path=path):
                    if "disks" not in path:
                        self.assertGreater(self.daemon.json(path)["revision"], before[path])
                    self.assertGreaterEqual(os.stat(self.daemon.mount / path).st_mtime, began - 0.002)

    def verify(self):
        self.daemon.write("repositories/r/control", "verify name=v")
        self.assertEqual(self.daemon.read("jobs/v/wait"), "success\n")

    def test_a_pin_that_ends_in_the_past_is_refused(self):
        self.assertIn("is over", self.refused("EINVAL", "pin until=2001-01-01"))
        self.assertIn("is no time", self.refused("EINVAL", "pin until=soon"))
        self.assertIn("never closed", self.refused("EINVAL", 'pin why="oh'))
        self.assertEqual(self.manifest()["pins"], [])
        self.say("pin until=30d")
        self.assertEqual(len(self.manifest()["pins"]), 1)

    def test_a_point_with_a_bad_verdict_is_never_latest_and_the_last_verdict_counts(self):
        self.assertEqual(self.daemon.json("machines/m/status.json")["latest"], self.point)
        self.say("verdict result=bad by=ann text=unbootable")
        (verdict,) = self.manifest()["verdicts"]
        self.assertEqual((verdict["result"], verdict["by_name"], verdict["text"]), ("bad", "ann", "unbootable"))
        self.assertFalse(os.path.lexists(self.daemon.mount / "machines/m/latest"))
        self.assertIsNone(self.daemon.json("machines/m/status.json")["latest"])
        self.say("verdict result=good by=bob")
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest"), f"points/{self.point}")
        self.assertEqual(self.daemon.json("machines/m/status.json")["latest"], self.point)
        self.until(lambda: len(self.stored().get("verdicts", [])) == 2)
        self.refused("EINVAL", "verdict result=fine by=ann")
        self.assertIn("wants by=NAME", self.refused("EINVAL", "verdict result=bad"))

    def test_a_repository_that_was_away_gets_the_facts_after_the_next_start(self):
        away = self.folder / "away"
        os.rename(self.repository, away)
        self.say("pin why=held")
        self.daemon.kill()
        os.rename(away, self.repository)
        self.daemon.start()
        self.until(lambda: [pin["why"] for pin in self.stored().get("pins", [])] == ["held"])

    def test_a_verification_keeps_pins_and_verdicts(self):
        self.say("pin why=held")
        self.say("verify level=quick name=v")
        self.assertEqual(self.daemon.read("jobs/v/wait"), "success\n")
        self.until(lambda: self.stored().get("verified") is not None)
        self.assertEqual([pin["why"] for pin in self.stored()["pins"]], ["held"])

    def test_pins_and_verdicts_are_events(self):
        self.say("pin why=held")
        self.say("verdict result=good by=ann")
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        said = {event["event"]: event for event in events if event["event"] in ("point.pin", "point.verdict")}
        self.assertEqual(said["point.pin"]["reason"], "held")
        self.assertEqual(said["point.verdict"]["object"], f"machines/m/points/{self.point}")
        self.assertEqual(said["point.verdict"]["by"]["uid"], os.getuid())


if __name__ == "__main__":
    holdfast.main()
