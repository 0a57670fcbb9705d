#!/usr/bin/python3
"""Plans of retention: the points that go and the bytes that come back, told before and after; previews of policies."""

import os
import pathlib

import holdfast
from days import OneHistory
from users import User, unnamed


class Plans(OneHistory):
    def follow(self, **policy):
        self.daemon.define("policies/p", policy)
        self.daemon.write("flows/f/control", "set policy=p")

    def log(self, job):
        return self.daemon.read(f"jobs/{job}/log")

    def test_a_pruning_of_whole_chains_gives_back_exactly_the_bytes_that_the_plan_promised(self):
        made = [self.days.day(4, "type=full") for _ in range(4)]
        self.assertEqual(self.daemon.json("machines/m/plan.json")["bytes_to_free"], 0)
        self.follow(keep_last=2)
        plan = self.daemon.json("machines/m/plan.json")
        files = sum(path.stat().st_blocks * 512 for point in made[:2] for path in self.stored(point))
        self.assertEqual((plan["bytes_to_free"], plan["bytes_to_free_at_least"]), (files, files))
        self.assertEqual(self.days.prune("now"), "success")
        metadata = self.daemon.json("jobs/now/status.json")["metadata"]
        self.assertEqual((metadata["points"], metadata["copies"], metadata["bytes_freed"]), (made[:2], [], files))
        log = self.log("now")
        for point in made[:2]:
            self.assertIn(f"point {point} goes: by policies/p", log)
        self.assertIn(f"freed {files} bytes", log)
        self.assertNotIn(made[2], log)
        self.assertEqual(self.daemon.json("machines/m/plan.json")["bytes_to_free"], 0)

    def stored(self, point):
        kinds = (".qcow2", ".sums", ".content")
        return [path for path in (self.days.directory() / point).iterdir() if path.suffix in kinds]

    def test_the_plan_estimates_the_holes_in_files_that_stay(self):
        for _ in range(5):
            self.days.day(6)
        self.follow(keep_last=1)
        plan = self.daemon.json("machines/m/plan.json")
        self.assertEqual(plan["bytes_to_free_at_least"], 0, "later points rest on all files")
        self.assertGreater(plan["bytes_to_free"], 0)
        self.assertEqual(self.days.prune("now"), "success")
        freed = self.daemon.json("jobs/now/status.json")["metadata"]["bytes_freed"]
        self.assertGreater(freed, 0)
        self.assertLessEqual(freed, plan["bytes_to_free"], "random data doesn't compress")
        self.assertEqual(self.daemon.json("machines/m/plan.json")["bytes_to_free"], 0)

    def test_a_retired_machine_tells_why_its_points_go(self):
        made = [self.days.day() for _ in range(2)]
        self.daemon.write(f"machines/m/points/{made[0]}/control", "pin")
        self.daemon.write(f"machines/m/points/{made[1]}/control", "pin")
        self.daemon.write("machines/m/control", "retire keep=0s")
        self.daemon.write(f"machines/m/points/{made[1]}/control", "unpin")
        self.assertEqual(self.days.prune("now"), "success")
        self.assertIn(f"point {made[1]} goes: its machine is retired", self.log("now"))

    def plan_at(self, path):
        plan = self.daemon.json(path)
        del plan["revision"]
        return plan

    def test_a_preview_is_the_plan_as_it_is_once_the_flows_have_the_policy(self):
        made = [self.days.day() for _ in range(4)]
        self.daemon.write(f"machines/m/points/{made[0]}/control", "pin")
        self.daemon.define("policies/p", {"keep_last": 2})
        before = self.plan_at("machines/m/plan.json")
        path = "policies/p/preview/m"
        self.assertEqual((before["go"], self.plan_at(path)["go"]), (0, 1))
        self.assertEqual(os.stat(self.daemon.mount / path).st_size, len(self.daemon.read(path)))
        self.daemon.write("policies/p/config.json", '{"keep_last": 1}')
        preview = self.plan_at(path)
        self.assertEqual(preview["go"], 2)
        self.assertGreater(preview["bytes_to_free"], 0)
        self.assertEqual(self.days.points(), set(made))
        self.assertEqual(self.plan_at("machines/m/plan.json"), before)
        self.daemon.write("flows/f/control", "set policy=p")
        self.assertEqual(self.plan_at("machines/m/plan.json"), preview)

    def test_a_preview_is_for_who_may_read_the_plan_of_the_machine(self):
        """Law 19."""
        self.daemon.define("policies/p", {"keep_last": 1})
        self.folder.chmod(0o755)
        os.chmod(self.daemon.mount / "policies/p", 0o755)
        stranger = User(*unnamed(1))
        # The last two: the stranger may not look into the machine, or not into the collection.
        for machine, collection, is_open in (
            (0o750, 0o755, False),
            (0o755, 0o755, True),
            (0o754, 0o755, False),
            (0o755, 0o750, False),
        ):
            os.chmod(self.daemon.mount / "machines/m", machine)
            os.chmod(self.daemon.mount / "machines", collection)
            for path, refusal in (("machines/m/plan.json", "EACCES"), ("policies/p/preview/m", "ENOENT")):
                self.daemon.read(path)
                for deed in (os.stat, pathlib.Path.read_text):
                    seen = stranger.outcome(lambda: deed(self.daemon.mount / path) and None)
                    self.assertEqual(seen, "ok" if is_open else refusal, (path, oct(machine), oct(collection)))

    def test_a_preview_is_in_no_listing_and_exists_for_machines_alone(self):
        self.daemon.define("policies/p", {"keep_last": 1})
        self.daemon.define("policies/q", {"keep_last": 9})
        preview = self.daemon.mount / "policies/p/preview"
        self.assertEqual(os.listdir(preview), [])
        self.refused("ENOENT", os.stat, preview / "unknown")
        self.refused("EPERM", open, preview / "m", "w")
        for _ in range(2):
            self.days.day()
        # Each policy has a plan of its own, whichever was read before.
        self.assertEqual([self.daemon.json(f"policies/{name}/preview/m")["go"] for name in "pqp"], [1, 0, 1])


if __name__ == "__main__":
    holdfast.main()
