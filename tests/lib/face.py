"""The mount under people's tools: scripts, programs at a terminal, readers of `wait`."""

import json
import os
import pathlib
import subprocess

import holdfast
from processes import spawn
from terminal import Terminal

READ = ("0", "63")  # numbers of the system call read on x86-64 and arm64


class FaceTest(holdfast.MountTest):
    """A MountTest with scripts and programs whose working directory is the mount."""

    def setUp(self):
        super().setUp()
        self.mount = self.daemon.mount

    def shell(self, script, shell="bash", user=None, **options):
        """Runs a script in the mount and returns the completed process."""
        command = [shell, "-c", script]
        if user is not None:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
        return subprocess.run(
            command, cwd=self.mount, capture_output=True, text=True, timeout=holdfast.CEILING, check=False, **options
        )

    def assert_runs(self, script, **options):
        """Expects the script to succeed without complaints, and returns its output."""
        done = self.shell(script, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), script)
        return done.stdout

    def terminal(self, *command):
        """Starts a program at a terminal of its own, in the mount."""
        terminal = Terminal(command, cwd=self.mount)
        self.addCleanup(terminal.close)
        return terminal

    def hold_run(self):
        """Makes machines/m with a point, and flows/f with a second run, "held", that lasts until it is cancelled."""
        self.add_file_machine()
        path = self.add_repository()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(path), "bandwidth": 1}))
        self.daemon.write("flows/f/control", "run name=held")
        self.until(lambda: self.daemon.json("flows/f/executions/held/status.json")["status"] == "running")

    def wait_in(self, path="flows/f/wait"):
        """Starts a process that reads a `wait`."""
        reader = spawn(["cat", self.mount / path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(reader.stderr.close)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        return reader

    def until_parked(self, *readers):
        for reader in readers:
            self.until(lambda reader=reader: reader.poll() is not None or is_parked(reader.pid))
            self.assertIsNone(reader.poll(), f"{reader.args} has ended, although the run has not")


def is_parked(pid):
    """Whether the process is inside read(2) of a `wait`."""
    call, *arguments = pathlib.Path(f"/proc/{pid}/syscall").read_text().split()
    if call not in READ:
        return False
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/fd/{int(arguments[0], 16)}")) == "wait"
    except FileNotFoundError:
        return False  # closed meanwhile


def opened_by(pid):
    """Names of the files that the process has open."""
    names = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.add(os.path.basename(os.readlink(fd)))
        except FileNotFoundError:
            pass  # closed meanwhile
    return names
