#!/usr/bin/python3
"""The verb `gc` of a repository: what belongs to nothing is listed, set aside and deleted, each at a word of its own, and
nothing else is touched (law 12).

HOLDFAST_SEED repeats a run."""

import errno
import json
import os
import random
import shutil
import subprocess

import hanging
import holdfast
from holdfast import change_catalog
from processes import detach

MIB = 2**20
ID = "0123456789abcdef0123456789abcdef"
ODD = os.fsdecode(b"odd\xff\nname")
# Files that the daemon writes at times of its own.
OWN = {".lease", "aside.json", "sequence.json"}


def contents(directory):
    """Every entry below the directory: a file with its bytes, a link with its target, else its type."""
    found = {}
    for folder, folders, files in os.walk(directory):
        for name in folders + files:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, directory)
            if relative in OWN or relative.split("/")[0] == "definitions":
                continue
            if os.path.islink(path):
                found[relative] = "link to " + os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[relative] = file.read()
            else:
                found[relative] = "directory" if os.path.isdir(path) else "other"
    return found


def room(path):
    """Bytes that the entry takes up, as `du` counts the regular files."""
    if os.path.islink(path):
        return 0
    if os.path.isdir(path):
        return sum(room(os.path.join(path, name)) for name in os.listdir(path))
    return os.lstat(path).st_blocks * 512 if os.path.isfile(path) else 0


class Collection(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.repository = self.add_repository()
        self.disk = self.add_file_machine()
        self.add_flow()
        self.points = [self.back_up(f"run{number}") for number in range(2)]
        (self.machine,) = (path for path in self.repository.iterdir() if path.name.startswith("m-"))
        self.daemon.read("status.json")

    def back_up(self, name):
        before = set(self.daemon.points("m"))
        self.disk.write(0, os.urandom(65536))
        self.assertEqual(self.daemon.run("f", name), "success")
        (point,) = set(self.daemon.points("m")) - before
        return point

    def plant(self):
        """Puts garbage of each class into the repository. Returns its paths."""
        point = self.machine / self.points[0]
        files = ["notes.txt", "trial-1", "My Photos/one.jpg", "gone-12345678/unfinished.partial/disk-0.qcow2", ODD]
        inside = ["stray", f"{self.points[0]}.x.partial/disk-0.qcow2", "nothing/readme"]
        of_point = [f"{ID}.sums", f"{ID}.content", f"{ID}.merging", "old.qcow2", "notes", ODD, "below/file"]
        paths = [self.repository / name for name in files] + [self.machine / name for name in inside]
        paths += [point / name for name in of_point]
        for number, path in enumerate(paths):
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(b"garbage" * (number * 1000 + 1))
        os.mkfifo(self.repository / "pipe")
        os.symlink("/etc/passwd", self.repository / "link")
        os.symlink("/nowhere", point / "link")
        os.symlink(self.machine, self.repository / "second-12345678")
        return {
            *("notes.txt", "trial-1", "My Photos", "gone-12345678", "pipe", "link", "second-12345678", ODD),
            *(f"{self.machine.name}/{name}" for name in ("stray", f"{self.points[0]}.x.partial", "nothing")),
            *(f"{self.machine.name}/{self.points[0]}/{name}" for name in [*of_point[:-1], "below", "link"]),
        }

    def plant_what_stays(self):
        """Puts things into the repository that only look as if they belonged to nothing. Returns their paths."""
        key = "other-12345678"
        other = self.repository / key
        other.mkdir()
        for name in self.points:
            shutil.copytree(self.machine / name, other / name)
            manifest = other / name / "manifest.json"
            manifest.write_text(manifest.read_text().replace(self.machine.name, key))
        os.rename(other / self.points[0], other / "base")
        os.remove(other / "base/manifest.json")
        image = other / self.points[1] / "disk-0.qcow2"
        with open(image, "r+b") as file:  # a shorter backing name
            start = file.read(4096)
            backing = f"../{self.points[0]}/disk-0.qcow2".encode()
            self.assertIn(backing, start)
            shorter = b"../base/disk-0.qcow2"
            at = start.index(backing)
            file.seek(16)
            file.write(len(shorter).to_bytes(4, "big"))
            file.seek(at)
            file.write(shorter.ljust(len(backing), b"\0"))
            file.seek(8)
            self.assertEqual(int.from_bytes(start[8:16], "big"), at)
        shutil.copytree(self.machine / self.points[0], self.machine / "damaged")
        (self.machine / "damaged/manifest.json").write_text("{")
        (self.repository / "inner").mkdir()
        (self.repository / "inner/holdfast.json").write_text("{}")
        (self.machine / self.points[0] / "facts.json.new").write_text("left by a kill")
        (self.repository / "INDEX.txt.new").write_text("left by a kill")
        (self.repository / "lost+found").mkdir()
        return {f"{key}/base", f"{key}/{self.points[1]}", f"{self.machine.name}/damaged", "inner"}

    def collect(self, action=None, name=None, expected="success"):
        """Runs the job to its end, and returns its status."""
        name = name or f"gc-{action}"
        self.daemon.write("repositories/r/control", f"gc name={name}" + (f" do={action}" if action else ""))
        self.assertEqual(self.daemon.read(f"jobs/{name}/wait").strip(), expected, self.daemon.read(f"jobs/{name}/log"))
        job = self.daemon.json(f"jobs/{name}/status.json")
        self.assertEqual((job["type"], job["owner"]), ("gc", "repositories/r"))
        return job

    def found(self, job, fate):
        return {one["path"]: one["bytes"] for one in job["metadata"]["found"] if one["fate"] == fate}

    def shown(self, path):
        return path if ODD not in path else json.dumps(path.replace("\udcff", "\0")).replace("\\u0000", "\\xff")

    def asides(self):
        return {entry["directory"] for entry in json.loads((self.repository / "aside.json").read_text())}

    def warned(self):
        """Paths that the root's warnings name as set aside."""
        warnings = self.daemon.json("status.json")["warnings"]
        return {one["message"].split(" ")[0] for one in warnings if one["reason"] == "aside"}

    def assert_sound(self):
        """All points are whole."""
        self.daemon.write("repositories/r/control", "verify name=whole")
        self.assertEqual(self.daemon.read("jobs/whole/wait").strip(), "success")


class Listing(Collection):
    def test_a_list_names_each_class_of_garbage_with_its_size_and_changes_nothing(self):
        self.assertEqual(self.collect(name="before")["metadata"]["found"], [], "a sound repository has no garbage")
        stays, garbage = self.plant_what_stays(), self.plant()
        before = contents(self.repository)
        job = self.collect()
        self.assertEqual(contents(self.repository), before)
        expected = {self.shown(path): room(self.repository / path) for path in garbage}
        self.assertEqual(self.found(job, "garbage"), expected)
        self.assertEqual(set(self.found(job, "stays")), stays)
        self.assertEqual(job["metadata"]["garbage"], {"count": len(expected), "bytes": sum(expected.values())})
        log = self.daemon.read("jobs/gc-None/log")
        for path, size in expected.items():
            self.assertIn(f"garbage {path}, {size} bytes: ", log)
        self.assertIn("`rescan` adds it", log)

    def test_files_of_a_merge_that_is_under_way_stay(self):
        for ending in ("merging", "sums", "content"):
            (self.machine / self.points[1] / f"{ID}.{ending}").write_text("x")
        self.assertEqual(len(self.found(self.collect(name="without"), "garbage")), 3)
        merging = "UPDATE layers SET merging_image_id = ?, merging_onto = parent_layer_id WHERE file LIKE ?"
        self.assertEqual(change_catalog(self.daemon, merging, ID, f"{self.points[1]}/%"), 1)
        self.assertEqual(self.found(self.collect(), "garbage"), {})

    def test_a_long_list_is_cut_and_counted(self):
        for number in range(1100):
            (self.repository / f"file-{number:04}").write_text("x")
        job = self.collect()
        self.assertEqual(job["metadata"]["garbage"]["count"], 1100)
        self.assertEqual(len(job["metadata"]["found"]), 100)
        log = self.daemon.read("jobs/gc-None/log")
        self.assertEqual(log.count(" garbage file-"), 1000)
        self.assertIn("and 100 more", log)
        self.collect("aside", expected="warning")
        self.assertEqual(len(self.asides()), 1000)
        self.collect("delete")
        self.assertEqual(self.collect("aside", name="rest")["metadata"]["done"]["count"], 100)

    def test_the_owner_of_the_repository_sees_neither_the_job_nor_a_path(self):
        """Law 19."""
        os.rename(self.machine / self.points[0], self.folder / "away")  # for a sentence that names a path
        os.chown(self.daemon.mount / "repositories/r", 1234, 1234)
        self.folder.chmod(0o755)
        self.collect(expected="warning")
        code = (
            "import os,sys; os.setgid(1234); os.setuid(1234); m=sys.argv[1]\n"
            "print('gc-None' in os.listdir(m+'/jobs'), sys.argv[2] in open(m+'/events.jsonl').read())"
        )
        command = ["/usr/bin/python3", "-c", code, self.daemon.mount, self.machine.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "False False\n")


class Moving(Collection):
    def test_garbage_is_set_aside_and_deleted_and_nothing_else_is_touched(self):
        before = contents(self.repository)
        self.plant_what_stays()
        kept = contents(self.repository)
        garbage = self.plant()
        planted = contents(self.repository)
        job = self.collect("aside")
        self.assertEqual(job["metadata"]["done"]["count"], len(garbage))
        now = contents(self.repository)
        for path, content in kept.items():
            self.assertEqual(now.pop(path), content, path)
        asides = self.asides()
        self.assertEqual(len(asides), len(garbage))
        self.assertEqual({path for path in now if path in asides}, asides)
        lost = sorted((content for path, content in planted.items() if path not in kept), key=str)
        self.assertEqual(sorted(now.values(), key=str), lost, "what was moved is as it was")
        log = self.daemon.read("jobs/gc-aside/log")
        for path in garbage:
            self.assertIn(f"set aside {self.shown(path)}, ", log)
        self.assertEqual(self.warned(), asides)

        again = self.collect("aside", name="again")
        self.assertEqual(again["metadata"]["done"]["count"], 0)
        self.assertEqual(set(self.found(again, "aside")), asides)
        self.back_up("third")
        kept = contents(self.repository)
        self.assertEqual(self.collect("delete")["metadata"]["done"]["count"], len(garbage))
        gone = {path for path in kept if any(path == one or path.startswith(one + "/") for one in asides)}
        self.assertEqual(contents(self.repository), {path: content for path, content in kept.items() if path not in gone})
        self.assertEqual(self.warned(), set())
        self.assertTrue(all(contents(self.repository)[path] == content for path, content in before.items()))
        self.assert_sound()
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        told = [(event["job"], event["by"]["uid"]) for event in events if event["event"] == "repository.gc"]
        self.assertEqual(told, [(name, 0) for name in ("gc-aside", "gc-aside", "again", "again", "gc-delete", "gc-delete")])

    def test_an_unnamed_aside_is_named_and_a_named_point_is_not_deleted(self):
        (self.machine / "old.aside").mkdir()
        self.collect("aside")
        self.assertEqual(self.asides(), {f"{self.machine.name}/old.aside"})
        point = f"{self.machine.name}/{self.points[0]}"
        (self.repository / "aside.json").write_text(json.dumps([{"directory": point, "since": "2026-01-01T00:00:00Z"}]))
        before = contents(self.repository)
        self.assertEqual(self.collect("delete")["metadata"]["done"]["count"], 0)
        self.assertEqual(self.warned(), set())
        self.assertEqual(contents(self.repository), before)

    def test_a_file_system_that_is_mounted_in_an_aside_keeps_it(self):
        inside = self.repository / "folder/mount"
        inside.mkdir(parents=True)
        self.collect("aside")
        mounted = self.repository / ".folder.aside/mount"
        subprocess.run(["mount", "-t", "tmpfs", "test", mounted], check=True)
        self.addCleanup(detach, mounted)
        (mounted / "precious").write_text("x")
        self.assertIn("mounted", self.collect("delete", expected="warning")["message"])
        self.assertEqual((mounted / "precious").read_text(), "x")
        detach(mounted)
        self.collect("delete", name="later")
        self.assertFalse((self.repository / ".folder.aside").exists())

    def test_what_a_job_writes_stays(self):
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "bandwidth": "64K"}))
        self.disk.write(0, os.urandom(MIB))
        self.daemon.write("flows/f/control", "run name=slow")
        self.until(lambda: list(self.repository.glob("*/*.partial")))
        job = self.collect("aside")
        self.assertEqual(job["metadata"]["done"]["count"], 0)
        self.assertTrue(list(self.repository.glob("*/*.partial")))
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository)}))
        self.assertEqual(self.daemon.read("flows/f/executions/slow/wait").strip(), "success")

    def await_moves(self, job, goal, before):
        """Waits until so many directories lie aside more or less than before, or the job has ended."""
        status = f"jobs/{job}/status.json"

        def is_so():
            moved = abs(len(list(self.machine.glob("*.aside/file"))) - before)
            return moved >= goal or self.daemon.json(status)["status"] == "success"

        self.until(is_so)

    def test_a_collection_that_is_killed_goes_on_with_the_next(self):
        chance = random.Random(self.seed())
        kept = contents(self.repository)
        for number in range(60):
            folder = self.machine / f"garbage-{number}"
            folder.mkdir()
            (folder / "file").write_text(str(number))
        for action, count in (("aside", 0), ("delete", 60)):
            for turn in range(4):
                self.daemon.write("repositories/r/control", f"gc do={action} name={action}{turn}")
                self.await_moves(f"{action}{turn}", chance.randrange(60), count)
                self.daemon.kill()
                now = contents(self.repository)
                self.assertEqual({path: now.get(path) for path in kept}, kept)
                left = [path for path in now if path.endswith("/file")]
                self.assertTrue(action == "delete" or len(left) == 60)
                self.daemon.start()
                self.daemon.await_settled()
            self.collect(action)
        self.assertEqual(contents(self.repository), kept)
        self.assert_sound()


class Refusals(Collection):
    def refused(self, sentence, action="aside", name=None):
        before = contents(self.repository)
        job = self.collect(action, name=name, expected="error")
        self.assertIn(sentence, job["message"])
        self.assertEqual(contents(self.repository), before)

    def setUp(self):
        super().setUp()
        self.garbage = self.plant()

    def test_a_catalog_that_lacks_commits_moves_and_deletes_nothing(self):
        """Law 12."""
        (self.repository / "notes.aside").write_text("x")
        sequence = self.repository / "sequence.json"
        sequence.write_text(json.dumps(json.loads(sequence.read_text()) | {"commits": 99}))
        self.refused("rescan")
        self.refused("rescan", "delete")
        self.assertEqual(self.collect()["metadata"]["garbage"]["count"], len(self.garbage) + 1)

    def test_a_repository_that_lacks_a_point_or_its_marker_is_left_alone(self):
        """Law 12."""
        os.rename(self.machine / self.points[1], self.folder / "away")
        self.refused(self.points[1])
        self.assertIn(self.points[1], self.collect(expected="warning")["message"])
        os.rename(self.folder / "away", self.machine / self.points[1])
        os.rename(self.machine, self.folder / "away")
        self.refused(self.points[0], name="absent")
        os.symlink(self.folder / "away", self.machine)
        self.refused(self.points[0], name="linked")
        os.remove(self.machine)
        os.rename(self.folder / "away", self.machine)
        os.rename(self.repository / "holdfast.json", self.folder / "marker")
        self.refused("holdfast.json", name="unmarked")
        os.rename(self.folder / "marker", self.repository / "holdfast.json")
        self.collect("aside", name="whole")

    def test_a_read_only_repository_is_listed_only(self):
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "read_only": True}))
        self.refused("read-only")
        self.refused("read-only", "delete")
        self.assertEqual(self.collect()["metadata"]["garbage"]["count"], len(self.garbage))

    def test_a_directory_that_hangs_and_fails_ends_the_job_and_nothing_moves(self):
        """Law 12."""
        before = contents(self.repository)
        silent = hanging.Silent(self.machine / "zz-silent")
        self.daemon.write("repositories/r/control", "gc do=aside name=stuck")
        self.assertTrue(silent.asked.wait(holdfast.CEILING))
        silent.close()
        self.assertEqual(self.daemon.read("jobs/stuck/wait").strip(), "error")
        os.rmdir(self.machine / "zz-silent")
        self.assertEqual(contents(self.repository), before)

    def test_sums_of_the_image_that_lies_there_stay_whatever_the_catalog_says(self):
        where = f"{self.points[1]}/%"
        self.assertEqual(change_catalog(self.daemon, "UPDATE layers SET image_id = ? WHERE file LIKE ?", ID, where), 1)
        listed = self.found(self.collect(), "garbage")
        self.assertEqual([path for path in listed if self.points[1] in path], [])
        # The control: without the image, nothing vouches for them.
        image = self.machine / self.points[1] / "disk-0.qcow2"
        image.write_bytes(bytes(65536))
        listed = self.found(self.collect(name="without"), "garbage")
        self.assertEqual(len([path for path in listed if self.points[1] in path]), 2)

    def test_a_word_that_gc_does_not_know_is_refused(self):
        with self.assertRaises(OSError) as refused:
            self.daemon.write("repositories/r/control", "gc do=everything")
        self.assertEqual(refused.exception.errno, errno.EINVAL)


if __name__ == "__main__":
    holdfast.main()
