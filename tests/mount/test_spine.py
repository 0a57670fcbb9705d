#!/usr/bin/python3
"""The spine: a machine at a real storage daemon, backed up and restored through the real mount."""

import errno
import os
import pathlib
import random
import sqlite3

import content
import holdfast

MIB = 2**20
SIZES = [512, 4096, 65536, 100_000, MIB]


class SpineTest(holdfast.MountTest):
    """A machine with one disk, whose capacity is no whole number of clusters. `far` is an area near the disk's end."""

    capacity = 48 * MIB + 12 * 1024 + 512
    far = 40 * MIB

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed())
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[self.capacity])
        self.add_flow()
        (self.disk,) = self.storage.disks
        self.disk.scatter(self.random, 12, SIZES)
        self.disk.write(self.disk.capacity - 700, self.random.randbytes(700))

    def change(self):
        """Scattered writes, the last bytes of the disk among them."""
        self.disk.clear_written()
        self.disk.scatter(self.random, 10, SIZES)
        self.disk.write(self.disk.capacity - 300, self.random.randbytes(300))
        self.disk.write(self.far, self.random.randbytes(4 * 65536))

    def restored(self, point):
        target = self.folder / f"{point}.raw"
        content.copy(self.daemon.mount / "machines/m/points" / point / "disk-0.raw", target)
        return target

    def stored(self, point):
        """Returns the point's directory in the repository."""
        (found,) = self.repository.glob(f"*/{point}")
        return found

    def start_throttled_run(self, name, burst):
        """Starts a run that has moved some data and cannot end before unthrottle()."""
        self.storage.throttle(bytes_a_second=1, burst=burst)
        self.daemon.write("flows/f/control", f"run name={name}")
        status = f"flows/f/executions/{name}/status.json"
        self.until(lambda: self.daemon.json(status)["progress"]["done"] > 0)
        self.assertEqual(self.daemon.json(status)["status"], "running")


class Segments(SpineTest):
    """A disk of more than one segment of 512 MiB."""

    capacity = 640 * MIB + 12 * 1024 + 512
    far = 600 * MIB

    def test_each_point_is_the_disk_at_its_instant(self):
        first, first_record = self.back_up("first")
        self.disk.write(self.far, self.random.randbytes(MIB))
        second, second_record = self.back_up("second")
        self.change()
        self.disk.discard(self.far, MIB)  # zeros must hide the parent's data
        third, third_record = self.back_up("third")
        points = {first: first_record, second: second_record, third: third_record}
        for point, record in points.items():
            self.assertTrue(content.same_bytes(self.restored(point), record), point)
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest"), f"points/{third}")

        self.daemon.stop()
        for point, record in points.items():
            image = self.stored(point) / "disk-0.qcow2"
            self.assertTrue(content.sound(image), point)
            self.assertTrue(content.same_disk(image, record), point)


class Spine(SpineTest):
    def test_a_flipped_bit_fails_both_comparisons(self):
        point, record = self.back_up("first")
        content.flip_bit(record, self.disk.written[0][0])
        self.assertFalse(content.same_bytes(self.restored(point), record))
        self.daemon.stop()
        self.assertFalse(content.same_disk(self.stored(point) / "disk-0.qcow2", record))

    def test_an_increment_moves_and_stores_little_more_than_the_changes(self):
        self.back_up("first")
        self.change()
        changed = len(content.clusters(self.disk.written)) * content.CLUSTER
        point, _ = self.back_up("second")

        manifest = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        self.assertEqual(manifest["kind"], "incremental")
        self.assertLessEqual(content.bytes_on_disk(self.stored(point)), 1.1 * changed + 256 * 1024)
        self.assertLessEqual(manifest["disks"][0]["bytes_stored"], 1.1 * changed + 256 * 1024)
        moved = self.daemon.json("flows/f/executions/second/status.json")["bytes_transferred"]
        self.assertGreater(moved, 0)
        self.assertLessEqual(moved, 1.05 * changed)

    def test_points_survive_restarts_of_the_daemon_and_the_storage_daemon(self):
        first, first_record = self.back_up("first")
        self.daemon.stop()
        self.storage.stop()
        self.storage.start()
        self.change()
        self.daemon.start()
        self.assertTrue(content.same_bytes(self.restored(first), first_record))
        second, second_record = self.back_up("second")
        self.assertEqual(self.daemon.json(f"machines/m/points/{second}/manifest.json")["kind"], "incremental")
        self.assertTrue(content.same_bytes(self.restored(second), second_record))

    def test_a_killed_run_is_interrupted_and_loses_no_change(self):
        first, first_record = self.back_up("first")
        kept = set(self.storage.bitmaps(self.disk))
        self.change()
        self.disk.write(16 * MIB, self.random.randbytes(8 * MIB))  # more than the burst, whatever the other writes hit
        self.start_throttled_run("second", burst=2 * MIB)
        self.daemon.kill()
        self.storage.unthrottle()
        self.disk.scatter(self.random, 5, SIZES)  # while the daemon is dead and the bitmaps are frozen

        self.daemon.start()
        self.daemon.await_settled()
        self.assertTrue(content.same_bytes(self.restored(first), first_record))
        second = self.daemon.json("flows/f/executions/second/status.json")
        self.assertEqual((second["status"], second["reason"]), ("error", "interrupted"))
        self.assertEqual(self.daemon.read("flows/f/executions/second/wait"), "error\n")
        self.assertEqual(self.daemon.points("m"), [first])
        self.assertEqual(list(self.repository.glob("*/*.partial")), [])
        self.assertEqual(self.storage.foreign(), [])
        bitmaps = self.storage.bitmaps(self.disk)
        self.assertEqual(set(bitmaps), kept)
        self.assertTrue(all(bitmap["recording"] for bitmap in bitmaps.values()))

        self.disk.scatter(self.random, 5, SIZES)
        third, third_record = self.back_up("third")
        self.assertEqual(self.daemon.json(f"machines/m/points/{third}/manifest.json")["kind"], "incremental")
        self.assertTrue(content.same_bytes(self.restored(third), third_record))
        self.assertEqual(self.storage.foreign(), [])
        self.assertEqual(len(self.storage.bitmaps(self.disk)), 1)

    def test_a_killed_first_run_leaves_nothing_and_the_next_run_is_a_full(self):
        self.disk.write(0, self.random.randbytes(8 * MIB))
        self.start_throttled_run("first", burst=2 * MIB)
        self.daemon.kill()
        self.storage.unthrottle()
        self.daemon.start()
        self.daemon.await_settled()
        self.assertEqual(self.daemon.points("m"), [])
        self.assertEqual((self.storage.foreign(), self.storage.bitmaps(self.disk)), ([], {}))
        point, record = self.back_up("second")
        manifest = self.daemon.json(f"machines/m/points/{point}/manifest.json")
        self.assertEqual((manifest["kind"], manifest["reason"]), ("full", "no_parent"))
        self.assertTrue(content.same_bytes(self.restored(point), record))

    def test_an_unknown_verb_is_refused_in_its_write_and_changes_nothing(self):
        self.back_up("first")
        before = self.state_of_things()
        control = os.open(self.daemon.mount / "flows/f/control", os.O_WRONLY)
        with self.assertRaises(OSError) as refusal:
            os.write(control, b"bogus\n")
        os.close(control)  # close(2) succeeds
        self.assertEqual(refusal.exception.errno, errno.EINVAL)
        self.assertRegex(self.daemon.read("flows/f/error"), r"\A[^\n]*bogus[^\n]*\n\Z")
        self.assertEqual(self.state_of_things(), before)

        # Negative control: a new empty directory is seen by the comparison.
        (self.daemon.mount / "flows/other").mkdir()
        self.assertNotEqual(self.state_of_things(), before)

    def test_a_running_flow_can_not_be_removed(self):
        self.disk.write(0, self.random.randbytes(8 * MIB))
        self.start_throttled_run("first", burst=2 * MIB)
        with self.assertRaises(OSError) as refusal:
            (self.daemon.mount / "flows/f").rmdir()
        self.assertEqual(refusal.exception.errno, errno.EBUSY)
        self.assertRegex(self.daemon.read("error"), r"\A[^\n]+\n\Z")
        self.storage.unthrottle()
        self.assertEqual(self.daemon.read("flows/f/executions/first/wait"), "success\n")
        (self.daemon.mount / "flows/f").rmdir()
        self.assertEqual(len(self.daemon.points("m")), 1)  # the point belongs to the machine

    def test_a_changed_migration_is_refused_at_the_start(self):
        self.daemon.stop()
        catalog = sqlite3.connect(self.daemon.state / "catalog.sqlite")
        catalog.execute("UPDATE schema_migrations SET checksum = 'of another text' WHERE version = 1")
        catalog.commit()
        catalog.close()
        with self.assertRaisesRegex(holdfast.Refused, "0001_model.*changed"):
            self.daemon.start()

    def state_of_things(self):
        """Returns all files of the objects in the mount, and the catalog without its event log."""
        things = {}
        for collection in ("flows", "machines", "repositories", "jobs"):
            for folder, _, files in os.walk(self.daemon.mount / collection):
                things[folder] = ""
                # The plan says that a point stays for an hour after a read.
                for file in set(files) - {"error", "wait", "latest", "plan.json"}:
                    # Other programs change the free space, too.
                    if not file.endswith(".raw") and (collection, file) != ("repositories", "status.json"):
                        things[f"{folder}/{file}"] = pathlib.Path(folder, file).read_bytes()
        things["catalog"] = self.daemon.catalog()
        return things


if __name__ == "__main__":
    holdfast.main()
