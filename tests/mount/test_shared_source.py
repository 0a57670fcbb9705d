#!/usr/bin/python3
"""Machines behind one QMP socket run at the same time, although QEMU serves one client per socket."""

import random

import content
import holdfast

MIB = 2**20


class SharedSource(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(7)
        self.add_repository()
        self.storage = self.add_machine(capacities=[32 * MIB, 32 * MIB])
        (self.daemon.mount / "machines/m").rmdir()
        for number, disk in enumerate(self.storage.disks):
            definition = self.storage.definition() | {"disks": [{"name": disk.name, "node": disk.node}]}
            self.daemon.define(f"machines/m{number}", definition)
            self.add_flow(f"f{number}", f"m{number}")
            disk.write(0, self.random.randbytes(8 * MIB))

    def run_both(self, name):
        """Runs both flows so that neither can end before both have begun."""
        records = [disk.record(self.folder / f"{disk.name}.{name}") for disk in self.storage.disks]
        self.storage.throttle(bytes_a_second=1, burst=2 * MIB)
        for flow in ("f0", "f1"):
            self.daemon.write(f"flows/{flow}/control", f"run name={name}")
        statuses = [f"flows/{flow}/executions/{name}/status.json" for flow in ("f0", "f1")]
        self.until(lambda: all(self.daemon.json(status)["status"] == "running" for status in statuses))
        self.until(lambda: len(self.jobs()) == 2)
        self.storage.unthrottle()
        for number, (disk, record) in enumerate(zip(self.storage.disks, records, strict=True)):
            self.assertEqual(self.daemon.read(f"flows/f{number}/executions/{name}/wait"), "success\n")
            raw = self.daemon.mount / f"machines/m{number}/latest" / f"{disk.name}.raw"
            self.assertTrue(content.same_bytes(raw, record))
            kind = self.daemon.json(f"machines/m{number}/latest/manifest.json")["kind"]
            self.assertEqual(kind, "full" if name == "first" else "incremental")
        self.assertEqual(self.storage.foreign(), [])

    def jobs(self):
        return self.storage.qmp.command("query-jobs")

    def test_two_machines_behind_one_socket_run_at_the_same_time(self):
        self.run_both("first")
        for disk in self.storage.disks:
            disk.write(MIB, self.random.randbytes(6 * MIB))
        self.run_both("second")

    def test_a_cancelled_run_leaves_the_other_run_on_the_socket_alone(self):
        self.storage.throttle(bytes_a_second=1, burst=2 * MIB)
        for flow in ("f0", "f1"):
            self.daemon.write(f"flows/{flow}/control", "run name=first")
        self.until(lambda: len(self.jobs()) == 2)
        self.daemon.write("flows/f0/control", "cancel")
        self.storage.unthrottle()  # QEMU removes an export only after its last read
        self.assertEqual(self.daemon.read("flows/f0/executions/first/wait"), "cancelled\n")
        self.assertEqual(self.daemon.read("flows/f1/executions/first/wait"), "success\n")
        raw = self.daemon.mount / "machines/m1/latest/disk-1.raw"
        self.assertTrue(content.same_bytes(raw, self.storage.disks[1].truth))
        self.assertEqual(self.storage.foreign(), [])


if __name__ == "__main__":
    holdfast.main()
