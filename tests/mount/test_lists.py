#!/usr/bin/python3
"""Lists that hold everything in one read: flows.jsonl, machines.jsonl, points.jsonl; logs; history of schedules."""

import datetime
import errno
import json
import os
import sqlite3
import subprocess

import holdfast


class Lists(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.add_repository()
        self.add_flow()

    def lines(self, path):
        text = self.daemon.read(path)
        self.assertEqual(os.stat(self.daemon.mount / path).st_size, len(text.encode()), path)
        return [json.loads(line) for line in text.splitlines()]

    def test_flows_machines_and_points_have_one_list_each(self):
        self.assertEqual(self.lines("points.jsonl"), [])
        for name in ("r1", "r2"):
            self.daemon.run("f", name)
        os.mkdir(self.daemon.mount / "machines/draft")
        self.assertEqual([machine["name"] for machine in self.lines("machines.jsonl")], ["m", "draft"])
        (flow,) = self.lines("flows.jsonl")
        self.assertEqual(flow["config"], self.daemon.json("flows/f/config.json"))
        self.assertEqual(flow["total_executions"], 2)
        points = self.lines("points.jsonl")
        self.assertEqual([point["id"] for point in points], self.daemon.points("m"))
        self.assertEqual(points[0], self.daemon.json(f"machines/m/points/{points[0]['id']}/manifest.json"))

    def test_globs_over_every_collection_give_objects_alone(self):
        self.daemon.define("groups/g", {})
        os.symlink("../../../machines/m", self.daemon.mount / "groups/g/members/m")
        self.daemon.define("schedules/s", {"every": "1h"})
        self.daemon.define("policies/p", {})
        self.daemon.run("f", "r1")
        (point,) = self.daemon.points("m")
        (job,) = os.listdir(self.daemon.mount / "jobs")
        (chain,) = os.listdir(self.daemon.mount / "machines/m/chains")
        os.stat(self.daemon.mount / "groups/g/at/now")
        listed = {
            "flows": {"f"},
            "machines": {"m"},
            "groups": {"g"},
            "schedules": {"s"},
            "policies": {"p"},
            "repositories": {"r"},
            "jobs": {job},
            "flows/f/executions": {"r1"},
            "flows/f/executions/r1/jobs": {job},
            "flows/f/executions/r1/points": {"m"},
            "machines/m/points": {point},
            "machines/m/disks": {"disk-0"},
            "machines/m/chains": {chain},
            "machines/m/at": set(),
            "machines/m/diff": set(),
            "groups/g/members": {"m"},
            "groups/g/at": set(),
            "groups/g/at/now": {"m"},
        }
        for path, names in listed.items():
            with self.subTest(path=path):
                with self.assertRaises(OSError):
                    os.mkdir(self.daemon.mount / path / ".refused")
                shell = ["bash", "-c", 'shopt -s nullglob; cd "$1" && for f in *; do echo "$f"; done', "-", path]
                told = subprocess.run(shell, cwd=self.daemon.mount, capture_output=True, text=True, check=True)
                self.assertEqual(set(told.stdout.split()), names)
                self.assertRaises(FileNotFoundError, os.lstat, self.daemon.mount / path / "error")
                above = next(up for up in (self.daemon.mount / path).parents if (up / "error").exists())
                self.assertIn(".refused: E", (above / "error").read_text())

    def test_flows_jsonl_has_the_end_of_the_last_run_and_the_last_success(self):
        (flow,) = self.lines("flows.jsonl")
        self.assertIsNone(flow["last_success_at"])
        self.daemon.run("f", "r1")
        ended = self.daemon.json("flows/f/executions/r1/status.json")["completed_at"]
        self.disk.path.rename(self.folder / "away")
        self.daemon.run("f", "r2")
        last = self.daemon.json("flows/f/executions/r2/status.json")
        (flow,) = self.lines("flows.jsonl")
        told = [flow[f"last_execution_{field}"] for field in ("id", "status", "reason", "message")]
        self.assertEqual(told, ["r2", "error", last["reason"], last["message"]])
        self.assertIsNotNone(last["message"])
        self.assertEqual(flow["last_success_at"], ended)

    def test_df_and_the_root_show_the_space_of_the_repositories_that_the_reader_may_see(self):
        os.mkdir(self.folder / "second")
        self.daemon.define("repositories/second", {"path": str(self.folder / "second")})
        one = [self.daemon.json(f"repositories/{name}/status.json") for name in ("r", "second")]
        capacity = self.daemon.json("status.json")["capacity"]
        # Both lie on one file system, which counts once.
        self.assertEqual({status["capacity_bytes"] for status in one}, {capacity["capacity_bytes"]})
        self.assertEqual(capacity["used_bytes"], sum(status["used_bytes"] for status in one))
        self.assertGreater(capacity["free_bytes"], 0)
        space = os.statvfs(self.daemon.mount)
        self.assertEqual(space.f_blocks, capacity["capacity_bytes"] // space.f_frsize)
        os.chmod(self.folder, 0o755)
        cat = ["cat", self.daemon.mount / "status.json"]
        done = subprocess.run(cat, user=65534, group=65534, extra_groups=[], capture_output=True, check=True)
        unknown = {"capacity_bytes": None, "free_bytes": None, "used_bytes": 0}
        self.assertEqual(json.loads(done.stdout)["capacity"], unknown)

    def test_logs_have_the_time_of_their_last_line_and_nothing_is_dated_1970(self):
        self.daemon.run("f", "r1")
        log = self.daemon.mount / "flows/f/executions/r1/log"
        last = log.read_text().splitlines()[-1].split()[0]
        self.assertEqual(int(os.stat(log).st_mtime), int(datetime.datetime.fromisoformat(last).timestamp()))
        for folder, folders, files in os.walk(self.daemon.mount):
            for name in [".", *folders, *files]:
                self.assertGreater(os.lstat(os.path.join(folder, name)).st_mtime, 10**9, os.path.join(folder, name))

    def test_a_list_of_600_machines_can_be_read_at_any_offset(self):
        for i in range(600):
            os.mkdir(self.daemon.mount / f"machines/m{i}")
        text = self.daemon.read("machines.jsonl")
        self.assertEqual(len(text.splitlines()), 601)
        file = os.open(self.daemon.mount / "machines.jsonl", os.O_RDONLY)
        self.addCleanup(os.close, file)
        for offset in (len(text) - 10, 0, len(text) // 2, 5, len(text)):
            self.assertEqual(os.pread(file, 4000, offset).decode(), text[offset : offset + 4000])

    def test_a_stranger_finds_no_object_of_others_in_the_lists(self):
        self.daemon.run("f", "r1")
        os.chmod(self.folder, 0o755)
        for path in ("machines.jsonl", "flows.jsonl", "points.jsonl"):
            cat = ["cat", self.daemon.mount / path]
            done = subprocess.run(cat, user=65534, group=65534, extra_groups=[], capture_output=True, check=True)
            self.assertEqual(done.stdout, b"", path)
            self.assertTrue(self.lines(path))

    def test_a_run_logs_its_steps(self):
        self.daemon.run("f", "r1")
        log = self.daemon.read("flows/f/executions/r1/log")
        (point,) = self.daemon.points("m")
        for said in ("machines/m: backup begins: auto", f"frozen as point {point}, full: no_parent",
                     "disk disk-0: 1048576 bytes read", f"point {point} is committed", "ended: success"):
            self.assertIn(said, log)
        (job,) = os.listdir(self.daemon.mount / "flows/f/executions/r1/jobs")
        self.assertEqual(self.daemon.read(f"jobs/{job}/log"), log.replace("machines/m: ", ""))
        self.assertEqual(os.stat(self.daemon.mount / f"jobs/{job}/log").st_size, len(log.replace("machines/m: ", "")))

    def test_a_failed_run_logs_its_reason(self):
        os.unlink(self.disk.path)
        self.assertEqual(self.daemon.run("f", "r1"), "error")
        message = self.daemon.json("flows/f/executions/r1/status.json")["message"]
        self.assertIn(f"ended: error: {message}", self.daemon.read("flows/f/executions/r1/log"))

    def test_a_schedule_can_be_disabled_renamed_and_removed_and_a_wrong_one_is_refused(self):
        self.daemon.define("schedules/s", {"cron": "0 2 * * *", "timezone": "Europe/Berlin"})
        self.assertEqual(self.daemon.json("schedules/s/status.json")["flows"], [])
        self.daemon.write("schedules/s/control", "disable")
        self.assertFalse(self.daemon.json("schedules/s/status.json")["enabled"])
        self.daemon.write("schedules/s/control", "enable")
        self.assertTrue(self.daemon.json("schedules/s/config.json")["enabled"])
        with self.assertRaises(OSError) as refused:
            self.daemon.write("schedules/s/config.json", '{"cron": "0 2 * * *", "every": "1h"}')
        self.assertEqual(refused.exception.errno, errno.EINVAL)
        self.assertIn("this one has both", self.daemon.read("schedules/s/error"))
        os.rename(self.daemon.mount / "schedules/s", self.daemon.mount / "schedules/t")
        os.rmdir(self.daemon.mount / "schedules/t")

    def test_the_history_of_a_schedule_has_the_outcome_of_each_time(self):
        self.daemon.run("f", "r1")
        self.daemon.define("schedules/s", {"every": "1h"})
        self.assertEqual(self.daemon.read("schedules/s/history.jsonl"), "")
        self.daemon.stop()
        with sqlite3.connect(self.daemon.state / "catalog.sqlite") as catalog:
            (schedule,) = catalog.execute("SELECT id FROM schedules").fetchone()
            flow, execution = catalog.execute("SELECT flow_id, id FROM executions").fetchone()
            rows = [
                (1, schedule, flow, 0, "missed", "daemon_was_down", None),
                (2, schedule, flow, 3_600_000, "skipped", "blackout", None),
                (3, schedule, flow, 7_200_000, "started", None, execution),
                (4, schedule, flow, 10_800_000, "planned", None, None),
            ]
            catalog.executemany("INSERT INTO schedule_occurrences VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        catalog.close()
        self.daemon.start()
        self.until(lambda: self.daemon.read("schedules/s/history.jsonl").count("\n") == 4)
        history = self.lines("schedules/s/history.jsonl")
        self.assertEqual([time["status"] for time in history], ["missed", "skipped", "started", "skipped"])
        self.assertEqual(history[0]["reason"], "daemon_was_down")
        self.assertEqual(history[1]["at"], "1970-01-01T01:00:00Z")
        self.assertEqual(history[2]["execution"], "flows/f/executions/r1")
        self.assertEqual(history[3]["reason"], "disabled")  # flow f does not follow schedule s

    def test_a_renamed_machine_has_its_new_name_in_its_flows(self):
        self.assertEqual(self.daemon.json("flows/f/config.json")["target"], "machines/m")
        os.rename(self.daemon.mount / "machines/m", self.daemon.mount / "machines/web")
        self.assertEqual(self.daemon.json("flows/f/config.json")["target"], "machines/web")


if __name__ == "__main__":
    holdfast.main()
