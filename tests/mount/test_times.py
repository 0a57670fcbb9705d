#!/usr/bin/python3
"""Points by time (at/), differences of two points (diff/), and chains (chains/)."""

import datetime
import errno
import json
import os
import subprocess

import holdfast
from days import DAY, set_back

MIB = 2**20
CLUSTER = 65536


class Times(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine(capacity=MIB)
        self.add_repository()
        self.add_flow()
        self.m = self.daemon.mount / "machines/m"

    def point(self, name, arguments=""):
        before = set(self.daemon.points("m"))
        self.assertEqual(self.daemon.run("f", name, arguments), "success")
        (point,) = set(self.daemon.points("m")) - before
        return point

    def refusal(self, path, code):
        with self.assertRaises(OSError) as refused:
            os.stat(self.m / path)
        self.assertEqual(errno.errorcode[refused.exception.errno], code)
        return (self.m / "error").read_text()

    def test_at_leads_to_the_newest_point_that_is_not_later(self):
        first = self.point("a")
        self.disk.write(0, b"second")
        second = self.point("b")
        taken = self.daemon.json(f"machines/m/points/{second}/manifest.json")["time"]
        plain = taken.removesuffix("Z")[:19]
        forms = (plain.replace("T", " "), f"{plain}+00:00", f"{plain}+0000", f"today {plain[11:]}")
        for when in (taken, taken.removesuffix("Z"), second[:20], "now", "today", taken[:10], *forms):
            self.assertEqual(os.readlink(self.m / "at" / when), f"../points/{second}", when)
        content = (self.m / "at/now/disk-0.raw").read_bytes()
        self.assertEqual(content, self.disk.path.read_bytes())
        self.assertNotEqual(first, second)

    def test_at_understands_a_time_with_a_zone(self):
        point = self.point("a")
        taken = datetime.datetime.fromisoformat(
            self.daemon.json(f"machines/m/points/{point}/manifest.json")["time"].replace("Z", "+00:00")
        )
        elsewhere = taken.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
        self.assertEqual(os.readlink(self.m / "at" / elsewhere.isoformat()), f"../points/{point}")
        earlier = (elsewhere - datetime.timedelta(seconds=1)).isoformat()
        self.assertIn("no good point that is not later", self.refusal(f"at/{earlier}", "ENOENT"))

    def test_at_before_the_first_point_is_refused_with_enoent(self):
        point = self.point("a")
        said = self.refusal("at/1h-ago", "ENOENT")
        self.assertIn("look up at/1h-ago: ENOENT: machine 'm' has no good point that is not later than", said)
        # Dates far from now hold at any time of day, even when midnight comes in between.
        set_back(self.daemon, -2 * DAY)
        self.assertIn("no good point", self.refusal("at/yesterday", "ENOENT"))
        self.assertIn("no good point", self.refusal("at/today", "ENOENT"))
        set_back(self.daemon, 4 * DAY)
        self.assertEqual(os.readlink(self.m / "at/yesterday"), f"../points/{point}")

    def test_a_word_that_is_no_time_is_refused_with_an_example(self):
        self.assertIn("write it as 2026-11-20T02:30", self.refusal("at/tomorrow", "EINVAL"))

    def test_listings_of_at_and_diff_show_no_times_and_no_pairs(self):
        self.point("a")
        os.stat(self.m / "at/now")
        for folder in ("at", "diff"):
            self.assertEqual(os.listdir(self.m / folder), [])

    def test_at_skips_a_bad_point(self):
        first = self.point("a")
        second = self.point("b")
        self.assertEqual(os.readlink(self.m / "at/now"), f"../points/{second}")
        self.daemon.write(f"machines/m/points/{second}/control", "verdict result=bad by=ann")
        self.assertEqual(os.readlink(self.m / "at/now"), f"../points/{first}")

    def test_diff_has_exactly_the_clusters_that_differ(self):
        first = self.point("a")
        before = self.disk.path.read_bytes()
        self.disk.write(3 * CLUSTER + 17, b"a few bytes")
        self.disk.write(9 * CLUSTER - 2, b"two clusters")
        self.disk.write(12 * CLUSTER, before[12 * CLUSTER : 13 * CLUSTER])  # unchanged content, written again
        second = self.point("b")
        path = f"machines/m/diff/{first}..{second}"
        diff = self.daemon.json(path)
        expected = [{"offset": 3 * CLUSTER, "length": CLUSTER}, {"offset": 8 * CLUSTER, "length": 2 * CLUSTER}]
        self.assertEqual(diff["disks"][0]["extents"], expected)
        self.assertEqual(diff["totals"], {"extent_count": 2, "bytes": 3 * CLUSTER})
        self.assertEqual(os.stat(self.daemon.mount / path).st_size, len(self.daemon.read(path)))

    def test_diff_across_chains_compares_the_content(self):
        first = self.point("a")
        self.disk.write(5 * CLUSTER, b"changed")
        second = self.point("b", "type=full")
        diff = self.daemon.json(f"machines/m/diff/{first}..{second}")
        self.assertEqual(diff["disks"][0]["extents"], [{"offset": 5 * CLUSTER, "length": CLUSTER}])
        self.assertEqual(self.daemon.json(f"machines/m/diff/{second}..{second}")["totals"]["bytes"], 0)

    def test_diff_takes_times_and_latest(self):
        first = self.point("a")
        self.disk.write(0, b"changed")
        second = self.point("b")
        diff = self.daemon.json(f"machines/m/diff/{first}..latest")
        self.assertEqual((diff["from"], diff["to"]), (first, second))
        self.assertEqual(self.daemon.json("machines/m/diff/now..latest")["totals"]["bytes"], 0)

    def test_diff_with_an_absent_point_names_the_point(self):
        point = self.point("a")
        self.assertIn("there is no point 'gone'", self.refusal(f"diff/gone..{point}", "ENOENT"))
        self.assertIn("there is no point 'gone'", self.refusal(f"diff/{point}..gone", "ENOENT"))
        self.assertIn("write A..B", self.refusal(f"diff/{point}", "EINVAL"))

    def test_a_chain_lists_its_points_in_order(self):
        names = [self.point("a"), self.point("b"), self.point("c", "type=full"), self.point("d")]
        chains = sorted(os.listdir(self.m / "chains"))
        self.assertEqual(len(chains), 2)
        found = []
        for chain in chains:
            links = sorted(name for name in os.listdir(self.m / "chains" / chain) if name[0] == "0")
            self.assertEqual(links[0][:5], "0001-")
            for link in links:
                self.assertEqual(os.readlink(self.m / "chains" / chain / link), f"../../points/{link[5:]}")
                self.assertIn("disk-0.raw", os.listdir(self.m / "chains" / chain / link))
            found += [link[5:] for link in links]
            facts = self.daemon.json(f"machines/m/chains/{chain}/chain.json")
            self.assertEqual([point["id"] for point in facts["points"]], [link[5:] for link in links])
            self.assertEqual(len(facts["layers"]), len(links))
        self.assertEqual(found, names)

    def test_a_point_has_the_restore_instructions_of_its_repository(self):
        point = self.point("a")
        text = self.daemon.read(f"machines/m/points/{point}/RESTORE.txt")
        (stored,) = (self.folder / "repository-r").glob(f"*/{point}/RESTORE.txt")
        self.assertEqual(text, stored.read_text())

    def test_the_commands_of_a_repository_restore_the_newest_point_of_a_machine(self):
        repository = self.folder / "repository-r"
        points = [self.point(name) for name in "ab"]
        self.disk.write(0, b"newest")
        points.append(self.point("c"))
        os.rmdir(self.m / "points" / points[0])
        (key,) = {path.parent.parent.name for path in repository.glob("*/*/manifest.json")}
        self.until(lambda: (repository / key / points[0] / "retired.json").exists())
        (repository / key / "2099-01-01T00-00-00Z.partial").mkdir()
        os.rename(self.m, self.daemon.mount / "machines/renamed")
        (repository / "lost+found").mkdir()

        def bash(lines, place):
            return subprocess.run(["bash", "-eu", "-c", lines], cwd=place, check=True, capture_output=True, text=True).stdout

        index = (repository / "INDEX.txt").read_text()
        said = bash(index[index.index("  for machine in") : index.index("Then `cd`")], repository)
        self.assertEqual(said, f"m {key}/{points[-1]}\n")
        text = (repository / key / points[-1] / "RESTORE.txt").read_text()
        whole = text[text.index("  to=") : text.index("\nDisk ")]
        bash(whole.replace("/path/to/restored", str(self.folder / "restored here")), repository / key / points[-1])
        restored = self.folder / "restored here/disk-0.raw"
        self.assertEqual(restored.read_bytes(), self.disk.path.read_bytes())

    def test_a_disk_says_how_its_changes_are_known(self):
        self.point("a")
        disk = self.daemon.json("machines/m/disks/disk-0/status.json")
        self.assertEqual((disk["capacity_bytes"], disk["cbt"]), (MIB, "no"))
        self.assertIn("driver file", disk["cbt_reason"])
        self.assertEqual(disk["change_ids"], {"r": None})

    def test_within_objective_follows_the_age_of_the_newest_good_point(self):
        definition = self.daemon.json("machines/m/config.json")
        self.assertIsNone(self.daemon.json("machines/m/status.json")["within_objective"])

        def status(objective):
            self.daemon.write("machines/m/config.json", json.dumps(definition | {"objective": objective}))
            return self.daemon.json("machines/m/status.json")

        before = status("1h")
        self.assertIs(before["within_objective"], False)
        self.assertIn("no good point", "".join(before["warnings"]))
        self.assertIsNone(before["restore_seconds_estimate"])
        self.point("a")
        self.assertIs(status("1h")["within_objective"], True)
        self.assertEqual(status("1h")["warnings"], [])
        self.assertGreater(status("1h")["restore_seconds_estimate"], 0)
        status("1s")
        # Only the passing time makes within_objective false here.
        self.until(lambda: self.daemon.json("machines/m/status.json")["within_objective"] is False)
        self.assertIn("older than the objective", "".join(self.daemon.json("machines/m/status.json")["warnings"]))

    def test_grep_reads_all_files_of_a_machine(self):
        point = self.point("a")
        found = subprocess.run(["grep", "-rl", point, self.m], capture_output=True, text=True, check=False)
        self.assertIn("manifest.json", found.stdout)
        self.assertEqual(found.stderr, "")


if __name__ == "__main__":
    holdfast.main()
