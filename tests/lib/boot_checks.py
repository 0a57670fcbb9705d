"""Boot checks as their users meet them: points of disks that boot or don't, jobs, verdicts and pictures."""

import hashlib
import os

import boot_guests
import holdfast

SERIAL = f'expect="serial:{boot_guests.HELLO}"'
SHORT = "timeout=20s"


class BootChecks(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.mount = self.daemon.mount
        self.path = self.add_repository()

    def add_point(self, machine, sector, **fields):
        """Makes a machine with a disk that begins with the boot sector, and a point of it. Returns the point's path."""
        disk = self.folder / f"{machine}.disk"
        disk.write_bytes(sector + os.urandom(boot_guests.CAPACITY - len(sector)))
        return self.back_up_disk(machine, disk, **fields)

    def back_up_disk(self, machine, disk, **fields):
        self.daemon.define(
            f"machines/{machine}", {"driver": "file", "disks": [{"name": "disk-0", "path": str(disk)}]}
        )
        self.add_flow(f"of-{machine}", machine, **fields)
        self.assertEqual(self.daemon.run(f"of-{machine}", "first"), "success")
        return f"machines/{machine}/points/{self.daemon.points(machine)[0]}"

    def begin(self, point, name, arguments=f"{SERIAL} {SHORT}"):
        self.daemon.write(f"{point}/control", f"boot-check name={name} {arguments}")

    def end(self, name):
        """Waits for the job and returns its status.json."""
        self.daemon.read(f"jobs/{name}/wait")
        return self.daemon.json(f"jobs/{name}/status.json")

    def check(self, point, name, arguments=f"{SERIAL} {SHORT}"):
        self.begin(point, name, arguments)
        return self.end(name)

    def boot(self, point):
        return self.daemon.json(f"{point}/manifest.json")["boot"]

    def sha256(self, point):
        with open(self.mount / point / "disk-0.raw", "rb") as image:
            return hashlib.file_digest(image, "sha256").hexdigest()

    def assert_picture(self, point):
        png = (self.mount / point / "screenshot.png").read_bytes()
        width, height, colours = boot_guests.pixels(png)
        self.assertGreater(width * height, 100_000)
        self.assertGreater(len(colours), 1)
        return png

    def assert_fails(self, point, name, reason, arguments=f"{SERIAL} {SHORT}"):
        job = self.check(point, name, arguments)
        self.assertEqual((job["status"], job["reason"]), ("error", "boot_failed"), job)
        boot = self.boot(point)
        self.assertEqual(boot["result"], "bad")
        self.assertRegex(boot["reason"], reason)
        self.assert_picture(point)

    def qemus(self):
        return boot_guests.qemus_below(self.daemon.process.pid)

    def in_repository(self, point):
        (found,) = self.path.glob(f"*/{point.rsplit('/', 1)[1]}")
        return found

    def await_qemu(self):
        self.until(lambda: len(self.qemus()) == 1)
        return self.qemus()[0]
