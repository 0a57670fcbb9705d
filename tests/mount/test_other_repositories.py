#!/usr/bin/python3
"""A repository that is not what it should be: another name of one that is known, a copy of it, an older state of it, or
changed by hand. Each is told; nothing is initialised, trusted or deleted (law 12)."""

import errno
import json
import os
import shutil
import subprocess

import content
import holdfast


class OtherRepositories(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.repository = self.add_repository()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        (self.daemon.mount / "repositories/other").mkdir()

    def stored(self, directory):
        """Every file but the lease, with its content."""
        return {
            str(file.relative_to(directory)): file.read_bytes()
            for file in directory.rglob("*")
            if file.is_file() and not file.name.startswith(".lease")
        }

    def copy(self):
        there = self.folder / "copy"
        subprocess.run(["cp", "-a", self.repository, there], check=True)
        return there

    def mount_over(self, upper):
        subprocess.run(["mount", "--bind", upper, self.repository], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.repository], check=False, capture_output=True)
        self.addCleanup(self.daemon.close)

    def refused(self, path, expected=errno.EEXIST):
        """Gives the path to the second repository, which is refused; returns the sentence."""
        before = self.stored(path)
        with self.assertRaises(OSError) as refusal:
            self.daemon.write("repositories/other/config.json", json.dumps({"path": str(path)}))
        sentence = self.daemon.read("repositories/other/error")
        self.assertEqual(refusal.exception.errno, expected, sentence)
        self.assertEqual(self.daemon.json("repositories/other/status.json")["state"], "incomplete")
        self.assertEqual(self.stored(path), before)
        return sentence

    def warned(self):
        return "; ".join(self.daemon.json("repositories/r/status.json")["warnings"])

    def failed(self, run):
        self.assertEqual(self.daemon.run("f", run), "error")
        return self.daemon.json(f"flows/f/executions/{run}/status.json")["message"]

    def newest(self):
        return self.daemon.mount / f"machines/m/points/{self.daemon.points('m')[-1]}/disk-0.raw"

    def test_a_repository_is_known_by_a_second_path(self):
        second = self.folder / "second"
        second.symlink_to(self.repository)
        self.assertIn("repository 'r'", self.refused(second))
        bound = self.folder / "bound"
        bound.mkdir()
        subprocess.run(["mount", "--bind", self.repository, bound], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", bound], check=False, capture_output=True)
        self.assertIn("repository 'r'", self.refused(bound))
        self.assertEqual(self.daemon.run("f", "second"), "success")

    def test_a_copy_is_refused_and_the_original_goes_on(self):
        copy = self.copy()
        marker = json.loads((copy / "holdfast.json").read_text())["id"]
        sentence = self.refused(copy)
        self.assertIn("a copy of repository 'r'", sentence)
        self.assertIn(marker, sentence)
        self.disk.write(0, b"new")
        self.assertEqual(self.daemon.run("f", "second"), "success")
        self.assertTrue(content.same_bytes(self.newest(), self.disk.path))

    def test_a_copy_is_refused_while_the_original_is_detached_or_away(self):
        copy = self.copy()
        self.daemon.write("repositories/r/control", "detach")
        self.assertIn("a copy of repository 'r'", self.refused(copy))
        self.repository.rename(self.folder / "away")
        self.assertIn("a copy of repository 'r'", self.refused(copy))
        (self.folder / "away").rename(self.repository)
        self.daemon.write("repositories/r/control", "attach")
        self.assertEqual(self.daemon.run("f", "second"), "success")

    def restore_an_older_copy(self, also=None):
        """Mounts a copy of the first point alone over the repository that has more. Returns the copy."""
        copy = self.copy()
        if also:
            self.assertEqual(self.daemon.run(also, "first"), "success")
        self.disk.write(0, b"second")
        self.assertEqual(self.daemon.run("f", "second"), "success")
        self.mount_over(copy)
        return copy

    def test_an_older_copy_in_the_place_of_the_repository_is_told_and_not_written_to(self):
        copy = self.restore_an_older_copy()
        before = self.stored(copy)
        self.assertIn("is an older copy", self.failed("third"))
        self.assertIn("is an older copy", self.warned())
        oldest = self.daemon.mount / f"machines/m/points/{self.daemon.points('m')[0]}"
        with self.assertRaises(OSError) as refusal:
            oldest.rmdir()
        self.assertEqual(refusal.exception.errno, errno.ESTALE)
        self.assertIn("is an older copy", self.daemon.read("machines/m/error"))
        self.daemon.define("policies/p", {"keep_last": 1})
        self.daemon.write("flows/f/control", "set policy=p")
        self.daemon.write("machines/m/control", "prune name=now")
        self.assertEqual(self.daemon.read("jobs/now/wait"), "error\n")
        self.assertIn("is an older copy", self.daemon.json("machines/m/plan.json")["warning"])
        self.daemon.write(f"machines/m/points/{oldest.name}/control", "pin why=kept")
        self.assertEqual(self.stored(copy), before)
        subprocess.run(["umount", "--lazy", self.repository], check=True)
        self.assertEqual(self.daemon.run("f", "fourth"), "success")
        self.assertEqual(self.warned(), "")

    def test_a_rescan_of_an_older_copy_gives_up_what_is_missing_and_runs_go_on(self):
        self.add_file_machine("late")
        self.add_flow("late", machine="late")
        copy = self.restore_an_older_copy(also="late")
        before = self.stored(copy)
        first = self.daemon.points("m")[0]
        self.daemon.write("repositories/r/control", "rescan name=older")
        self.daemon.read("jobs/older/wait")
        self.assertEqual((self.daemon.points("m"), self.daemon.points("late")), ([first], []))
        self.assertEqual(self.warned(), "")
        self.disk.write(0, b"third")
        self.assertIn(self.daemon.run("f", "third"), ("success", "warning"))
        self.assertEqual(len(self.daemon.points("m")), 2)
        self.assertTrue(content.same_bytes(self.newest(), self.disk.path))
        after = self.stored(copy)
        points = {name: data for name, data in before.items() if name.endswith((".qcow2", ".sums", "manifest.json"))}
        self.assertEqual(after, after | points)
        subprocess.run(["umount", "--lazy", self.repository], check=True)
        self.assertIn("is an older copy", self.failed("fourth"))

    def test_a_place_inside_of_a_repository_that_nobody_has_defined_is_refused(self):
        copy = self.copy()
        shutil.rmtree(self.repository)
        for inside in copy / "inside", next(copy.glob("m-*")) / "inside":
            inside.mkdir()
            self.assertIn("lies inside of a repository", self.refused(inside, errno.EINVAL))
            self.assertEqual(os.listdir(inside), [])

    def test_a_marker_that_is_gone_or_changed_is_told_and_not_made_anew(self):
        marker = self.repository / "holdfast.json"
        text = marker.read_text()
        other = text.replace(json.loads(text)["id"], "00000000")
        markers = (None, "has no holdfast.json"), ("{}", "is not a repository's marker"), (other, "is repository 00000000")
        for turn, (wrong, sentence) in enumerate(markers):
            with self.subTest(wrong=wrong):
                marker.unlink()
                if wrong:
                    marker.write_text(wrong)
                before = self.stored(self.repository)
                self.assertIn(sentence, self.failed(f"run-{turn}"))
                self.assertEqual(self.daemon.json("repositories/r/status.json")["state"], "unreachable")
                self.assertIn(sentence, self.warned())
                self.assertEqual(self.stored(self.repository), before)
                marker.write_text(text)
        self.assertEqual(self.daemon.run("f", "second"), "success")

    def test_a_point_that_was_moved_away_or_renamed_is_rested_on_by_nothing(self):
        for turn, change in enumerate((lambda point: point.rename(self.folder / point.name), lambda point: point.rename(point.with_name("renamed")))):
            with self.subTest(turn=turn):
                image = self.newest()
                (point,) = self.repository.glob(f"*/{image.parent.name}")
                change(point)
                before = self.stored(self.repository)
                self.assertEqual(self.daemon.run("f", f"full-{turn}"), "warning")
                reason = self.daemon.json(f"machines/m/points/{self.daemon.points('m')[-1]}/manifest.json")
                self.assertEqual((reason["kind"], reason["reason"]), ("full", "parent_missing"))
                with self.assertRaises(OSError) as refusal:
                    image.read_bytes()
                self.assertEqual(refusal.exception.errno, errno.EIO)
                after = self.stored(self.repository)
                self.assertEqual(after, after | {name: data for name, data in before.items() if name.endswith((".qcow2", ".sums"))})


if __name__ == "__main__":
    holdfast.main()
