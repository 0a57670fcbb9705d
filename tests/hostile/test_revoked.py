#!/usr/bin/python3
"""Rights that were taken away: a handle that was opened before neither commands nor defines."""

import contextlib
import json
import os

import holdfast
from users import User, unnamed


class Revoked(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.owner, self.other = (User(number) for number in unnamed(2))
        self.add_file_machine()
        repository = self.add_repository()
        repository.chmod(0o755)
        self.add_flow()
        for path in ("machines/m", "repositories/r", "flows/f"):
            os.chown(self.daemon.mount / path, self.owner.uid, self.owner.gid)
        self.before = self.daemon.read("flows/f/config.json")

    def with_open(self, path, revoke, act):
        """Opens a file as its owner, lets root revoke the right, and acts on the handle. Returns the outcome: the name of
        an errno, or "ok"."""
        file = self.owner.opens(self.daemon.mount / path, os.O_WRONLY | os.O_TRUNC)
        with contextlib.ExitStack() as end:
            end.callback(os.close, file)
            revoke()
            return self.owner.outcome(lambda: act(file))

    def gives_away(self):
        os.chown(self.daemon.mount / "flows/f", self.other.uid, self.other.gid)

    def closes(self):
        os.chmod(self.daemon.mount / "flows/f", 0o500)

    def test_a_control_that_was_opened_before_takes_no_command(self):
        for revoke in (self.gives_away, self.closes):
            outcome = self.with_open("flows/f/control", revoke, lambda file: os.write(file, b"run name=late\n"))
            self.assertEqual(outcome, "EACCES")
            self.assertEqual(os.listdir(self.daemon.mount / "flows/f/executions"), [])
            os.chown(self.daemon.mount / "flows/f", self.owner.uid, self.owner.gid)
            os.chmod(self.daemon.mount / "flows/f", 0o750)

    def test_a_config_that_was_opened_before_defines_nothing(self):
        text = json.dumps(json.loads(self.before) | {"description": "late"}).encode()
        for revoke in (self.gives_away, self.closes):
            outcome = self.with_open("flows/f/config.json", revoke, lambda file: os.pwrite(file, text, 0) and os.fsync(file))
            self.assertEqual(outcome, "EACCES")
            self.assertEqual(self.daemon.read("flows/f/config.json"), self.before)
            os.chown(self.daemon.mount / "flows/f", self.owner.uid, self.owner.gid)
            os.chmod(self.daemon.mount / "flows/f", 0o750)

    def test_a_draft_that_was_begun_before_is_not_committed(self):
        text = json.dumps(json.loads(self.before) | {"description": "late"}).encode()
        file = self.owner.opens(self.daemon.mount / "flows/f/config.json", os.O_WRONLY | os.O_TRUNC)
        with contextlib.ExitStack() as end:
            end.callback(os.close, file)
            os.write(file, text[:-1])
            self.closes()
            self.assertEqual(self.owner.outcome(lambda: os.write(file, text[-1:])), "EACCES")
        self.assertEqual(self.daemon.read("flows/f/config.json"), self.before)

    def test_the_refusal_is_an_event_and_a_sentence_in_error(self):
        outcome = self.with_open("flows/f/control", self.closes, lambda file: os.write(file, b"run\n"))
        self.assertEqual(outcome, "EACCES")
        said = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()][-1]
        self.assertEqual((said["event"], said["result"], said["by"]["uid"]), ("flow.command", "refused", self.owner.uid))
        self.assertIn("mode does not let you write", said["reason"])

    def test_a_handle_commands_as_long_as_its_right_lasts(self):
        outcome = self.with_open("flows/f/control", lambda: None, lambda file: os.write(file, b"run name=now\n"))
        self.assertEqual(outcome, "ok")
        self.assertEqual(self.daemon.read("flows/f/executions/now/wait"), "success\n")


if __name__ == "__main__":
    holdfast.main()
