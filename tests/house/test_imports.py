#!/usr/bin/python3
"""Includes go one way: fsd → engine → catalog, engine/image on catalog/base alone, and never in a circle.

A node is a folder of a room ("engine/runs", with all below it); a file that stands in a room itself
("engine/engine.h") is a node of its own, so that a face and what is behind it are two."""

import graphlib
import re
import unittest

import tree

ROOMS = ["catalog", "engine", "fsd"]  # each may use those before it
# Nodes that may use less than their room may.
ONLY = {
    "catalog/base": {"catalog/base"},
    "engine/image": {"engine/image", "catalog/base"},
}
# fsd asks the engine through one face and opens no database and no image by itself.
FACE = {"engine/engine.h", "engine/observer.h", "engine/opened_image.h"}
HIDDEN_FROM_FSD = re.compile(r"engine/|catalog/(db|stores)/|catalog/catalog\.h")


def node(path):
    parts = str(path).split("/")
    return "/".join(parts[:2])


def includes(root):
    """(file, what it includes), of all sources in the rooms."""
    for path in tree.files(root, ".h", ".cpp"):
        if path.parts[0] in ROOMS:
            for target in re.findall(r'^\s*#\s*include\s+"([^"]+)"', (root / path).read_text(), re.MULTILINE):
                yield str(path), target


def broken(root):
    """A sentence for each include that goes the wrong way, and for a circle."""
    sentences, graph = [], {}
    for file, target in includes(root):
        room, used = file.split("/")[0], target.split("/")[0]
        if used not in ROOMS:
            sentences.append(f'{file} includes "{target}", which is no path from the root')
        elif ROOMS.index(used) > ROOMS.index(room):
            sentences.append(f"{file} includes {target}: {room} may not use {used}")
        elif node(target) not in ONLY.get(node(file), {node(target)}):
            sentences.append(f"{file} includes {target}: {node(file)} may not use it")
        elif room == "fsd" and target not in FACE and HIDDEN_FROM_FSD.match(target):
            sentences.append(f"{file} includes {target}, which is behind the engine's face")
        elif node(target) != node(file):
            graph.setdefault(node(file), set()).add(node(target))
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        sentences.append(f"a circle: {' ← '.join(error.args[1])}")
    return sentences


class Imports(tree.MadeTreeTest):
    def test_includes_go_one_way(self):
        self.assertGreater(len(list(includes(tree.ROOT))), 100)
        self.assertEqual(broken(tree.ROOT), [])

    def assert_broken(self, files, sentence):
        for path, target in files.items():
            self.make(path, f'#include <vector>\n#include "{target}"\n')
        self.assertRegex("\n".join(broken(self.made)), sentence)

    def test_an_include_upwards_is_seen(self):
        self.assert_broken({"catalog/model/a.h": "engine/engine.h"}, "catalog may not use engine")

    def test_the_image_library_using_the_catalog_is_seen(self):
        self.assert_broken({"engine/image/a.cpp": "catalog/model/entities.h"}, "engine/image may not use it")

    def test_fsd_opening_the_database_is_seen(self):
        self.assert_broken({"fsd/tree/a.cpp": "catalog/stores/points.h"}, "behind the engine's face")

    def test_a_circle_between_folders_is_seen(self):
        circle = {"engine/runs/a.h": "engine/capture/a.h", "engine/capture/b.h": "engine/runs/b.h"}
        self.assert_broken(circle, "a circle")

    def test_an_include_that_is_not_from_the_root_is_seen(self):
        self.assert_broken({"engine/runs/a.cpp": "a.h"}, "no path from the root")


if __name__ == "__main__":
    unittest.main()
