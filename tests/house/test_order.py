#!/usr/bin/python3
"""Order of the tree: a fixed list of rooms, files of readable size, no unfinished work, no sleep, no test that skips
itself."""

import pathlib
import re
import unittest

import tree

ROOMS = {"fsd", "engine", "catalog", "migrations", "tools", "tests", "packaging", ".ci"}
LONGEST = 500  # lines
EXEMPT = {"LICENSE"}
SOURCES = (".h", ".cpp", ".py", ".sql", ".cmake", ".txt")

# The words are split, so that this file does not match itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Python and scripts may not sleep; the one polling loop of tests/lib is exempt. C++ tests may test time itself.
SLEEP = re.compile(r"\btime\.sl" r"eep\b|^\s*sl" r"eep\s", re.MULTILINE)
# Only tests/lib may skip a test, and only where HOLDFAST_ALLOW_SKIP names the file.
STEPS_ASIDE = re.compile(r"\bGTEST_" r"SKIP\b|\bskip(Test|If|Unless)\b|@unittest\.sk" r"ip")


def is_text(path):
    return path.suffix in SOURCES or path.parts[0] in {"tools", ".ci"} or "long" in path.parts


def out_of_order(root):
    """A sentence for each breach."""
    sentences = [
        f"{entry.name}/ is no room of the house"
        for entry in sorted(root.iterdir())
        if entry.is_dir() and entry.name not in ROOMS | tree.NOT_OURS
    ]
    for path in tree.files(root):
        if not is_text(path) or str(path) in EXEMPT:
            continue
        text = (root / path).read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > LONGEST:
            sentences.append(f"{path} has {lines} lines, more than {LONGEST}")
        for word in UNFINISHED.findall(text):
            sentences.append(f"{path} says {word}")
        in_lib = path.parts[:2] == ("tests", "lib")
        if SLEEP.search(text) and not in_lib:
            sentences.append(f"{path} sleeps: wait for the thing itself")
        if path.parts[0] == "tests" and not in_lib and STEPS_ASIDE.search(text):
            sentences.append(f"{path} skips a test by itself")
    return sentences


class Order(tree.MadeTreeTest):
    def test_the_tree_is_in_order(self):
        self.assertGreater(len(list(tree.files(tree.ROOT))), 50)
        self.assertEqual(out_of_order(tree.ROOT), [])

    def assert_found(self, path, text, sentence):
        self.make(path, text)
        self.assertRegex("\n".join(out_of_order(self.made)), sentence)

    def test_an_extra_room_is_found(self):
        self.assert_found("utils/a.txt", "", "utils/ is no room")

    def test_a_long_file_is_found(self):
        self.assert_found("engine/a.cpp", "\n" * (LONGEST + 1), "501 lines")

    def test_unfinished_work_is_found(self):
        self.assert_found("engine/a.cpp", "// TO" "DO: later\n", "says TO" "DO")

    def test_a_sleep_is_found(self):
        self.assert_found("tools/lib/a.sh", "run &\n  sl" "eep 1\n", "sleeps")
        self.assert_found("tests/mount/test_a.py", "time.sl" "eep(1)\n", "test_a.py sleeps")

    def test_a_test_that_skips_itself_is_found(self):
        self.assert_found("tests/engine/a_test.cpp", "GTEST_" "SKIP();\n", "skips a test")


if __name__ == "__main__":
    unittest.main()
