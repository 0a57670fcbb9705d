"""The project's own files, for tests of the tree."""

import os
import pathlib
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOT_OURS = {".git", "build", "mnt", "var"}  # folders that git ignores, and its own


def files(root, *suffixes):
    """Yields paths below `root`, relative to `root`, of files with one of the suffixes. Without suffixes: of all
    files."""
    for folder, folders, names in os.walk(root):
        here = pathlib.Path(folder)
        folders[:] = [name for name in folders if not (here == root and name in NOT_OURS) and name != "__pycache__"]
        for name in sorted(names):
            if not suffixes or name.endswith(suffixes):
                yield (here / name).relative_to(root)


class MadeTreeTest(unittest.TestCase):
    """Base of the negative controls: builds a tree that breaks a rule."""

    maxDiff = None

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="holdfast-house-")
        self.addCleanup(made.cleanup)
        self.made = pathlib.Path(made.name)

    def make(self, path, text=""):
        (self.made / path).parent.mkdir(parents=True, exist_ok=True)
        (self.made / path).write_text(text, encoding="utf-8")
