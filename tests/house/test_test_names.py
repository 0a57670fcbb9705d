#!/usr/bin/python3
"""Test names have one style, and are sentences: suites and classes in CamelCase, tests in snake_case of two words or more.

    python3 tests/house/test_test_names.py --list FOLDER…    lists each name below the folders that breaks the rule"""

import pathlib
import re
import sys
import unittest

import tree

SUITE = re.compile(r"[A-Z][A-Za-z0-9]*")
SENTENCE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
GOOGLETEST = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
INSTANCE = re.compile(r"^INSTANTIATE_TEST_SUITE_P\(\s*(\w+)", re.MULTILINE)
PYTHON_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
PYTHON_TEST = re.compile(r"^\s+def test(?:_(\w*))?\(self", re.MULTILINE)


def names(path, text):
    """Yields (what it is, name, the pattern that it must match)."""
    if path.suffix == ".py":
        yield from (("class", name, SUITE) for name in PYTHON_CLASS.findall(text))
        yield from (("test", name, SENTENCE) for name in PYTHON_TEST.findall(text))
    else:
        yield from (("instance", name, SUITE) for name in INSTANCE.findall(text))
        for suite, test in GOOGLETEST.findall(text):
            yield "suite", suite, SUITE
            yield "test", test, SENTENCE


def misnamed(root, folders=("tests",)):
    """Returns a sentence for each test below the folders whose name is not of the one style."""
    return [
        f"{path}: {what} {name} must match {pattern.pattern}"
        for path in tree.files(root, ".h", ".cpp", ".py")
        if any(path.is_relative_to(folder) for folder in folders)
        for what, name, pattern in names(path, (root / path).read_text(encoding="utf-8"))
        if not pattern.fullmatch(name)
    ]


class TestNames(tree.MadeTreeTest):
    def test_each_name_has_the_one_style(self):
        self.assertEqual(misnamed(tree.ROOT), [])

    def test_the_names_of_all_tests_are_read(self):
        read = [
            name
            for path in tree.files(tree.ROOT / "tests", ".cpp", ".py")
            for name in names(path, (tree.ROOT / "tests" / path).read_text(encoding="utf-8"))
        ]
        self.assertGreater(len(read), 1000)

    def assert_found(self, path, text, name):
        self.make(path, text)
        self.assertRegex("\n".join(misnamed(self.made)), rf" {name} must match")

    def test_a_googletest_in_camel_case_is_found(self):
        self.assert_found("tests/a/a_test.cpp", "TEST_F(Merge, ReadsAll) {}\n", "ReadsAll")

    def test_a_googletest_of_one_word_is_found(self):
        self.assert_found("tests/a/a_test.cpp", "TEST(Merge, works) {}\n", "works")

    def test_a_suite_in_snake_case_is_found(self):
        self.assert_found("tests/a/a_test.cpp", "TEST(a_merge, reads_all) {}\n", "a_merge")

    def test_an_instance_in_snake_case_is_found(self):
        self.assert_found("tests/a/a_test.cpp", "INSTANTIATE_TEST_SUITE_P(all, Merge, v());\n", "all")

    def test_a_python_test_of_one_word_is_found(self):
        self.assert_found("tests/a/test_a.py", "class A(T):\n    def test_cp(self):\n        pass\n", "cp")

    def test_sentences_pass(self):
        self.make("tests/a/a_test.cpp", "TEST(Merge,\n     a_full_disk_ends_it_with_enospc) {}\n")
        self.make("tests/a/test_a.py", "class A(T):\n    def test_cp_copies_all(self):\n        pass\n")
        self.assertEqual(misnamed(self.made), [])


if __name__ == "__main__":
    if "--list" in sys.argv:
        wanted = sys.argv[sys.argv.index("--list") + 1 :] or ["tests"]
        print("\n".join(misnamed(tree.ROOT, wanted)))
    else:
        unittest.main()
