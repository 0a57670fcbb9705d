#!/usr/bin/python3
"""Laws are cited where they are kept and where they are tested, and each citation names a law of LAWS.md."""

import re
import unittest

import tree

HEADING = re.compile(r"^### (\d+)\. ", re.MULTILINE)
NOT_KEPT_YET = "**Not kept yet, wholly:**"
# "law 12", "laws 1 and 2", "laws 1, 2, 3 and 5"; a comment may break the line in between.
BREAK = r"(?:\s|\n\s*(?://|#|--)\s*)+"
CITATION = re.compile(rf"\blaws?{BREAK}(\d+(?:(?:,{BREAK}|{BREAK}and{BREAK})\d+)*)", re.IGNORECASE)

KEPT_IN = ("catalog", "engine", "fsd")
TESTED_IN = ("tests",)
NO_CITATIONS = {"LAWS.md", "tests/house/test_laws.py"}  # files that speak of citations


def laws(root):
    """Returns the number of each law, and whether it is kept wholly."""
    _, *parts = HEADING.split((root / "LAWS.md").read_text(encoding="utf-8"))
    return {int(number): NOT_KEPT_YET not in text for number, text in zip(parts[::2], parts[1::2])}


def citations(root):
    """Yields (path, law) for each citation in the project's texts."""
    for path in tree.files(root):
        if "corpus" in path.parts or str(path) in NO_CITATIONS:
            continue
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for found in CITATION.findall(text):
            yield from ((path, int(number)) for number in re.findall(r"\d+", found))


def complaints(root):
    """Returns a sentence for each citation without its law, and for each law that lacks a citation."""
    known = laws(root)
    sentences = [] if list(known) == list(range(1, len(known) + 1)) else ["the laws are not numbered 1, 2, 3, …"]
    kept, tested = set(), set()
    for path, law in citations(root):
        if law not in known:
            sentences.append(f"{path} cites law {law}, which is not in LAWS.md")
        if path.parts[0] in KEPT_IN:
            kept.add(law)
        if path.parts[0] in TESTED_IN:
            tested.add(law)
    for law, wholly in known.items():
        if wholly and law not in kept:
            sentences.append(f"law {law} is cited by no file that keeps it")
        if wholly and law not in tested:
            sentences.append(f"law {law} is cited by no test")
    return sentences


class Laws(tree.MadeTreeTest):
    def test_laws_and_citations_agree(self):
        self.assertEqual(complaints(tree.ROOT), [])

    def test_the_laws_are_all_there(self):
        self.assertEqual(len(laws(tree.ROOT)), 21)

    def complaints_about(self, files):
        self.make("LAWS.md", "# Laws\n\n### 1. Rows before bytes\n\n### 2. Bytes before names\n")
        self.make("engine/both.h", "// Laws 1 and\n// 2 are kept here.\n")
        self.make("tests/engine/both_test.cpp", "// Tests laws 1, 2.\n")
        for path, text in files.items():
            self.make(path, text)
        return complaints(self.made)

    def test_laws_that_are_kept_and_tested_pass(self):
        self.assertEqual(self.complaints_about({}), [])

    def test_a_citation_of_no_law_is_found(self):
        self.assertEqual(
            self.complaints_about({"fsd/a.h": "// As law 3 has it.\n"}), ["fsd/a.h cites law 3, which is not in LAWS.md"]
        )
        self.assertEqual(
            self.complaints_about({"fsd/a.h": "", "README.md": "By laws 1 and 4.\n"}),
            ["README.md cites law 4, which is not in LAWS.md"],
        )

    def test_a_law_that_no_file_keeps_is_found(self):
        self.assertEqual(
            self.complaints_about({"engine/both.h": "// Law 1.\n"}), ["law 2 is cited by no file that keeps it"]
        )

    def test_a_law_that_no_test_cites_is_found(self):
        self.assertEqual(
            self.complaints_about({"tests/engine/both_test.cpp": "// Law 2.\n"}), ["law 1 is cited by no test"]
        )

    def test_a_law_that_is_not_kept_wholly_needs_no_citation(self):
        wholly = "# Laws\n\n### 1. One\n\n### 2. Two\n\n### 3. Three\n"
        partly = f"{wholly}\n{NOT_KEPT_YET} nothing keeps it.\n"
        self.assertNotEqual(self.complaints_about({"LAWS.md": wholly}), [])
        self.assertEqual(self.complaints_about({"LAWS.md": partly}), [])

    def test_a_missing_number_is_found(self):
        self.assertEqual(
            self.complaints_about({"LAWS.md": "### 1. One\n\n### 2. Two\n\n### 4. Four\n"})[:1],
            ["the laws are not numbered 1, 2, 3, …"],
        )


if __name__ == "__main__":
    unittest.main()
