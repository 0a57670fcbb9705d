"""A real guest under QEMU's own emulation: Debian's kernel, busybox, and QEMU's guest agent. It boots in seconds.

KVM is never used, because test machines are often guests themselves."""

import glob
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from processes import spawn
from qmp import Qmp, monitor

PORT = "org.qemu.guest_agent.0"
MODULES = ["virtio_pci", "virtio_blk", "virtio_console", "ext4"]

# Begin of an init: a system with modules, and functions that find ports and start the agent.
SYSTEM = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mkdir -p /proc /sys /dev /tmp /run /mnt /etc /var
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp; mount -t tmpfs run /run; ln -s /run /var/run
ln -s /proc/mounts /etc/mtab
while read -r module; do insmod /modules/$module; done </modules/order
port() {{
  until [ "$found" ]; do  # the kernel learns the names of the ports after it has loaded their driver
    for port in /sys/class/virtio-ports/*; do
      device=/dev/${{port##*/}}
      if [ -e $device ] && [ "$(cat $port/name 2>/dev/null)" = $1 ]; then found=$device; fi
    done
    [ "$found" ] || sleep 0.05
  done
  echo $found
}}
agent() {{
  qemu-ga -d -m virtio-serial -p $(port {PORT}) -t /run -f /run/qga.pid "$@"
}}
"""
# Commands arrive as lines on the port "control"; the output of each is followed by "@@ STATUS".
INIT = SYSTEM + """exec 3<>$(port control)
echo '@@ 0' >&3
while read -r line <&3; do
  eval "$line" >&3 2>&3 </dev/null
  echo "@@ $?" >&3
done
"""


def kernel():
    """The newest of Debian's cloud kernels; "" without one."""
    found = sorted(glob.glob("/boot/vmlinuz-*-cloud-amd64"))
    return found[-1] if found else ""


def missing():
    """A sentence about missing programs; "" when all are there."""
    if not kernel():
        return "linux-image-cloud-amd64 is not installed"
    programs = ["qemu-system-x86_64", "qemu-ga", "busybox", "cpio", "modprobe", "mkfs.ext4", "e2fsck"]
    absent = [name for name in programs if not shutil.which(name)]
    return f"{', '.join(absent)} is not installed" if absent else ""


def make_initrd(folder, init=INIT):
    """Makes the guest's whole system as one file in `folder`."""
    root = folder / "root"
    for name in ("bin", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    agent = shutil.which("qemu-ga")
    shutil.copy(agent, root / "bin/qemu-ga")
    for word in subprocess.run(["ldd", agent], capture_output=True, text=True, check=True).stdout.split():
        if word.startswith("/"):
            target = root / word[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)
    release = kernel().removeprefix("/boot/vmlinuz-")
    order = []
    for module in MODULES:
        command = ["modprobe", "--set-version", release, "--show-depends", module]
        for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
            action, _, path = line.strip().partition(" ")
            if action == "insmod" and os.path.basename(path) not in order:
                shutil.copy(path, root / "modules")
                order.append(os.path.basename(path))
    (root / "modules/order").write_text("".join(f"{name}\n" for name in order))
    (root / "init").write_text(init)
    (root / "init").chmod(0o755)
    initrd = folder / "initrd"
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with open(initrd, "wb") as file:
        command = ["cpio", "--create", "--format=newc", "--quiet"]
        subprocess.run(command, cwd=root, input=names.encode(), stdout=file, check=True)
    shutil.rmtree(root)
    return initrd


class Disk:
    """A qcow2 disk of the guest: /dev/vda, /dev/vdb …"""

    def __init__(self, folder, number, capacity):
        self.name = f"disk-{number}"
        self.node = f"disk{number}"
        self.device = f"/dev/vd{'abcd'[number]}"
        self.capacity = capacity
        self.image = folder / f"{self.name}.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.image, str(capacity)], check=True)


def of_class(test_class, capacities):
    """Boots a guest for all tests of a class."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-guest-"))
    test_class.addClassCleanup(shutil.rmtree, home)
    one = Guest(home / "guest", make_initrd(home), capacities)
    test_class.addClassCleanup(one.close)
    return one


class Guest:
    """Boots at construction. close() kills QEMU, which is a power loss for the guest."""

    def __init__(self, folder, initrd, capacities):
        """`capacities` of the disks; the first disk holds an ext4."""
        self.folder = folder
        folder.mkdir(parents=True)
        self.socket = folder / "qmp.sock"  # for Holdfast alone, because QMP serves one client at a time
        self.agent = folder / "agent.sock"
        self.disks = [Disk(folder, number, capacity) for number, capacity in enumerate(capacities)]
        if self.disks:
            make_file_system(self.disks[0], folder)
        self.initrd = initrd
        self.process = None
        self.start()

    def start(self):
        ours, theirs, monitor_chardev = monitor()
        self._control, serial = socket.socketpair()
        with theirs, serial:
            self.process = spawn(
                [
                    *("qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-nodefaults", "-display", "none"),
                    *("-m", "192", "-no-reboot", "-kernel", kernel(), "-initrd", self.initrd),
                    *("-append", "console=ttyS0 quiet panic=-1 no_timer_check nokaslr mitigations=off"),
                    *("-serial", f"file:{self.folder}/console.log"),
                    *("-chardev", f"socket,id=control,fd={serial.fileno()}"),
                    *("-chardev", monitor_chardev, "-mon"),
                    *("chardev=own,mode=control", "-qmp", f"unix:{self.socket},server=on,wait=off"),
                    *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=control,name=control"),
                    *("-chardev", f"socket,id=agent,path={self.agent},server=on,wait=off"),
                    *("-device", f"virtserialport,chardev=agent,name={PORT}"),
                    *self._drives(),
                ],
                pass_fds=[theirs.fileno(), serial.fileno()],
            )
        self._control.settimeout(120)
        self._lines = self._control.makefile("rwb")
        self.qmp = Qmp(ours)
        assert self._answer() == (0, ""), "the guest does not come up"

    def _drives(self):
        arguments = []
        for number, disk in enumerate(self.disks):
            arguments += [
                *("-blockdev", f"driver=qcow2,node-name={disk.node},discard=unmap,file.driver=file"
                  f",file.filename={disk.image},file.discard=unmap"),
                *("-device", f"virtio-blk-pci,id=vd{number},drive={disk.node}"),
            ]  # fmt: skip
        return arguments

    def definition(self, **fields):
        """Returns the machine's config.json."""
        disks = [{"name": disk.name, "node": disk.node} for disk in self.disks]
        return {"driver": "qmp", "socket": str(self.socket), "disks": disks} | fields

    def run(self, command):
        """Runs a line of shell in the guest and returns its output; raises when the line fails."""
        self.begin(command)
        return self.end()

    def begin(self, command):
        """Starts a line of shell in the guest; end() waits for its end."""
        self._lines.write(command.encode() + b"\n")
        self._lines.flush()

    def end(self):
        status, said = self._answer()
        if status:
            raise RuntimeError(f"the guest's command failed with {status}: {said}")
        return said

    def _answer(self):
        said = []
        while line := self._lines.readline().decode(errors="replace"):
            if line.startswith("@@ "):
                return int(line[3:]), "\n".join(said)
            said.append(line.rstrip("\r\n"))
        raise EOFError(f"the guest has gone; its console:\n{(self.folder / 'console.log').read_text()[-4000:]}")

    def status(self):
        """QEMU's word for the guest's state: running, paused, io-error …"""
        return self.qmp.command("query-status")["status"]

    def foreign(self):
        """Nodes, exports and jobs in QEMU beyond the guest's own, and devices without their own disk. Bitmaps are left
        out."""
        nodes = self.qmp.command("query-named-block-nodes", {"flat": True})
        names = {node["node-name"] for node in nodes if not node["node-name"].startswith("#")}
        found = sorted(names - {disk.node for disk in self.disks})
        found += [export["id"] for export in self.qmp.command("query-block-exports")]
        found += [job["id"] for job in self.qmp.command("query-jobs")]
        attached = [block["inserted"]["node-name"] for block in self.qmp.command("query-block")]
        return found + sorted(set(attached) - {disk.node for disk in self.disks})

    def bitmaps(self, disk):
        """Bitmaps of the disk by name."""
        nodes = self.qmp.command("query-named-block-nodes", {"flat": True})
        (node,) = [node for node in nodes if node["node-name"] == disk.node]
        return {bitmap["name"]: bitmap for bitmap in node.get("dirty-bitmaps", []) if "name" in bitmap}

    def close(self):
        """Cleans up in any state."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.qmp.close()
            self._control.close()


class SnapshotGuest(Guest):
    """A guest whose disks are images that stay unchanged (snapshot=on): its writes are discarded at its end."""

    def __init__(self, folder, initrd, images):
        """`images`: (path, format) of /dev/vda, /dev/vdb …"""
        self._images = images
        super().__init__(folder, initrd, [])

    def _drives(self):
        return [
            word
            for path, form in self._images
            for word in ("-drive", f"file={path},format={form},snapshot=on,if=virtio")
        ]


def make_file_system(disk, folder):
    """Makes an ext4 on a disk of a guest that is not running."""
    raw = pathlib.Path(folder) / "new.raw"
    with open(raw, "wb") as file:
        file.truncate(disk.capacity)
    subprocess.run(["mkfs.ext4", "-q", "-F", raw], check=True)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk.image], check=True)
    raw.unlink()


def complaints(image):
    """Faults of an ext4 in a raw file, or a note about an open journal; "" for a clean file system."""
    facts = subprocess.run(["dumpe2fs", "-h", image], capture_output=True, text=True, check=True).stdout
    if "needs_recovery" in facts:
        return "its journal has to be played back"
    checked = subprocess.run(["e2fsck", "-f", "-n", image], capture_output=True, text=True, check=False)
    return checked.stdout + checked.stderr if checked.returncode else ""
