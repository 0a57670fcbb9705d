#!/usr/bin/python3
"""Includes go one way: fsd → engine → catalog. engine/image uses catalog/base only. No circle is allowed.

A node is a folder of a room ("engine/runs", with everything below). A file directly in a room ("engine/engine.h") is a
node of its own, which separates an interface from its implementation."""

import graphlib
import re
import unittest

import tree

ROOMS = ["catalog", "engine", "fsd"]  # each room may use the rooms before it
# Nodes that may use less than their room may.
ONLY = {
    "catalog/base": {"catalog/base"},
    "engine/image": {"engine/image", "catalog/base"},
}
# The engine's own rooms: each may use the rooms before it. Files directly in engine/ may use all of them.
ENGINE = ["common", "image", "foreign", "sources", "repository", "rescan", "capture", "retention", "verify", "repair", "boot",
          "replication", "runs", "schedule", "objects", "reading", "status", "requests"]
# fsd reaches the engine through these headers and opens neither databases nor images.
FACE = {"engine/engine.h", "engine/common/observer.h", "engine/objects/kinds.h", "engine/objects/objects.h",
        "engine/status/status.h", "engine/requests/requests.h", "engine/reading/reading.h",
        "engine/reading/opened_image.h", "engine/sources/machine_json.h"}
HIDDEN_FROM_FSD = re.compile(r"engine/|catalog/(db|stores)/|catalog/catalog\.h")


def node(path):
    parts = str(path).split("/")
    return "/".join(parts[:2])


def goes_up_in_the_engine(file, target):
    """Returns whether a file of an engine room includes a later room, or what stands above all rooms."""
    _, room, *below = file.split("/")
    _, used, *below_used = target.split("/")
    if not below:
        return False
    return not below_used or ENGINE.index(used) > ENGINE.index(room)


def includes(root):
    """Returns (file, included file) for all sources in the rooms."""
    for path in tree.files(root, ".h", ".cpp"):
        if path.parts[0] in ROOMS:
            for target in re.findall(r'^\s*#\s*include\s+"([^"]+)"', (root / path).read_text(), re.MULTILINE):
                yield str(path), target


def broken(root):
    """Returns a sentence for each include in the wrong direction, and for a circle."""
    sentences, graph = [], {}
    for file, target in includes(root):
        room, used = file.split("/")[0], target.split("/")[0]
        if used not in ROOMS:
            sentences.append(f'{file} includes "{target}", which is no path from the root')
        elif ROOMS.index(used) > ROOMS.index(room):
            sentences.append(f"{file} includes {target}: {room} may not use {used}")
        elif node(target) not in ONLY.get(node(file), {node(target)}):
            sentences.append(f"{file} includes {target}: {node(file)} may not use it")
        elif room == used == "engine" and goes_up_in_the_engine(file, target):
            sentences.append(f"{file} includes {target}: {node(target)} stands above {node(file)}")
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

    def test_an_include_upwards_is_found(self):
        self.assert_broken({"catalog/model/a.h": "engine/engine.h"}, "catalog may not use engine")

    def test_an_image_library_that_uses_the_catalog_is_found(self):
        self.assert_broken({"engine/image/a.cpp": "catalog/model/entities.h"}, "engine/image may not use it")

    def test_an_fsd_that_opens_the_database_is_found(self):
        self.assert_broken({"fsd/tree/a.cpp": "catalog/stores/points.h"}, "behind the engine's face")

    def test_an_engine_room_that_uses_a_later_one_is_found(self):
        self.assert_broken({"engine/runs/a.h": "engine/objects/a.h"}, "engine/objects stands above engine/runs")

    def test_an_engine_room_that_uses_the_engine_itself_is_found(self):
        self.assert_broken({"engine/status/a.cpp": "engine/engine.h"}, "engine/engine.h stands above engine/status")

    def test_every_engine_room_has_its_place_in_the_order(self):
        rooms = {path.name for path in (tree.ROOT / "engine").iterdir() if path.is_dir()}
        self.assertEqual(rooms, set(ENGINE))

    def test_a_circle_between_folders_is_found(self):
        circle = {"catalog/model/a.h": "catalog/stores/a.h", "catalog/stores/b.h": "catalog/model/b.h"}
        self.assert_broken(circle, "a circle")

    def test_an_include_that_does_not_start_at_the_root_is_found(self):
        self.assert_broken({"engine/runs/a.cpp": "a.h"}, "no path from the root")


if __name__ == "__main__":
    unittest.main()
