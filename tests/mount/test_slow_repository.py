#!/usr/bin/python3
"""Law 20: a repository whose file system hangs delays only the readers of its images."""

import os
import pathlib
import signal
import subprocess

import holdfast
from processes import detach, spawn
from storage import launch

MIB = 2**20
READERS = 24  # more readers than the daemon has FUSE threads
OPENING_OR_READING = ("257", "0", "56", "63")  # numbers of the system calls openat and read on x86-64 and arm64


class SlowRepository(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve_file_system()
        self.disk = self.add_file_machine(capacity=READERS * MIB)
        self.daemon.define("repositories/r", {"path": str(self.folder / "slow/repository"), "compression": "none"})
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r"})
        self.assertEqual(self.daemon.run("f", "first"), "success")
        (point,) = self.daemon.points("m")
        self.image = self.daemon.mount / f"machines/m/points/{point}/disk-0.raw"

    def serve_file_system(self):
        """Mounts an ext4 from a file that a storage daemon serves, and returns that daemon's process, which can be
        stopped."""
        backing, served, mounted = self.folder / "backing", self.folder / "served", self.folder / "slow"
        backing.touch()
        os.truncate(backing, 256 * MIB)
        subprocess.run(["mkfs.ext4", "-q", "-F", backing], check=True)
        served.touch()
        mounted.mkdir()
        process, monitor = launch(
            [
                *("--blockdev", f"driver=file,node-name=file,filename={backing}"),
                *("--export", f"type=fuse,id=served,node-name=file,mountpoint={served},writable=on"),
            ]
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(monitor.close)
        self.addCleanup(detach, served)
        subprocess.run(["mount", "-o", "loop", served, mounted], check=True)
        self.addCleanup(subprocess.run, ["umount", mounted], check=True)
        self.addCleanup(self.daemon.close)  # before the unmount
        self.addCleanup(process.send_signal, signal.SIGCONT)
        (mounted / "repository").mkdir()
        return process

    def forget_what_was_read(self):
        for path in [self.image, *(self.folder / "slow").rglob("*.qcow2")]:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def waits(self, reader):
        """Whether the reader is inside open or read."""
        return pathlib.Path(f"/proc/{reader.pid}/syscall").read_text().split()[0] in OPENING_OR_READING

    def said_by(self, script):
        done = subprocess.run(["bash", "-c", script], cwd=self.daemon.mount, capture_output=True, timeout=holdfast.CEILING)
        return done.returncode, done.stderr

    def read_all(self):
        """Starts a process for each MiB of the image."""
        readers = []
        for number in range(READERS):
            words = ["dd", f"if={self.image}", "bs=1M", f"skip={number}", "count=1", "status=none"]
            readers.append(spawn(words, stdout=subprocess.PIPE))
            self.addCleanup(readers[-1].stdout.close)
            self.addCleanup(readers[-1].wait)
            self.addCleanup(readers[-1].kill)
        return readers

    def expect_others_served(self, readers):
        self.until(lambda: all(self.waits(reader) for reader in readers))
        for script in (
            "ls -lR flows machines policies",
            "cat flows/f/status.json machines/m/status.json repositories/r/status.json",
            "echo disable > flows/f/control && echo enable > flows/f/control",
            "mkdir flows/g && rmdir flows/g",
        ):
            self.assertEqual(self.said_by(script), (0, b""), script)
        self.assertTrue(all(self.waits(reader) for reader in readers))

    def expect_read(self, readers):
        self.server.send_signal(signal.SIGCONT)
        read = b"".join(reader.communicate(timeout=holdfast.CEILING)[0] for reader in readers)
        self.assertEqual(read, pathlib.Path(self.disk.path).read_bytes())

    def test_the_tree_and_commands_work_while_opens_of_images_hang(self):
        self.forget_what_was_read()
        self.server.send_signal(signal.SIGSTOP)
        readers = self.read_all()
        self.expect_others_served(readers)
        self.expect_read(readers)

    def test_the_tree_and_commands_work_while_reads_of_images_hang(self):
        with open(self.image, "rb", buffering=0) as opened:
            # Data read ahead may arrive after it should have been forgotten.
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
            opened.read(1)  # loads the image's tables
            self.forget_what_was_read()
            self.server.send_signal(signal.SIGSTOP)
            readers = self.read_all()
            self.expect_others_served(readers)
            self.expect_read(readers)


if __name__ == "__main__":
    holdfast.main()
