"""A file system that falls ill as disks do: it hangs, fills up, or dies with EIO and comes back after a check."""

import subprocess

from hanging import MIB, StoppedLoop
from processes import detach
from storage import launch


class SickDisk(StoppedLoop):
    def __init__(self, path):
        super().__init__(path, 256 * MIB)
        self.backing = path.with_name(path.name + ".backing")
        self.filler = path / "filler"

    def fill(self):
        """Leaves no byte free."""
        with open(self.filler, "wb", buffering=0) as file:
            for size in (MIB, 4096, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def die(self):
        """Ends the server: from now on every access to the disk fails."""
        self.server.kill()
        self.server.wait()

    def revive(self):
        """Serves the same disk again, repairs its file system from the journal, and mounts it."""
        detach(self.path)
        self.monitor.close()
        detach(self.served)
        self.server, self.monitor = launch(
            [
                *("--blockdev", f"driver=file,node-name=file,filename={self.backing}"),
                *("--export", f"type=fuse,id=served,node-name=file,mountpoint={self.served},writable=on"),
            ]
        )
        subprocess.run(["fsck.ext4", "-p", self.served], check=False, stdout=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", self.served, self.path], check=True)

    def is_dead(self):
        return self.server.poll() is not None
