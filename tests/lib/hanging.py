"""File systems that hang: each is mounted at a directory, answers at first or never, and can be let go."""

import ctypes
import os
import select
import signal
import struct
import subprocess
import threading

from processes import detach, is_mounted, spawn
from storage import launch

MIB = 2**20
INIT = 26  # FUSE's number of the first request
LIBC = ctypes.CDLL(None, use_errno=True)


class Silent:
    """A FUSE file system that takes every request and answers none but the first, as a network file system does whose
    network is gone. A thread that waits for it can't be killed."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other"
        if LIBC.mount(b"silent", os.fsencode(path), b"fuse.silent", 0, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "mounting a silent file system")
        self.ended, self.end = os.pipe()
        self.asked = threading.Event()  # somebody waits for an answer
        self.reader = threading.Thread(target=self._take, daemon=True)
        self.reader.start()

    def _take(self):
        while self.ended not in select.select([self.fd, self.ended], [], [])[0]:
            request = os.read(self.fd, 2 * MIB)
            _, operation, unique = struct.unpack_from("<IIQ", request)
            if operation == INIT:
                answer = struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 9, 4096, 1, 1, 0, 0)
                os.write(self.fd, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)
            else:
                self.asked.set()

    def hang(self):
        """Does nothing: the file system has never answered."""

    def close(self):
        os.write(self.end, b"e")
        self.reader.join()
        os.close(self.fd)  # ends every wait for an answer
        detach(self.path)
        os.close(self.end)
        os.close(self.ended)


class Stoppable:
    """A file system whose server can be stopped."""

    def hang(self):
        self.server.send_signal(signal.SIGSTOP)

    def resume(self):
        self.server.send_signal(signal.SIGCONT)

    def close(self):
        self.resume()
        detach(self.path)
        self.release()
        self.server.kill()
        self.server.wait()

    def release(self):
        """Gives back what lies below the mount."""


class Stopped(Stoppable):
    """A directory that a FUSE server shows again; the server can be stopped."""

    def __init__(self, path):
        self.path = path
        backing = path.with_name(path.name + ".backing")
        backing.mkdir()
        path.mkdir()
        self.server = spawn(["bindfs", "-f", backing, path])
        while not is_mounted(path):
            assert self.server.poll() is None


class StoppedLoop(Stoppable):
    """An ext4 on a loop device over a file whose server can be stopped."""

    def __init__(self, path, size=64 * MIB):
        self.path = path
        backing, served = path.with_name(path.name + ".backing"), path.with_name(path.name + ".served")
        backing.touch()
        os.truncate(backing, size)
        subprocess.run(["mkfs.ext4", "-q", "-F", backing], check=True)
        served.touch()
        self.served = served
        self.server, self.monitor = launch(
            [
                *("--blockdev", f"driver=file,node-name=file,filename={backing}"),
                *("--export", f"type=fuse,id=served,node-name=file,mountpoint={served},writable=on"),
            ]
        )
        path.mkdir()
        subprocess.run(["mount", "-o", "loop", served, path], check=True)
        # A directory that the kernel does not know yet has to be read.
        (path / "directory").mkdir()
        subprocess.run(["umount", path], check=True)
        subprocess.run(["mount", "-o", "loop", served, path], check=True)

    def release(self):
        self.monitor.close()
        detach(self.served)
