#!/usr/bin/python3
"""Repositories that somebody has prepared: what a marker says is checked before anything is named after it."""

import errno
import json

import holdfast


class Markers(holdfast.MountTest):
    def prepare(self, name, **marker):
        path = self.folder / name
        path.mkdir()
        (path / "holdfast.json").write_text(json.dumps({"id": "0123abcd", "format": 1} | marker))
        (self.daemon.mount / "repositories" / name).mkdir()
        return json.dumps({"path": str(path)})

    def test_an_id_that_is_not_eight_hex_digits_is_no_marker(self):
        for number, wrong in enumerate(["../../etc", "0123abc", "0123abcde", "0123ABCD", "0123 bcd", "", "\n0123abc", "\x1b[2J....", "a\x00bcdefg"]):
            with self.subTest(id=wrong):
                text = self.prepare(f"r{number}", id=wrong)
                with self.assertRaises(OSError) as refused:
                    self.daemon.write(f"repositories/r{number}/config.json", text)
                self.assertEqual(refused.exception.errno, errno.EIO)
                self.assertIn("eight hex digits", self.daemon.read(f"repositories/r{number}/error"))

    def test_a_format_that_is_no_small_number_is_no_marker(self):
        for number, wrong in enumerate([0, -1, 2**70, 1.5, "1", None, [1]]):
            with self.subTest(format=wrong):
                text = self.prepare(f"r{number}", format=wrong)
                with self.assertRaises(OSError) as refused:
                    self.daemon.write(f"repositories/r{number}/config.json", text)
                self.assertEqual(refused.exception.errno, errno.EIO)

    def test_a_marker_as_holdfast_writes_it_is_taken(self):
        self.daemon.write("repositories/r/config.json", self.prepare("r"))
        self.assertEqual(self.daemon.json("repositories/r/status.json")["state"], "ready")


if __name__ == "__main__":
    holdfast.main()
