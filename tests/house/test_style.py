#!/usr/bin/python3
"""The stock tools decide style: clang-format on every source, shellcheck on every script."""

import subprocess
import unittest

import tree


def complaints(root, command, paths):
    """Returns the tool's exit status and output for these files; "" when it exits with 0."""
    done = subprocess.run([*command, *map(str, paths)], cwd=root, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def unformatted(root):
    return complaints(root, ["clang-format", "--dry-run", "--Werror"], tree.files(root, ".h", ".cpp"))


def is_script(root, path):
    with open(root / path, "rb") as file:
        return path.suffix == ".sh" or file.readline().startswith(b"#!/usr/bin/env bash")


def doubtful_scripts(root):
    scripts = [path for path in tree.files(root) if is_script(root, path)]
    return complaints(root, ["shellcheck", "-x", "-P", "SCRIPTDIR"], scripts)


class Style(tree.MadeTreeTest):
    def test_sources_are_formatted(self):
        self.assertEqual(unformatted(tree.ROOT), "")

    def test_scripts_pass_shellcheck(self):
        self.assertEqual(doubtful_scripts(tree.ROOT), "")

    def test_a_source_out_of_format_is_found(self):
        self.make("engine/a.cpp", "int  a ;\n")
        self.assertIn("a.cpp", unformatted(self.made))

    def test_a_doubtful_script_is_found(self):
        self.make("tools/a", '#!/usr/bin/env bash\nrm -r "$1"/* $2\n')
        self.assertIn("SC2086", doubtful_scripts(self.made))


if __name__ == "__main__":
    unittest.main()
