#!/usr/bin/python3
"""Boot checks: real guests of QEMU boot a point's disks, and the verdict with its picture lies in the point.

Laws 13, 15, 19 and 21: the guest reads verified data, changes nothing, reaches nothing of the host, and a check that
could not be made is no evidence."""

import json
import os
import signal
import subprocess

import boot_guests
import holdfast
from boot_checks import SERIAL, SHORT, BootChecks


class Verdicts(BootChecks):
    def test_a_good_guest_passes_with_a_picture_and_the_point_stays_as_it_is(self):
        point = self.add_point("m", boot_guests.good())
        self.assertFalse((self.mount / point / "screenshot.png").exists())
        self.assertNotIn("screenshot.png", os.listdir(self.mount / point))
        self.assertIsNone(self.boot(point))
        self.assertIsNone(self.daemon.json("machines/m/status.json")["proven_to_boot_at"])
        files = {path: path.read_bytes() for path in self.in_repository(point).iterdir() if path.name != "facts.json"}
        before = self.sha256(point)

        job = self.check(point, "c")
        self.assertEqual((job["status"], job["type"]), ("success", "boot_check"), job)
        self.assertGreater(job["bytes_read"], 0)
        boot = self.boot(point)
        self.assertEqual((boot["result"], boot["reason"]), ("good", None))
        self.assertEqual(boot["expect"], f"serial:{boot_guests.HELLO}")
        self.assertIn(boot["accelerator"], ("tcg", "kvm"))
        self.assertEqual(self.daemon.json("machines/m/status.json")["proven_to_boot_at"], boot["at"])
        png = self.assert_picture(point)
        self.assertIn("screenshot.png", os.listdir(self.mount / point))
        self.assertEqual((self.mount / point / "screenshot.png").stat().st_mode & 0o777, 0o440)  # as private as a disk

        self.assertEqual(self.sha256(point), before)  # the guest wrote to its second sector, and read it
        self.assertEqual({path: path.read_bytes() for path in files}, files)
        stored = self.in_repository(point)
        self.assertEqual((stored / "screenshot.png").read_bytes(), png)
        self.assertEqual(json.loads((stored / "facts.json").read_text())["boot"], boot)
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        asked = [event for event in events if event["event"] == "boot-check"]
        self.assertEqual([(event["object"], event["job"], event["by"]["uid"]) for event in asked], [(point, "c", 0)])
        self.assertEqual(self.qemus(), [])
        self.assertEqual(self.check(point, "at-sata", f"{SERIAL} {SHORT} bus=sata")["status"], "success")

    def test_each_guest_that_does_not_boot_fails_with_its_reason_and_picture(self):
        for machine, sector, reason, arguments in [
            ("damaged", boot_guests.damaged(), "no bootable device", f"{SERIAL} timeout=2m"),
            ("panicking", boot_guests.panicking(), "kernel panic: 'Kernel panic - not syncing: no init", f"{SERIAL} timeout=2m"),
            ("hanging", boot_guests.hanging(), "it hangs: nothing followed the firmware's text", "expect=screen timeout=5s"),
            ("silent", boot_guests.hanging(), "it hangs: no line with 'holdfast", f"{SERIAL} timeout=5s"),
            ("deaf", boot_guests.good(), "it hangs: its agent did not answer within 5s", "expect=agent timeout=5s"),
        ]:
            with self.subTest(machine):
                point = self.add_point(machine, sector)
                self.assert_fails(point, f"of-{machine}", reason, arguments)
                self.assertIsNone(self.daemon.json(f"machines/{machine}/status.json")["proven_to_boot_at"])
                self.assertIsNone(self.daemon.json(f"{point}/manifest.json")["verified"])
                self.assertEqual(os.readlink(self.mount / "machines" / machine / "latest"), f"points/{point.rsplit('/')[-1]}")
                (warning,) = [
                    one
                    for one in self.daemon.json("status.json")["warnings"]
                    if (one["object"], one["reason"]) == (f"machines/{machine}", "boot_failed")
                ]
                self.assertRegex(warning["message"], reason)
                self.assertIn(f"{point}/screenshot.png", warning["fix"])
        self.assertEqual(self.qemus(), [])

    def test_a_screen_that_stays_is_a_proof_and_the_last_check_counts(self):
        point = self.add_point("m", boot_guests.good())
        self.assert_fails(point, "first", "no line with 'nothing'", 'expect="serial:nothing" timeout=2s')
        job = self.check(point, "second", "")
        self.assertEqual(job["status"], "success", job)
        self.assertEqual(self.boot(point)["expect"], "screen")
        reasons = [warning["reason"] for warning in self.daemon.json("machines/m/status.json")["warnings"]]
        self.assertNotIn("boot_failed", str(reasons))


class Ends(BootChecks):
    """A check that ends early leaves no process, no file and no verdict."""

    def setUp(self):
        super().setUp()
        self.point = self.add_point("m", boot_guests.hanging())
        self.begin(self.point, "c", f"{SERIAL} timeout=1h")
        self.qemu = self.await_guest()

    def await_guest(self):
        """Returns the process of the guest, which has read its boot sector by now; not that of the probe guest."""
        self.until(lambda: self.daemon.json("jobs/c/status.json")["progress"]["done"] > 0)
        return self.await_qemu()

    def assert_nothing_stays(self):
        self.assertEqual(os.listdir(self.daemon.state / "scratch"), [])
        self.assertIsNone(self.boot(self.point))
        self.until(lambda: not os.path.exists(f"/proc/{self.qemu}"))

    def test_a_second_check_waits_and_a_cancelled_one_leaves_nothing(self):
        self.begin(self.point, "d", f"{SERIAL} {SHORT}")
        self.until(lambda: "another boot check runs" in self.daemon.read("jobs/d/status.json"))
        with self.assertRaises(OSError):
            os.rmdir(self.mount / self.point)
        self.daemon.write("jobs/d/control", "cancel")
        self.assertEqual(self.end("d")["status"], "cancelled")
        self.daemon.write("jobs/c/control", "cancel")
        self.assertEqual(self.end("c")["status"], "cancelled")
        self.assert_nothing_stays()
        self.assertEqual(self.qemus(), [])

    def test_a_killed_daemon_takes_qemu_with_it(self):
        self.daemon.kill()
        self.until(lambda: not os.path.exists(f"/proc/{self.qemu}"))
        self.daemon.start()
        self.assertEqual(self.end("c")["reason"], "interrupted")
        self.assert_nothing_stays()

    def test_qemu_is_nobody_without_files_of_the_host_and_its_death_is_no_verdict(self):
        with open(f"/proc/{self.qemu}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(set(status["Uid"].split()), {"65534"})
        self.assertEqual(set(status["Gid"].split()), {"65534"})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertEqual(int(status["CapEff"], 16), 0)
        names = {os.readlink(f"/proc/{self.qemu}/fd/{fd}") for fd in os.listdir(f"/proc/{self.qemu}/fd")}
        hosts = {name for name in names if name.startswith("/") and not name.startswith(("/dev/", "/usr/", "/memfd:"))}
        self.assertEqual(hosts, set())
        with open(f"/proc/{self.qemu}/cmdline", "rb") as file:
            self.assertNotIn(os.fsencode(self.folder), file.read())
        os.kill(self.qemu, signal.SIGKILL)
        job = self.end("c")
        self.assertEqual(job["status"], "error", job)
        self.assertIn("QEMU was killed by signal 9", self.daemon.read("jobs/c/log"))
        self.assert_nothing_stays()


class Refusals(BootChecks):
    def test_what_makes_no_sense_is_refused_with_the_right_words(self):
        point = self.add_point("m", boot_guests.good())
        for arguments, right in [
            ("expect=picture", '"screen", "agent" or "serial:"'),
            ("expect=serial:", '"screen", "agent" or "serial:"'),
            ("timeout=soon", "soon"),
            ("timeout=0s", "from 1s to 1h"),
            ("timeout=61m", "from 1s to 1h"),
            ("bus=scsi", "virtio"),
        ]:
            with self.assertRaises(OSError, msg=arguments):
                self.begin(point, "c", arguments)
            self.assertIn(right, self.daemon.read(f"{point}/error"))
        self.daemon.define("policies/p", {})
        for value in ('"often"', "true", '"0s"'):
            with self.assertRaises(OSError, msg=value):
                self.daemon.write("policies/p/config.json", f'{{"boot_check": {value}}}')
            self.assertIn('"never", "each"', self.daemon.read("policies/p/error"))
        with self.assertRaises(OSError):
            self.daemon.write("policies/p/config.json", '{"boot_timeout": "2h"}')
        self.assertIn('from "1s" to "1h"', self.daemon.read("policies/p/error"))


class Policies(BootChecks):
    def test_a_policy_boots_new_points_as_often_as_it_says(self):
        wanted = {"boot_expect": f"serial:{boot_guests.HELLO[:8]}*up", "boot_timeout": "1m", "verify": "quick"}
        self.daemon.define("policies/p", {"boot_check": "each"} | wanted)
        self.assertEqual(self.daemon.json("policies/p/config.json")["boot_check"], "each")
        point = self.add_point("m", boot_guests.good(), policy="p")
        self.assertEqual(self.boot(point)["result"], "good")
        self.daemon.write("policies/p/config.json", json.dumps({"boot_check": "7d"} | wanted))
        self.assertEqual(self.daemon.run("of-m", "second"), "success")
        self.assertIsNone(self.boot(f"machines/m/points/{self.daemon.points('m')[-1]}"))
        self.daemon.write("policies/p/config.json", json.dumps({"boot_check": "each"} | wanted))
        with open(self.folder / "m.disk", "r+b") as disk:
            disk.write(boot_guests.damaged())
        self.assertEqual(self.daemon.run("of-m", "third"), "warning")
        newest = f"machines/m/points/{self.daemon.points('m')[-1]}"
        self.assertIn("no bootable device", self.boot(newest)["reason"])


class Repositories(BootChecks):
    def test_a_damaged_boot_sector_in_the_repository_is_an_error_and_no_verdict(self):
        self.path = self.add_repository("plain", compression="none")
        point = self.add_point("m", boot_guests.good(), repository="plain")
        image = self.in_repository(point) / "disk-0.qcow2"
        content = image.read_bytes()
        at = content.index(boot_guests.good())
        image.write_bytes(content[:at] + boot_guests.damaged() + content[at + boot_guests.SECTOR :])
        job = self.check(point, "c", f"{SERIAL} timeout=2m")
        self.assertEqual((job["status"], job["reason"]), ("error", "failed"), job)
        self.assertRegex(job["message"], "disk-0: .*checksum")
        self.assertIsNone(self.boot(point))

    def test_a_read_only_repository_is_checked_and_stays_as_it_is(self):
        point = self.add_point("m", boot_guests.good())
        self.daemon.stop()
        subprocess.run(["mount", "--bind", self.path, self.path], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.path], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", self.path], check=True)
        self.daemon.start()
        self.assertEqual(self.check(point, "c")["status"], "success")
        self.assert_picture(point)
        self.assertFalse((self.in_repository(point) / "screenshot.png").exists())

    def test_a_catalog_that_begins_again_has_the_verdict_and_the_picture(self):
        point = self.add_point("m", boot_guests.good())
        self.check(point, "c")
        boot, png = self.boot(point), self.assert_picture(point)
        self.daemon.stop()
        self.daemon.state.rename(self.folder / "old")
        (self.folder / ".state.catalog").unlink()
        self.daemon.start()
        self.daemon.define("repositories/r", {"path": str(self.path)})
        self.daemon.write("repositories/r/control", "rescan name=again")
        self.assertEqual(self.daemon.read("jobs/again/wait").strip(), "success")
        self.assertEqual(self.boot(point), boot)
        self.assertEqual(self.assert_picture(point), png)
        self.assertEqual(self.daemon.json("machines/m/status.json")["proven_to_boot_at"], boot["at"])


if __name__ == "__main__":
    holdfast.main(boot_guests.missing)
