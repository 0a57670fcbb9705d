#!/usr/bin/python3
"""The event log (law 15): operations and refusals with their user, and the parts that the log is cut into."""

import json
import os

import holdfast
from three_users import OWNER, STRANGER, TEAM, Permissions


class Told(Permissions):
    """Events name the operation, its user and its result."""

    def events(self):
        return [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]

    def test_changes_and_refusals_are_events_with_uid_gid_and_pid(self):
        before = len(self.events())

        def act():
            os.chmod(self.mount / "flows/f", 0o755)
            for path, text in [("flows/f/control", "bogus"), ("flows/f/config.json", "{}")]:
                try:
                    self.daemon.write(path, text)
                except OSError:
                    pass
            with open(self.mount / "machines/m/latest/disk-0.raw", "rb"):
                return os.getpid()

        pid = OWNER.does(act)
        self.until(lambda: len(self.events()) >= before + 4)  # an opening is told within a second
        told = self.events()[before:]
        by = {"uid": OWNER.uid, "gid": OWNER.gid, "pid": pid}
        self.assertEqual([one["by"] for one in told], [by] * 4)
        point = os.readlink(self.mount / "machines/m/latest")
        self.assertEqual(
            [(one["event"], one["object"], one["result"]) for one in told],
            [
                ("flow.own", "flows/f", "ok"),
                ("flow.command", "flows/f", "refused"),
                ("flow.define", "flows/f", "refused"),
                ("image.open", f"machines/m/{point}/disk-0", "ok"),
            ],
        )
        self.assertEqual(told[0]["reason"], f"user {OWNER.uid}, group {TEAM}, mode 0755")
        self.assertIn("'bogus'", told[1]["reason"])
        self.assertIn('"target" is missing', told[2]["reason"])

    def test_refusals_by_the_daemon_are_events_named_by_their_operation(self):
        os.chmod(self.mount / "flows", 0o777)
        before = len(self.events())
        for deed in ["mkdir flows/.bad", "rmdir flows/secret", "mv flows/secret other", "chown flows/f 1 1"]:
            STRANGER.outcome(self.perform(deed))
        told = self.events()[before:]
        self.assertEqual(
            [(one["event"], one["object"], one["result"], one["by"]["uid"]) for one in told],
            [
                ("flow.create", "flows/.bad", "refused", STRANGER.uid),
                ("flow.remove", "flows/secret", "refused", STRANGER.uid),
                ("flow.rename", "flows/secret", "refused", STRANGER.uid),
                # The kernel refuses chown without asking the daemon.
            ],
        )

    def test_the_log_is_cut_into_parts_of_the_configured_size(self):
        self.daemon.write("config.json", '{"events_size": 4096}')
        for number in range(300):
            (self.mount / "flows" / f"n{number}").mkdir()
        names = sorted(name for name in os.listdir(self.mount) if name.startswith("events"))
        self.assertEqual(names, ["events.jsonl"] + [f"events.jsonl.{number}" for number in range(1, 10)])
        made = []
        for name in ["events.jsonl"] + [f"events.jsonl.{number}" for number in range(1, 10)]:
            text = self.daemon.read(name)
            self.assertLess(len(text), 3 * 4096)
            made = [json.loads(line)["object"] for line in text.splitlines()] + made
        self.assertEqual(made, [f"flows/n{number}" for number in range(300 - len(made), 300)])
        self.assertGreater(len(made), 100)
        with self.assertRaises(FileNotFoundError):
            self.daemon.read("events.jsonl.10")

    def test_an_open_part_keeps_its_content_after_a_cut(self):
        with open(self.mount / "events.jsonl", encoding="utf-8") as log:
            before = log.read()
            inode = os.fstat(log.fileno()).st_ino
            self.daemon.write("config.json", '{"events_size": 4096}')
            for number in range(40):
                (self.mount / "flows" / f"n{number}").mkdir()
            self.assertNotEqual(os.stat(self.mount / "events.jsonl").st_ino, inode)
            rest = log.read()
            self.assertEqual(os.fstat(log.fileno()).st_ino, inode)
        older = [self.daemon.read(name) for name in os.listdir(self.mount) if name.startswith("events.jsonl.")]
        self.assertIn(before + rest, older)


if __name__ == "__main__":
    holdfast.main()
