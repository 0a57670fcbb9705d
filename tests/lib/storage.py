"""A real qemu-storage-daemon in the place of a hypervisor: qcow2 disks, a QMP socket, dirty bitmaps.

Each disk is also exported as a plain file (by FUSE), which is how a test writes to it as a guest would.
The same writes go to a plain file beside it, so that what the disk should hold is known from
outside of QEMU and of Holdfast."""

import os
import subprocess

import content
from processes import detach, spawn
from qmp import Qmp, QmpError, monitor


class Disk:
    """One disk of the machine. `written` lists the (offset, length) of every write since clear_written()."""

    def __init__(self, folder, number, capacity):
        self.name = f"disk-{number}"
        self.node = f"disk{number}"
        self.capacity = capacity
        self.image = folder / f"{self.name}.qcow2"
        self.export = folder / f"{self.name}.raw"
        self.truth = folder / f"{self.name}.truth"
        self.written = []
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.image, str(capacity)], check=True)
        self.export.touch()
        with open(self.truth, "wb") as file:
            file.truncate(capacity)

    def write(self, offset, data):
        for path in (self.export, self.truth):
            file = os.open(path, os.O_RDWR)
            try:
                done = os.pwrite(file, data, offset)
            finally:
                os.close(file)
            assert done == len(data), f"{path}: {done} of {len(data)} bytes written at {offset}"
        self.written.append((offset, len(data)))

    def discard(self, offset, length):
        """The guest trims: the area reads as zeros from now on."""
        for path in (self.export, self.truth):
            subprocess.run(["fallocate", "--punch-hole", "-o", str(offset), "-l", str(length), path], check=True)
        self.written.append((offset, length))

    def scatter(self, random, count, sizes, within=None):
        """`count` writes of random bytes of one of `sizes` at random places, unaligned."""
        for _ in range(count):
            size = random.choice(sizes)
            self.write(random.randrange((within or self.capacity) - size), random.randbytes(size))

    def clear_written(self):
        self.written = []

    def record(self, path):
        """A copy of what the disk holds now, by our own account and, checked against it, by QEMU's."""
        if not content.same_bytes(self.export, self.truth):
            raise AssertionError(f"{self.name}: QEMU does not serve what was written")
        content.copy(self.truth, path)
        return path


def launch(arguments):
    """A qemu-storage-daemon that has done all that its command line says; the process and a monitor of ours."""
    # The monitor is the last that the command line makes: its first answer comes when all has been dealt with.
    ours, theirs, chardev = monitor()
    with theirs:
        own = ["--chardev", chardev, "--monitor", "chardev=own"]
        process = spawn(["qemu-storage-daemon", *arguments, *own], pass_fds=[theirs.fileno()])
    try:
        return process, Qmp(ours)
    except (OSError, EOFError):
        process.kill()
        process.wait()
        raise


class StorageDaemon:
    """Starts at construction; stop() is clean (bitmaps are kept), kill() is not (they are lost)."""

    def __init__(self, folder, capacities):
        self.folder = folder
        folder.mkdir(parents=True)
        self.socket = folder / "qmp.sock"  # for Holdfast: QMP serves one client at a time
        self.disks = [Disk(folder, number, capacity) for number, capacity in enumerate(capacities)]
        self.process = None
        self.qmp = None
        self.start()

    def start(self):
        arguments = ["--object", "throttle-group,id=limits"]
        for disk in self.disks:
            below, limited, export = f"file-{disk.node}", f"throttle-{disk.node}", f"export-{disk.node}"
            arguments += [
                *("--blockdev", f"driver=file,node-name={below},filename={disk.image},discard=unmap"),
                *("--blockdev", f"driver=throttle,node-name={limited},file={below},throttle-group=limits"),
                *("--blockdev", f"driver=qcow2,node-name={disk.node},file={limited},discard=unmap"),
                *("--export", f"type=fuse,id={export},node-name={disk.node},mountpoint={disk.export},writable=on"),
            ]
        arguments += ["--chardev", f"socket,id=holdfast,path={self.socket},server=on,wait=off"]
        arguments += ["--monitor", "chardev=holdfast"]
        self.process, self.qmp = launch(arguments)

    def definition(self):
        """The machine's config.json."""
        disks = [{"name": disk.name, "node": disk.node} for disk in self.disks]
        return {"driver": "qmp", "socket": str(self.socket), "disks": disks}

    def throttle(self, bytes_a_second, burst):
        """Reads of all disks together: `burst` bytes at once, the rest at that rate. Writes are free."""
        self._limit({"bps-read": bytes_a_second, "bps-read-max": burst})

    def unthrottle(self):
        self._limit({"bps-read": 0, "bps-read-max": 0})
        # What is waiting already still waits for its old time. Opening the node anew drains it, and that lets
        # all of it go.
        nodes = [
            {
                "driver": "throttle",
                "node-name": f"throttle-{disk.node}",
                "file": f"file-{disk.node}",
                "throttle-group": "limits",
            }
            for disk in self.disks
        ]
        self.qmp.command("blockdev-reopen", {"options": nodes})

    def _limit(self, limits):
        self.qmp.command("qom-set", {"path": "/objects/limits", "property": "limits", "value": limits})

    def bitmaps(self, disk):
        """Names of the disk's bitmaps, with their facts."""
        (node,) = [node for node in self._nodes() if node["node-name"] == disk.node]
        return {b["name"]: b for b in node.get("dirty-bitmaps", []) if "name" in b}

    def foreign(self):
        """Whatever is there that this class did not make, bitmaps apart: nodes, exports, jobs, an NBD server."""
        own = {f"{kind}{disk.node}" for disk in self.disks for kind in ("", "file-", "throttle-", "export-")}
        found = {node["node-name"] for node in self._nodes()}
        found |= {export["id"] for export in self.qmp.command("query-block-exports")}
        found = sorted(found - own)
        found += [job["id"] for job in self.qmp.command("query-jobs")]
        return found + (["the NBD server"] if self._serves_nbd() else [])

    def _nodes(self):
        return self.qmp.command("query-named-block-nodes", {"flat": True})

    def _serves_nbd(self):
        # There is no query for it: starting a second one is refused.
        address = {"type": "unix", "data": {"path": str(self.folder / "probe.sock")}}
        try:
            self.qmp.command("nbd-server-start", {"addr": address})
        except QmpError as refusal:
            if "already running" in str(refusal):
                return True
            raise
        self.qmp.command("nbd-server-stop")
        return False

    def stop(self):
        self._end(self.process.terminate)

    def kill(self):
        self._end(self.process.kill)

    def _end(self, signal):
        signal()
        self.process.wait(timeout=120)
        self.close()

    def close(self):
        """For cleanup: whatever state it is in."""
        if self.qmp:
            self.qmp.close()
            self.qmp = None
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        for disk in self.disks:
            detach(disk.export)
