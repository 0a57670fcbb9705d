#!/usr/bin/python3
"""Backups of a machine without a flow: the `backup` command of machines/m/control."""

import errno
import random

import content
import holdfast

MIB = 2**20


class Backup(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(9)
        self.add_repository()
        self.storage = self.add_machine(capacities=[32 * MIB])
        (self.disk,) = self.storage.disks
        self.disk.write(0, self.random.randbytes(4 * MIB))

    def back_up(self, name, arguments=""):
        record = self.disk.record(self.folder / f"{name}.record")
        before = set(self.daemon.points("m"))
        self.daemon.write("machines/m/control", f"backup repository=r name={name} {arguments}".rstrip())
        self.assertEqual(self.daemon.read(f"jobs/{name}/wait"), "success\n")
        (point,) = set(self.daemon.points("m")) - before
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{point}/disk-0.raw", record))
        return self.daemon.json(f"machines/m/points/{point}/manifest.json")

    def test_the_first_backup_makes_a_full_and_the_second_an_increment(self):
        first = self.back_up("first")
        self.assertEqual((first["kind"], first["flow"], first["execution"]), ("full", None, None))
        self.disk.write(MIB, self.random.randbytes(MIB))
        second = self.back_up("second")
        self.assertEqual((second["kind"], second["parent"]), ("incremental", first["id"]))
        job = self.daemon.json("jobs/second/status.json")
        self.assertEqual((job["type"], job["machine"], job["owner"]), ("backup", "m", "machines/m"))
        self.assertEqual(self.storage.foreign(), [])
        self.assertEqual(self.daemon.json("machines/m/status.json")["warnings"], [])

    def test_a_backup_of_a_disk_with_one_percent_changed_moves_little_more_than_one_percent(self):
        clusters = self.disk.capacity // content.CLUSTER
        self.disk.write(0, self.random.randbytes(self.disk.capacity))
        self.back_up("first")
        changed = self.random.sample(range(clusters), clusters // 100)
        for cluster in changed:  # one byte marks the whole cluster
            self.disk.write(cluster * content.CLUSTER + self.random.randrange(content.CLUSTER), b"!")
        self.back_up("second")
        whole, part = (self.daemon.json(f"jobs/{name}/status.json")["bytes_transferred"] for name in ("first", "second"))
        self.assertEqual(whole, self.disk.capacity)
        self.assertLessEqual(part, 1.05 * (len(changed) + 1) * content.CLUSTER, "one at the disk's end is compared")
        self.assertLessEqual(part, 0.02 * whole)

    def test_a_backup_with_type_full_makes_a_full(self):
        self.back_up("first")
        self.assertEqual(self.back_up("second", "type=full")["kind"], "full")

    def test_a_backup_continues_the_chain_of_a_flow(self):
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.assertEqual(self.back_up("second")["kind"], "incremental")

    def test_a_cancelled_backup_leaves_no_point_and_nothing_at_the_source(self):
        self.daemon.write("machines/m/control", "backup repository=r bandwidth=1 name=slow")
        self.until(lambda: self.daemon.json("jobs/slow/status.json")["status"] == "running")
        self.daemon.write("jobs/slow/control", "cancel")
        self.assertEqual(self.daemon.read("jobs/slow/wait"), "cancelled\n")
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual(self.storage.foreign(), [])

    def test_an_impossible_backup_is_refused_in_its_write(self):
        (self.daemon.mount / "repositories/empty").mkdir()
        for words, code, sentence in [
            ("backup", errno.EINVAL, "repository"),
            ("backup repository=elsewhere", errno.ENOENT, "there is no repositories/elsewhere"),
            ("backup repository=empty", errno.EINVAL, "repository 'empty' has no definition yet"),
            ("backup repository=r type=whole", errno.EINVAL, "auto, full, incremental"),
            ("backup repositroy=r", errno.EINVAL, "did you mean 'repository'?"),
        ]:
            with self.assertRaises(OSError) as refused:
                self.daemon.write("machines/m/control", words)
            self.assertEqual(refused.exception.errno, code, words)
            self.assertIn(sentence, self.daemon.read("machines/m/error"))
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual(list((self.daemon.mount / "jobs").iterdir()), [])


if __name__ == "__main__":
    holdfast.main()
