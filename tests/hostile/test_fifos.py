#!/usr/bin/python3
"""A repository as an attacker: whoever may write to it puts something else in the place of its files."""

import os

import holdfast

SECONDS = 30  # ten times what is seen, and below the 60 s after which a bulkhead gives up


class Fifos(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.repository = self.add_repository()
        self.add_file_machine()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        (point,) = self.daemon.points("m")
        self.daemon.stop()
        self.point = next(self.repository.glob(f"*/{point}"))

    def put_fifo(self, path):
        path.unlink()
        os.mkfifo(path)

    def start_read_and_end(self, image_is_readable):
        self.assert_within(SECONDS, self.daemon.start)
        self.assert_within(SECONDS, self.read_status)
        self.assert_within(SECONDS, self.read_image if image_is_readable else self.fail_to_read_image)
        self.assert_within(SECONDS, self.run_flow)
        self.assert_within(SECONDS, self.daemon.stop)

    def read_status(self):
        self.daemon.read("status.json")
        self.daemon.read("repositories/r/status.json")

    def read_image(self):
        (self.daemon.mount / "machines/m/latest/disk-0.raw").read_bytes()

    def fail_to_read_image(self):
        with self.assertRaises(OSError):
            (self.daemon.mount / f"machines/m/points/{self.point.name}/disk-0.raw").read_bytes()

    def run_flow(self):
        self.daemon.run("f", "next")

    def test_a_fifo_in_place_of_the_marker_hangs_nothing(self):
        self.put_fifo(self.repository / "holdfast.json")
        self.start_read_and_end(image_is_readable=False)

    def test_a_fifo_in_place_of_the_count_of_commits_hangs_nothing(self):
        self.put_fifo(self.repository / "sequence.json")
        self.start_read_and_end(image_is_readable=True)

    def test_a_fifo_in_place_of_the_revision_of_definitions_hangs_nothing(self):
        self.put_fifo(self.repository / "definitions/revision")
        self.start_read_and_end(image_is_readable=True)

    def test_a_fifo_in_place_of_an_image_hangs_nothing(self):
        self.put_fifo(self.point / "disk-0.qcow2")
        self.start_read_and_end(image_is_readable=False)

    def test_a_fifo_in_place_of_checksums_hangs_nothing(self):
        self.put_fifo(next(self.point.glob("*.sums")))
        self.start_read_and_end(image_is_readable=False)

    def test_a_fifo_in_place_of_a_manifest_hangs_nothing(self):
        self.put_fifo(self.point / "manifest.json")
        self.start_read_and_end(image_is_readable=True)

    def test_a_fifo_in_place_of_the_lease_hangs_nothing(self):
        self.put_fifo(self.repository / ".lease")
        self.assert_within(SECONDS, self.daemon.start)
        self.assert_within(SECONDS, self.read_status)
        self.assert_within(SECONDS, self.daemon.stop)


if __name__ == "__main__":
    holdfast.main()
