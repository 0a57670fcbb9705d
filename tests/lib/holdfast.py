"""Holdfast as its users meet it: a daemon on a mount, and files to read and write there.

HOLDFASTD names the binary of tests in tests/mount; the default is the release build. A test file ends with
`holdfast.main()`. Command for one file:
    PYTHONPATH=tests/lib HOLDFASTD=build/asan/holdfastd tests/mount/test_spine.py -v"""

import contextlib
import json
import os
import pathlib
import random
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

from processes import detach, is_mounted, spawn
from served import PlainDisk
from storage import StorageDaemon

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HOLDFASTD") or ROOT / "build/release/holdfastd")
CEILING = 120  # seconds until a missing event counts as a failure
SKIPPED = 77  # ctest's exit status for "skipped"


class Refused(Exception):
    """The daemon did not start; the text is its message."""


class Daemon:
    """A daemon with one state directory and one mount point, which can be started and ended repeatedly."""

    def __init__(self, folder):
        self.hooks = folder / "hooks"  # root's folder for the commands of flows
        self.hooks.mkdir(mode=0o755)
        self.config = folder / "holdfast.json"
        self.config.write_text(json.dumps({"hooks": str(self.hooks)}))
        self.state = folder / "state"
        self.mount = folder / "mnt"
        self.log = folder / "holdfastd.log"
        self.mount.mkdir(parents=True)
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            command = [BINARY, "--foreground", "--config", self.config, "--state", self.state, self.mount]
            self.process = spawn(command, stdout=-1, stderr=log)
        said = b""
        while not said.endswith(b"\n"):
            if not select.select([self.process.stdout], [], [], CEILING)[0]:
                raise TimeoutError(f"holdfastd is neither ready nor gone after {CEILING} s")
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                status = self.process.wait(CEILING)
                self.close()
                raise Refused(f"exit {status}: {self.log.read_text()}")
            said += piece
        assert said == b"ready\n", f"holdfastd says {said} instead of ready"

    def stop(self):
        """Sends SIGTERM. The daemon must end with 0 and leave no mount."""
        self.process.terminate()
        status = self.process.wait(CEILING)
        left = is_mounted(self.mount)
        self.close()
        assert status == 0, f"holdfastd ended with {status}: {self.log.read_text()}"
        assert not left, "holdfastd has left its mount behind"

    def kill(self):
        """Sends SIGKILL; the dead mount stays."""
        self.process.kill()
        assert self.process.wait(CEILING) == -signal.SIGKILL
        self.process.stdout.close()
        self.process = None

    def close(self):
        """Cleans up in any state."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None
        detach(self.mount)

    # Files are named from the mount's root.

    def read(self, path):
        return (self.mount / path).read_text()

    def json(self, path):
        return json.loads(self.read(path))

    def write(self, path, text):
        """Writes as `echo TEXT > PATH` does, with one write(2). Raises the error of that write or of close(2)."""
        file = os.open(self.mount / path, os.O_WRONLY | os.O_TRUNC)
        try:
            return os.write(file, text.encode() + b"\n")
        finally:
            os.close(file)

    def define(self, path, definition):
        """Makes an object and writes its config.json."""
        (self.mount / path).mkdir()
        self.write(f"{path}/config.json", json.dumps(definition))

    def await_settled(self):
        """Waits until what an earlier life left at sources and in repositories is settled, behind the start."""
        left = (
            "SELECT (SELECT count(*) FROM leftovers) + (SELECT count(*) FROM points WHERE state = 'writing')"
            " + (SELECT count(*) FROM layers WHERE merging_image_id IS NOT NULL)"
        )

        def count():
            with contextlib.closing(sqlite3.connect(self.state / "catalog.sqlite")) as catalog:
                return catalog.execute(left).fetchone()[0]

        until(lambda: count() == 0)

    def catalog(self):
        """Lines of the catalog as SQL. Events are left out, because a refusal makes an event, too; so are the counts of
        commits, because definitions reach the repositories later."""
        copy = f".restore '{self.state / 'catalog.sqlite'}'"
        command = ["sqlite3", ":memory:", copy, "UPDATE repositories SET commits = 0", ".dump"]
        dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        events = ("INSERT INTO events ", "INSERT INTO event_parts ")
        return [line for line in dump.splitlines() if not line.startswith(events)]

    def run(self, flow, name, arguments=""):
        """Runs a flow to its end and returns the final status."""
        self.write(f"flows/{flow}/control", f"run name={name} {arguments}".rstrip())
        return self.read(f"flows/{flow}/executions/{name}/wait").strip()

    def points(self, machine):
        """Names of the machine's points, the oldest first."""
        return sorted(os.listdir(self.mount / "machines" / machine / "points"))


def change_catalog(daemon, change, *values):
    """Changes the catalog by SQL, and returns how many rows were changed."""
    with contextlib.closing(sqlite3.connect(daemon.state / "catalog.sqlite", timeout=60)) as catalog, catalog:
        return catalog.execute(change, values).rowcount


def until(condition):
    """Polls until the condition holds, for conditions that nothing announces."""
    deadline = time.monotonic() + CEILING
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it never came true")
        time.sleep(0.01)


class MountTest(unittest.TestCase):
    """Each test has its own folder and its own daemon, which runs when the test begins."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.daemon = Daemon(self.folder)
        self.addCleanup(self._end_daemon)
        self.daemon.start()

    def add_machine(self, name="m", capacities=(16 * 2**20,)):
        """Starts a storage daemon with disks of these capacities and defines a machine for it."""
        storage = StorageDaemon(self.folder / name, capacities)
        self.addCleanup(storage.close)
        self.daemon.define(f"machines/{name}", storage.definition())
        return storage

    def add_file_machine(self, name="m", capacity=2**20):
        """Defines a machine with one file of random bytes. Its runs take little time."""
        disk = PlainDisk(self.folder / f"{name}.disk", capacity)
        disk.write(0, os.urandom(capacity))
        listed = [{"name": "disk-0", "path": str(disk.path)}]
        self.daemon.define(f"machines/{name}", {"driver": "file", "disks": listed})
        return disk

    def add_repository(self, name="r", **settings):
        """Makes an empty directory with a repository in it, and returns the directory."""
        path = self.folder / f"repository-{name}"
        path.mkdir()
        self.daemon.define(f"repositories/{name}", {"path": str(path), **settings})
        return path

    def add_flow(self, name="f", machine="m", repository="r", **fields):
        flow = {"type": "backup", "target": f"machines/{machine}", "repository": repository, **fields}
        self.daemon.define(f"flows/{name}", flow)

    def add_hook(self, name, script, mode=0o755):
        """Writes a shell script that flows may name."""
        path = self.daemon.hooks / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(mode)
        return path

    def back_up(self, name, expected="success", **arguments):
        """Runs flow f over machine m, whose storage daemon is self.storage. Returns the new point and a record of its
        first disk."""
        record = self.storage.disks[0].record(self.folder / f"{name}.record")
        before = set(self.daemon.points("m"))
        words = " ".join(f"{key}={value}" for key, value in arguments.items())
        self.assertEqual(self.daemon.run("f", name, words), expected)
        (point,) = set(self.daemon.points("m")) - before
        return point, record

    def seed(self):
        """HOLDFAST_SEED or a new seed, printed so that the run can be repeated."""
        seed = int(os.environ.get("HOLDFAST_SEED", random.randrange(2**32)))
        print(f"{self.id()}: HOLDFAST_SEED={seed}", flush=True)
        return seed

    def until(self, condition):
        until(condition)

    def assert_within(self, ceiling, action, why=None):
        """Calls the action, which would take longer than the ceiling if it waited for what hangs."""
        begun = time.monotonic()
        action()
        seconds = time.monotonic() - begun
        print(f"{self.id()}: {action.__name__} took {seconds:.2f} s", flush=True)
        self.assertLess(seconds, ceiling, why)

    def _end_daemon(self):
        self.daemon.close()
        self._log = self.daemon.log.read_text() if self.daemon.log.exists() else ""

    def run(self, result=None):
        bad = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > bad:
            print(f"--- holdfastd's log in {self.id()}\n{getattr(self, '_log', '')}---", file=sys.stderr)


def missing():
    """A sentence about what this machine lacks for tests that mount; "" when nothing."""
    if os.geteuid() != 0:
        return "they run as root"
    if not os.path.exists("/dev/fuse"):
        return "/dev/fuse is missing"
    return absent("qemu-storage-daemon", "qemu-img", "cmp", "fallocate")


def absent(*programs):
    """A sentence about the programs that are not installed; "" when all are."""
    names = [program for program in programs if not shutil.which(program)]
    return f"{', '.join(names)} is not installed" if names else ""


def main(also=lambda: ""):
    """Runs the file's tests. `also` names further missing things. A file that can't run fails, unless
    HOLDFAST_ALLOW_SKIP names the file."""
    why = missing() or also()
    if why:
        file = pathlib.Path(sys.argv[0]).resolve()
        name = f"{file.parent.name}/{file.stem.removeprefix('test_')}"
        print(f"{name} cannot run: {why} (HOLDFAST_ALLOW_SKIP={name} goes on without them)")
        sys.exit(SKIPPED if name in os.environ.get("HOLDFAST_ALLOW_SKIP", "").split(",") else 1)
    # A shell makes what it starts in the background ignore Ctrl-C, and every program of a test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main()
