#!/usr/bin/python3
"""Tools that walk and read the whole tree: all files while nothing runs; all files but `wait` during a run."""

import os
import signal
import subprocess

import content
import holdfast
from face import FaceTest
from processes import spawn


def missing():
    return holdfast.absent("jq", "less", "rsync")


class WhileNothingRuns(FaceTest):
    """One machine with a point, and one run, which has ended."""

    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        (point,) = self.daemon.points("m")
        self.point = f"machines/m/points/{point}"
        self.copy = self.folder / "copy"

    def files(self):
        """Paths of all files in the mount that are no links."""
        return {os.path.relpath(os.path.join(at, name), self.mount) for at, _, names in os.walk(self.mount)
                for name in names if not os.path.islink(os.path.join(at, name))}  # fmt: skip

    def assert_copied(self, folder):
        """All files have been copied, and the copies of stable files are equal."""
        for path in self.files():
            self.assertTrue((folder / path).is_file(), path)
        self.assertTrue(content.same_bytes(folder / self.point / "disk-0.raw", self.disk.path))
        for path in ("flows/f/config.json", "flows/f/wait", f"{self.point}/manifest.json", "README.txt"):
            saved = (folder / path).read_text()
            self.assertEqual(saved, "" if path.endswith("wait") else self.daemon.read(path), path)
        for link in ("machines/m/latest", "flows/f/latest"):
            self.assertEqual(os.readlink(folder / link), os.readlink(self.mount / link))

    def test_cp_copies_the_whole_tree(self):
        self.assert_runs(f"cp -r . {self.copy}")
        self.assertEqual((self.copy / "flows/f/wait").read_text(), "success\n")
        (self.copy / "flows/f/wait").write_text("")
        self.assert_copied(self.copy)

    def test_rsync_copies_the_whole_tree(self):
        self.assert_runs(f"rsync -a . {self.copy}")
        self.assert_copied(self.copy)

    def test_a_second_rsync_finds_only_files_that_change_by_themselves(self):
        again = ["rsync", "-a", "--out-format=%n", f"{self.mount}/", self.copy]
        subprocess.run(again, check=True, capture_output=True)
        sent = subprocess.run(again, check=True, capture_output=True, text=True).stdout
        # The plan says that a point stays for an hour after a read.
        of_the_moment = {"events.jsonl", "status.json", "repositories/r/status.json", "machines/m/plan.json"}
        self.assertEqual({path for path in sent.splitlines() if not path.endswith("/")} - of_the_moment, set())

    def test_tar_copies_the_whole_tree(self):
        done = self.shell(f"tar cf {self.folder}/tree.tar .")
        # Free space changes at any time, and the status of the repository with it.
        changed = "tar: ./repositories/r/status.json: file changed as we read it\n"
        self.assertIn((done.returncode, done.stderr), [(0, ""), (1, changed)])
        self.copy.mkdir(exist_ok=True)
        subprocess.run(["tar", "xf", self.folder / "tree.tar", "-C", self.copy], check=True)
        self.assert_copied(self.copy)

    def test_grep_reads_the_whole_tree(self):
        found = self.assert_runs("grep -rlI '\"revision\"' .").splitlines()
        for path in ("./status.json", "./machines/m/status.json", "./flows/f/executions/first/status.json"):
            self.assertIn(path, found)


class WhileSomethingRuns(FaceTest):
    """A run that lasts until it is cancelled."""

    def setUp(self):
        super().setUp()
        self.hold_run()

    def tearDown(self):
        self.assertEqual(self.daemon.json("flows/f/status.json")["running"], True)

    def test_the_whole_tree_can_be_listed_and_measured(self):
        for script in ("find .", "find -L . -name status.json", "ls -lR .", "du -a .", "stat $(find .)"):
            self.assertIn("flows/f/executions/held", self.assert_runs(script), script)

    def test_all_files_but_wait_can_be_read(self):
        files = self.assert_runs("find . -type f ! -name wait").split()
        self.assertIn(f"./machines/m/points/{self.daemon.points('m')[0]}/disk-0.raw", files)
        for tool in ("cat", "head -v", "tail -n 1 -v"):
            self.assert_runs(f"{tool} {' '.join(files)} > /dev/null")
        sums = self.assert_runs(f"md5sum {' '.join(files)}").splitlines()
        self.assertEqual([line.split()[1] for line in sums], files)

    def test_a_point_can_be_read_during_the_next_run(self):
        self.assert_runs(f"cmp machines/m/latest/disk-0.raw {self.folder}/m.disk")

    def test_jq_reads_the_status_of_a_run(self):
        running = self.assert_runs("jq -r '.status' flows/f/latest/status.json flows/f/latest/jobs/*/status.json")
        self.assertEqual(running.split(), ["running", "running"])

    def test_less_shows_a_status_on_a_screen(self):
        less = self.terminal("less", "flows/f/latest/status.json")
        less.until('"revision"')
        less.until("status.json")
        less.type("q")
        self.assertEqual(less.end(), 0)

    def test_tail_follows_the_log_of_a_run(self):
        log = "flows/f/executions/held/log"
        told = self.daemon.read(log)
        tail = spawn(["tail", "-c", "+1", "-s", "0.05", "-f", self.mount / log], stdout=subprocess.PIPE, text=True)
        self.addCleanup(tail.stdout.close)
        self.addCleanup(tail.wait)
        self.addCleanup(tail.kill)
        self.assertEqual(tail.stdout.read(len(told)), told)
        self.daemon.write("flows/f/control", "cancel")
        self.daemon.read("flows/f/wait")
        rest = self.daemon.read(log)[len(told) :]
        self.assertIn("cancelled", rest)
        self.assertEqual(tail.stdout.read(len(rest)), rest)
        self.daemon.write("flows/f/control", "run name=again")  # tearDown expects a run

    def test_ctrl_c_ends_a_grep_that_waits(self):
        grep = self.terminal("grep", "-r", "no such thing", "flows")
        self.until_parked(grep.process)
        grep.type("\x03")
        self.assertEqual(grep.end(), -signal.SIGINT)


if __name__ == "__main__":
    holdfast.main(missing)
