"""A real qemu-storage-daemon in place of a hypervisor: qcow2 disks, a QMP socket, dirty bitmaps.

Each disk is also exported by FUSE as a plain file, which the test writes to as a guest would. The same writes go to a
plain file beside it, so the expected content is known without QEMU and without Holdfast."""

import os
import subprocess

import content
from processes import detach, spawn
from qmp import Qmp, QmpError, monitor


class Disk:
    """One disk of the machine. `written` lists the (offset, length) of every write since clear_written()."""

    def __init__(self, folder, number, capacity, form):
        self.name = f"disk-{number}"
        self.node = f"disk{number}"
        self.capacity = capacity
        self.form = form
        self.image = folder / f"{self.name}.{'img' if form == 'raw' else form}"
        self.export = folder / f"{self.name}.raw"
        self.truth = folder / f"{self.name}.truth"
        self.written = []
        subprocess.run(["qemu-img", "create", "-q", "-f", form, self.image, str(capacity)], check=True)
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
        """Trims as a guest does: the area reads as zeros from now on."""
        for path in (self.export, self.truth):
            subprocess.run(["fallocate", "--punch-hole", "-o", str(offset), "-l", str(length), path], check=True)
        self.written.append((offset, length))

    def scatter(self, random, count, sizes, within=None):
        """Makes `count` unaligned writes of random bytes at random places. Each size is one of `sizes`."""
        for _ in range(count):
            size = random.choice(sizes)
            self.write(random.randrange((within or self.capacity) - size), random.randbytes(size))

    def clear_written(self):
        self.written = []

    def record(self, path):
        """Copies the disk's expected content to `path`, after a comparison with QEMU's content."""
        if not content.same_bytes(self.export, self.truth):
            raise AssertionError(f"{self.name}: QEMU does not serve what was written")
        content.copy(self.truth, path)
        return path


def launch(arguments):
    """Starts a qemu-storage-daemon. Returns the process and a monitor after its command line has been executed."""
    # The command line makes this monitor last: its first answer comes after everything else.
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
    """Starts at construction. stop() is clean and keeps the bitmaps of qcow2 disks; kill() loses them."""

    def __init__(self, folder, capacities, form="qcow2"):
        self.folder = folder
        folder.mkdir(parents=True)
        self.socket = folder / "qmp.sock"  # for Holdfast alone, because QMP serves one client at a time
        self.disks = [Disk(folder, number, capacity, form) for number, capacity in enumerate(capacities)]
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
                *("--blockdev", f"driver={disk.form},node-name={disk.node},file={limited},discard=unmap"),
                *("--export", f"type=fuse,id={export},node-name={disk.node},mountpoint={disk.export},writable=on"),
            ]
        arguments += ["--chardev", f"socket,id=holdfast,path={self.socket},server=on,wait=off"]
        arguments += ["--monitor", "chardev=holdfast"]
        self.process, self.qmp = launch(arguments)

    def definition(self):
        """Returns the machine's config.json."""
        disks = [{"name": disk.name, "node": disk.node} for disk in self.disks]
        return {"driver": "qmp", "socket": str(self.socket), "disks": disks}

    def resize(self, disk, capacity):
        """Changes the size of the running disk."""
        self.qmp.command("block_resize", {"node-name": disk.node, "size": capacity})
        os.truncate(disk.truth, capacity)
        disk.capacity = capacity

    def throttle(self, bytes_a_second, burst):
        """Limits the reads of all disks together: `burst` bytes at once, then bytes_a_second. Writes are not
        limited."""
        self._limit({"bps-read": bytes_a_second, "bps-read-max": burst})

    def unthrottle(self):
        self._limit({"bps-read": 0, "bps-read-max": 0})
        # Requests that already wait keep their old delay. Reopening the node drains the node and so releases them.
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
        """Bitmaps of the disk by name."""
        (node,) = [node for node in self._nodes() if node["node-name"] == disk.node]
        return {b["name"]: b for b in node.get("dirty-bitmaps", []) if "name" in b}

    def foreign(self):
        """Nodes, exports, jobs and an NBD server that this class did not make. Bitmaps are left out."""
        own = {f"{kind}{disk.node}" for disk in self.disks for kind in ("", "file-", "throttle-", "export-")}
        found = {node["node-name"] for node in self._nodes()}
        found |= {export["id"] for export in self.qmp.command("query-block-exports")}
        found = sorted(found - own)
        found += [job["id"] for job in self.qmp.command("query-jobs")]
        return found + (["the NBD server"] if self._serves_nbd() else [])

    def _nodes(self):
        return self.qmp.command("query-named-block-nodes", {"flat": True})

    def _serves_nbd(self):
        # QEMU has no query for an NBD server: the start of a second one is refused.
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
        """Cleans up in any state."""
        if self.qmp:
            self.qmp.close()
            self.qmp = None
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        for disk in self.disks:
            detach(disk.export)
