#!/usr/bin/python3
"""Paths of the host that definitions and commands name. None of them hangs the daemon (law 20), and a repository takes
only a place that is free."""

import concurrent.futures
import errno
import json
import pathlib
import subprocess

import automount
import hanging
import holdfast


class HostPaths(holdfast.MountTest):
    def refused(self, path, text):
        """Writes to a file of the mount; returns the errno and the sentence of the refusal."""
        with self.assertRaises(OSError, msg=f"{path}: {text}") as refusal:
            self.daemon.write(path, text if isinstance(text, str) else json.dumps(text))
        return refusal.exception.errno, self.daemon.read(f"{pathlib.Path(path).parent}/error")

    def is_taken(self, path, definition):
        try:
            self.daemon.write(path, json.dumps(definition))
        except OSError:
            return False
        return True

    def definitions(self, path):
        """Definitions of machines that name the path, by their driver."""
        yield {"driver": "file", "disks": [{"name": "d", "path": str(path)}]}
        yield {"driver": "qmp", "socket": str(path), "disks": [{"name": "d", "node": "n"}]}
        yield {"driver": "nbd", "disks": [{"name": "d", "uri": f"nbd+unix:///?socket={path}"}]}
        yield {"driver": "nbd", "disks": [{"name": "d", "uri": f"nbds://localhost/?tls-certificates={path}"}]}


class OwnMount(HostPaths):
    def setUp(self):
        super().setUp()
        self.link = self.folder / "link"
        self.link.symlink_to(self.daemon.mount)
        self.paths = [f"{self.daemon.mount}/foo", str(self.daemon.mount), f"{self.daemon.mount}/machines", f"{self.link}/foo"]

    def test_a_repository_on_the_mount_is_refused(self):
        (self.daemon.mount / "repositories/r").mkdir()
        for path in self.paths:
            code, sentence = self.refused("repositories/r/config.json", {"path": path})
            self.assertEqual(code, errno.EINVAL)
            self.assertIn(f"{path} lies on a mount of Holdfast", sentence)
        self.daemon.stop()

    def test_a_machine_on_the_mount_is_refused(self):
        (self.daemon.mount / "machines/m").mkdir()
        for path in self.paths:
            for definition in self.definitions(path):
                code, sentence = self.refused("machines/m/config.json", definition)
                self.assertEqual(code, errno.EINVAL)
                self.assertIn("lies on a mount of Holdfast", sentence)

    def test_a_path_that_leads_there_later_ends_the_run_and_the_daemon_dies_of_sigkill(self):
        machine = self.add_file_machine()
        repository = self.add_repository()
        self.add_flow()
        machine.path.unlink()
        machine.path.symlink_to(self.daemon.mount / "README.txt")
        self.assertEqual(self.daemon.run("f", "first"), "error")
        self.assertIn("lies on a mount of Holdfast", self.daemon.read("flows/f/executions/first/log"))
        repository.rename(self.folder / "gone")
        repository.symlink_to(self.daemon.mount / "machines")
        self.assertEqual(self.daemon.run("f", "second"), "error")
        status = self.daemon.json("repositories/r/status.json")
        self.assertEqual(status["state"], "unreachable")
        self.assertIn("lies on a mount of Holdfast", status["warnings"][0])
        for path in self.paths:
            code, sentence = self.refused("repositories/r/control", f"import file={path} machine=m")
            self.assertIn(code, (errno.EINVAL, errno.EIO), sentence)
        self.daemon.kill()


class Hanging(HostPaths):
    def expect_no_hang(self, kind):
        """Names a path on a file system that hangs wherever a path can be named."""
        system = kind(self.folder / "hangs")
        self.addCleanup(system.close)
        self.addCleanup(self.daemon.close)
        path = system.path / "directory"
        (self.daemon.mount / "repositories/r").mkdir()
        (self.daemon.mount / "machines/imported").mkdir()
        self.add_repository("good")
        system.hang()

        def repository():
            return self.refused("repositories/r/config.json", {"path": str(path)})

        def imports():
            return self.refused("repositories/good/control", f"import file={path}/disk machine=imported")

        def run(machine, definition):
            self.daemon.define(f"machines/{machine}", definition)
            self.add_flow(machine, machine=machine, repository="good")
            return self.daemon.run(machine, "first")

        with concurrent.futures.ThreadPoolExecutor() as pool:
            refusals = [pool.submit(repository), pool.submit(imports)]
            runs = [pool.submit(run, f"m{i}", its) for i, its in enumerate(self.definitions(path / "disk"))]
            for refusal in refusals:
                code, sentence = refusal.result()
                self.assertEqual(code, errno.ETIMEDOUT, sentence)
                self.assertIn("hangs", sentence)
            self.assertEqual({run.result() for run in runs}, {"error"})
        self.daemon.stop()

    def test_a_fuse_mount_whose_server_is_stopped_hangs_nothing(self):
        self.expect_no_hang(hanging.Stopped)

    def test_a_mount_that_takes_requests_and_answers_none_hangs_nothing(self):
        self.expect_no_hang(hanging.Silent)

    def test_a_loop_mount_that_hangs_hangs_nothing(self):
        self.expect_no_hang(hanging.StoppedLoop)

    def lookers(self):
        """Returns the processes that look at paths for the daemon, and bear its command line."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if str(self.daemon.mount).encode() in (folder / "cmdline").read_bytes():
                    found.append((folder / "comm").read_text())
            except (FileNotFoundError, ProcessLookupError):
                pass  # the process has ended meanwhile
        return [name for name in found if name == "holdfast-looker\n"]

    def test_looks_at_a_mount_that_hangs_leave_one_process(self):
        system = hanging.Silent(self.folder / "hangs")
        self.addCleanup(system.close)
        self.addCleanup(self.daemon.close)
        (self.daemon.mount / "repositories/r").mkdir()
        sentences = set()
        for name in ("a", "a", "b", "c/d"):
            code, sentence = self.refused("repositories/r/config.json", {"path": f"{system.path}/{name}"})
            self.assertEqual(code, errno.ETIMEDOUT, sentence)
            sentences.add(sentence.split(": ", 2)[2].split(":")[1])
        self.assertEqual(sentences, {" the file system that it lies on hangs; look after its mount\n"})
        self.assertLessEqual(len(self.lookers()), 2)  # the one that hangs, and one that waits for work
        self.add_repository("good")  # every other path is looked at as before

    def test_a_mount_that_answers_again_is_looked_at_again(self):
        system = hanging.Stopped(self.folder / "hangs")
        self.addCleanup(system.close)
        self.addCleanup(self.daemon.close)
        (system.path / "r").mkdir()
        (self.daemon.mount / "repositories/r").mkdir()
        system.hang()
        code, sentence = self.refused("repositories/r/config.json", {"path": f"{system.path}/r"})
        self.assertEqual(code, errno.ETIMEDOUT, sentence)
        system.resume()
        self.until(lambda: self.is_taken("repositories/r/config.json", {"path": f"{system.path}/r"}))

    def test_a_folder_of_hooks_that_hangs_refuses_the_flow(self):
        system = hanging.Silent(self.folder / "hangs")
        self.addCleanup(system.close)
        self.addCleanup(self.daemon.close)
        self.daemon.stop()
        self.daemon.config.write_text(json.dumps({"hooks": str(system.path / "hooks")}))
        self.daemon.start()
        self.add_file_machine()
        self.add_repository()
        (self.daemon.mount / "flows/f").mkdir()
        flow = {"target": "machines/m", "repository": "r", "only_if": "hook"}
        code, sentence = self.refused("flows/f/config.json", flow)
        self.assertEqual(code, errno.ETIMEDOUT, sentence)
        self.daemon.stop()


class Defining(HostPaths):
    """A definition whose directory answers late, while other things are defined."""

    def setUp(self):
        super().setUp()
        self.system = hanging.Stopped(self.folder / "late")
        self.backing = self.folder / "late.backing"  # new names there are not in the kernel's cache
        self.addCleanup(self.system.close)
        self.addCleanup(self.daemon.close)
        self.pool = concurrent.futures.ThreadPoolExecutor()
        self.addCleanup(self.pool.shutdown)
        self.begun = 0

    def begin(self, name, path, **more):
        """Defines a repository in a thread, which waits for the file system."""
        (self.daemon.mount / f"repositories/{name}").mkdir()
        self.begun += 1
        text = json.dumps({"path": str(path), **more})
        asked = self.pool.submit(self.daemon.write, f"repositories/{name}/config.json", text)
        self.until(lambda: len(Hanging.lookers(self)) >= self.begun)
        return asked

    def test_of_two_repositories_one_inside_the_other_defined_at_once_one_is_refused(self):
        place = self.system.path / "a"
        (self.backing / "a/lost+found").mkdir(parents=True)
        self.system.hang()
        asked = [self.begin("a", place), self.begin("b", place / "lost+found")]
        self.system.resume()
        refusals = [one.exception() for one in asked if one.exception()]
        self.assertEqual([refusal.errno for refusal in refusals], [errno.EINVAL])
        states = [self.daemon.json(f"repositories/{name}/status.json")["state"] for name in "ab"]
        self.assertEqual(sorted(states), ["incomplete", "ready"])
        self.assertEqual(len(list(self.system.path.glob("**/holdfast.json"))), 1)

    def test_a_definition_that_the_catalog_refuses_at_last_leaves_no_directory(self):
        (self.backing / "made").mkdir()
        self.system.hang()
        asked = [self.begin("a", self.system.path / "new", create=True), self.begin("b", self.system.path / "made")]
        for name in "ab":
            (self.daemon.mount / f"repositories/{name}").rmdir()
        self.system.resume()
        self.assertEqual([one.exception().errno for one in asked], [errno.ENOENT] * 2)
        self.assertEqual([str(path) for path in self.system.path.rglob("*")], [f"{self.system.path}/made"])


class Automounted(HostPaths):
    def test_a_repository_below_an_idle_automount_is_mounted_and_found(self):
        mounter = automount.Mounter(self.folder / "auto")
        self.addCleanup(mounter.close)
        self.addCleanup(self.daemon.close)
        self.daemon.define("repositories/r", {"path": f"{mounter.path}/r"})
        self.assertEqual(self.daemon.json("repositories/r/status.json")["state"], "ready")
        self.assertEqual(mounter.mounted, 1)


class Places(HostPaths):
    def setUp(self):
        super().setUp()
        self.taken = self.add_repository("taken")
        (self.daemon.mount / "repositories/r").mkdir()

    def expect_refusal(self, code, path, words, **more):
        found, sentence = self.refused("repositories/r/config.json", {"path": str(path), **more})
        self.assertEqual((found, words in sentence), (code, True), sentence)
        self.assertEqual(self.daemon.json("repositories/r/status.json")["state"], "incomplete")

    def test_no_directory_is_made_unasked(self):
        self.expect_refusal(errno.ENOENT, self.folder / "absent", '"create": true')
        self.assertFalse((self.folder / "absent").exists())

    def test_the_word_create_makes_the_last_component_and_is_not_stored(self):
        self.expect_refusal(errno.ENOENT, self.folder / "absent/r", "nor the directory above", create=True)
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.folder / "new"), "create": True}))
        self.assertTrue((self.folder / "new/holdfast.json").exists())
        self.assertNotIn("create", self.daemon.json("repositories/r/config.json"))
        self.assertNotIn('"create"', "".join(self.daemon.catalog()))

    def test_a_directory_with_something_in_it_is_refused(self):
        (self.folder / "full").mkdir()
        (self.folder / "full/file").touch()
        self.expect_refusal(errno.EINVAL, self.folder / "full", "neither empty nor a repository")

    def test_a_place_inside_or_above_another_repository_is_refused(self):
        (self.taken / "inner").mkdir()
        (self.folder / "link").symlink_to(self.taken)
        self.expect_refusal(errno.EINVAL, self.taken / "inner", "inside of repository 'taken'")
        self.expect_refusal(errno.EINVAL, self.folder / "link/inner", "inside of repository 'taken'")
        self.expect_refusal(errno.EINVAL, self.taken / "made", "inside of repository 'taken'", create=True)
        self.expect_refusal(errno.EINVAL, self.folder, "above ")
        self.assertFalse((self.taken / "made").exists())

    def test_a_place_inside_the_state_directory_is_refused(self):
        self.expect_refusal(errno.EINVAL, self.daemon.state / "r", "inside of the state directory", create=True)

    def test_the_place_of_another_repository_is_refused_by_any_name(self):
        (self.folder / "link").symlink_to(self.taken)
        (self.folder / "bound").mkdir()
        subprocess.run(["mount", "--bind", self.taken, self.folder / "bound"], check=True)
        self.addCleanup(subprocess.run, ["umount", self.folder / "bound"], check=True)
        self.addCleanup(self.daemon.close)
        for path in (self.taken, self.folder / "link", self.folder / "bound"):
            found, sentence = self.refused("repositories/r/config.json", {"path": str(path)})
            self.assertEqual(found, errno.EEXIST, sentence)


if __name__ == "__main__":
    holdfast.main()
