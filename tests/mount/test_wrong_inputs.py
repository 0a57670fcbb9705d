#!/usr/bin/python3
"""Wrong inputs through the tools that people write with: each tool ends with a status other than zero, and nothing
changes. The tools that can't show a refusal are named in holdfast-fs(5)."""

import json

import holdfast
from face import FaceTest

# Each script reads the wrong text from the file $NEW and writes it to the definition $TO.
TOOLS = {
    "echo": 'echo "$(cat $NEW)" > $TO',
    "echo in dash": "dash -c 'echo \"$(cat $NEW)\" > $TO'",
    "printf": 'printf "%s\\n" "$(cat $NEW)" > $TO',
    "cat": "cat $NEW > $TO",
    "cat, appending": "cat $NEW >> $TO",
    "tee": "tee $TO < $NEW",
    "cp": "cp $NEW $TO",
    "mv": "mv $NEW $TO",
    "install": "install -m 640 $NEW $TO",
    "dd": "dd if=$NEW of=$TO",
    "sed -i": "sed -i -n -e '1r '$NEW $TO",
    "python": "python3 -c 'import os; open(os.environ[\"TO\"], \"w\").write(open(os.environ[\"NEW\"]).read())'",
    "python, closing": "python3 -c 'import os\nwith open(os.environ[\"TO\"], \"w\") as to: to.write(open(os.environ[\"NEW\"]).read())'",
}
# CPython's last flush of a file that nobody closed prints the error and ends with 0.
SILENT = {"python"}

FLOW = {"target": "machines/m", "repository": "r"}
WRONG = [
    ("flows/f", text)
    for text in [
        "nonsense",
        "{nonsense}",
        "[]",
        '"text"',
        "{} {}",
        '{"target": "machines/m",}',
        "{'target': 'machines/m'}",
        '{"target": "machines/m"}',
        *(
            json.dumps(FLOW | wrong)
            for wrong in [
                {"descripton": "lost"},
                {"target": "m"},
                {"target": "machines/none"},
                {"target": 5},
                {"repository": "none"},
                {"repository": ""},
                {"enabled": "yes"},
                {"enabled": None},
                {"type": "backups"},
                {"schedule": "none"},
                {"policy": "none"},
                {"timeout": "soon"},
                {"timeout": -1},
                {"priority": "high"},
                {"overlap": "wait"},
                {"hooks": ["none"]},
                {"hooks": "none"},
                {"tags": "web"},
                {"tags": [1]},
                {"notify": ["failure"]},
            ]
        ),
    ]
] + [
    (path, json.dumps(wrong))
    for path, wrong in [
        ("machines/m", {"driver": "vmware"}),
        ("machines/m", {"driver": "file", "disks": [{"name": "error", "path": "/dev/null"}]}),
        ("machines/m", {"driver": "file", "disks": [{"name": "a", "path": "relative"}]}),
        ("machines/m", {"driver": "qmp", "disks": [{"name": "a", "node": "n"}]}),
        ("repositories/r", {}),
        ("repositories/r", {"path": "relative"}),
        ("repositories/r", {"path": "/tmp/x", "compression": "lzma"}),
        ("schedules/s", {"cron": "61 * * * *"}),
        ("schedules/s", {"every": "1h", "cron": "0 2 * * *"}),
        ("schedules/s", {"every": "1h", "timezone": "Mars"}),
        ("policies/p", {"keep_dayly": 7}),
        ("policies/p", {"keep_daily": -7}),
        ("policies/p", {"keep_daily": 7.5}),
        ("groups/g", {"members": ["m"]}),
    ]
]


class WrongInputs(FaceTest):
    def setUp(self):
        super().setUp()
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.daemon.define("schedules/s", {"every": "1h"})
        self.daemon.define("policies/p", {})
        self.daemon.define("groups/g", {})

    def test_every_tool_fails_at_every_wrong_input_and_nothing_changes(self):
        self.assertGreaterEqual(len(WRONG), 40)
        new = self.folder / "new.json"
        before = self.daemon.catalog()
        # Each input goes through one tool, and each tool gets some inputs of each kind.
        for number, (path, text) in enumerate(WRONG * 2):
            tool = list(TOOLS)[number % len(TOOLS)]
            with self.subTest(tool=tool, text=text):
                new.write_text(text + "\n")
                done = self.shell(f"set -e; export NEW={new} TO={path}/config.json; {TOOLS[tool]}; echo REACHED")
                self.assertEqual(done.returncode == 0, tool in SILENT, done.stderr)
                self.assertEqual("REACHED" in done.stdout, tool in SILENT)
                self.assertRegex(self.daemon.read(f"{path}/error"), "E[A-Z]+: ")
        self.assertEqual(self.daemon.catalog(), before)


if __name__ == "__main__":
    holdfast.main(lambda: holdfast.absent("dash"))
