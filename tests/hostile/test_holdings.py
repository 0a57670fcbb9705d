#!/usr/bin/python3
"""A user who holds on to what he opens: drafts, deleted scratch files, directories, listings, reads that wait. The
daemon's memory grows by a bounded part, the refusal says why, and others go on."""

import contextlib
import errno
import json
import os
import pathlib
import queue
import resource
import threading

import holdfast
from users import User, unnamed

MIB = 2**20
MOST = 32 * MIB  # limit of a user in bytes
HANDLES = 8192  # limit of a user
MARGIN = 64 * MIB  # further growth: allocator, request buffers, sanitizer


class Holdings(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.user, self.other = (User(number) for number in unnamed(2))
        self.daemon.define("policies/p", {"keep_last": 1})
        self.daemon.define("policies/q", {"keep_last": 1})
        for policy, user in (("p", self.user), ("q", self.other)):
            os.chown(self.daemon.mount / "policies" / policy, user.uid, user.gid)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limit)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))

    def memory(self, field):
        """A field of the daemon's status, in bytes."""
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
            (line,) = [line for line in status if line.startswith(field + ":")]
        return int(line.split()[1]) * 1024

    @contextlib.contextmanager
    def bounded(self, most=MOST + MARGIN):
        """Expects that the daemon grows by no more than that."""
        pathlib.Path(f"/proc/{self.daemon.process.pid}/clear_refs").write_text("5", encoding="ascii")  # forgets its peak
        before = self.memory("VmRSS")
        yield
        grown = self.memory("VmHWM") - before
        print(f"{self.id()}: the daemon grew by {grown / MIB:.1f} MiB", flush=True)
        self.assertLess(grown, most)

    def holds(self, most, act, then=lambda held: None):
        """Calls act() as the user until it is refused, at most so often, and keeps what it returns until then(). Returns
        how often it was accepted, the refusal's errno, and what then() returned."""

        def hold():
            held = []
            for _ in range(most):
                try:
                    held.append(act())
                except OSError as refusal:
                    return len(held), errno.errorcode[refusal.errno], then(held)
            return len(held), "", then(held)

        return self.user.does(hold)

    def others_go_on(self):
        self.other.does(lambda: self.daemon.write("policies/q/config.json", json.dumps({"keep_last": 2})))
        self.other.does(lambda: os.listdir(self.daemon.mount / "policies"))
        self.assertEqual(self.daemon.json("policies/q/config.json")["keep_last"], 2)

    def scratch(self):
        path = self.daemon.mount / "policies/p/.scratch"
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.unlink(path)
        try:
            os.pwrite(file, os.urandom(MIB), 0)
        except OSError:
            os.close(file)
            raise
        return file

    def test_deleted_scratch_files_that_are_open_are_bounded(self):
        with self.bounded():
            count, why, told = self.holds(400, self.scratch, lambda _: self.daemon.read("policies/p/error"))
        self.assertEqual(why, "EDQUOT")
        self.assertGreater(count, 16)
        self.assertLessEqual(count, MOST // MIB)
        self.assertIn("close some", told)
        self.others_go_on()
        # All is given back when its holder ends.
        self.assertEqual(self.holds(4, self.scratch), (4, "", None))

    def test_drafts_are_bounded(self):
        def draft():
            file = os.open(self.daemon.mount / "policies/p/config.json", os.O_WRONLY | os.O_TRUNC)
            os.write(file, b'{"description": "' + b"x" * (MIB - 1000))
            return file

        with self.bounded():
            count, why, _ = self.holds(400, draft)
        self.assertEqual(why, "EDQUOT")
        self.assertGreater(count, 8)
        self.others_go_on()
        self.assertEqual(self.daemon.json("policies/p/config.json")["keep_last"], 1)

    def test_open_directories_share_their_listing(self):
        for number in range(100):
            (self.daemon.mount / f"policies/{'x' * 120}-{number}").mkdir()
            os.chmod(self.daemon.mount / f"policies/{'x' * 120}-{number}", 0o755)

        def directory():
            return os.open(self.daemon.mount / "policies", os.O_RDONLY | os.O_DIRECTORY)

        with self.bounded(20 * MIB):
            count, why, seen = self.holds(2000, directory, lambda held: len(os.listdir(held[-1])))
        self.assertEqual((count, why, seen), (2000, "", 101))

    def test_handles_are_bounded(self):
        def handle():
            return os.open(self.daemon.mount / "policies/p/config.json", os.O_RDONLY)

        with self.bounded():
            count, why, _ = self.holds(HANDLES + 100, handle)
        self.assertEqual((count, why), (HANDLES, "EDQUOT"))
        self.others_go_on()
        self.assertEqual(self.holds(1, handle), (1, "", None))

    def test_reads_that_wait_are_counted_as_handles(self):
        self.add_file_machine()
        self.add_repository(bandwidth=1)
        self.daemon.write("machines/m/control", "backup repository=r name=long")
        os.chown(self.daemon.mount / "machines/m", self.user.uid, self.user.gid)

        def wait_twice(held):
            """With room for one read, two threads read: one is refused, and the other waits on."""
            held.append(os.open(self.daemon.mount / "jobs/long/wait", os.O_RDONLY))
            outcomes = queue.Queue()

            def read():
                try:
                    outcomes.put(os.pread(held[-1], 100, 0))  # read(2) would wait for the other
                except OSError as refusal:
                    outcomes.put(errno.errorcode[refusal.errno])

            for _ in range(2):
                threading.Thread(target=read, daemon=True).start()
            outcome = outcomes.get(timeout=holdfast.CEILING)
            os.close(held.pop(0))  # room to read the error
            return outcome, self.daemon.read("jobs/long/error")

        path = self.daemon.mount / "policies/p/config.json"
        count, _, (outcome, told) = self.holds(HANDLES - 2, lambda: os.open(path, os.O_RDONLY), wait_twice)
        self.assertEqual((count, outcome), (HANDLES - 2, "EDQUOT"))
        self.assertIn("waiting reads", told)


class Pieces(holdfast.MountTest):
    """A definition that arrives in small pieces."""

    def setUp(self):
        super().setUp()
        self.daemon.define("policies/p", {"keep_last": 1})
        self.path = self.daemon.mount / "policies/p/config.json"

    def written(self, text, size):
        """Writes the text in pieces. Returns the number of the piece that was refused, or None."""
        file = os.open(self.path, os.O_WRONLY | os.O_TRUNC)
        try:
            for number, at in enumerate(range(0, len(text), size)):
                try:
                    os.write(file, text[at : at + size])
                except OSError as refusal:
                    self.assertEqual(refusal.errno, errno.EINVAL)
                    return number
            return None
        finally:
            with contextlib.suppress(OSError):
                os.close(file)

    def test_a_definition_in_many_pieces_is_taken_with_its_last_one(self):
        text = json.dumps({"keep_last": 7, "tags": [f"{'t' * 3000}-{number}" for number in range(200)]}).encode()
        self.assertIsNone(self.written(text, 4096))
        self.assertEqual(self.daemon.json("policies/p/config.json")["keep_last"], 7)

    def test_a_piece_after_which_no_definition_is_possible_is_refused(self):
        text = json.dumps({"keep_last": 7, "tags": ["t" * 3000] * 40}).encode()
        wrong = text[:50000] + b"\x01" + text[50000:]
        self.assertEqual(self.written(wrong, 4096), 50000 // 4096)
        self.assertEqual(self.daemon.json("policies/p/config.json")["keep_last"], 1)


if __name__ == "__main__":
    holdfast.main()
