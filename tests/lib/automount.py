"""An automounter of one mount point, by the kernel's own autofs."""

import ctypes
import fcntl
import os
import select
import struct
import threading

from processes import detach

LIBC = ctypes.CDLL(None, use_errno=True)
READY = 0x9360  # AUTOFS_IOC_READY
MISSING_DIRECT = 5  # autofs_ptype_missing_direct
PACKET = 304  # bytes of struct autofs_v5_packet, with its padding


class Mounter:
    """Mounts a tmpfs with a directory `r` when somebody walks into the path. `mounted` counts."""

    def __init__(self, path):
        self.path, self.mounted = path, 0
        path.mkdir()
        self.requests, theirs = os.pipe()
        options = f"fd={theirs},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct"
        if LIBC.mount(b"test", os.fsencode(path), b"autofs", 0, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "mounting an autofs")
        os.close(theirs)
        self.root = os.open(path, os.O_RDONLY | os.O_DIRECTORY)  # processes of our group mount nothing
        self.ended, self.end = os.pipe()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while self.ended not in select.select([self.requests, self.ended], [], [])[0]:
            packet = os.read(self.requests, PACKET)
            _, kind, token = struct.unpack_from("<iiI", packet)
            assert kind == MISSING_DIRECT, kind
            # No program mounts it: a child would close the file of the mount whose writer waits for this.
            assert LIBC.mount(b"tmpfs", os.fsencode(self.path), b"tmpfs", 0, None) == 0, ctypes.get_errno()
            (self.path / "r").mkdir()
            self.mounted += 1
            fcntl.ioctl(self.root, READY, token)

    def close(self):
        os.write(self.end, b"e")
        self.thread.join()
        detach(self.path)
        os.close(self.root)
        detach(self.path)
        for fd in (self.requests, self.end, self.ended):
            os.close(fd)
