#!/usr/bin/python3
"""The mount under everyday tools: reading, editing, commanding, waiting, starting, ending."""

import errno
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

import holdfast
from face import FaceTest, opened_by
from processes import detach, is_mounted, spawn

NOBODY = 65534


class SilentSource:
    """A QMP socket that accepts every connection and sends nothing until close()."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._taken = []
        self._someone = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self):
        try:
            while True:
                self._taken.append(self._listener.accept()[0])
                self._someone.set()
        except OSError:
            pass

    def wait_for_someone(self):
        if not self._someone.wait(holdfast.CEILING):
            raise TimeoutError("nobody has connected to the source")

    def close(self):
        """Hangs up; a second call does nothing."""
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for taken in self._taken:
            taken.close()


class Face(FaceTest):
    def add_all(self):
        """Makes machines/m with a silent source, repositories/r and flows/f."""
        self.add_repository()
        self.socket = self.folder / "qmp.sock"
        machine = {"driver": "qmp", "socket": str(self.socket), "disks": [{"name": "disk-0", "node": "disk0"}]}
        self.daemon.define("machines/m", machine)
        self.add_flow()

    def start_run(self, name="first"):
        """Starts a run and waits until it has connected to the silent source. The run fails some seconds later."""
        source = SilentSource(self.socket)
        self.addCleanup(source.close)
        self.daemon.write("flows/f/control", f"run name={name}")
        source.wait_for_someone()


class Reading(Face):
    def test_stat_reports_the_size_that_read_returns(self):
        self.add_all()
        for folder, _, files in os.walk(self.mount):
            for name in files:
                path = pathlib.Path(folder, name)
                self.assertEqual(path.stat().st_size, len(path.read_bytes()), path)

    def test_text_files_end_in_a_newline_and_json_files_parse(self):
        self.add_all()
        for path in self.mount.rglob("*.json"):
            text = path.read_text()
            self.assertTrue(text.endswith("}\n"), path)
            json.loads(text)

    def test_tail_follows_the_event_log(self):
        # A fixed offset, the current end: an open descriptor does not show that tail has already looked for the end.
        begin = len((self.mount / "events.jsonl").read_bytes()) + 1
        follow = ["tail", "-c", f"+{begin}", "-s", "0.05", "-f", self.mount / "events.jsonl"]
        tail = spawn(follow, stdout=subprocess.PIPE)
        self.addCleanup(tail.stdout.close)
        self.addCleanup(tail.wait)
        self.addCleanup(tail.kill)
        names = [f"followed-{number}" for number in range(20)]
        self.until(lambda: "events.jsonl" in opened_by(tail.pid))
        for name in names:
            (self.mount / "flows" / name).mkdir()
        seen = [json.loads(tail.stdout.readline())["object"] for _ in names]
        self.assertEqual(seen, [f"flows/{name}" for name in names])

    def test_control_lists_the_commands_that_it_takes(self):
        self.add_all()
        self.assertIn("run [type=auto|full|incremental]", self.daemon.read("flows/f/control"))

    def test_a_directory_of_1500_objects_is_listed_completely(self):
        names = {f"flow-{number}" for number in range(1500)}
        for name in names:
            (self.mount / "flows" / name).mkdir()
        self.assertEqual(set(os.listdir(self.mount / "flows")), names)


class Editing(Face):
    def test_fixed_files_can_not_be_changed_or_removed(self):
        self.add_all()
        for script in [
            "rm flows/f/status.json",
            "mv flows/f/config.json flows/f/away",
            "echo x > flows/f/status.json",
            "chmod 777 flows/f/config.json",
            "mkdir jobs/mine",
            "ln -s /etc/passwd flows/f/link",
            "echo x > flows/file",
        ]:
            done = self.shell(script)
            self.assertNotEqual(done.returncode, 0, script)
            self.assertIn("Operation not permitted", done.stderr)

    def test_an_object_is_made_renamed_and_removed(self):
        self.add_all()
        self.assert_runs("mv flows/f flows/g && test -d flows/g && ! test -e flows/f && rmdir flows/g")
        self.assertEqual(os.listdir(self.mount / "flows"), [])


class Commanding(Face):
    def test_an_unknown_verb_fails_the_echo_in_bash_and_dash(self):
        self.add_all()
        for shell in ("bash", "dash"):
            done = self.shell("echo bogus > flows/f/control", shell=shell)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("'bogus'", self.daemon.read("flows/f/error"))

    def test_a_write_to_control_ignores_offset_and_append_mode(self):
        self.add_all()
        self.assert_runs("echo disable >> flows/f/control")
        self.assertFalse(self.daemon.json("flows/f/config.json")["enabled"])
        control = os.open(self.mount / "flows/f/control", os.O_WRONLY)
        os.pwrite(control, b"enable\n", 1000)
        os.close(control)
        self.assertTrue(self.daemon.json("flows/f/config.json")["enabled"])

    def test_a_command_over_the_limit_is_refused_with_emsgsize(self):
        self.add_all()
        with self.assertRaises(OSError) as refusal:
            self.daemon.write("flows/f/control", "run name=" + "x" * 4096)
        self.assertEqual(refusal.exception.errno, errno.EMSGSIZE)

    def test_a_run_is_visible_before_its_write_returns(self):
        self.add_all()
        self.start_run("first")
        self.assertEqual(os.readlink(self.mount / "flows/f/latest"), "executions/first")
        jobs = os.listdir(self.mount / "flows/f/latest/jobs")
        self.assertEqual(len(jobs), 1)
        self.assertEqual(self.daemon.json(f"flows/f/latest/jobs/{jobs[0]}/status.json")["id"], jobs[0])


class Waiting(Face):
    def setUp(self):
        super().setUp()
        self.hold_run()

    def test_all_readers_of_wait_are_answered_at_the_end_of_the_run(self):
        storage = self.add_machine("real")
        storage.disks[0].write(0, os.urandom(2**20))
        storage.throttle(bytes_a_second=1, burst=65536)
        self.add_repository("other")
        self.add_flow("g", "real", "other")
        self.daemon.write("flows/g/control", "run name=first")
        jobs = os.listdir(self.mount / "flows/g/latest/jobs")
        paths = ["flows/g/wait", "flows/g/executions/first/wait", f"jobs/{jobs[0]}/wait"]
        readers = [self.wait_in(path) for path in paths]
        self.until_parked(*readers)
        storage.kill()
        for reader in readers:
            self.assertEqual(reader.communicate(timeout=holdfast.CEILING), (b"error\n", b""))
        self.assertEqual(self.daemon.read("flows/g/wait"), "error\n")

    def test_a_reader_can_be_interrupted_and_killed(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            reader = self.wait_in()
            self.until_parked(reader)
            reader.send_signal(how)
            self.assertEqual(reader.wait(holdfast.CEILING), -how)

    def test_tar_passes_wait_because_its_size_is_zero(self):
        self.assertEqual((self.mount / "flows/f/wait").stat().st_size, 0)
        self.assert_runs(f"tar cf {self.folder}/tree.tar flows jobs")

    def test_a_flow_without_executions_has_no_wait(self):
        (self.mount / "flows/new").mkdir()
        self.assertFalse((self.mount / "flows/new/wait").exists())
        self.assertEqual(self.shell("cat flows/new/wait").returncode, 1)

    def test_readers_of_wait_are_answered_before_the_daemon_ends(self):
        reader = self.wait_in()
        self.until_parked(reader)
        self.daemon.process.terminate()
        self.assertEqual(reader.wait(holdfast.CEILING), 1)
        self.daemon.stop()

    def test_a_running_flow_can_not_be_removed(self):
        done = self.shell("rmdir flows/f")
        self.assertIn("busy", done.stderr)
        self.assertIn("EBUSY", self.daemon.read("error"))


class Living(Face):
    def start_second(self, mount, *more):
        command = [holdfast.BINARY, "--state", self.folder / "second", *more, mount]
        return subprocess.run(command, capture_output=True, text=True, timeout=holdfast.CEILING, check=False)

    def test_a_mount_point_in_use_is_refused(self):
        done = self.start_second(self.mount, "--foreground")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aholdfastd: [^\n]*taken[^\n]*\n\Z")
        other = self.start_second("/proc", "--foreground")
        self.assertRegex(other.stderr, "something of type proc is mounted there")

    def test_a_mount_point_that_is_no_directory_is_refused(self):
        self.assertIn("No such file", self.start_second(self.folder / "nowhere", "--foreground").stderr)
        self.assertIn("no directory", self.start_second(self.daemon.log, "--foreground").stderr)

    def test_the_next_start_takes_over_the_mount_of_a_killed_daemon(self):
        self.add_all()
        self.daemon.kill()
        with self.assertRaises(OSError) as refusal:
            os.listdir(self.mount)
        self.assertEqual(refusal.exception.errno, errno.ENOTCONN)
        self.daemon.start()
        self.assertIn("f", os.listdir(self.mount / "flows"))
        self.daemon.stop()

    def test_a_background_daemon_prints_ready_and_ends_at_umount(self):
        mount = self.folder / "background"
        mount.mkdir()
        done = self.start_second(mount)
        self.addCleanup(detach, mount)
        self.assertEqual((done.returncode, done.stdout), (0, "ready\n"), done.stderr)
        self.assertTrue(is_mounted(mount))
        self.assertTrue((mount / "README.txt").exists())
        (daemon,) = [pid for pid in self.daemons() if bytes(mount) in self.command_line(pid)]
        subprocess.run(["umount", mount], check=True)
        self.until(lambda: daemon not in self.daemons())
        self.assertIn("unmounted", (self.folder / "second/holdfastd.log").read_text())

    def test_a_background_daemon_that_can_not_start_prints_the_reason(self):
        done = self.start_second(self.folder / "nowhere")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("No such file", done.stderr)

    @staticmethod
    def command_line(pid):
        try:
            return pathlib.Path("/proc", pid, "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return b""  # the process has ended meanwhile

    def daemons(self):
        """Returns the daemons, without the processes that look at paths for them under the same command line."""
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and b"holdfastd" in self.command_line(pid) and not self.looks(pid)]

    @staticmethod
    def looks(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/comm").read_text() in ("holdfast-scout\n", "holdfast-looker\n")
        except OSError:
            return False


class Permitting(Face):
    def test_a_stranger_reads_and_commands_nothing(self):
        self.add_all()
        self.folder.chmod(0o755)
        self.assertEqual(self.assert_runs("ls flows", user=NOBODY), "")
        for script in [
            "cat flows/f/config.json",
            "ls flows/f",
            "echo run > flows/f/control",
            "mkdir flows/mine",
            "rmdir flows/f",
            "mv flows/f flows/g",
            "echo drain > control",
        ]:
            done = self.shell(script, user=NOBODY)
            self.assertNotEqual(done.returncode, 0, script)
            self.assertIn("Permission denied", done.stderr, script)
        self.assertIn("Holdfast", self.assert_runs("cat README.txt", user=NOBODY))
        self.assertEqual(self.assert_runs("cat events.jsonl", user=NOBODY), "")
        totals = json.loads(self.assert_runs("cat status.json", user=NOBODY))["totals"]
        self.assertEqual(set(totals.values()), {0})
        self.assertEqual(self.daemon.json("status.json")["totals"]["flows"], 1)

    def test_each_user_reads_only_their_own_errors(self):
        self.shell("mkdir flows/.bad")
        self.assertIn(".bad", self.daemon.read("error"))
        self.folder.chmod(0o755)
        self.assertEqual(self.assert_runs("cat error", user=NOBODY), "")


class Images(Face):
    def test_a_point_is_sparse_read_only_and_seekable(self):
        self.add_repository()
        storage = self.add_machine(capacities=[8 * 2**20])
        self.add_flow()
        data = os.urandom(2**20)
        storage.disks[0].write(2 * 2**20, data)
        self.assertEqual(self.daemon.run("f", "first"), "success")
        path = self.mount / "machines/m/latest/disk-0.raw"
        facts = path.stat()
        self.assertEqual((facts.st_size, facts.st_blocks * 512), (8 * 2**20, 2**20))
        self.assertEqual(facts.st_mode & 0o7777, 0o640)
        image = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, image)
        self.assertEqual(os.lseek(image, 0, os.SEEK_DATA), 2 * 2**20)
        self.assertEqual(os.lseek(image, 2 * 2**20, os.SEEK_HOLE), 3 * 2**20)
        with self.assertRaises(OSError) as refusal:
            os.lseek(image, 3 * 2**20, os.SEEK_DATA)
        self.assertEqual(refusal.exception.errno, errno.ENXIO)
        self.assertEqual(os.pread(image, 2**20, 2 * 2**20), data)
        self.assertEqual(os.pread(image, 2**20, 8 * 2**20), b"")
        done = self.shell("echo x > machines/m/latest/disk-0.raw")
        self.assertIn("Read-only file system", done.stderr)
        self.assertIn("EROFS", self.daemon.read("machines/m/latest/error"))


if __name__ == "__main__":
    holdfast.main()
