#!/usr/bin/python3
"""Hidden objects (law 19): a reader walks the whole mount and finds no name of an object that its modes hide.

Each hidden object has a random token in its name. It takes part in what the reader may see: in groups, runs, copies,
prunings, refusals and events."""

import json
import os
import random

import holdfast
from users import User, unnamed

LONGEST = 1 << 20  # bytes of a file that are searched
UNLISTED = {"at": ["now"], "preview": ["m"], "diff": ["latest..latest"]}


def texts_of(path):
    """Yields what the file system tells of a path: its target or its content, and its extended attributes."""
    if os.path.islink(path):
        yield os.readlink(path)
    elif os.path.isfile(path):
        with open(path, "rb") as file:
            yield file.read(LONGEST).decode(errors="replace")
    yield from os.listxattr(path, follow_symlinks=False)


def walk(root, token):
    """Returns the paths whose name or text has the token, and how many paths were looked at. What the user may not open
    is passed over, as `grep -r` does."""
    found, looked_at, directories = set(), 0, [root]
    while directories:
        directory = directories.pop()
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        names += UNLISTED.get(os.path.basename(directory), [])
        for name in names:
            path = os.path.join(directory, name)
            looked_at += 1
            if token in name:
                found.add(os.path.relpath(path, root))
            try:
                if os.path.isdir(path) and not os.path.islink(path):
                    directories.append(path)
                if any(token in text for text in texts_of(path)):
                    found.add(os.path.relpath(path, root))
            except OSError:
                continue
    return found, looked_at


class Sight(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.mount = self.daemon.mount
        owner, reader, self.team = unnamed(3)
        self.owner, self.reader = User(owner, groups=[self.team]), User(reader, groups=[self.team])
        self.token = f"h{random.Random(self.seed()).randrange(2**40):010x}"

    def hidden(self, name):
        return f"{self.token}{name}"

    def share(self, *paths):
        """Gives objects to the owner, and lets the team look into them and write to them."""
        self.give(self.team, 0o770, *paths)

    def hide(self, *paths):
        """Gives objects to the owner, who alone sees them."""
        self.give(self.owner.gid, 0o700, *paths)

    def give(self, group, mode, *paths):
        for path in paths:
            os.chown(self.mount / path, self.owner.uid, group)
            os.chmod(self.mount / path, mode)

    def make_a_group_with_a_hidden_machine(self):
        self.repository = self.add_repository("r")
        self.add_file_machine("m")
        self.disk = self.add_file_machine(self.hidden("m"))
        self.daemon.define("groups/g", {})
        for machine in ("m", self.hidden("m")):
            (self.mount / f"groups/g/members/{machine}").symlink_to(f"../../../machines/{machine}")
        self.daemon.define("policies/p", {"keep_last": 1, "retries": 0})
        self.daemon.define("schedules/s", {"every": "700h"})
        self.add_flow("f", target="groups/g", policy="p", schedule="s")
        self.share("repositories/r", "machines/m", "groups/g", "policies/p", "schedules/s")
        self.hide(f"machines/{self.hidden('m')}")

    def make_the_rest(self):
        """Makes a hidden repository, policy and flow that use what the reader may see, and lets runs end well and badly."""
        self.add_repository(self.hidden("r"))
        self.add_flow("copy", type="replication", target="groups/g", repository=self.hidden("r"), **{"from": "r"})
        self.add_flow(self.hidden("f"), policy="p", schedule="s", after="f")
        self.daemon.define(f"policies/{self.hidden('p')}", {"keep_last": 3})
        self.add_flow("deep", policy=self.hidden("p"), after=self.hidden("f"), repository=self.hidden("r"))
        self.hide(f"repositories/{self.hidden('r')}", f"policies/{self.hidden('p')}", f"flows/{self.hidden('f')}")
        self.share("flows/f", "flows/copy", "flows/deep")
        self.ends("success", "f", "first")
        self.daemon.write(f"machines/{self.hidden('m')}/latest/control", "pin why=kept")
        self.ends("success", "copy", "first")
        self.ends("success", self.hidden("f"), "first")
        self.ends("success", "f", "second")
        self.disk.path.unlink()
        self.ends("warning", "f", "bad")
        for image in self.repository.glob(f"{self.hidden('m')}*/*/*.qcow2"):
            with open(image, "r+b") as file:
                file.seek(5 << 16)
                file.write(b"damage")
        for job, path, verb in [("look", "repositories/r", "verify level=checksums"), ("try", "flows/f", "test"), ("try-copy", "flows/copy", "test")]:
            self.daemon.write(f"{path}/control", f"{verb} name={job}")
            self.daemon.read(f"jobs/{job}/wait")
        for collection in ("machines", "flows", "groups", "policies", "schedules", "repositories"):
            os.chmod(self.mount / collection, 0o777)

    def ends(self, status, flow, name):
        """Runs a flow, and waits for the flows and the prunings that follow it."""
        self.assertEqual(self.daemon.run(flow, name), status, self.daemon.read(f"flows/{flow}/executions/{name}/log"))
        self.until(lambda: self.daemon.json("status.json")["running"] == [])

    def refusals(self, user):
        """Returns the sentences of the user's refusals whose reasons are hidden objects."""
        told = []

        def refused(act, error):
            self.assertNotEqual(user.outcome(act), "ok")
            told.append(user.does(lambda: self.daemon.read(error)))

        for path in ("machines/m", "repositories/r", "policies/p", "schedules/s", "flows/f"):
            refused(lambda path=path: os.rmdir(self.mount / path), "error")
        refused(lambda: self.daemon.write("flows/f/control", "set after=deep"), "flows/f/error")
        return told

    def flow_with(self, **changes):
        """The text of flow f's definition, as root reads it, with changes."""
        return json.dumps(self.daemon.json("flows/f/config.json") | changes)

    def test_a_reader_finds_no_hidden_name_in_the_whole_mount_and_the_owner_finds_it_in_each_place(self):
        self.make_a_group_with_a_hidden_machine()
        notice = f"failure http://{self.token}@127.0.0.1:9/{self.token}"
        self.daemon.write("flows/f/config.json", self.flow_with(notify=[notice]))
        self.make_the_rest()
        self.assertNotEqual(self.reader.outcome(lambda: self.daemon.write("flows/copy/control", "clone to=mine")), "ok")
        told = self.refusals(self.reader)
        self.assertEqual([text for text in told if self.token in text], [])
        found, looked_at = self.reader.does(lambda: walk(str(self.mount), self.token))
        self.assertGreater(looked_at, 100)
        self.assertEqual(found, set())

        # The case that must fail: who may see the objects finds the token in every place that names them.
        told = self.refusals(self.owner)
        self.assertEqual([text for text in told if self.token not in text], [])
        found, _ = self.owner.does(lambda: walk(str(self.mount), self.token))
        work, machine = "flows/f/executions", self.hidden("m")
        for place in [
            "status.json", "events.jsonl", "flows.jsonl", "machines.jsonl", "points.jsonl", "error", "groups/g/status.json",
            f"groups/g/members/{machine}", f"{work}/first/points/{machine}", f"{work}/first/log",
            f"{work}/bad/log", f"{work}/bad/status.json", "flows/f/status.json", "flows/f/config.json", "flows/f/error",
            "flows/copy/config.json", "flows/deep/config.json", "schedules/s/status.json", "policies/p/preview/m",
            "machines/m/plan.json", "jobs/look/log", "jobs/look/status.json", "jobs/try/log", "jobs/try-copy/log",
        ]:
            with self.subTest(place):
                self.assertIn(place, found)
        for beginning, end in [("machines/m/points", "manifest.json"), ("machines/m/chains", "chain.json"), ("machines/m/disks", "status.json"), ("flows/deep/executions", "status.json")]:
            self.assertNotEqual([path for path in found if path.startswith(beginning) and path.endswith(end)], [], beginning)

    def test_a_hidden_member_is_found_by_no_name_and_counted_nowhere(self):
        self.make_a_group_with_a_hidden_machine()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.share("flows/f")
        for place in ("groups/g/members", "groups/g/at/now", "flows/f/executions/first/points", "policies/p/preview"):
            path = self.mount / place / self.hidden("m")
            self.assertTrue(os.path.lexists(path), path)
            self.assertFalse(self.reader.does(lambda path=path: os.path.lexists(path)), path)
            self.assertTrue(self.reader.does(lambda path=path: os.path.lexists(path.parent / "m")), path)

        def seen():
            group = self.daemon.json("groups/g/status.json")
            execution = self.daemon.json("flows/f/executions/first/status.json")
            counts = [execution[field] for field in ("jobs_created", "jobs_completed", "machines_processed")]
            return len(group["members"]), counts, len(execution["created_job_ids"]), len(os.listdir(self.mount / "flows/f/executions/first/jobs"))

        self.assertEqual(seen(), (2, [2, 2, 2], 2, 2))
        self.assertEqual(self.reader.does(seen), (1, [1, 1, 1], 1, 1))

    def test_a_hidden_member_is_not_named_by_commands_of_who_may_run_the_flow(self):
        self.make_a_group_with_a_hidden_machine()
        self.share("flows/f")
        for path, command, right in [
            ("flows/f/control", f"run machines={self.hidden('m')}", "ENOENT"),
            ("groups/g/control", f"disable machine={self.hidden('m')}", "ENOENT"),
        ]:
            self.assertEqual(self.reader.outcome(lambda path=path, command=command: self.daemon.write(path, command)), right)
            self.daemon.write(path, command)

    def test_the_secret_of_a_notice_is_shown_to_the_owner_and_root_and_kept_by_others_who_write(self):
        self.make_a_group_with_a_hidden_machine()
        secret = f"failure http://user:{self.token}@127.0.0.1:9/{self.token}?{self.token}"
        self.daemon.write("flows/f/config.json", self.flow_with(notify=[secret]))
        self.share("flows/f")

        def config():
            return self.daemon.json("flows/f/config.json")

        self.assertEqual(config()["notify"], [secret])
        self.assertEqual(self.owner.does(config)["notify"], [secret])
        shown = self.reader.does(config)
        self.assertEqual(shown["notify"], ["failure http://…"])
        self.assertNotIn(self.token, self.reader.does(lambda: self.daemon.read("flows.jsonl")))
        self.reader.does(lambda: self.daemon.write("flows/f/config.json", json.dumps(shown | {"description": "ours"})))
        self.assertEqual((config()["notify"], config()["description"]), ([secret], "ours"))
        changed = json.dumps(shown | {"notify": ["always http://…"]}, ensure_ascii=False)
        self.assertNotEqual(self.reader.outcome(lambda: self.daemon.write("flows/f/config.json", changed)), "ok")
        self.assertEqual(config()["notify"], [secret])


if __name__ == "__main__":
    holdfast.main()
