#!/usr/bin/python3
"""Law 5: reasons for a full, each caused at a real source or in a real repository."""

import errno
import json
import os
import random
import subprocess

import content
import holdfast
from storage import StorageDaemon

MIB = 2**20


class Fulls(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(5)
        self.repository = self.add_repository()
        self.storage = self.add_machine(capacities=[16 * MIB, 16 * MIB])
        # Only the test about a new disk adds the second disk to the machine.
        self.define_disks(self.storage.disks[:1])
        self.add_flow()
        self.disk = self.storage.disks[0]
        self.disk.scatter(self.random, 5, [65536])

    def define_disks(self, disks):
        definition = self.storage.definition() | {"disks": [{"name": d.name, "node": d.node} for d in disks]}
        self.daemon.write("machines/m/config.json", json.dumps(definition))

    def back_up(self, name, expected, arguments=""):
        """Runs the flow, compares the first disk with its record, and returns the new point's manifest."""
        record = self.disk.record(self.folder / f"{name}.record")
        before = set(self.daemon.points("m"))
        self.assertEqual(self.daemon.run("f", name, arguments), expected)
        (point,) = set(self.daemon.points("m")) - before
        content.copy(self.daemon.mount / "machines/m/points" / point / "disk-0.raw", self.folder / "restored")
        self.assertTrue(content.same_bytes(self.folder / "restored", record))
        return self.daemon.json(f"machines/m/points/{point}/manifest.json")

    def first(self):
        manifest = self.back_up("first", "success")
        self.disk.scatter(self.random, 3, [65536])
        return manifest

    def expect_full(self, manifest, reason, execution):
        self.assertEqual((manifest["kind"], manifest["reason"]), ("full", reason))
        self.assertIsNone(manifest["parent"])
        status = self.daemon.json(f"flows/f/executions/{execution}/status.json")
        planned = reason in ("no_parent", "requested", "cbt_reset")
        wanted = "cbt_lied" if reason == "cbt_lied" else "unplanned_full"
        self.assertEqual(status["reason"], None if planned else wanted)
        commits = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        commits = [event for event in commits if event["event"] == "point.commit"]
        self.assertEqual(commits[-1]["reason"], reason)
        # After the full, the next run is an increment and the source keeps one bitmap.
        self.disk.scatter(self.random, 2, [65536])
        self.assertEqual(self.back_up("after", "success")["kind"], "incremental")
        ours = [name for name in self.storage.bitmaps(self.disk) if name.startswith("hf-")]
        self.assertEqual(len(ours), 1, ours)
        self.assertEqual(self.storage.foreign(), [])

    def test_the_first_point_is_a_full_with_reason_no_parent(self):
        self.expect_full(self.first(), "no_parent", "first")

    def test_a_requested_full_is_a_success(self):
        self.first()
        self.expect_full(self.back_up("second", "success", "type=full"), "requested", "second")

    def test_a_full_after_reset_cbt_is_a_success(self):
        self.first()
        self.daemon.write("machines/m/control", "reset-cbt")
        disk = self.daemon.json("machines/m/disks/disk-0/status.json")
        self.assertEqual(disk["cbt"], "no")
        self.assertIn("reset-cbt", disk["cbt_reason"])
        self.expect_full(self.back_up("second", "success"), "cbt_reset", "second")
        self.assertEqual(self.daemon.json("machines/m/disks/disk-0/status.json")["cbt"], "yes")

    def test_reset_cbt_of_a_machine_that_runs_is_refused_with_ebusy(self):
        self.first()
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "bandwidth": 1}))
        self.daemon.write("flows/f/control", "run name=slow type=full")
        self.until(lambda: self.daemon.json("flows/f/executions/slow/status.json")["status"] == "running")
        self.until(lambda: self.daemon.json("machines/m/status.json")["state"] == "busy")
        with self.assertRaises(OSError) as refused:
            self.daemon.write("machines/m/control", "reset-cbt")
        self.assertEqual(refused.exception.errno, errno.EBUSY)
        self.assertIn("being worked on", self.daemon.read("machines/m/error"))
        self.daemon.write("flows/f/executions/slow/control", "cancel")
        self.assertEqual(self.daemon.read("flows/f/executions/slow/wait").strip(), "cancelled")

    def test_an_incremental_run_without_a_parent_makes_a_full_and_a_warning(self):
        manifest = self.back_up("first", "warning", "type=incremental")
        self.assertEqual((manifest["kind"], manifest["reason"]), ("full", "no_parent"))
        status = self.daemon.json("flows/f/executions/first/status.json")
        self.assertEqual(status["reason"], "unplanned_full")

    def test_a_missing_bitmap_makes_a_full_with_reason_bitmap_missing(self):
        self.first()
        (bitmap,) = self.storage.bitmaps(self.disk)
        self.storage.qmp.command("block-dirty-bitmap-remove", {"node": self.disk.node, "name": bitmap})
        self.expect_full(self.back_up("second", "warning"), "bitmap_missing", "second")

    def test_a_disabled_bitmap_makes_a_full_with_reason_bitmap_unusable(self):
        self.first()
        (bitmap,) = self.storage.bitmaps(self.disk)
        self.storage.qmp.command("block-dirty-bitmap-disable", {"node": self.disk.node, "name": bitmap})
        self.expect_full(self.back_up("second", "warning"), "bitmap_unusable", "second")

    def test_a_killed_source_makes_a_full_with_reason_bitmap_inconsistent(self):
        self.first()
        self.storage.stop()
        self.storage.start()  # the image holds the bitmap now, marked as in use
        self.storage.kill()
        self.storage.start()
        self.expect_full(self.back_up("second", "warning"), "bitmap_inconsistent", "second")

    def test_a_resized_disk_makes_a_full_with_reason_capacity_changed(self):
        self.first()
        self.storage.stop()
        subprocess.run(["qemu-img", "resize", "-q", "-f", "qcow2", self.disk.image, str(20 * MIB)], check=True)
        os.truncate(self.disk.truth, 20 * MIB)
        self.storage.start()
        self.disk.write(19 * MIB, self.random.randbytes(MIB))
        manifest = self.back_up("second", "warning")
        self.assertEqual(manifest["disks"][0]["capacity_bytes"], 20 * MIB)
        self.expect_full(manifest, "capacity_changed", "second")

    def test_a_disk_made_smaller_and_as_large_again_makes_a_full_with_reason_cbt_lied(self):
        """QEMU's bitmap stays clean, and what was cut off reads as zeros."""
        self.disk.write(9 * MIB, self.random.randbytes(MIB))
        self.first()
        self.storage.resize(self.disk, 4 * MIB)
        self.storage.resize(self.disk, 16 * MIB)
        self.expect_full(self.back_up("second", "warning"), "cbt_lied", "second")

    def test_a_raw_disk_made_smaller_and_as_large_again_makes_a_full_with_reason_cbt_lied(self):
        """QEMU's bitmap stays clean, and QEMU goes on to describe what was cut off as data."""
        self.storage = StorageDaemon(self.folder / "raw", [16 * MIB], form="raw")
        self.addCleanup(self.storage.close)
        self.disk = self.storage.disks[0]
        self.define_disks(self.storage.disks)
        self.disk.write(0, self.random.randbytes(10 * MIB))
        self.first()
        self.storage.resize(self.disk, 4 * MIB)
        self.storage.resize(self.disk, 16 * MIB)
        self.expect_full(self.back_up("second", "warning"), "cbt_lied", "second")

    def test_discards_and_zeros_since_the_parent_make_an_increment(self):
        self.disk.write(4 * MIB, self.random.randbytes(4 * MIB))
        self.first()
        self.disk.discard(4 * MIB, MIB)
        self.disk.write(6 * MIB, bytes(MIB))
        self.disk.discard(7 * MIB, 5 * content.CLUSTER)
        for name in ("second", "unchanged"):
            self.assertEqual(self.back_up(name, "success")["kind"], "incremental")

    def test_a_changed_cluster_size_makes_a_full_with_reason_layout_changed(self):
        self.first()
        settings = {"path": str(self.repository), "cluster_size": "128K"}
        self.daemon.write("repositories/r/config.json", json.dumps(settings))
        self.expect_full(self.back_up("second", "warning"), "layout_changed", "second")

    def image(self, manifest):
        (found,) = self.repository.glob(f"*/{manifest['id']}/disk-0.qcow2")
        return found

    def test_a_missing_parent_image_makes_a_full_with_reason_parent_missing(self):
        self.image(self.first()).unlink()
        self.expect_full(self.back_up("second", "warning"), "parent_missing", "second")

    def test_a_damaged_parent_image_makes_a_full_with_reason_parent_damaged(self):
        with open(self.image(self.first()), "r+b") as image:
            image.write(b"QFI?")
        self.expect_full(self.back_up("second", "warning"), "parent_damaged", "second")

    def test_a_new_disk_is_a_full_and_the_other_disk_an_increment(self):
        self.first()
        self.define_disks(self.storage.disks)
        self.storage.disks[1].scatter(self.random, 3, [65536])
        manifest = self.back_up("second", "warning")
        self.assertEqual((manifest["kind"], manifest["reason"]), ("incremental", "disk_changed"))
        kinds = [(disk["name"], disk["kind"], disk["reason"]) for disk in manifest["disks"]]
        self.assertEqual(kinds, [("disk-0", "incremental", None), ("disk-1", "full", "disk_changed")])
        self.assertEqual({d["kind"] for d in self.back_up("third", "success")["disks"]}, {"incremental"})

    def test_a_failed_run_leaves_nothing_and_names_its_cause(self):
        self.first()
        before = self.storage.bitmaps(self.disk)
        definition = self.storage.definition() | {"disks": [{"name": "disk-0", "node": "no-such-node"}]}
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        self.assertEqual(self.daemon.run("f", "second"), "error")
        status = self.daemon.json("flows/f/executions/second/status.json")
        self.assertEqual(status["reason"], "failed")
        self.assertIn("no-such-node", status["message"])
        self.assertEqual(len(self.daemon.points("m")), 1)
        self.assertEqual([p for p in os.listdir(self.repository) if p.endswith(".partial")], [])
        self.assertEqual(self.storage.bitmaps(self.disk).keys(), before.keys())
        self.define_disks(self.storage.disks[:1])
        self.assertEqual(self.back_up("third", "success")["kind"], "incremental")

    def test_a_cancelled_run_loses_no_change(self):
        self.first()
        self.storage.throttle(bytes_a_second=1, burst=65536)
        self.daemon.write("flows/f/control", "run name=second")
        self.daemon.write("flows/f/control", "cancel")
        self.storage.unthrottle()
        self.assertEqual(self.daemon.read("flows/f/executions/second/wait").strip(), "cancelled")
        self.assertEqual(len(self.daemon.points("m")), 1)
        self.assertEqual(self.storage.foreign(), [])
        self.assertEqual(self.back_up("third", "success")["kind"], "incremental")


if __name__ == "__main__":
    holdfast.main()
