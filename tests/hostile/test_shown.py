#!/usr/bin/python3
"""Texts of users in events, errors and logs: a terminal that shows them shows text alone."""

import json

import holdfast
from users import User, unnamed

# Escape sequences, a line that looks like another one, backspaces, DEL, and a C1 control (CSI in one character).
EVIL = "a\x1b[2J\x1b]0;title\x07 b\r\nroot said: all is well\x08\x08 c\x7f d\x9b31m e"
PLAIN = "é ß 漢 …"


def controls(text):
    """Returns the control characters of a text."""
    return [character for character in text if ord(character) < 32 or 127 <= ord(character) < 160]


class Shown(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.user = User(*unnamed(1))
        self.daemon.define("schedules/s", {"every": "7h"})
        (self.daemon.mount / "schedules/s").chmod(0o777)

    def reason(self):
        return json.loads(self.daemon.read("events.jsonl").splitlines()[-1])["reason"]

    def test_a_refusal_quotes_no_control_character(self):
        for path, text in [("control", EVIL), ("control", f'enable x="{EVIL}"'), ("config.json", json.dumps({EVIL: 1})), ("config.json", json.dumps({"every": EVIL}, ensure_ascii=False))]:
            self.user.outcome(lambda: self.daemon.write(f"schedules/s/{path}", text))
            error = self.user.does(lambda: self.daemon.read("schedules/s/error"))
            self.assertEqual(controls(error.removesuffix("\n")), [], error)
            self.assertEqual(controls(self.reason()), [], self.reason())

    def test_the_reason_of_a_pin_has_no_control_character_and_keeps_its_letters(self):
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.daemon.run("f", "r1")
        self.daemon.write("machines/m/latest/control", f'pin why="{PLAIN} \x7f \x9b31m"')
        self.assertTrue(self.reason().startswith(PLAIN), self.reason())
        self.assertEqual(controls(self.reason()), [])

    def test_the_log_of_a_hook_has_no_control_character_but_ends_of_lines(self):
        self.add_file_machine()
        self.add_repository()
        (self.folder / "said").write_text(EVIL)
        self.add_hook("says", f"cat {self.folder}/said")
        self.add_flow(hooks=["says"])
        self.daemon.run("f", "r1")
        log = self.daemon.read("flows/f/executions/r1/log")
        self.assertIn("all is well", log)
        self.assertEqual(controls(log.replace("\n", "")), [], log)


    def test_the_log_of_a_failed_run_has_no_control_character_but_ends_of_lines(self):
        disks = [{"name": "disk-0", "path": f"{self.folder}/{EVIL}".replace("\r\n", "")}]
        self.daemon.define("machines/m", {"driver": "file", "disks": disks})
        self.add_repository()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "error")
        log = self.daemon.read("flows/f/executions/r1/log")
        self.assertIn("31m e", log)
        self.assertEqual(controls(log.replace("\n", "")), [], log)


if __name__ == "__main__":
    holdfast.main()
