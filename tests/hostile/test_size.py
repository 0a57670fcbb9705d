#!/usr/bin/python3
"""Definitions of any size: lists and texts have limits, which each schema names, and a longer one is refused."""

import json
import pathlib

import holdfast
from users import User, unnamed

ITEMS, LENGTH = 256, 4096


def unlimited(schema, at=""):
    """Yields the places of lists and texts in a schema that have no limit."""
    if isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from unlimited(item, f"{at}[{number}]")
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "array" and not 0 < schema.get("maxItems", 0) <= ITEMS:
        yield f"{at} has no end"
    if schema.get("type") == "string" and "enum" not in schema and not 0 < schema.get("maxLength", 0) <= LENGTH:
        yield f"{at} has no longest text"
    for name, child in schema.items():
        yield from unlimited(child, f"{at}.{name}")


class Size(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.owner = User(*unnamed(1))
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.daemon.define("schedules/s", {"every": "7h"})
        for path in ("flows/f", "machines/m", "schedules/s"):
            (self.daemon.mount / path).chmod(0o777)

    def refused(self, path, **fields):
        """Writes a definition with these fields as its owner, and returns the sentence of its refusal."""
        before = self.daemon.read(f"{path}/config.json")
        text = json.dumps(json.loads(before) | fields)
        self.assertEqual(self.owner.outcome(lambda: self.daemon.write(f"{path}/config.json", text)), "EINVAL")
        self.assertEqual(self.daemon.read(f"{path}/config.json"), before)
        return self.owner.does(lambda: self.daemon.read(f"{path}/error"))

    def test_a_list_of_120000_tags_is_refused_with_the_limit(self):
        tags = [f"{number:x}" for number in range(120_000)]
        self.assertIn('"tags" has 120000 items; a list has at most 256', self.refused("flows/f", tags=tags))

    def test_a_list_of_the_longest_length_is_taken_and_one_item_more_is_not(self):
        definition = self.daemon.json("flows/f/config.json")
        tags = [f"{number:x}" for number in range(ITEMS)]
        text = json.dumps(definition | {"tags": tags})
        self.owner.does(lambda: self.daemon.write("flows/f/config.json", text))
        self.assertEqual(self.daemon.json("flows/f/config.json")["tags"], tags)
        self.assertIn("has 257 items", self.refused("flows/f", tags=[*tags, "one more"]))

    def test_a_text_of_the_longest_length_is_taken_and_a_longer_one_is_not(self):
        definition = self.daemon.json("flows/f/config.json")
        for longest in ("x" * LENGTH, "ß" * (LENGTH // 2)):
            text = json.dumps(definition | {"description": longest})
            self.owner.does(lambda: self.daemon.write("flows/f/config.json", text))
            self.assertEqual(self.daemon.json("flows/f/config.json")["description"], longest)
            why = self.refused("flows/f", description=longest + "x")
            self.assertIn('"description" has 4097 bytes; a text has at most 4096', why)

    def test_a_text_within_a_list_or_an_object_has_the_same_limit(self):
        self.assertIn('"blackout[1]" has 5000 bytes', self.refused("schedules/s", blackout=["sat-sun", "x" * 5000]))
        disks = [{"name": "disk-0", "path": "/" + "x" * 5000}]
        self.assertIn('"disks[0].path" has 5001 bytes', self.refused("machines/m", disks=disks))

    def test_a_field_with_a_long_name_is_refused_without_being_repeated(self):
        why = self.refused("flows/f", **{"x" * 500_000: 1})
        self.assertIn("a field's name has 500000 bytes; a text has at most 4096", why)

    def test_every_list_and_text_of_every_schema_has_a_limit(self):
        schemas = sorted(pathlib.Path(self.daemon.mount).glob("*/*/config.schema.json"))
        schemas.append(self.daemon.mount / "config.schema.json")
        self.assertGreaterEqual(len(schemas), 5)
        for schema in schemas:
            self.assertEqual(list(unlimited(json.loads(schema.read_text()))), [], schema)

    def test_a_list_and_a_text_without_a_limit_are_noticed(self):
        schema = {"properties": {"tags": {"type": "array", "items": {"type": "string"}}, "on": {"enum": ["a"]}}}
        self.assertEqual(list(unlimited(schema)), [".properties.tags has no end", ".properties.tags.items has no longest text"])

    def test_a_longer_list_and_text_that_an_earlier_version_stored_stay(self):
        """The limits are those of a write."""
        tags = [f"{number:x}" for number in range(1000)]
        stored = json.dumps({"tags": tags, "description": "x" * 9000})
        self.daemon.stop()
        holdfast.change_catalog(self.daemon, "UPDATE flows SET definition = json_patch(definition, ?)", stored)
        self.daemon.start()
        definition = self.daemon.json("flows/f/config.json")
        self.assertEqual((definition["tags"], len(definition["description"])), (tags, 9000))
        self.assertEqual(self.daemon.run("f", "r1"), "success")


if __name__ == "__main__":
    holdfast.main()
