#!/usr/bin/python3
"""A mostly empty disk of a running guest: a backup reads what is in use, also through the filter of a QEMU before 9.0,
which misreports holes."""

import json
import os
import random
import subprocess

import content
import guest
import holdfast

KIB = 2**10
MIB = 2**20
CAPACITY = 1024 * MIB


class Written:
    """A disk that a guest writes to and discards from, with a record of its content beside it."""

    def __init__(self, machine, disk, record):
        self.machine, self.disk, self.record = machine, disk, record
        with open(record, "wb") as file:
            file.truncate(disk.capacity)

    def write(self, offset, length, tag):
        """Writes lines of the tag, `offset` and `length` in KiB."""
        where = f"of={self.disk.device} bs=1k seek={offset} conv=notrunc,fsync"
        self.machine.run(f"yes {tag} | head -c {length * KIB} >/tmp/data; dd if=/tmp/data {where} 2>/dev/null")
        with open(self.record, "r+b") as file:
            os.pwrite(file.fileno(), (f"{tag}\n".encode() * (length * KIB // (len(tag) + 1) + 1))[: length * KIB], offset * KIB)

    def discard(self, offset, length):
        self.machine.run(f"blkdiscard -o {offset * KIB} -l {length * KIB} {self.disk.device}")
        subprocess.run(["fallocate", "-p", "-o", str(offset * KIB), "-l", str(length * KIB), self.record], check=True)

    def in_use(self):
        """Bytes that QEMU has allocated for the disk's data."""
        command = ["qemu-img", "map", "--force-share", "--output=json", "-f", "qcow2", self.disk.image]
        mapped = json.loads(subprocess.check_output(command))
        return sum(extent["length"] for extent in mapped if extent["data"])


class SparseGuest(holdfast.MountTest):
    @classmethod
    def setUpClass(cls):
        cls.guest = guest.of_class(cls, [32 * MIB, CAPACITY])

    def setUp(self):
        super().setUp()
        self.add_repository()
        self.disk = Written(self.guest, self.guest.disks[1], self.folder / "record")
        self.disk.discard(0, CAPACITY // KIB)
        disks = [{"name": "disk-1", "node": self.guest.disks[1].node}]
        self.daemon.define("machines/m", self.guest.definition(quiesce="never", disks=disks))
        self.add_flow()

    def run_meanwhile(self, name, meanwhile):
        """Runs the flow, and calls `meanwhile` after the freeze, before the disk has been read."""
        record = self.folder / f"{name}.record"
        content.copy(self.disk.record, record)
        self.daemon.write("flows/f/control", f"run name={name} bandwidth=4M")
        log = f"flows/f/executions/{name}/log"
        self.until(lambda: "frozen as point" in self.daemon.read(log))
        in_use = self.disk.in_use()
        meanwhile()
        self.assertEqual(self.daemon.json(f"flows/f/executions/{name}/status.json")["status"], "running", "too late")
        self.assertEqual(self.daemon.read(f"flows/f/executions/{name}/wait").strip(), "success", self.daemon.read(log))
        restored = self.folder / f"{name}.restored"
        content.copy(self.daemon.mount / "machines/m/latest/disk-1.raw", restored)
        self.assertTrue(content.same_bytes(restored, record))
        (disk,) = self.daemon.json("machines/m/latest/manifest.json")["disks"]
        self.assertEqual(self.guest.foreign(), [])
        return disk, in_use, restored

    def test_a_full_of_a_mostly_empty_disk_reads_what_is_in_use(self):
        seed = random.Random(self.seed())
        places = seed.sample(range(1, CAPACITY // MIB - 1), 40)
        for number, place in enumerate(places):
            self.disk.write(place * 1024 + seed.choice((0, 4, 60)), 1024, f"old{number}")

        def meanwhile():
            for number, place in enumerate(places[:30]):
                at = place * 1024 + seed.randrange(0, 1024, 4)
                if number % 3 == 0:
                    self.disk.discard(at, 128)
                elif number % 3 == 1:
                    self.disk.write(at, 12, "new")
                else:
                    self.disk.discard(place * 1024, 1024)
                    self.disk.write(at, 4, "after")
            for place in seed.sample(range(CAPACITY // MIB), 10):
                self.disk.write(place * 1024 + 8, 4, "hole")

        disk, in_use, restored = self.run_meanwhile("full", meanwhile)
        self.assertLess(in_use, 64 * MIB)
        self.assertLessEqual(disk["bytes_read"], 1.1 * in_use)
        # Negative control: the comparison can fail.
        content.flip_bit(restored, 12 * MIB)
        self.assertFalse(content.same_bytes(restored, self.folder / "full.record"))

    def test_an_increment_reads_what_was_written_and_no_hole(self):
        self.disk.write(MIB // KIB, 16 * 1024, "first")
        self.run_meanwhile("first", lambda: None)
        self.disk.write(64 * 1024, 2048, "second")
        self.disk.discard(2 * 1024, 4096)
        self.disk.write(300 * 1024, 4096, "gone")
        self.disk.discard(300 * 1024, 4096)

        def meanwhile():
            self.disk.write(64 * 1024, 64, "third")
            self.disk.discard(65 * 1024, 512)
            self.disk.write(3 * 1024, 64, "fourth")

        disk, _, _ = self.run_meanwhile("second", meanwhile)
        self.assertEqual(disk["kind"], "incremental")
        self.assertLessEqual(disk["bytes_read"], 1.1 * 2 * MIB + 128 * KIB)


if __name__ == "__main__":
    holdfast.main(guest.missing)
