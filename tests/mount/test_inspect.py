#!/usr/bin/python3
"""`holdfast inspect`: facts about an image, and whether the image can be imported, for people and scripts."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import holdfast

COMMAND = holdfast.BINARY.parent / "holdfast"
READER = holdfast.BINARY.parent / "holdfast-qcow"


class Inspect(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def make(self, name, kind, size="8M", *options):
        path = self.folder / name
        subprocess.run(["qemu-img", "create", "-q", "-f", kind, *options, path, size], check=True)
        return path

    def inspect(self, *words, command=COMMAND):
        """Returns the exit status, standard output and standard error."""
        done = subprocess.run([command, "inspect", *words], capture_output=True, text=True, check=False, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def test_an_importable_image_is_described_for_a_person(self):
        path = self.make("a.qcow", "qcow")
        subprocess.run(["qemu-io", "-f", "qcow", "-c", "write 1M 12k", path], check=True, capture_output=True)
        status, said, complaint = self.inspect(path)
        self.assertEqual((status, complaint), (0, ""))
        facts = dict(line.split(maxsplit=1) for line in said.splitlines())
        self.assertEqual(facts["image"], str(path))
        self.assertEqual(facts["format"], "qcow, version 1")
        self.assertEqual(facts["disk"], f"{8 * 2**20} bytes")
        self.assertEqual(facts["data"], "12288 bytes")
        self.assertEqual(facts["import"], "yes")

    def test_a_refused_image_comes_with_the_command_that_converts_it(self):
        path = self.make("a.qcow2", "qcow2", "8M", "-o", "extended_l2=on")
        status, said, complaint = self.inspect(path)
        self.assertEqual(status, 1)
        self.assertRegex(said, r"\nimport +no\n\Z")
        self.assertRegex(complaint, r"\Aholdfast: [^\n]*extended L2[^\n]*`qemu-img convert -f qcow2 [^\n]*`\n\Z")

    def test_json_is_one_object_with_all_facts(self):
        base = self.make("base.qcow2", "qcow2")
        path = self.make("a.qcow2", "qcow2", "8M", "-o", "compression_type=zstd", "-b", base, "-F", "qcow2")
        status, said, complaint = self.inspect("--json", path)
        found = json.loads(said)
        self.assertEqual(status, 1)
        self.assertEqual(
            {key: found[key] for key in ("format", "version", "virtual_size", "cluster_size", "compression")},
            {"format": "qcow2", "version": 3, "virtual_size": 8 * 2**20, "cluster_size": 65536, "compression": "zstd"},
        )
        self.assertEqual((found["backing_file"], found["backing_format"]), (str(base), "qcow2"))
        self.assertFalse(found["importable"])
        self.assertEqual(complaint, f"holdfast: {found['refusal']}\n")
        status, said, _ = self.inspect(base, "--json")
        found = json.loads(said)
        self.assertEqual((status, found["importable"], found["refusal"], found["data_bytes"]), (0, True, "", 0))

    def test_other_formats_are_recognised_by_name(self):
        for kind, name in (("vmdk", "vmdk"), ("vdi", "vdi"), ("vhdx", "vhdx"), ("vpc", "vpc"), ("qed", "qed")):
            status, said, complaint = self.inspect(self.make(f"a.{kind}", kind), "--json")
            self.assertEqual((status, json.loads(said)["format"]), (1, name))
            self.assertIn(f"`qemu-img convert -f {name} -O qcow2 ", complaint)

    def test_an_image_can_be_named_by_a_relative_path_or_a_link(self):
        path = self.make("a.qcow", "qcow")
        (self.folder / "link").symlink_to("a.qcow")
        for name in ("a.qcow", "link", "./a.qcow"):
            status, said, _ = self.inspect(name)
            self.assertEqual(status, 0)
            self.assertIn(str(path), said)

    def test_an_absent_image_or_a_directory_is_an_error(self):
        self.assertEqual(self.inspect("absent")[:2], (1, ""))
        self.assertRegex(self.inspect("absent")[2], r"\Aholdfast: [^\n]*absent: No such file or directory\n\Z")
        self.assertRegex(self.inspect(self.folder)[2], r"no file and no block device\n\Z")

    def test_a_wrong_command_line_prints_the_usage(self):
        for words in ([], ["a", "b"], ["--jsn", "a"], [""]):
            status, said, complaint = self.inspect(*words)
            self.assertEqual((status, said), (2, ""), words)
            self.assertTrue(complaint.startswith("Usage: holdfast inspect IMAGE [--json]\n"))
        status, said, complaint = self.inspect("--help")
        self.assertEqual((status, complaint), (0, ""))
        self.assertIn("--json", said)

    def test_a_user_without_read_permission_learns_nothing_about_an_image(self):
        path = self.make("a.qcow", "qcow")
        os.chmod(path, 0o600)
        os.chmod(self.folder, 0o755)
        # User nobody may lack access to the build directory.
        command = shutil.copy(COMMAND, self.folder)
        shutil.copy(READER, self.folder)
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", command, "inspect", path]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("Permission denied", done.stderr)
        os.chmod(path, 0o644)  # with permission, the same user succeeds
        self.assertEqual(subprocess.run(words, capture_output=True, check=False).returncode, 0)

    def test_the_reader_is_found_at_its_installed_place(self):
        path = self.make("a.qcow", "qcow")
        (self.folder / "bin").mkdir()
        (self.folder / "libexec/holdfast").mkdir(parents=True)
        installed = shutil.copy(COMMAND, self.folder / "bin")
        status, _, complaint = self.inspect(path, command=installed)
        self.assertEqual(status, 1)
        self.assertRegex(complaint, "holdfast-qcow.* is neither in .*libexec/holdfast nor in .*bin\n")
        shutil.copy(READER, self.folder / "libexec/holdfast")
        self.assertEqual(self.inspect(path, command=installed)[0], 0)


if __name__ == "__main__":
    holdfast.main()
