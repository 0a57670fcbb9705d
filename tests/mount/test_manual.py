#!/usr/bin/python3
"""The manual page holdfast-fs(5) documents exactly the paths, commands and arguments of the daemon's own table."""

import os
import re
import subprocess

import holdfast

PAGE = holdfast.ROOT / "packaging/holdfast-fs.5"


def plain(roff):
    return roff.replace("\\-", "-").replace("\\e", "\\")


def documented(text):
    """Returns the page's paths (FILES) and its commands by file (COMMANDS)."""
    paths, commands, section, subsection = [], {}, "", ""
    for line in text.splitlines():
        if line.startswith((".SH ", ".SS ")):
            section = line[4:] if line.startswith(".SH") else section
            subsection = plain(line[4:])
        elif line.startswith(".B ") and section == "FILES" and line[3] == "/":
            paths.append(plain(line[3:]))
        elif line.startswith(".B ") and section == "COMMANDS" and subsection.startswith("/"):
            follows = plain(line[3:])
            commands.setdefault(subsection, []).append(follows)
    # Emphasis inside a paragraph is no entry of the list.
    entries = re.findall(r"^\.T[PQ]\n\.B (.*)$", text, re.MULTILINE)
    entries = {plain(entry) for entry in entries}
    kept = {file: [command for command in all_of if command in entries] for file, all_of in commands.items()}
    return paths, kept


def told(readme):
    """Returns the paths and the commands by file of README.txt."""
    tree = readme.split("\nThe tree:\n\n")[1].split("\nThe commands:\n")[0]
    paths = ["/" + line for line in tree.splitlines() if not line.startswith(" ")]
    commands, file = {}, ""
    for line in readme.split("\nThe commands:\n")[1].splitlines():
        if line and not line.startswith(" "):
            file = "/" + line
        elif re.match(r"    \S", line):
            commands.setdefault(file, []).append(line.strip())
    return paths, commands


class Manual(holdfast.MountTest):
    def test_the_manual_page_has_exactly_the_paths_and_commands_of_the_readme(self):
        paths, commands = told(self.daemon.read("README.txt"))
        self.assertGreater(len(paths), 90)
        page_paths, page_commands = documented(PAGE.read_text())
        self.assertEqual(sorted(page_paths), sorted(paths))
        self.assertEqual(page_commands, commands)

    def test_a_missing_or_extra_entry_fails_the_comparison(self):
        paths, _ = told(self.daemon.read("README.txt"))
        page = PAGE.read_text()
        less, _ = documented(page.replace(".B /flows/FLOW/latest\n", ""))
        self.assertEqual(set(paths) - set(less), {"/flows/FLOW/latest"})
        _, other = documented(page.replace("clone to=NAME", "clone into=NAME"))
        self.assertNotEqual(other, told(self.daemon.read("README.txt"))[1])

    def test_each_control_lists_the_commands_of_the_readme(self):
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.daemon.define("groups/g", {})
        self.daemon.define("schedules/s", {"every": "1h"})
        self.daemon.define("policies/p", {})
        self.daemon.run("f", "r1")
        (point,) = self.daemon.points("m")
        (job,) = os.listdir(self.daemon.mount / "flows/f/executions/r1/jobs")
        names = {"MACHINE": "m", "POINT": point, "GROUP": "g", "SCHEDULE": "s", "REPOSITORY": "r", "FLOW": "f"}
        names |= {"EXECUTION": "r1", "JOB": job}
        for file, commands in told(self.daemon.read("README.txt"))[1].items():
            path = re.sub("[A-Z]+", lambda word: names[word.group()], file)
            lines = self.daemon.read(path[1:]).splitlines()
            self.assertEqual([line for line in lines if not line.startswith(" ")], commands, file)

    def test_the_readme_has_every_path_of_the_tree(self):
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.daemon.define("groups/g", {})
        self.daemon.run("f", "r1")
        paths, _ = told(self.daemon.read("README.txt"))
        patterns = [re.compile(re.sub(r"[A-Z]+((\.\.|-)[A-Z]+)?", "[^/]+", path.rstrip("/")) + "$") for path in paths]
        find = ["find", ".", "-mindepth", "1", "-printf", "/%P\n"]
        found = subprocess.check_output(find, cwd=self.daemon.mount, text=True).splitlines()
        self.assertGreater(len(found), 80)
        self.assertEqual([path for path in found if not any(pattern.match(path) for pattern in patterns)], [])


if __name__ == "__main__":
    holdfast.main()
