#!/usr/bin/python3
"""A definition saved by shells, editors and copying tools, each with its own system calls."""

import json
import os

import holdfast
from face import FaceTest

FLOW = {"target": "machines/m", "repository": "r"}
OWNER = 65533

# Scripts that replace flows/f/config.json with the content of the file {}. vim keeps a backup until the save succeeds
# and restores the backup after a failure; bsk= makes vim do so in folders for temporary files, too.
SCRIPTS = {
    "bash": 'echo "$(cat {})" > flows/f/config.json',
    "dash": "dash -c 'echo \"$(cat {})\" > flows/f/config.json'",
    "heredoc": "cat > flows/f/config.json <<END\n$(cat {})\nEND",
    "append": "cat {} >> flows/f/config.json",
    "group": "{{ echo; cat {}; echo; }} > flows/f/config.json",
    "group in dash": "dash -c '{{ echo; cat {}; echo; }} > flows/f/config.json'",
    "cp": "cp {} flows/f/config.json",
    "cp -p": "cp -p {} flows/f/config.json",
    "cp --remove-destination": "cp --remove-destination {} flows/f/config.json",
    "mv": "cp {} flows/f/new && mv flows/f/new flows/f/config.json",
    "mv from another file system": "mv {} flows/f/config.json",
    "rm and cp": "rm flows/f/config.json && cp {} flows/f/config.json",
    "tee": "tee flows/f/config.json < {} > /dev/null",
    "dd": "dd if={} of=flows/f/config.json bs=7 status=none",
    "jq": "jq '. + input' flows/f/config.json {} > flows/f/config.json",
    "sed -i": "sed -i -n -e '1r {}' flows/f/config.json",
    "perl -i": "perl -i -ne 'BEGIN {{ open F, \"{}\"; @new = <F> }} print @new if $. == 1' flows/f/config.json",
    "python": "python3 -c 'import json; json.dump(json.load(open(\"{}\")), open(\"flows/f/config.json\", \"w\"))'",
    "rsync": "rsync {} flows/f/config.json",
    "rsync -a": "rsync -a {} flows/f/config.json",
    "rsync --inplace": "rsync --inplace --ignore-times {} flows/f/config.json",
    "rsync with a copy": "rsync --backup --ignore-times {} flows/f/config.json",
    "vim": "vim.tiny -Nesu NONE -c '%d|0r {}|wq' flows/f/config.json",
    "vim by renaming": "vim.tiny -Nesu NONE -c 'set bsk= bkc=no|%d|0r {}|wq' flows/f/config.json",
    "vim by copying": "vim.tiny -Nesu NONE -c 'set bsk= bkc=yes bk|%d|0r {}|wq' flows/f/config.json",
    "vim with fsync": "vim.tiny -Nesu NONE -c 'set fsync|%d|0r {}|wq' flows/f/config.json",
}
# Python writes when it ends, and ignores the error then; a group's status is that of its last command. Only the file
# `error` shows the refusal.
DEAF = {"python", "group", "group in dash"}


class Editors(FaceTest):
    def setUp(self):
        super().setUp()
        self.add_file_machine()
        self.add_repository()
        self.add_flow()

    def new_file(self, definition):
        new = self.folder / "new.json"
        new.write_text(json.dumps(definition) + "\n")
        new.chmod(0o640)  # the mode of config.json, because `cp -p` may not change the mode
        return new

    def save(self, tool, definition, user=None):
        new = self.new_file(definition)
        if user is not None:
            os.chown(new, user, user)
        return self.shell(SCRIPTS[tool].format(new), user=user)

    def refuse(self, tool):
        """Lets the tool save an invalid definition and returns the result. The old definition stays and `error` names
        the field."""
        before = self.daemon.read("flows/f/config.json")
        done = tool(FLOW | {"descripton": "lost"})
        self.assertEqual(self.daemon.read("flows/f/config.json"), before)
        self.assertRegex(self.daemon.read("flows/f/error"), '"descripton".*did you mean "description"')
        return done

    def test_every_tool_saves_a_definition(self):
        for tool in SCRIPTS:
            with self.subTest(tool=tool):
                done = self.save(tool, FLOW | {"description": tool})
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.daemon.json("flows/f/config.json")["description"], tool)
                self.assertEqual(self.daemon.read("flows/f/error"), "")

    def test_every_tool_saves_a_definition_for_an_owner_other_than_root(self):
        self.folder.chmod(0o777)
        for path in ("flows/f", "machines/m", "repositories/r"):
            os.chown(self.mount / path, OWNER, OWNER)
        for tool in SCRIPTS:
            with self.subTest(tool=tool):
                done = self.save(tool, FLOW | {"description": tool}, OWNER)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.daemon.json("flows/f/config.json")["description"], tool)

    def test_an_invalid_definition_from_any_tool_keeps_the_old_one_and_sets_error(self):
        for tool in SCRIPTS:
            with self.subTest(tool=tool):
                done = self.refuse(lambda definition, tool=tool: self.save(tool, definition))
                self.assertEqual(done.returncode != 0, tool not in DEAF, done.stderr)

    def nano(self, definition):
        """Replaces all lines with those of a file, saves and quits. Returns nano's message about the save."""
        nano = self.terminal("nano", "--ignorercfiles", "flows/f/config.json")
        nano.until("Exit")
        nano.type("\x1bt")  # cuts from here to the end
        nano.type("\x12")
        nano.until("insert")
        nano.type(f"{self.new_file(definition)}\r")
        nano.until("Read ")
        nano.type("\x0f")
        nano.until("Write")
        nano.type("\r")
        said = nano.until("Wrote ", "Error ")
        nano.type("\x18")
        if said == "Error ":
            nano.until("Save modified")
            nano.type("n")
        self.assertEqual(nano.end(), 0)
        return said

    def test_nano_saves_a_definition(self):
        self.assertEqual(self.nano(FLOW | {"description": "nano"}), "Wrote ")
        self.assertEqual(self.daemon.json("flows/f/config.json")["description"], "nano")
        self.assertEqual(self.daemon.read("flows/f/error"), "")

    def test_nano_shows_an_error_for_an_invalid_definition(self):
        self.assertEqual(self.refuse(self.nano), "Error ")

    def vim(self, definition):
        """Replaces all lines with those of a file, saves and quits. Returns vim's message about the save."""
        vim = self.terminal("vim.tiny", "-Nu", "NONE", "-c", "set bsk=", "flows/f/config.json")
        vim.until("config.json")
        vim.type(f":%d|0r {self.new_file(definition)}\r")
        vim.type(":w\r")
        said = vim.until("B written", "E514")
        vim.type("\r:q!\r")
        vim.end()
        return said

    def test_vim_at_a_terminal_saves_a_definition(self):
        self.assertEqual(self.vim(FLOW | {"description": "vim"}), "B written")
        self.assertEqual(self.daemon.json("flows/f/config.json")["description"], "vim")
        self.assertEqual(self.daemon.read("flows/f/error"), "")

    def test_vim_at_a_terminal_shows_an_error_for_an_invalid_definition(self):
        self.assertEqual(self.refuse(self.vim), "E514")

    def test_mv_of_a_file_with_another_mode_saves_the_definition_and_keeps_the_mode(self):
        new = self.new_file(FLOW | {"description": "readable by all"})
        new.chmod(0o644)
        done = self.shell(f"mv {new} flows/f/config.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.daemon.json("flows/f/config.json")["description"], "readable by all")
        self.assertEqual((self.mount / "flows/f/config.json").stat().st_mode & 0o777, 0o640)

    def test_writes_of_several_processes_to_one_open_file_make_one_definition(self):
        body = self.folder / "body"
        body.write_text(json.dumps(FLOW | {"description": "by several"})[1:-1])
        for shell in ("bash", "dash"):
            self.assert_runs(f"{{ echo '{{'; cat {body}; echo '}}'; }} > flows/f/config.json", shell=shell)
            self.assertEqual(self.daemon.json("flows/f/config.json")["description"], "by several")
            self.daemon.write("flows/f/config.json", json.dumps(FLOW))

    def test_a_script_with_set_e_ends_at_a_refused_echo(self):
        for shell in ("bash", "dash"):
            done = self.shell("set -e; echo '{\"keep_dayly\": 7}' > flows/f/config.json; echo REACHED", shell=shell)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("REACHED", done.stdout)

    def test_an_empty_write_leaves_the_definition_unchanged(self):
        before = self.daemon.read("flows/f/config.json")
        self.assert_runs(": > flows/f/config.json; truncate -s 0 flows/f/config.json")
        self.assertEqual(self.daemon.read("flows/f/config.json"), before)
        self.assertEqual(self.daemon.read("flows/f/error"), "")


if __name__ == "__main__":
    holdfast.main(lambda: holdfast.absent("dash", "jq", "nano", "perl", "rsync", "vim.tiny"))
