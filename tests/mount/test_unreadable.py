#!/usr/bin/python3
"""Law 21: what can't be looked at is not damaged. A daemon out of file descriptors marks no point, keeps `latest`, and makes
no full."""

import os
import random
import resource

import content
import holdfast

MIB = 2**20
DEPTH = 6  # points of the chain; opening it takes two descriptors for each
SPARE = range(2 * DEPTH + 4)  # descriptors that are left: from too few for anything to enough for all


class Unreadable(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(10)
        self.disk = self.add_file_machine(capacity=4 * MIB)
        self.add_repository()
        self.add_flow()
        for number in range(DEPTH):
            self.change()
            self.assertEqual(self.daemon.run("f", f"run-{number}"), "success")
        self.limits = resource.prlimit(self.daemon.process.pid, resource.RLIMIT_NOFILE)

    def change(self):
        self.disk.write(self.random.randrange(4 * MIB - 4096), self.random.randbytes(4096))

    def leave_descriptors(self, spare):
        """Lets the daemon open only so many more files at a time."""
        used = {int(number) for number in os.listdir(f"/proc/{self.daemon.process.pid}/fd")}
        free = (number for number in range(2**16) if number not in used)
        first_forbidden = [next(free) for _ in range(spare + 1)][-1]
        limits = (first_forbidden, self.limits[1])
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_NOFILE, limits)

    def give_descriptors_back(self):
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_NOFILE, self.limits)

    def without_descriptors(self, spare, control, command, directory):
        """Has the command done with so many descriptors. Returns how its job or execution ended; None if it was refused."""

        def ended():
            try:  # the daemon may lack descriptors for the answer, too
                return self.daemon.read(f"{directory}/wait").strip()
            except OSError:
                return None

        self.leave_descriptors(spare)
        try:
            self.daemon.write(control, command)
            found = []
            self.until(lambda: found.append(ended()) or found[-1])
            return found[-1]
        except OSError:
            return None
        finally:
            self.give_descriptors_back()

    def manifest(self, point):
        return self.daemon.json(f"machines/m/points/{point}/manifest.json")

    def assert_latest_is_the_newest(self):
        newest = self.daemon.points("m")[-1]
        self.assertEqual(os.readlink(self.daemon.mount / "machines/m/latest"), f"points/{newest}")

    def test_a_verification_without_descriptors_ends_with_an_error_and_marks_no_point(self):
        failed = 0
        for spare in SPARE:
            name = f"check-{spare}"
            command = f"verify name={name}"
            ended = self.without_descriptors(spare, "machines/m/control", command, f"jobs/{name}")
            if ended == "error":
                failed += 1
                job = self.daemon.json(f"jobs/{name}/status.json")
                self.assertEqual(job["reason"], "failed", job["message"])
                self.assertIn("Too many open files", job["message"])
            for point in self.daemon.points("m"):
                verified = self.manifest(point)["verified"]
                self.assertTrue(verified is None or verified["result"] == "good", spare)
            self.assert_latest_is_the_newest()
        self.assertGreater(failed, 0)
        self.daemon.write("machines/m/control", "verify name=after")
        self.assertEqual(self.daemon.read("jobs/after/wait"), "success\n")

    def test_a_run_without_descriptors_fails_instead_of_making_a_full(self):
        failed = 0
        for spare in SPARE:
            self.change()
            directory = f"flows/f/executions/spare-{spare}"
            ended = self.without_descriptors(spare, "flows/f/control", f"run name=spare-{spare}", directory)
            self.assertIn(ended, ("success", "error", None), spare)
            failed += ended == "error"
        self.assertGreater(failed, 0)
        self.assertEqual(self.daemon.run("f", "after"), "success")
        kinds = [self.manifest(point)["kind"] for point in self.daemon.points("m")]
        self.assertEqual(kinds, ["full"] + ["incremental"] * (len(kinds) - 1))
        self.assert_latest_is_the_newest()
        restored = self.folder / "restored"
        content.copy(self.daemon.mount / "machines/m/latest/disk-0.raw", restored)
        self.assertTrue(content.same_bytes(restored, self.disk.path))


if __name__ == "__main__":
    holdfast.main()
