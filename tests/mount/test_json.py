#!/usr/bin/python3
"""Every status file of a living mount: a revision, numbers without binary noise, and null for what is not known."""

import json
import os
import pathlib
import re

import holdfast

NAMES = ("status.json", "manifest.json", "plan.json", "chain.json")
# A fraction of more than three digits, or a number with an exponent.
NOISE = re.compile(r'(?<![\w".-])-?\d+(\.\d{4,}|(\.\d+)?[eE][-+]?\d+)(?=[,\s\]}])')


def empty(value, at=""):
    """Yields the places of empty texts."""
    if value == "":
        yield at
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from empty(child, f"{at}.{key}")


def callers(value, at=""):
    """Yields place and value of each field `by`."""
    if isinstance(value, dict) and "by" in value:
        yield at, value["by"]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from callers(child, f"{at}.{key}")


def is_caller(value):
    is_whole = isinstance(value, dict) and list(value) == ["uid", "gid", "pid"]
    return value == "daemon" or (is_whole and all(isinstance(number, int) for number in value.values()))


def faults(text):
    """Returns what is wrong with a status file."""
    document = json.loads(text)
    found = [] if isinstance(document.get("revision"), int) and document["revision"] > 0 else ["no revision"]
    found += [f"noise: {match.group()}" for match in NOISE.finditer(text)]
    return found + [f"empty: {at}" for at in empty(document)]


class StatusFiles(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_file_machine()
        self.add_machine("q")
        self.add_repository()
        self.add_repository("second")
        self.daemon.define("groups/g", {})
        os.symlink("../../../machines/m", self.daemon.mount / "groups/g/members/m")
        self.daemon.define("schedules/s", {"every": "7h", "jitter": "1m"})
        self.daemon.define("policies/p", {"keep_last": 1, "verify": "quick"})
        self.add_flow("f", schedule="s", policy="p")
        self.add_flow("q", machine="q")
        self.add_file_machine("bad").path.unlink()
        self.add_flow("bad", machine="bad")
        copy = {"type": "replication", "target": "machines/q", "from": "r", "repository": "second"}
        self.daemon.define("flows/copy", copy)
        for kind in ("machines", "groups", "schedules", "policies", "repositories", "flows"):
            (self.daemon.mount / kind / "incomplete").mkdir()

    def documents(self):
        """Paths and texts of all status files."""
        for folder, _, files in os.walk(self.daemon.mount):
            for name in set(files) & set(NAMES):
                path = pathlib.Path(folder) / name
                yield str(path.relative_to(self.daemon.mount)), path.read_text()

    def test_every_status_file_has_a_revision_no_noise_and_null_for_the_unknown(self):
        for flow, end in (("f", "success"), ("f", "success"), ("f", "success"), ("q", "success"), ("bad", "error"), ("copy", "success")):
            name = f"{flow}-{len(os.listdir(self.daemon.mount / 'flows' / flow / 'executions'))}"
            self.assertEqual(self.daemon.run(flow, name), end)
        for flow in ("f", "bad"):
            self.daemon.write(f"flows/{flow}/control", f"test name=trial-{flow}")
            self.daemon.read(f"jobs/trial-{flow}/wait")
        self.daemon.write("machines/m/points/" + self.daemon.points("m")[0] + "/control", "pin")
        documents = dict(self.documents())
        self.assertGreater(len(documents), 40)
        kinds = {re.sub(r"(?<=/)[^/]+(?=/)", "X", path) for path in documents}
        self.assertGreaterEqual(len(kinds), 13, kinds)
        wrong = {path: faults(text) for path, text in documents.items()}
        self.assertEqual({path: found for path, found in wrong.items() if found}, {})

    def test_noise_a_missing_revision_and_an_empty_text_are_noticed(self):
        self.assertEqual(faults('{"revision": 1, "a": 0.247, "b": "0.24750000000000003", "c": [1.5]}'), [])
        self.assertEqual(
            faults('{"a": 0.24750000000000003, "b": [{"c": ""}], "d": 1e+20}'),
            ["no revision", "noise: 0.24750000000000003", "noise: 1e+20", "empty: .b.0.c"],
        )

    def test_by_is_the_caller_by_the_kernels_word_or_the_daemon_in_every_file(self):
        self.add_hook("tells", f"cat > {self.folder}/told")
        self.assertEqual(self.daemon.run("f", "manual"), "success")
        self.daemon.write("flows/q/control", "set hooks=tells after=f after_when=always")
        self.assertEqual(self.daemon.run("f", "api", "by=cron"), "success")
        self.until(lambda: self.daemon.json("flows/q/status.json")["total_executions"] == 1)
        self.until(lambda: not self.daemon.json("status.json")["running"])
        point = f"machines/m/points/{self.daemon.points('m')[-1]}"
        self.daemon.write(f"{point}/control", "pin")
        self.daemon.write(f"{point}/control", "verdict result=good by=ann")
        (facts,) = [path for path in self.folder.glob(f"repository-r/*/{self.daemon.points('m')[-1]}/facts.json")]
        self.until(lambda: len(json.loads(facts.read_text())["verdicts"]) == 1)
        texts = dict(self.documents())
        texts |= {name: self.daemon.read(name) for name in ("events.jsonl", "flows.jsonl", "points.jsonl")}
        texts |= {"facts.json": facts.read_text(), "hook": (self.folder / "told").read_text()}
        found = {
            f"{file}:{place}": by
            for file, text in texts.items()
            for line in (text.splitlines() if file.endswith("jsonl") else [text])
            for place, by in callers(json.loads(line))
        }
        self.assertEqual({place: by for place, by in found.items() if not is_caller(by)}, {})
        files = {place.partition(":")[0] for place in found}
        self.assertLessEqual({"events.jsonl", "points.jsonl", "facts.json", "hook", f"{point}/manifest.json"}, files)
        me = {"uid": os.getuid(), "gid": os.getgid(), "pid": os.getpid()}
        for name, by, by_name in (("f/executions/manual", me, "root"), ("f/executions/api", me, "cron"), ("q/latest", "daemon", "flows/f")):
            status = self.daemon.json(f"flows/{name}/status.json")
            self.assertEqual((status["by"], status["by_name"]), (by, by_name))
        manifest = self.daemon.json(f"{point}/manifest.json")
        self.assertEqual([(fact["by"], fact["by_name"]) for fact in manifest["pins"] + manifest["verdicts"]], [(me, "root"), (me, "ann")])

    def test_a_name_half_a_caller_and_null_are_noticed(self):
        document = {"by": "root", "pins": [{"by": {"uid": 0, "gid": 0}}, {"by": None}, {"by": "daemon"}]}
        wrong = [place for place, by in callers(document) if not is_caller(by)]
        self.assertEqual(wrong, ["", ".pins.0", ".pins.1"])

    def test_a_bad_end_is_called_error_in_the_log_and_the_metadata_of_a_dry_run_too(self):
        self.daemon.write("flows/bad/control", "test name=trial")
        self.assertEqual(self.daemon.read("jobs/trial/wait").strip(), "error")
        status = self.daemon.json("jobs/trial/status.json")
        self.assertEqual(list(status["metadata"]), ["ok", "warnings", "errors"])
        self.assertEqual(status["metadata"]["errors"], 1)
        words = {line.split(" ")[1] for line in self.daemon.read("jobs/trial/log").splitlines()}
        self.assertIn("error", words)
        self.assertNotIn("failed", words | set(status["message"].split()))


if __name__ == "__main__":
    holdfast.main()
