#!/usr/bin/python3
"""Plain files and NBD exports: each run reads everything and stores the differences. Bad sources end a run with a
reason."""

import json
import os
import random
import shutil
import subprocess

import content
import holdfast
import served

KIB = 2**10
MIB = 2**20
CAPACITY = 24 * MIB + 512  # a partial last cluster


class SourceTest(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(7)
        self.repository = self.add_repository()
        self.disks = [served.PlainDisk(self.folder / f"disk-{n}.raw", CAPACITY) for n in (0, 1)]
        for disk in self.disks:
            for offset in (0, 5 * MIB, 17 * MIB + 1000, CAPACITY - 100_000):
                disk.write(offset, self.random.randbytes(100_000))
        (self.daemon.mount / "machines/m").mkdir()

    def define(self, **definition):
        self.daemon.write("machines/m/config.json", json.dumps(definition))

    def define_files(self, *disks):
        listed = [{"name": disk.name, "path": str(disk.path)} for disk in disks or self.disks]
        self.define(driver="file", disks=listed)

    def define_uri(self, uri, **more):
        self.define(driver="nbd", disks=[{"name": "disk-0", "uri": uri, **more}])

    def serve(self, number, *arguments, program=served.nbdkit):
        socket = self.folder / f"{number}.sock"
        server = program(socket, *arguments)
        self.addCleanup(server.close)
        return served.uri(socket), server

    def define_exports(self):
        uris = [self.serve(n, "file", f"file={disk.path}")[0] for n, disk in enumerate(self.disks)]
        listed = [{"name": disk.name, "uri": uri} for disk, uri in zip(self.disks, uris)]
        self.define(driver="nbd", disks=listed)

    def back_up(self, name, expected="success", disks=None, truth=None):
        """Runs the flow, compares all disks with their records, and returns the new point's manifest."""
        disks = self.disks if disks is None else disks
        records = [truth or disk.record(self.folder / f"{name}-{disk.name}.record") for disk in disks]
        before = set(self.daemon.points("m"))
        self.assertEqual(self.daemon.run("f", name), expected, self.message(name))
        (point,) = set(self.daemon.points("m")) - before
        for disk, record in zip(disks, records):
            restored = self.folder / f"{name}-{disk.name}.restored"
            content.copy(self.daemon.mount / "machines/m/points" / point / f"{disk.name}.raw", restored)
            self.assertTrue(content.same_bytes(restored, record))
            (image,) = self.repository.glob(f"*/{point}/{disk.name}.qcow2")
            self.assertTrue(content.sound(image))
            self.assertTrue(content.same_disk(image, record))
        return self.daemon.json(f"machines/m/points/{point}/manifest.json")

    def status(self, name):
        return self.daemon.json(f"flows/f/executions/{name}/status.json")

    def message(self, name):
        return self.status(name)["message"]

    def assert_refused(self, *words, name="bad"):
        """Expects a run to fail with these words and to leave nothing."""
        before = self.daemon.points("m")
        self.assertEqual(self.daemon.run("f", name), "error", self.message(name))
        for word in words:
            self.assertIn(word, self.message(name))
        self.assertEqual(self.daemon.points("m"), before)
        self.assertEqual([str(path) for path in self.repository.glob("*/*.partial")], [])

    def assert_full(self, manifest, name, reason):
        self.assertEqual((manifest["kind"], manifest["reason"]), ("full", reason))
        wanted = "cbt_lied" if reason == "cbt_lied" else "unplanned_full"
        self.assertEqual(self.status(name)["reason"], wanted)


class Increments(SourceTest):
    def setUp(self):
        super().setUp()
        self.add_flow()

    def changes(self):
        """Writes over data, into a hole and at the end, and punches a hole into data. Returns the changed clusters."""
        disk, data = self.disks[0], self.random.randbytes(70_000)
        for offset in (5 * MIB + 3, 9 * MIB, CAPACITY - len(data)):
            disk.write(offset, data)
        disk.discard(17 * MIB, MIB)
        return content.clusters([(5 * MIB + 3, 70_000), (9 * MIB, 70_000), (CAPACITY - 70_000, 70_000)])

    def check_increments(self):
        first = self.back_up("first")
        self.assertEqual((first["kind"], first["reason"], first["consistency"]), ("full", "no_parent", "none"))
        self.assertIsNone(self.status("first")["reason"])
        changed = self.changes()
        second = self.back_up("second")
        self.assertEqual((second["kind"], second["reason"], second["parent"]), ("incremental", None, first["id"]))
        self.assertIsNone(self.status("second")["reason"])
        for disk in second["disks"]:
            self.assertEqual((disk["kind"], disk["read"], disk["change_id"]), ("incremental", "everything", None))
            # Everything is read except holes.
            self.assertGreater(disk["bytes_read"], 4 * 100_000)
            self.assertLess(disk["bytes_read"], 3 * MIB)
        tables = 512 * KIB
        self.assertLess(second["disks"][0]["bytes_stored"], len(changed) * content.CLUSTER * 1.05 + tables)
        self.assertLess(second["disks"][1]["bytes_stored"], tables, "nothing has changed there")
        self.disks[0].write(0, bytes(100_000))  # zeros that the source calls data
        third = self.back_up("third")
        self.assertEqual(third["kind"], "incremental")
        # Negative control: the comparison can fail.
        restored = self.folder / "third-disk-0.restored"
        content.flip_bit(restored, 12 * MIB)
        self.assertFalse(content.same_bytes(restored, self.folder / "third-disk-0.record"))

    def test_increments_of_files_store_the_differences(self):
        self.define_files()
        self.check_increments()

    def test_increments_of_nbd_exports_store_the_differences(self):
        self.define_exports()
        self.check_increments()

    def test_increments_of_a_block_device_store_the_differences(self):
        backing = self.folder / "backing"
        shutil.copy(self.disks[0].path, backing)
        losetup = ["losetup", "--find", "--show", backing]
        device = subprocess.run(losetup, capture_output=True, text=True, check=True).stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", device], check=True)
        self.define(driver="file", disks=[{"name": "disk-0", "path": device}])
        first = self.back_up("first", disks=self.disks[:1], truth=backing)
        self.assertGreaterEqual(first["disks"][0]["bytes_read"], CAPACITY - 64 * KIB, "a device knows of no holes")
        with open(device, "r+b") as file:
            file.seek(MIB)
            file.write(b"x" * 1000)
            file.flush()
            os.fsync(file.fileno())
        second = self.back_up("second", disks=self.disks[:1], truth=backing)
        self.assertEqual((second["kind"], second["disks"][0]["read"]), ("incremental", "everything"))
        self.assertLess(second["disks"][0]["bytes_stored"], 512 * KIB)

    def test_a_config_shows_every_field_of_its_driver(self):
        self.define_uri("nbd://host/x")
        disk = {"name": "disk-0", "uri": "nbd://host/x", "bitmap": "", "trust_bitmap": False}
        self.assertEqual(self.daemon.json("machines/m/config.json")["disks"], [disk])
        with self.assertRaises(OSError):
            self.define(driver="file", disks=[disk])
        self.assertIn('"disks[0].uri" is of driver "nbd" alone', self.daemon.read("machines/m/error"))
        self.assertEqual(self.daemon.json("machines/m/config.json")["disks"], [disk])


class Fulls(SourceTest):
    def setUp(self):
        super().setUp()
        self.add_flow()
        self.define_files()
        self.first = self.back_up("first")

    def content_sums(self):
        return sorted(self.repository.glob(f"*/{self.first['id']}/*.content"))

    def test_a_damaged_content_file_makes_a_full(self):
        for path in self.content_sums():
            content.flip_bit(path, 100)
        self.assert_full(self.back_up("second", "warning"), "second", "parent_damaged")
        self.assertEqual(self.back_up("third")["kind"], "incremental")

    def test_a_missing_content_file_makes_a_full_of_its_disk(self):
        self.content_sums()[0].unlink()
        second = self.back_up("second", "warning")
        self.assertEqual({disk["reason"] for disk in second["disks"]}, {None, "parent_missing"})

    def test_a_replaced_file_makes_a_full_with_reason_disk_changed(self):
        for disk in self.disks:
            shutil.copy(disk.path, self.folder / "new")
            os.replace(self.folder / "new", disk.path)
        self.assert_full(self.back_up("second", "warning"), "second", "disk_changed")

    def test_a_grown_file_makes_a_full_with_reason_capacity_changed(self):
        for disk in self.disks:
            os.truncate(disk.path, CAPACITY + MIB)
        self.assert_full(self.back_up("second", "warning"), "second", "capacity_changed")

    def test_a_machine_moved_from_files_to_exports_continues_with_increments(self):
        self.define_exports()
        self.assertEqual(self.back_up("second")["kind"], "incremental")


class TrustedBitmap(SourceTest):
    """A qcow2 image with a bitmap that its user manages between runs of qemu-nbd."""

    def setUp(self):
        super().setUp()
        self.add_flow()
        self.image = self.folder / "disk.qcow2"
        self.truth = self.folder / "truth"
        self.command("qemu-img", "create", "-q", "-f", "qcow2", self.image, "8M")
        self.write(0, "8M", 1)
        self.command("qemu-img", "bitmap", "--add", self.image, "b0")

    def command(self, *words):
        subprocess.run([str(word) for word in words], check=True, capture_output=True)

    def write(self, offset, length, pattern):
        self.command("qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} {offset} {length}", self.image)

    def run_once(self, name, expected="success", **definition):
        definition = {"bitmap": "b0", "trust_bitmap": True, **definition}
        self.command("qemu-img", "convert", "-O", "raw", self.image, self.truth)
        self.command("qemu-img", "bitmap", "--disable", self.image, "b0")
        uri, server = self.serve("q", "--bitmap=b0", "--format=qcow2", self.image, program=served.qemu_nbd)
        self.define_uri(uri, **definition)
        manifest = self.back_up(name, expected, disks=self.disks[:1], truth=self.truth)
        server.close()
        self.command("qemu-img", "bitmap", "--enable", self.image, "b0")
        return manifest

    def test_only_the_bitmaps_clusters_and_a_sample_are_read(self):
        self.run_once("first")
        self.write("1M", "64k", 2)
        second = self.run_once("second")
        self.assertEqual((second["kind"], second["disks"][0]["read"]), ("incremental", "changes"))
        checked = (1 + 16) * 64 * KIB  # the last cluster of data, and the least sample
        self.assertEqual(second["disks"][0]["bytes_read"], 64 * KIB + checked)
        self.write("5M", "64k", 3)
        third = self.run_once("third")  # the bitmap still names the first change, which the parent has
        self.assertEqual(third["disks"][0]["bytes_read"], 2 * 64 * KIB + checked)
        self.assertLess(third["disks"][0]["bytes_stored"], 512 * KIB)

    def test_a_recreated_bitmap_is_found_to_lie(self):
        self.run_once("first")
        self.write(0, "8M", 4)
        self.command("qemu-img", "bitmap", "--remove", self.image, "b0")
        self.command("qemu-img", "bitmap", "--add", self.image, "b0")
        self.assert_full(self.run_once("second", "warning"), "second", "cbt_lied")
        self.assertIn("called changed blocks unchanged", self.message("second"))
        self.write("2M", "64k", 5)
        self.assertEqual(self.run_once("third")["disks"][0]["read"], "changes")

    def test_an_untrusted_bitmap_is_ignored(self):
        self.run_once("first", trust_bitmap=False)
        self.write("1M", "64k", 2)
        second = self.run_once("second", trust_bitmap=False)
        self.assertEqual((second["kind"], second["disks"][0]["read"]), ("incremental", "everything"))
        self.assertEqual(self.run_once("third")["disks"][0]["read"], "everything", "trusted from the next one on")

    def test_an_absent_bitmap_is_mentioned_in_the_job(self):
        self.run_once("first", bitmap="absent")
        self.assertIn("does not offer qemu:dirty-bitmap:absent", self.status_of_job("first")["message"])

    def status_of_job(self, execution):
        (job,) = self.status(execution)["created_job_ids"]
        return self.daemon.json(f"jobs/{job}/status.json")


class Slow(SourceTest):
    """A source of 2 MiB per second, so that the run goes on while its figures are read."""

    def setUp(self):
        super().setUp()
        uri, _ = self.serve(0, "--filter=rate", "pattern", "size=256M", "rate=16M")
        self.define_uri(uri)

    def until_both_move(self, path):
        """Reads the status until bytes_read and progress have moved, and moved again, while the run goes on."""
        seen = []

        def have_moved():
            status = self.daemon.json(path)
            self.assertIn(status["status"], ("pending", "running"))
            seen.append((status["bytes_read"], status["progress"]["done"]))
            return all(len({one[field] for one in seen if one[field]}) > 1 for field in (0, 1))

        self.until(have_moved)
        self.assertEqual(seen, sorted(seen), "figures only grow")
        self.assertEqual({read for read, done in seen}, {done for read, done in seen})
        return seen[-1][0]

    def cancel(self, read, expected):
        self.daemon.write("flows/f/control", "cancel")
        self.assertEqual(self.daemon.read("flows/f/wait").strip(), expected)
        self.assertGreaterEqual(self.status("r1")["bytes_read"], read, "what was read stays counted")

    def test_the_figures_of_a_job_and_its_execution_move_while_the_run_goes_on(self):
        self.add_flow()
        self.daemon.write("flows/f/control", "run name=r1")
        (job,) = self.status("r1")["created_job_ids"]
        self.until_both_move(f"jobs/{job}/status.json")
        self.cancel(self.until_both_move("flows/f/executions/r1/status.json"), "cancelled")

    def test_the_figures_of_an_execution_keep_what_its_ended_jobs_have_read(self):
        self.add_file_machine("quick", capacity=MIB)
        self.daemon.define("groups/g", {})
        for machine in ("m", "quick"):
            os.symlink(f"../../../machines/{machine}", self.daemon.mount / "groups/g/members" / machine)
        self.daemon.define("flows/f", {"target": "groups/g", "repository": "r"})
        self.daemon.write("flows/f/control", "run name=r1")
        path = "flows/f/executions/r1/status.json"
        self.until_both_move(path)
        self.until(lambda: self.status("r1")["jobs_completed"] == 1)
        read = self.until_both_move(path)
        self.assertGreater(read, MIB)
        self.assertGreaterEqual(self.status("r1")["progress"]["total"], 257 * MIB)
        self.cancel(read, "warning")


class BadSources(SourceTest):
    def setUp(self):
        super().setUp()
        self.add_flow()

    def test_a_missing_file_fails_the_run(self):
        self.define_files()
        self.back_up("first")
        self.disks[1].path.rename(self.folder / "away")
        self.assert_refused("disk disk-1", f"there is no {self.disks[1].path}")
        (self.folder / "away").rename(self.disks[1].path)
        self.assertEqual(self.back_up("third")["kind"], "incremental")

    def test_a_path_that_is_no_disk_fails_the_run(self):
        link, pipe, empty = self.folder / "link", self.folder / "pipe", self.folder / "empty"
        link.symlink_to(self.disks[0].path)
        os.mkfifo(pipe)
        empty.touch()
        cases = {link: "symbolic link", pipe: "a pipe", empty: "has no bytes", self.folder: "a directory"}
        cases["/dev/null"] = "a character device"
        for number, (path, words) in enumerate(cases.items()):
            self.define(driver="file", disks=[{"name": "disk-0", "path": str(path)}])
            self.assert_refused(str(path), words, name=f"bad-{number}")

    def test_a_missing_or_stale_socket_fails_the_run(self):
        socket = self.folder / "0.sock"
        self.define_uri(served.uri(socket))
        self.assert_refused(str(socket), "nobody serves there")
        _, server = self.serve(0, "memory", "1M")
        server.close()
        self.assertTrue(socket.exists())
        self.assert_refused(str(socket), "nobody listens there", name="stale")

    def test_an_absent_export_fails_the_run(self):
        uri, _ = self.serve(0, "--export-name=there", "--format=raw", self.disks[0].path, program=served.qemu_nbd)
        self.define_uri(uri.replace(":///", ":///elsewhere"))
        self.assert_refused("elsewhere", "no export of that name")
        self.define_uri(uri.replace(":///", ":///there"))
        self.back_up("good", disks=self.disks[:1])

    def test_an_export_without_bytes_fails_the_run(self):
        uri, _ = self.serve(0, "memory", "0")
        self.define_uri(uri)
        self.assert_refused(uri, "has no bytes")

    def test_a_read_error_fails_the_run_and_names_its_place(self):
        failing = ["error-pread=EIO", "error-pread-rate=100%"]
        uri, server = self.serve(0, "--filter=error", "file", f"file={self.disks[0].path}", *failing)
        self.define_uri(uri)
        self.assert_refused(uri, "reading", "Input/output error")
        server.close()
        self.serve(0, "file", f"file={self.disks[0].path}")
        self.assertEqual(self.back_up("good", disks=self.disks[:1])["reason"], "no_parent")

    def test_a_server_that_dies_during_a_run_fails_the_run(self):
        self.serve(0, "file", f"file={self.disks[0].path}")
        self.define_uri(served.uri(self.folder / "0.sock"))
        self.back_up("first", disks=self.disks[:1])
        read = f'[ $4 -lt 5242880 ] || kill -KILL $PPID; dd if={self.disks[0].path} skip=$4 count=$3 iflag=skip_bytes,count_bytes'
        uri, _ = self.serve(1, "eval", f"get_size=echo {CAPACITY}", f"pread={read}")
        self.define_uri(uri)
        self.assert_refused(uri)
        self.define_uri(served.uri(self.folder / "0.sock"))
        self.assertEqual(self.back_up("third", disks=self.disks[:1])["kind"], "incremental")

    def test_tls_works_with_trusted_certificates_only(self):
        right = served.certificates(self.folder / "right")
        wrong = served.certificates(self.folder / "wrong")
        tls = ["--tls=require", f"--tls-certificates={right}", "--tls-verify-peer"]
        server, port = served.nbdkit_tcp(self.folder, *tls, "file", f"file={self.disks[0].path}")
        self.addCleanup(server.close)

        def encrypted(folder):
            return f"nbds://localhost:{port}/?tls-certificates={folder}"

        self.define_uri(f"nbd://localhost:{port}")
        self.assert_refused("the server wants TLS", name="plain")
        self.define_uri(encrypted(wrong))
        self.assert_refused("certificates that both sides trust", name="wrong")
        self.define_uri(encrypted(self.folder / "missing"))
        self.assert_refused("certificates that both sides trust", name="missing")
        self.define_uri(encrypted(right))
        self.back_up("right", disks=self.disks[:1])


if __name__ == "__main__":
    holdfast.main()
