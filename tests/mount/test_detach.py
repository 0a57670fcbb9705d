#!/usr/bin/python3
"""A repository is detached, so that its file system can be unmounted, and attached again."""

import errno
import json
import os
import subprocess

import content
import hanging
import holdfast


class Detach(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.place = self.folder / "place"
        self.backing = self.folder / "backing"
        self.backing.touch()
        os.truncate(self.backing, 64 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.backing], check=True)
        self.place.mkdir()
        self.mount()
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.place], check=False)
        self.addCleanup(self.daemon.close)
        self.daemon.define("repositories/r", {"path": str(self.place)})
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.backing, self.place], check=True)

    def tell(self, word):
        self.daemon.write("repositories/r/control", word)

    def refused(self, word):
        with self.assertRaises(OSError) as refusal:
            self.tell(word)
        return refusal.exception.errno, self.daemon.read("repositories/r/error")

    def state(self):
        return self.daemon.json("repositories/r/status.json")["state"]

    def newest(self):
        return self.daemon.mount / f"machines/m/points/{self.daemon.points('m')[-1]}/disk-0.raw"

    def test_a_detached_repository_can_be_unmounted_and_attached_again(self):
        self.tell("detach")
        self.assertEqual(self.state(), "detached")
        subprocess.run(["umount", self.place], check=True)
        self.assertEqual(self.daemon.run("f", "second"), "error")
        end = self.daemon.json("flows/f/executions/second/status.json")
        self.assertEqual(end["reason"], "repository_unreachable")
        self.assertIn("write 'attach' to repositories/r/control", end["message"])
        with self.assertRaises(OSError) as refusal:
            self.newest().read_bytes()
        self.assertEqual(refusal.exception.errno, errno.EIO)
        warnings = self.daemon.json("status.json")["warnings"]
        (detached,) = [warning for warning in warnings if warning["object"] == "repositories/r"]
        self.assertEqual((detached["reason"], detached["fix"]), ("detached", "echo attach > repositories/r/control"))

        code, sentence = self.refused("attach")
        self.assertEqual(code, errno.EIO, sentence)
        self.assertEqual(self.state(), "detached")
        self.mount()
        self.tell("attach")
        self.assertEqual(self.state(), "ready")
        self.disk.write(0, b"new")
        self.assertEqual(self.daemon.run("f", "third"), "success")
        self.assertTrue(content.same_bytes(self.newest(), self.disk.path))

    def test_the_next_start_takes_a_detached_repository(self):
        self.tell("detach")
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.state(), "ready")
        self.assertEqual(self.daemon.run("f", "second"), "success")

    def test_a_repository_with_an_open_image_is_busy(self):
        with open(self.newest(), "rb"):
            code, sentence = self.refused("detach")
            self.assertEqual(code, errno.EBUSY, sentence)
            self.assertIn("close the images", sentence)
            self.assertEqual(self.state(), "ready")
        self.until(self.can_be_detached)

    def can_be_detached(self):
        try:
            self.tell("detach")
        except OSError:
            return False
        return True

    def test_an_image_that_stays_open_keeps_no_run_out_after_an_absence_of_its_repository(self):
        with open(self.newest(), "rb"):
            subprocess.run(["mount", "-t", "tmpfs", "over", self.place], check=True)
            self.assertEqual(self.daemon.run("f", "away"), "error")
            subprocess.run(["umount", self.place], check=True)
            self.assertEqual(self.daemon.run("f", "back"), "success")

    def test_a_repository_with_a_running_job_is_busy(self):
        self.daemon.write("repositories/r/config.json", f'{{"path":"{self.place}","bandwidth":1}}')
        self.daemon.write("flows/f/control", "run name=slow")
        self.until(lambda: self.daemon.json("flows/f/executions/slow/status.json")["status"] == "running")
        (job,) = os.listdir(self.daemon.mount / "flows/f/executions/slow/jobs")
        code, sentence = self.refused("detach")
        self.assertEqual(code, errno.EBUSY, sentence)
        self.assertIn(f"jobs/{job}", sentence)
        self.daemon.write("flows/f/executions/slow/control", "cancel")
        self.daemon.read("flows/f/executions/slow/wait")
        self.until(self.can_be_detached)

    def test_a_point_and_an_import_in_a_detached_repository_are_refused_as_unreadable(self):
        image = self.folder / "image.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True)
        (self.daemon.mount / "machines/new").mkdir()
        self.tell("detach")
        with self.assertRaises(OSError) as refusal:
            (self.daemon.mount / f"machines/m/points/{self.daemon.points('m')[0]}").rmdir()
        self.assertEqual(refusal.exception.errno, errno.EIO)
        self.assertIn("is detached", self.daemon.read("machines/m/error"))
        code, sentence = self.refused(f"import file={image} machine=new")
        self.assertEqual(code, errno.EIO, sentence)
        self.assertIn("is detached", sentence)
        self.assertEqual(self.state(), "detached")

    def test_a_repository_whose_points_are_verified_is_busy_and_the_verification_is_named(self):
        server = hanging.Stopped(self.folder / "slow")
        self.addCleanup(server.close)
        self.addCleanup(self.daemon.close)
        path = server.path / "r"
        path.mkdir()
        self.daemon.define("repositories/slow", {"path": str(path)})
        self.add_flow("s", repository="slow")
        self.assertEqual(self.daemon.run("s", "first"), "success")
        server.hang()
        self.daemon.write("machines/m/points/" + self.daemon.points("m")[-1] + "/control", "verify name=v")
        self.until(lambda: self.daemon.json("jobs/v/status.json")["progress"]["total"])  # the repository is held by then
        with self.assertRaises(OSError) as refusal:
            self.daemon.write("repositories/slow/control", "detach")
        self.assertEqual(refusal.exception.errno, errno.EBUSY)
        self.assertIn("jobs/v", self.daemon.read("repositories/slow/error"))
        server.resume()
        self.assertEqual(self.daemon.read("jobs/v/wait").strip(), "success")

    def test_each_verb_is_refused_where_it_changes_nothing(self):
        self.assertEqual(self.refused("attach")[0], errno.EINVAL)
        self.tell("detach")
        self.assertEqual(self.refused("detach")[0], errno.EINVAL)
        events = [event["event"] for event in map(json.loads, self.daemon.read("events.jsonl").splitlines())]
        self.assertIn("repository.detach", events)


if __name__ == "__main__":
    holdfast.main()
