#!/usr/bin/python3
"""status.json at the root: warnings and running jobs of all objects that the reader may see."""

import json
import os

import content
import holdfast
from users import User, unnamed


class Warnings(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.repository = self.add_repository(compression="none")
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        self.folder.chmod(0o755)
        self.stranger = User(*unnamed(1))

    def status(self):
        return self.daemon.json("status.json")

    def expect(self, *sentences):
        """Expects exactly these warnings. A stranger, who sees no object, gets none."""
        status = self.status()
        self.assertEqual(status["health"], "warning" if sentences else "ok")
        self.assertEqual(len(status["warnings"]), len(sentences), status["warnings"])
        for sentence, found in zip(sentences, status["warnings"]):
            self.assertRegex(found, sentence)
        his = json.loads(self.stranger.does(lambda: self.daemon.read("status.json")))
        self.assertEqual((his["health"], his["warnings"]), ("ok", []))

    def close_to_others(self):
        for path in ("machines/m", "repositories/r", "flows/f"):
            os.chmod(self.daemon.mount / path, 0o700)

    def test_without_warnings_health_is_ok(self):
        self.expect()

    def test_an_absent_repository_is_a_warning(self):
        self.close_to_others()
        marker = self.repository / "holdfast.json"
        marker.rename(self.folder / "aside")
        self.assertEqual(self.daemon.run("f", "r2"), "error")
        self.expect("repository 'r': .*has no holdfast.json")
        (self.folder / "aside").rename(marker)
        self.assertEqual(self.daemon.run("f", "r3"), "success")
        self.expect()

    def test_a_damaged_point_and_a_machine_without_a_good_point_are_warnings(self):
        self.close_to_others()
        (image,) = self.repository.glob("*/*/*.qcow2")
        content.flip_bit(image, image.stat().st_size // 2)
        self.daemon.write("repositories/r/control", "verify name=v")
        self.assertEqual(self.daemon.read("jobs/v/wait"), "error\n")
        both = ["1 of its points is damaged", "none of its points is good"]
        self.expect(*[f"machine 'm': {sentence}" for sentence in both])
        warnings = self.daemon.json("machines/m/status.json")["warnings"]
        self.assertEqual([sentence in warning for sentence, warning in zip(both, warnings)], [True, True])
        content.flip_bit(image, image.stat().st_size // 2)
        self.daemon.write("repositories/r/control", "verify name=again")
        self.assertEqual(self.daemon.read("jobs/again/wait"), "success\n")
        self.expect()

    def test_a_missed_objective_is_a_warning(self):
        self.close_to_others()
        definition = self.daemon.json("machines/m/config.json") | {"objective": "1s"}
        self.daemon.write("machines/m/config.json", json.dumps(definition))
        self.until(lambda: self.status()["warnings"])
        self.expect("machine 'm': the newest good point is of .*, older than the objective allows")

    def test_a_job_without_a_flow_is_listed_as_running(self):
        self.close_to_others()
        self.add_repository("slow", bandwidth=1)
        self.daemon.write("machines/m/control", "backup repository=slow name=alone")
        self.until(lambda: self.daemon.json("jobs/alone/status.json")["status"] == "running")
        self.assertEqual(self.status()["running"], ["jobs/alone"])
        his = json.loads(self.stranger.does(lambda: self.daemon.read("status.json")))
        self.assertEqual(his["running"], [])
        self.daemon.write("jobs/alone/control", "cancel")
        self.assertEqual(self.daemon.read("jobs/alone/wait"), "cancelled\n")
        self.assertEqual(self.status()["running"], [])


if __name__ == "__main__":
    holdfast.main()
