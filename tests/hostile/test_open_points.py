#!/usr/bin/python3
"""All points of a long chain, open at once: each file of the chain is open once, not once for each point above it."""

import os

import holdfast


class OpenPoints(holdfast.MountTest):
    RUNS = 24
    FILES = 2 * RUNS  # each layer has an image and its checksums
    OTHERS = 16  # connections of the catalog, and what else the daemon opens as it goes

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def test_a_chain_whose_points_are_all_open_takes_a_descriptor_for_each_file(self):
        disk = self.add_file_machine()
        self.add_repository()
        self.add_flow()
        names, truths = [], []
        for number in range(self.RUNS):
            disk.write(number * 4096, os.urandom(4096))
            self.assertEqual(self.daemon.run("f", f"r{number}"), "success")
            made = os.readlink(self.daemon.mount / f"flows/f/executions/r{number}/points/m")
            names.append(os.path.basename(made))
            truths.append(disk.path.read_bytes())
        points = self.daemon.mount / "machines/m/points"
        kinds = [self.daemon.json(f"machines/m/points/{name}/manifest.json")["kind"] for name in names]
        self.assertEqual(kinds, ["full"] + ["incremental"] * (self.RUNS - 1))

        before = self.descriptors()
        images = []
        for name in names:
            for form in ("raw", "qcow2"):
                image = open(points / name / f"disk-0.{form}", "rb")  # pylint: disable=consider-using-with
                self.addCleanup(image.close)
                images.append(image)
        for image, truth in zip(images[::2], truths, strict=True):
            self.assertEqual(image.read(), truth)
        grown = self.descriptors() - before
        self.assertGreaterEqual(grown, self.FILES)  # the count sees them
        self.assertLessEqual(grown, self.FILES + self.OTHERS)

        for image in images:
            image.close()
        self.until(lambda: self.descriptors() <= before + self.OTHERS)


if __name__ == "__main__":
    holdfast.main()
