#!/usr/bin/python3
"""README's commands, run as they stand there: a QMP socket and node names with a real QEMU and a real libvirtd, files of a
point without a restore, an overlay over a point, and a copy of the catalog.

The paths that README names lie in a mount namespace of the test's own."""

import ctypes
import os
import pathlib
import re
import shlex
import subprocess

import holdfast
from processes import detach, spawn
from served import PlainDisk

README = (holdfast.ROOT / "README.md").read_text()
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
FOLDERS = ("/mnt", "/run", "/srv", "/var/lib", "/var/tmp")  # folders of the host; empty ones lie over them

# Configuration of libvirt, by file: its machines run as root, and without systemd.
CONFIGURATION = {
    "libvirtd.conf": 'auth_unix_rw = "none"\n',
    "qemu.conf": 'user = "root"\ngroup = "root"\ndynamic_ownership = 0\nsecurity_driver = "none"\n'
    'cgroup_controllers = []\nnamespaces = []\nstdio_handler = "file"\n',
}
# The part of a definition that README leaves out.
MACHINE = """
  <name>VM</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/>
    </disk>
  </devices>
"""


def block(words):
    """Returns README's block of text between fences that has these words."""
    (found,) = [text for text in re.findall(r"^```\n(.*?)^```$", README, re.DOTALL | re.MULTILINE) if words in text]
    return found


def qmp_option():
    """Returns README's option of QEMU, as a list of words."""
    (found,) = re.findall(r"`(-qmp\s+unix:[^`]*)`", README)
    return shlex.split(found)


class Readme(holdfast.MountTest):
    @classmethod
    def setUpClass(cls):
        if LIBC.unshare(CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        for folder in FOLDERS:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)

    def boot(self, option):
        """Starts a QEMU with one disk and README's option, and waits for its socket."""
        image = PlainDisk(self.folder / "disk.raw", 2**20)
        image.write(0, os.urandom(2**20))
        command = [
            *("qemu-system-x86_64", "-accel", "tcg", "-nodefaults", "-display", "none", "-m", "32", "-S"),
            *("-blockdev", f"driver=raw,node-name=disk0,file.driver=file,file.filename={image.path}"),
            *("-device", "virtio-blk-pci,drive=disk0"),
            *option,
        ]
        qemu = spawn(command)
        self.addCleanup(qemu.wait)
        self.addCleanup(qemu.kill)
        (address,) = re.findall("unix:([^,]*)", option[1])
        self.until(lambda: qemu.poll() is not None or os.path.exists(address))
        self.assertIsNone(qemu.poll(), "QEMU has ended")
        return image

    def shell(self, script, **environment):
        """Runs a script as a user does who stands beside the mount."""
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=self.folder, env=os.environ | environment, stdout=-1, stderr=-2, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_the_commands_back_up_a_qemu_that_has_the_option(self):
        image = self.boot(qmp_option())
        os.mkdir("/srv/backup")
        self.assertEqual(self.shell(block("mkdir repositories/r machines/m flows/f")), "success\n")
        restored = self.daemon.mount / "machines/m/latest/disk-0.raw"
        subprocess.run(["cmp", restored, image.path], check=True)

    def virsh(self, *words):
        done = subprocess.run(["virsh", *words], stdout=-1, stderr=-2, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def start_libvirt(self):
        """Starts a libvirtd of the test's own, which runs its machines as root and without cgroups."""
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/etc/libvirt"], check=True)
        self.addCleanup(detach, "/etc/libvirt")
        for name, text in CONFIGURATION.items():
            pathlib.Path("/etc/libvirt", name).write_text(text)
        libvirtd = spawn(["libvirtd"], stderr=subprocess.DEVNULL)
        self.addCleanup(libvirtd.wait)
        self.addCleanup(libvirtd.terminate)
        self.until(lambda: subprocess.run(["virsh", "version"], capture_output=True, check=False).returncode == 0)

    def test_a_machine_of_libvirt_is_backed_up_with_the_words_and_the_query(self):
        self.start_libvirt()
        image = PlainDisk(self.folder / "disk.raw", 2**20)
        image.write(0, os.urandom(2**20))
        words = block("<qemu:commandline>").replace("type='kvm'", "type='qemu'")  # KVM may be missing here
        definition = self.folder / "vm.xml"
        definition.write_text(words.replace("  ...\n", MACHINE.format(image=image.path)))
        self.virsh("define", str(definition))
        self.virsh("start", "--paused", "VM")
        self.addCleanup(self.virsh, "destroy", "VM")
        node, device, file = self.shell(block("virsh qemu-monitor-command")).rstrip("\n").split("\t")
        self.assertEqual((node, file), ("libvirt-1-format", str(image.path)))
        self.assertIn("virtio-disk0", device)
        (socket,) = re.findall("unix:([^,]*)", words)
        self.add_repository()
        disk = {"name": "disk-0", "node": node}
        self.daemon.define("machines/vm", {"driver": "qmp", "socket": socket, "disks": [disk]})
        self.add_flow(machine="vm")
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        subprocess.run(["cmp", self.daemon.mount / "machines/vm/latest/disk-0.raw", image.path], check=True)

    def demo(self):
        """Backs up the machine `demo`, whose one disk holds an ext4 with a file in it. Returns the disk."""
        files = self.folder / "files"
        files.mkdir()
        (files / "told").write_text("in the guest\n")
        disk = self.add_file_machine("demo", 4 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-d", files, disk.path], check=True)
        self.add_repository()
        self.add_flow(machine="demo")
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        return disk

    def test_a_file_of_a_point_is_read_without_a_restore(self):
        self.demo()
        whole, parted, _ = block("mount -o ro,loop,noload").splitlines()
        self.addCleanup(detach, "/mnt")
        self.shell(whole)
        self.assertEqual(pathlib.Path("/mnt/told").read_text(), "in the guest\n")
        device = self.shell(parted).strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", device], check=True)
        self.assertRegex(device, "^/dev/loop[0-9]+$")

    def test_an_overlay_over_a_point_takes_writes_and_the_point_stays(self):
        disk = self.demo()
        *makes, boots = block("qemu-img create -f qcow2 -b").splitlines()
        self.assertTrue(boots.startswith("qemu-system-x86_64 "))
        self.shell("\n".join(makes))
        subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 64k", "/var/tmp/try.qcow2"], check=True, stdout=-3)
        compare = ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk.path, "/var/tmp/try.qcow2"]
        self.assertEqual(subprocess.run(compare, check=False, stdout=-3).returncode, 1)
        subprocess.run(["cmp", self.daemon.mount / "machines/demo/latest/disk-0.raw", disk.path], check=True)

    def test_the_copy_of_the_catalog_is_one_that_a_daemon_starts_with(self):
        self.demo()
        os.mkdir("/srv/copies")
        self.addCleanup(os.unlink, "/var/lib/holdfast")
        os.symlink(self.daemon.state, "/var/lib/holdfast")
        self.shell(block(".backup /srv"))
        points = self.daemon.points("demo")
        (self.daemon.mount / "flows/later").mkdir()
        self.daemon.stop()
        for name in ("catalog.sqlite-wal", "catalog.sqlite-shm"):
            (self.daemon.state / name).unlink(missing_ok=True)
        (self.daemon.state / "catalog.sqlite").write_bytes(pathlib.Path("/srv/copies/catalog.sqlite").read_bytes())
        self.daemon.start()
        self.assertEqual(os.listdir(self.daemon.mount / "flows"), ["f"])
        self.assertEqual(self.daemon.points("demo"), points)

    def test_a_block_that_is_not_there_or_there_twice_is_noticed(self):
        for words in ("no such command", "mkdir"):
            with self.assertRaises(ValueError):
                block(words)


if __name__ == "__main__":
    holdfast.main(lambda: holdfast.absent("qemu-system-x86_64", "libvirtd", "virsh", "jq", "mkfs.ext4", "sqlite3"))
