#!/usr/bin/python3
"""Boot checks of a real system: Linux with a boot loader, whole and with a damaged kernel."""

import boot_checks
import boot_guests
import holdfast


class Linux(boot_checks.BootChecks):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "linux.disk"
        boot_guests.make_linux(self.disk, self.folder)

    def test_linux_passes_and_a_damaged_kernel_fails(self):
        point = self.back_up_disk("m", self.disk)
        job = self.check(point, "good", f"{boot_checks.SERIAL} timeout=5m")
        self.assertEqual(job["status"], "success", job)
        self.assert_picture(point)
        self.assertEqual(self.check(point, "agent", "expect=agent timeout=5m")["status"], "success")
        boot_guests.damage_kernel(self.disk)
        self.assertEqual(self.daemon.run("of-m", "second"), "success")
        newest = f"machines/m/points/{self.daemon.points('m')[-1]}"
        self.assert_fails(newest, "bad", "the kernel halted: '.*System halted", f"{boot_checks.SERIAL} timeout=5m")


if __name__ == "__main__":
    holdfast.main(boot_guests.missing)
