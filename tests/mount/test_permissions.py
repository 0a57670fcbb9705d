#!/usr/bin/python3
"""Law 19 with the three users of tests/lib/three_users.py. The table WHO_MAY_WHAT lists their rights."""

import errno
import json
import os

import holdfast
from three_users import OWNER, ROOT, STRANGER, TEAM, USERS, Permissions

REPLICATION = '{"type":"replication","target":"machines/m","from":"%s","repository":"r"}'

# Operations, with the outcome for root, the owner and the stranger. Operations: read PATH, write PATH TEXT, create
# PATH, mkdir PATH, rmdir PATH, mv PATH NAME, ln PATH, chmod PATH MODE, chown PATH UID GID.
WHO_MAY_WHAT = [
    # Reading. A closed directory closes everything below.
    ("read README.txt", "ok", "ok", "ok"),
    ("read status.json", "ok", "ok", "ok"),
    ("read config.json", "ok", "ok", "ok"),
    ("read events.jsonl", "ok", "ok", "ok"),
    ("read control", "ok", "ok", "ok"),
    ("read error", "ok", "ok", "ok"),
    ("read flows/f/status.json", "ok", "ok", "ok"),
    ("read flows/f/config.json", "ok", "ok", "ok"),
    ("read flows/f/config.schema.json", "ok", "ok", "ok"),
    ("read flows/f/control", "ok", "ok", "ok"),
    ("read flows/f/wait", "ok", "ok", "ok"),
    ("read flows/f/executions/first/status.json", "ok", "ok", "ok"),
    ("read flows/f/executions/first/wait", "ok", "ok", "ok"),
    ("read JOB/status.json", "ok", "ok", "ok"),
    ("read machines/m/status.json", "ok", "ok", "EACCES"),
    ("read machines/m/config.json", "ok", "ok", "EACCES"),
    ("read machines/m/plan.json", "ok", "ok", "EACCES"),
    ("read machines/m/disks/disk-0/status.json", "ok", "ok", "EACCES"),
    ("read machines/m/latest/manifest.json", "ok", "ok", "EACCES"),
    ("read machines/m/latest/disk-0.raw", "ok", "ok", "EACCES"),
    ("read machines/m/at/now/manifest.json", "ok", "ok", "EACCES"),
    ("read machines/m/diff/latest..latest", "ok", "ok", "EACCES"),
    ("read machines.jsonl", "ok", "ok", "ok"),
    ("read machines/m/latest/disk-0.qcow2", "ok", "ok", "EACCES"),
    ("read repositories/r/status.json", "ok", "EACCES", "ok"),
    ("read repositories/r/config.json", "ok", "EACCES", "ok"),
    ("read flows/secret/status.json", "ok", "EACCES", "EACCES"),
    ("read machines/secret/config.json", "ok", "EACCES", "EACCES"),
    ("read repositories/secret/config.json", "ok", "EACCES", "EACCES"),
    # Definitions.
    ('write config.json {"max_concurrent_jobs":3}', "ok", "EACCES", "EACCES"),
    ('write flows/f/config.json {"target":"machines/m","repository":"r"}', "ok", "ok", "EACCES"),
    ("write machines/m/config.json MACHINE", "ok", "ok", "EACCES"),
    ("write repositories/r/config.json REPOSITORY", "ok", "EACCES", "ok"),
    ("write flows/secret/config.json {}", "EINVAL", "EACCES", "EACCES"),
    ("read policies/p/config.json", "ok", "ok", "EACCES"),
    ("write policies/p/config.json {}", "ok", "EACCES", "EACCES"),
    ("read policies/p/preview/m", "ok", "ok", "EACCES"),
    ("read policies/p/preview/secret", "ok", "ENOENT", "EACCES"),
    # References: naming an object anew takes the right to write to the object.
    ('write flows/f/config.json {"target":"machines/secret","repository":"r"}', "EACCES", "EACCES", "EACCES"),
    ('write flows/f/config.json {"target":"machines/m","repository":"secret"}', "EACCES", "EACCES", "EACCES"),
    (f"write flows/f/config.json {REPLICATION % 'secret'}", "EACCES", "EACCES", "EACCES"),
    (f"write flows/f/config.json {REPLICATION % 'offsite'}", "ok", "EACCES", "EACCES"),
    ('write flows/f/config.json {"type":"replication","target":"machines/m","repository":"r"}', "EINVAL", "EINVAL", "EACCES"),
    ('write flows/f/config.json {"target":"machines/m","repository":"r","policy":"p"}', "ok", "ok", "EACCES"),
    ('write flows/f/config.json {"target":"machines/m","repository":"r","policy":"secret"}', "ok", "EACCES", "EACCES"),
    ('write flows/f/config.json {"target":"machines/m","repository":"r","policy":"none"}', "ENOENT", "ENOENT", "EACCES"),
    # Commands.
    ("write flows/f/control enable", "ok", "ok", "EACCES"),
    ("write control run flows=f", "ok", "EACCES", "EACCES"),
    ("write control disable flows=f", "ok", "EACCES", "EACCES"),
    ("write control enable flows=f", "ok", "EACCES", "EACCES"),
    ("write machines/m/control reset-cbt", "ok", "ok", "EACCES"),
    ("write flows/f/control set description=x", "ok", "ok", "EACCES"),
    ("write flows/f/control clone to=copy", "ok", "EACCES", "EACCES"),
    ("write flows/f/control disable", "ok", "ok", "EACCES"),
    ("write flows/f/control run", "ok", "ok", "EACCES"),
    ("write flows/f/control test", "ok", "ok", "EACCES"),
    ("write flows/f/control cancel", "EINVAL", "EINVAL", "EACCES"),
    ("write flows/f/executions/first/control cancel", "EINVAL", "EINVAL", "EACCES"),
    ("write JOB/control cancel", "EINVAL", "EINVAL", "EACCES"),
    ("write machines/m/control verify", "ok", "ok", "EACCES"),
    ("write machines/m/control repair", "ok", "ok", "EACCES"),
    ("write machines/m/control prune", "ok", "ok", "EACCES"),
    ("write machines/m/control retire", "ok", "ok", "EACCES"),
    ("write machines/m/control unretire", "EINVAL", "EINVAL", "EACCES"),
    ("write machines/m/control backup repository=r", "ok", "EACCES", "EACCES"),
    ("write machines/m/control backup repository=secret", "ok", "EACCES", "EACCES"),
    ("write machines/m/latest/control verify", "ok", "ok", "EACCES"),
    ("write machines/m/latest/control repair", "ok", "ok", "EACCES"),
    ("write machines/m/latest/control boot-check timeout=1s", "ok", "ok", "EACCES"),
    ("write machines/m/latest/control pin", "ok", "ok", "EACCES"),
    ("write machines/m/latest/control unpin", "ok", "ENOENT", "EACCES"),
    ("write machines/m/latest/control verdict result=good by=ann", "ok", "ok", "EACCES"),
    ("write repositories/r/control verify", "ok", "EACCES", "ok"),
    ("write repositories/r/control repair", "ok", "EACCES", "ok"),
    ("write repositories/r/control test", "ok", "EACCES", "ok"),
    ("write repositories/r/control rescan", "ok", "EACCES", "EPERM"),
    ("write repositories/r/control gc", "ok", "EACCES", "EPERM"),
    ("write repositories/r/control gc do=aside", "ok", "EACCES", "EPERM"),
    ("write repositories/r/control gc do=delete", "ok", "EACCES", "EPERM"),
    ("write repositories/r/control detach", "ok", "EACCES", "ok"),
    ("write repositories/r/control attach", "EINVAL", "EACCES", "EINVAL"),
    ("write repositories/r/control take-over why=x", "EINVAL", "EACCES", "EPERM"),
    ("write repositories/r/control import file=/etc/shadow machine=m disk=disk-0", "EEXIST", "EACCES", "EPERM"),
    ("write flows/secret/control run", "EINVAL", "EACCES", "EACCES"),
    ("write control drain", "ok", "EACCES", "EACCES"),
    ("write control resume", "EINVAL", "EACCES", "EACCES"),
    # Backups are read-only.
    ("write machines/m/latest/disk-0.raw x", "EROFS", "EROFS", "EACCES"),
    ("write machines/m/status.json x", "EPERM", "EACCES", "EACCES"),
    # Names.
    ("mkdir flows/new", "ok", "EACCES", "EACCES"),
    ("mkdir machines/new", "ok", "EACCES", "EACCES"),
    ("mkdir repositories/new", "ok", "EACCES", "EACCES"),
    ("mkdir policies/new", "ok", "EACCES", "EACCES"),
    ("mkdir jobs/new", "EPERM", "EACCES", "EACCES"),
    ("mv flows/f g", "ok", "EACCES", "EACCES"),
    ("mv machines/secret s", "ok", "EACCES", "EACCES"),
    ("rmdir machines/m", "EBUSY", "EACCES", "EACCES"),
    ("rmdir flows/secret", "ok", "EACCES", "EACCES"),
    ("rmdir machines/m/points/NEWEST", "EBUSY", "EBUSY", "EACCES"),
    ("ln flows/link", "EPERM", "EACCES", "EACCES"),
    # Scratch files beside a definition.
    ("create flows/f/config.json.new", "ok", "ok", "EACCES"),
    ("create machines/secret/config.json.new", "ok", "EACCES", "EACCES"),
    # Ownership and modes, by the kernel's rules.
    ("chmod flows/f 0700", "ok", "ok", "EPERM"),
    ("chmod flows/f 0750", "ok", "ok", "EPERM"),
    (f"chown flows/f {OWNER.uid} {OWNER.gid}", "ok", "ok", "EPERM"),
    (f"chown flows/f {STRANGER.uid} {OWNER.gid}", "ok", "EPERM", "EPERM"),
    (f"chown machines/m {OWNER.uid} {TEAM}", "ok", "EPERM", "EPERM"),
    (f"chown flows {OWNER.uid} 0", "ok", "EPERM", "EPERM"),
    ("chmod flows 0777", "ok", "EPERM", "EPERM"),
    ("chmod flows/f/config.json 0666", "EPERM", "EPERM", "EPERM"),
    ("chmod flows/f/config.json 0640", "ok", "ok", "EPERM"),
    ("chmod status.json 0666", "EPERM", "EPERM", "EPERM"),
]


class Table(Permissions):
    def setUp(self):
        super().setUp()
        self.add_repository("offsite")
        os.chown(self.mount / "repositories/offsite", 0, TEAM)
        os.chmod(self.mount / "repositories/offsite", 0o770)

    def put_back(self):
        """Undoes the changes of a row."""
        for old, new in [("flows/g", "flows/f"), ("machines/s", "machines/secret")]:
            if (self.mount / old).exists():
                (self.mount / old).rename(self.mount / new)
        for kind in ("machines", "flows", "repositories", "policies"):
            for made in ("new", "copy"):
                if (self.mount / kind / made).exists():
                    (self.mount / kind / made).rmdir()
        if not (self.mount / "flows/secret").exists():
            (self.mount / "flows/secret").mkdir()
        for path in ("flows/f", "machines/secret"):
            if (self.mount / path / "config.json.new").exists():
                (self.mount / path / "config.json.new").unlink()
        if self.daemon.json("machines/m/status.json")["retired_until"]:
            self.daemon.write("machines/m/control", "unretire")
        if self.daemon.json("status.json")["draining"]:
            self.daemon.write("control", "resume")
        if self.daemon.json("repositories/r/status.json")["state"] == "detached":
            self.daemon.write("repositories/r/control", "attach")
        self.daemon.read("flows/f/wait")
        for job in os.listdir(self.mount / "jobs"):
            self.daemon.read(f"jobs/{job}/wait")
        os.chown(self.mount / "flows", 0, 0)
        os.chmod(self.mount / "flows", 0o755)
        self.hand_out()
        self.daemon.write("flows/f/config.json", '{"target":"machines/m","repository":"r"}')

    def test_each_user_does_exactly_what_the_table_allows(self):
        for deed, *expected in WHO_MAY_WHAT:
            for who, outcome in zip(USERS, expected, strict=True):
                with self.subTest(deed=deed, who=who):
                    self.assertEqual(USERS[who].outcome(self.perform(deed)), outcome)
                    if outcome == "ok" and not deed.startswith("read"):
                        self.put_back()

    def test_the_table_has_every_verb_of_every_control(self):
        deeds = [deed for deed, *_ in WHO_MAY_WHAT]
        for control in [
            "flows/f/control",
            "flows/f/executions/first/control",
            "machines/m/control",
            "machines/m/latest/control",
            "repositories/r/control",
            "control",
        ]:
            listing = self.daemon.read(control)
            for line in listing.splitlines():
                if not line.startswith(" "):
                    row = f"write {control} {line.split()[0]}"
                    self.assertTrue(any(deed.startswith(row) for deed in deeds), row)


class Seeing(Permissions):
    def names(self, who, folder):
        return set(USERS[who].does(lambda: os.listdir(self.mount / folder)))

    def test_listings_show_only_objects_open_to_the_reader(self):
        for folder, root, owner, stranger in [
            ("flows", {"f", "secret"}, {"f"}, {"f"}),
            ("machines", {"m", "secret"}, {"m"}, set()),
            ("repositories", {"r", "secret"}, set(), {"r"}),
        ]:
            for who, expected in [("root", root), ("owner", owner), ("stranger", stranger)]:
                self.assertEqual(self.names(who, folder), expected, (folder, who))

    def test_a_job_is_listed_for_users_who_may_look_into_its_object(self):
        self.daemon.write("machines/m/control", "verify name=of-machine")
        self.daemon.write("repositories/r/control", "verify name=of-repository")
        job = os.listdir(self.mount / "flows/f/executions/first/jobs")[0]
        self.assertEqual(self.names("root", "jobs"), {job, "of-machine", "of-repository"})
        self.assertEqual(self.names("owner", "jobs"), {job, "of-machine"})
        self.assertEqual(self.names("stranger", "jobs"), {"of-repository"})  # the other jobs are of the closed machine

    def totals(self, who):
        return json.loads(USERS[who].does(lambda: self.daemon.read("status.json")))["totals"]

    def test_totals_count_only_objects_open_to_the_reader(self):
        counted = ("machines", "repositories", "flows", "points")
        for who, expected in [("root", [2, 2, 2, 1]), ("owner", [1, 0, 1, 1]), ("stranger", [0, 1, 1, 0])]:
            self.assertEqual([self.totals(who)[name] for name in counted], expected, who)

    def test_objects_of_a_closed_collection_are_in_no_total(self):
        os.chmod(self.mount / "flows", 0o700)
        self.assertEqual(self.totals("owner")["flows"], 0)
        with self.assertRaises(PermissionError):
            OWNER.does(lambda: os.listdir(self.mount / "flows"))

    def test_the_size_of_a_file_matches_what_its_reader_gets(self):
        for who, user in USERS.items():
            for path in ("status.json", "events.jsonl", "error", "flows/f/config.json"):

                def compare(path=path):
                    return os.stat(self.mount / path).st_size, len((self.mount / path).read_bytes())

                size, length = user.does(compare)
                self.assertEqual(size, length, (who, path))

    def objects(self, who):
        text = USERS[who].does(lambda: self.daemon.read("events.jsonl"))
        return [json.loads(line)["object"] for line in text.splitlines()]

    def test_an_event_is_shown_to_users_who_could_look_into_its_object_then(self):
        self.daemon.write("flows/f/control", "disable")
        self.daemon.write("machines/m/control", "verify name=check")
        self.daemon.read("jobs/check/wait")
        root, owner, stranger = (self.objects(who) for who in USERS)
        self.assertLess(set(owner), set(root))
        self.assertIn("repositories/secret", root)
        self.assertEqual(set(owner), {"flows/f", "machines/m", "policies/p"} | {one for one in owner if "/points/" in one or "/executions/" in one})
        self.assertIn("flows/f", stranger)
        self.assertFalse([one for one in stranger if one.startswith("machines")])
        # A new object of the same name shows no event of the removed one.
        (self.mount / "flows/secret").rmdir()
        (self.mount / "flows/secret").mkdir()
        os.chown(self.mount / "flows/secret", STRANGER.uid, STRANGER.gid)
        seen = [json.loads(line) for line in STRANGER.does(lambda: self.daemon.read("events.jsonl")).splitlines()]
        self.assertEqual([one["event"] for one in seen if one["object"] == "flows/secret"], ["flow.own"])

    def test_images_are_readable_only_for_the_owner_and_the_group_even_of_an_open_machine(self):
        os.chmod(self.mount / "machines/m", 0o755)
        STRANGER.does(lambda: self.daemon.read("machines/m/status.json"))
        self.assertEqual(STRANGER.outcome(self.perform("read machines/m/latest/disk-0.raw")), "EACCES")
        os.chown(self.mount / "machines/m", OWNER.uid, TEAM)
        self.assertEqual(STRANGER.outcome(self.perform("read machines/m/latest/disk-0.raw")), "ok")
        os.chown(self.mount / "machines/m", OWNER.uid, OWNER.gid)
        self.assertEqual(STRANGER.outcome(self.perform("read machines/m/latest/disk-0.raw")), "EACCES")

    def test_points_and_executions_belong_to_the_owner_of_their_object(self):
        image = self.mount / "machines/m/latest/disk-0.raw"
        os.chown(self.mount / "machines/m", 0, 0)
        self.until(lambda: image.stat().st_uid == 0)
        os.chown(self.mount / "machines/m", OWNER.uid, OWNER.gid)
        self.until(lambda: image.stat().st_uid == OWNER.uid)
        for path, group in [
            ("machines/m/latest/", OWNER.gid),
            ("machines/m/latest/disk-0.raw", OWNER.gid),
            ("flows/f/latest/status.json", TEAM),
        ]:
            facts = (self.mount / path).stat()
            self.assertEqual((facts.st_uid, facts.st_gid), (OWNER.uid, group), path)


class Handing(Permissions):
    def test_an_owner_runs_the_own_flow_and_restores_from_its_point(self):
        def work():
            self.daemon.write("flows/f/control", "run name=his")
            status = self.daemon.read("flows/f/executions/his/wait").strip()
            with open(self.mount / "machines/m/latest/disk-0.raw", "rb") as image:
                return status, len(image.read(2**20))

        self.assertEqual(OWNER.does(work), ("success", 2**20))
        status = self.daemon.json("flows/f/executions/his/status.json")
        self.assertEqual((status["by"]["uid"], status["by_name"]), (OWNER.uid, str(OWNER.uid)))

    def test_a_flow_does_only_what_its_owner_may(self):
        os.chown(self.mount / "flows/f", OWNER.uid, OWNER.gid)  # group TEAM loses the flow, which so loses repository r
        for user, seen in [(ROOT, "r"), (OWNER, "…")]:
            self.assertEqual(user.outcome(self.perform("write flows/f/control run")), "EACCES")
            said = user.does(lambda: self.daemon.read("flows/f/error"))
            self.assertIn(f"belongs to user {OWNER.uid}, who may not write to repositories/{seen};", said)
        self.assertEqual(os.listdir(self.mount / "flows/f/executions").count("first"), 1)
        os.chmod(self.mount / "repositories/r", 0o777)
        self.assertEqual(OWNER.outcome(self.perform("write flows/f/control run")), "ok")

    def test_an_opened_collection_lets_its_group_make_objects(self):
        os.chown(self.mount / "flows", 0, TEAM)
        os.chmod(self.mount / "flows", 0o775)
        STRANGER.does(lambda: os.mkdir(self.mount / "flows/mine"))
        facts = (self.mount / "flows/mine").stat()
        self.assertEqual((facts.st_uid, facts.st_gid, facts.st_mode & 0o777), (STRANGER.uid, STRANGER.gid, 0o750))
        self.assertEqual(OWNER.outcome(self.perform("mkdir flows/other")), "EACCES")
        # Objects of other owners stay closed.
        self.assertEqual(STRANGER.outcome(self.perform("rmdir flows/secret")), "EACCES")
        self.assertEqual(STRANGER.outcome(self.perform("mv flows/f g")), "EACCES")
        self.assertIn("not yours", STRANGER.does(lambda: self.daemon.read("error")))
        self.assertEqual(STRANGER.outcome(self.perform("rmdir flows/mine")), "ok")
        # Owner and mode of the collection survive a restart.
        self.daemon.stop()
        self.daemon.start()
        facts = (self.mount / "flows").stat()
        self.assertEqual((facts.st_gid, facts.st_mode & 0o777), (TEAM, 0o775))

    def test_chown_and_chmod_to_the_present_values_make_no_event(self):
        before = self.daemon.read("events.jsonl")
        for path in ("flows", "flows/f", "flows/f/config.json", "flows/f/status.json", "machines/m/latest/disk-0.raw"):
            facts = (self.mount / path).stat()
            os.chown(self.mount / path, facts.st_uid, facts.st_gid)
            os.chmod(self.mount / path, facts.st_mode & 0o7777)
        self.assertEqual(self.daemon.read("events.jsonl"), before)

    def test_modes_beyond_0777_are_refused(self):
        with self.assertRaises(OSError) as refusal:
            os.chmod(self.mount / "flows/f", 0o2750)
        self.assertEqual(refusal.exception.errno, errno.EINVAL)
        self.assertIn("2750", self.daemon.read("flows/f/error"))


if __name__ == "__main__":
    holdfast.main()
