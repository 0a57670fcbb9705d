#!/usr/bin/python3
"""The command line of `holdfast`: version, help of each call, wrong calls."""

import subprocess
import unittest

import holdfast

COMMAND = holdfast.BINARY.parent / "holdfast"


def run(*words, program=COMMAND):
    """Returns the exit status, standard output and standard error."""
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class CommandLine(unittest.TestCase):
    def test_the_command_and_the_daemon_have_one_version(self):
        status, said, complaint = run("--version")
        self.assertEqual((status, complaint), (0, ""))
        self.assertRegex(said, r"^holdfast \d+\.\d+\.\d+\n$")
        self.assertEqual(run("-V")[1], said)
        self.assertEqual(run("--version", program=holdfast.BINARY)[1], said.replace("holdfast", "holdfastd"))

    def test_each_call_explains_itself_with_an_example(self):
        status, said, complaint = run("--help")
        self.assertEqual((status, complaint), (0, ""))
        for call in ("migrate", "inspect"):
            self.assertIn(f"\n  {call} ", said)
            for option in ("--help", "-h"):
                status, text, complaint = run(call, option)
                self.assertEqual((status, complaint), (0, ""), call)
                self.assertTrue(text.startswith(f"Usage: holdfast {call} "), text)
                self.assertIn(f"\nExample: holdfast {call} ", text)
                self.assertIn("\nExit status: ", text)
        self.assertEqual(run("migrate", "status", "--help")[0], 0)

    def test_a_wrong_call_is_named_and_ends_with_2(self):
        for words, named in (((), "Usage: holdfast"), (("inspekt",), "no call 'inspekt'"), (("--nope",), "no call '--nope'")):
            status, said, complaint = run(*words)
            self.assertEqual((status, said), (2, ""), words)
            self.assertIn(named, complaint)
            self.assertIn("--help", complaint)


if __name__ == "__main__":
    holdfast.main()
