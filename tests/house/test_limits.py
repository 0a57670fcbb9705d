#!/usr/bin/python3
"""Each limit that ARCHITECTURE.md lists stands in a file of the tree, and says what meets who passes it."""

import pathlib
import re
import unittest

import tree

HEADING = "## Limits\n"


def rows(root):
    """Yields the cells of each row of the table."""
    _, _, rest = (root / "ARCHITECTURE.md").read_text(encoding="utf-8").partition(HEADING)
    table = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")]
    for line in table[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def files(cell):
    """Yields the paths in a cell; a bare name lies in the folder of the path before it."""
    folder = pathlib.Path()
    for path in map(pathlib.Path, re.findall(r"`([\w./]+)`", cell)):
        path = folder / path if path.parent == pathlib.Path() else path
        folder = path.parent
        yield path


def complaints(root):
    sentences = []
    for row in rows(root):
        if len(row) != 4 or not all(row):
            sentences.append(f"the limit {row[0]!r} lacks its value, its file or what meets who passes it")
            continue
        found = list(files(row[2]))
        sentences += [f"the limit {row[0]!r} stands in {path}, which is not there"
                      for path in found if not (root / path).is_file()]
        if not found:
            sentences.append(f"the limit {row[0]!r} names no file")
    return sentences


class Limits(tree.MadeTreeTest):
    def test_each_limit_stands_in_a_file_that_is_there(self):
        self.assertGreater(len(list(rows(tree.ROOT))), 10)
        self.assertEqual(complaints(tree.ROOT), [])

    def test_a_limit_without_its_file_is_found(self):
        self.make("fsd/here.h", "")
        self.make("ARCHITECTURE.md", HEADING + "\n| what | limit | stands in | who passes it gets |\n|---|---|---|---|\n"
                   "| a | 1 | `fsd/here.h` | EINVAL |\n| b | 2 | `fsd/here.h`, `gone.h` | EINVAL |\n"
                   "| c | 3 | nowhere | EINVAL |\n| d | 4 | `fsd/here.h` |\n\n## Next\n| no | row |\n")
        self.assertEqual(complaints(self.made), [
            "the limit 'b' stands in fsd/gone.h, which is not there",
            "the limit 'c' names no file",
            "the limit 'd' lacks its value, its file or what meets who passes it",
        ])


if __name__ == "__main__":
    unittest.main()
