#!/usr/bin/python3
"""Law 19 with three users: root, an owner, and a stranger who is in a group.

What root has handed out, with chown and chmod alone:

    machines/m         owner:owner   0750    the owner's own
    flows/f            owner:team    0750    the owner's; the stranger, who is in the team, may look into it
    repositories/r     root:team     0770    the team's: flow f may write there because its group may
    machines/secret, flows/secret, repositories/secret     root:root   0750    nobody else's

The table WHO_MAY_WHAT says who may do what there."""

import errno
import json
import os

import holdfast
from users import User

TEAM = 2000
ROOT, OWNER, STRANGER = User(0), User(1001), User(1002, groups=[TEAM])
USERS = {"root": ROOT, "owner": OWNER, "stranger": STRANGER}

# What is done; and what comes of it for root, the owner and the stranger.
#   read PATH, write PATH TEXT, mkdir PATH, rmdir PATH, mv PATH NAME, ln PATH, chmod PATH MODE, chown PATH UID GID
WHO_MAY_WHAT = [
    # Looking. Where a directory is closed, so is all below it.
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
    # Defining.
    ('write config.json {"max_concurrent_jobs":3}', "ok", "EACCES", "EACCES"),
    ('write flows/f/config.json {"target":"machines/m","repository":"r"}', "ok", "ok", "EACCES"),
    ("write machines/m/config.json MACHINE", "ok", "ok", "EACCES"),
    ("write repositories/r/config.json REPOSITORY", "ok", "EACCES", "ok"),
    ("write flows/secret/config.json {}", "EINVAL", "EACCES", "EACCES"),
    # References: whoever names something anew must be able to write to it.
    ('write flows/f/config.json {"target":"machines/secret","repository":"r"}', "EACCES", "EACCES", "EACCES"),
    ('write flows/f/config.json {"target":"machines/m","repository":"secret"}', "EACCES", "EACCES", "EACCES"),
    # Commands.
    ("write flows/f/control enable", "ok", "ok", "EACCES"),
    ("write control run flows=f", "ok", "EACCES", "EACCES"),
    ("write control disable flows=f", "ok", "EACCES", "EACCES"),
    ("write control enable flows=f", "ok", "EACCES", "EACCES"),
    ("write flows/f/control set description=x", "ok", "ok", "EACCES"),
    ("write flows/f/control clone to=copy", "ok", "EACCES", "EACCES"),
    ("write flows/f/control disable", "ok", "ok", "EACCES"),
    ("write flows/f/control run", "ok", "ok", "EACCES"),
    ("write flows/f/control cancel", "EINVAL", "EINVAL", "EACCES"),
    ("write flows/f/executions/first/control cancel", "EINVAL", "EINVAL", "EACCES"),
    ("write JOB/control cancel", "EINVAL", "EINVAL", "EACCES"),
    ("write machines/m/control verify", "ok", "ok", "EACCES"),
    ("write machines/m/latest/control verify", "ok", "ok", "EACCES"),
    ("write machines/m/latest/control pin", "ok", "ok", "EACCES"),
    ("write machines/m/latest/control unpin", "ok", "ENOENT", "EACCES"),
    ("write machines/m/latest/control verdict result=good by=ann", "ok", "ok", "EACCES"),
    ("write repositories/r/control verify", "ok", "EACCES", "ok"),
    ("write repositories/r/control import file=/etc/shadow machine=m disk=disk-0", "EEXIST", "EACCES", "EPERM"),
    ("write flows/secret/control run", "EINVAL", "EACCES", "EACCES"),
    ("write control drain", "ok", "EACCES", "EACCES"),
    ("write control resume", "EINVAL", "EACCES", "EACCES"),
    # Backups are nobody's to write.
    ("write machines/m/latest/disk-0.raw x", "EROFS", "EACCES", "EACCES"),
    ("write machines/m/status.json x", "EPERM", "EACCES", "EACCES"),
    # Names.
    ("mkdir flows/new", "ok", "EACCES", "EACCES"),
    ("mkdir machines/new", "ok", "EACCES", "EACCES"),
    ("mkdir repositories/new", "ok", "EACCES", "EACCES"),
    ("mkdir jobs/new", "EPERM", "EACCES", "EACCES"),
    ("mv flows/f g", "ok", "EACCES", "EACCES"),
    ("mv machines/secret s", "ok", "EACCES", "EACCES"),
    ("rmdir machines/m", "EBUSY", "EACCES", "EACCES"),
    ("rmdir flows/secret", "ok", "EACCES", "EACCES"),
    ("ln flows/link", "EPERM", "EACCES", "EACCES"),
    # Scratch files beside a definition.
    ("create flows/f/config.json.new", "ok", "ok", "EACCES"),
    ("create machines/secret/config.json.new", "ok", "EACCES", "EACCES"),
    # Giving away, as the kernel has it.
    ("chmod flows/f 0700", "ok", "ok", "EPERM"),
    ("chmod flows/f 0750", "ok", "ok", "EPERM"),
    ("chown flows/f 1001 1001", "ok", "ok", "EPERM"),
    ("chown flows/f 1002 1001", "ok", "EPERM", "EPERM"),
    ("chown machines/m 1001 2000", "ok", "EPERM", "EPERM"),
    ("chown flows 1001 0", "ok", "EPERM", "EPERM"),
    ("chmod flows 0777", "ok", "EPERM", "EPERM"),
    ("chmod flows/f/config.json 0666", "EPERM", "EPERM", "EPERM"),
    ("chmod flows/f/config.json 0640", "ok", "ok", "EPERM"),
    ("chmod status.json 0666", "EPERM", "EPERM", "EPERM"),
]


class Permissions(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.mount = self.daemon.mount
        self.folder.chmod(0o755)
        self.path = self.add_repository()
        self.storage = self.add_machine()
        self.add_flow()
        self.add_repository("secret")
        for kind in ("machines", "flows"):
            (self.mount / kind / "secret").mkdir()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.hand_out()

    def hand_out(self):
        """As an administrator does, with chown and chmod."""
        for path, uid, gid, mode in [
            ("machines/m", OWNER.uid, OWNER.gid, 0o750),
            ("flows/f", OWNER.uid, TEAM, 0o750),
            ("repositories/r", 0, TEAM, 0o770),
        ]:
            os.chown(self.mount / path, uid, gid)
            os.chmod(self.mount / path, mode)

    def perform(self, deed):
        """Does what a row of the table says."""
        verb, path, *more = deed.split(" ", 2)
        job = os.listdir(self.mount / "flows/f/executions/first/jobs")[0]
        path = self.mount / path.replace("JOB", f"jobs/{job}")
        text = more[0] if more else ""
        if text == "MACHINE":
            text = json.dumps(self.storage.definition() | {"description": "his"})
        if text == "REPOSITORY":
            text = json.dumps({"path": str(self.path), "description": "theirs"})

        def act():
            if verb == "read":
                with open(path, "rb") as file:
                    return file.read(4096)
            if verb == "write":
                return self.daemon.write(path, text)
            if verb == "create":
                return os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            if verb == "chown":
                return os.chown(path, *map(int, text.split()))
            return {
                "mkdir": os.mkdir,
                "rmdir": os.rmdir,
                "mv": lambda old: os.rename(old, old.parent / text),
                "ln": lambda new: os.symlink("nowhere", new),
                "chmod": lambda one: os.chmod(one, int(text, 8)),
            }[verb](path)

        return act


class Table(Permissions):
    def put_back(self):
        """What a row has changed."""
        for old, new in [("flows/g", "flows/f"), ("machines/s", "machines/secret")]:
            if (self.mount / old).exists():
                (self.mount / old).rename(self.mount / new)
        for kind in ("machines", "flows", "repositories"):
            for made in ("new", "copy"):
                if (self.mount / kind / made).exists():
                    (self.mount / kind / made).rmdir()
        if not (self.mount / "flows/secret").exists():
            (self.mount / "flows/secret").mkdir()
        for path in ("flows/f", "machines/secret"):
            if (self.mount / path / "config.json.new").exists():
                (self.mount / path / "config.json.new").unlink()
        if self.daemon.json("status.json")["draining"]:
            self.daemon.write("control", "resume")
        self.daemon.read("flows/f/wait")
        for job in os.listdir(self.mount / "jobs"):
            if job != "error":
                self.daemon.read(f"jobs/{job}/wait")
        os.chown(self.mount / "flows", 0, 0)
        os.chmod(self.mount / "flows", 0o755)
        self.hand_out()

    def test_each_does_what_the_table_lets_him_and_nothing_else(self):
        for deed, *expected in WHO_MAY_WHAT:
            for who, outcome in zip(USERS, expected, strict=True):
                with self.subTest(deed=deed, who=who):
                    self.assertEqual(USERS[who].outcome(self.perform(deed)), outcome)
                    self.put_back()

    def test_the_table_has_every_verb_and_every_kind_of_file(self):
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
        return set(USERS[who].does(lambda: os.listdir(self.mount / folder))) - {"error"}

    def test_listings_show_what_is_his(self):
        for folder, root, owner, stranger in [
            ("flows", {"f", "secret"}, {"f"}, {"f"}),
            ("machines", {"m", "secret"}, {"m"}, set()),
            ("repositories", {"r", "secret"}, set(), {"r"}),
        ]:
            for who, expected in [("root", root), ("owner", owner), ("stranger", stranger)]:
                self.assertEqual(self.names(who, folder), expected, (folder, who))

    def test_jobs_are_listed_to_whom_their_object_is_open(self):
        self.daemon.write("machines/m/control", "verify name=of-machine")
        self.daemon.write("repositories/r/control", "verify name=of-repository")
        job = os.listdir(self.mount / "flows/f/executions/first/jobs")[0]
        self.assertEqual(self.names("root", "jobs"), {job, "of-machine", "of-repository"})
        self.assertEqual(self.names("owner", "jobs"), {job, "of-machine"})
        self.assertEqual(self.names("stranger", "jobs"), {job, "of-repository"})

    def totals(self, who):
        return json.loads(USERS[who].does(lambda: self.daemon.read("status.json")))["totals"]

    def test_totals_count_what_is_his(self):
        counted = ("machines", "repositories", "flows", "points")
        for who, expected in [("root", [2, 2, 2, 1]), ("owner", [1, 0, 1, 1]), ("stranger", [0, 1, 1, 0])]:
            self.assertEqual([self.totals(who)[name] for name in counted], expected, who)

    def test_what_a_closed_collection_holds_is_in_no_total(self):
        os.chmod(self.mount / "flows", 0o700)
        self.assertEqual(self.totals("owner")["flows"], 0)
        with self.assertRaises(PermissionError):
            OWNER.does(lambda: os.listdir(self.mount / "flows"))

    def test_sizes_are_those_of_what_he_reads(self):
        for who, user in USERS.items():
            for path in ("status.json", "events.jsonl", "flows/error", "flows/f/config.json"):

                def compare(path=path):
                    return os.stat(self.mount / path).st_size, len((self.mount / path).read_bytes())

                size, length = user.does(compare)
                self.assertEqual(size, length, (who, path))

    def objects(self, who):
        text = USERS[who].does(lambda: self.daemon.read("events.jsonl"))
        return [json.loads(line)["object"] for line in text.splitlines()]

    def test_events_are_shown_to_whom_the_object_was_open_when_they_happened(self):
        self.daemon.write("flows/f/control", "disable")
        self.daemon.write("machines/m/control", "verify name=check")
        self.daemon.read("jobs/check/wait")
        root, owner, stranger = (self.objects(who) for who in USERS)
        self.assertLess(set(owner), set(root))
        self.assertIn("repositories/secret", root)
        self.assertEqual(set(owner), {"flows/f", "machines/m"} | {one for one in owner if "/points/" in one or "/executions/" in one})
        self.assertIn("flows/f", stranger)
        self.assertFalse([one for one in stranger if one.startswith("machines")])
        # A name that is used again brings nothing of its earlier bearer along.
        (self.mount / "flows/secret").rmdir()
        (self.mount / "flows/secret").mkdir()
        os.chown(self.mount / "flows/secret", STRANGER.uid, STRANGER.gid)
        seen = [json.loads(line) for line in STRANGER.does(lambda: self.daemon.read("events.jsonl")).splitlines()]
        self.assertEqual([one["event"] for one in seen if one["object"] == "flows/secret"], ["flow.own"])

    def test_images_are_the_owners_and_his_groups_also_where_the_machine_is_open(self):
        os.chmod(self.mount / "machines/m", 0o755)
        STRANGER.does(lambda: self.daemon.read("machines/m/status.json"))
        self.assertEqual(STRANGER.outcome(self.perform("read machines/m/latest/disk-0.raw")), "EACCES")
        os.chown(self.mount / "machines/m", OWNER.uid, TEAM)
        self.assertEqual(STRANGER.outcome(self.perform("read machines/m/latest/disk-0.raw")), "ok")
        os.chown(self.mount / "machines/m", OWNER.uid, OWNER.gid)
        self.assertEqual(STRANGER.outcome(self.perform("read machines/m/latest/disk-0.raw")), "EACCES")

    def test_what_an_object_makes_is_whose_it_is(self):
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
    def test_an_owner_runs_his_flow_and_restores_from_it(self):
        def work():
            self.daemon.write("flows/f/control", "run name=his")
            status = self.daemon.read("flows/f/executions/his/wait").strip()
            with open(self.mount / "machines/m/latest/disk-0.raw", "rb") as image:
                return status, len(image.read(2**20))

        self.assertEqual(OWNER.does(work), ("success", 2**20))
        self.assertEqual(self.daemon.json("flows/f/executions/his/status.json")["by"], str(OWNER.uid))

    def test_a_flow_does_only_what_its_owner_may(self):
        os.chown(self.mount / "flows/f", OWNER.uid, OWNER.gid)  # no longer the team's: repository r is closed to it
        for user in (ROOT, OWNER):
            self.assertEqual(user.outcome(self.perform("write flows/f/control run")), "EACCES")
            said = user.does(lambda: self.daemon.read("flows/f/error"))
            self.assertRegex(said, r"belongs to user 1001, who may not write to repositories/r")
        self.assertEqual(os.listdir(self.mount / "flows/f/executions").count("first"), 1)
        os.chmod(self.mount / "repositories/r", 0o777)
        self.assertEqual(OWNER.outcome(self.perform("write flows/f/control run")), "ok")

    def test_a_collection_that_is_opened_lets_others_make_objects(self):
        os.chown(self.mount / "flows", 0, TEAM)
        os.chmod(self.mount / "flows", 0o775)
        STRANGER.does(lambda: os.mkdir(self.mount / "flows/mine"))
        facts = (self.mount / "flows/mine").stat()
        self.assertEqual((facts.st_uid, facts.st_gid, facts.st_mode & 0o777), (STRANGER.uid, STRANGER.gid, 0o750))
        self.assertEqual(OWNER.outcome(self.perform("mkdir flows/other")), "EACCES")
        # Others' objects stay theirs.
        self.assertEqual(STRANGER.outcome(self.perform("rmdir flows/secret")), "EACCES")
        self.assertEqual(STRANGER.outcome(self.perform("mv flows/f g")), "EACCES")
        self.assertIn("not yours", STRANGER.does(lambda: self.daemon.read("flows/error")))
        self.assertEqual(STRANGER.outcome(self.perform("rmdir flows/mine")), "ok")
        # The modes are kept.
        self.daemon.stop()
        self.daemon.start()
        facts = (self.mount / "flows").stat()
        self.assertEqual((facts.st_gid, facts.st_mode & 0o777), (TEAM, 0o775))

    def test_changing_to_what_is_there_already_is_no_change(self):
        before = self.daemon.read("events.jsonl")
        for path in ("flows", "flows/f", "flows/f/config.json", "flows/f/status.json", "machines/m/latest/disk-0.raw"):
            facts = (self.mount / path).stat()
            os.chown(self.mount / path, facts.st_uid, facts.st_gid)
            os.chmod(self.mount / path, facts.st_mode & 0o7777)
        self.assertEqual(self.daemon.read("events.jsonl"), before)

    def test_modes_have_no_other_bits(self):
        with self.assertRaises(OSError) as refusal:
            os.chmod(self.mount / "flows/f", 0o2750)
        self.assertEqual(refusal.exception.errno, errno.EINVAL)
        self.assertIn("2750", self.daemon.read("flows/error"))


class HostNames(Permissions):
    """What names the host is root's to set, whatever else somebody may do."""

    MACHINES = [
        ({"driver": "file", "disks": [{"name": "d", "path": "/etc/shadow"}]}, "disks[0].path"),
        ({"driver": "nbd", "disks": [{"name": "d", "uri": "nbd+unix:///?socket=/etc/shadow"}]}, "disks[0].uri"),
        ({"driver": "qmp", "socket": "/etc/shadow", "disks": [{"name": "d", "node": "n"}]}, "socket"),
    ]

    def setUp(self):
        super().setUp()
        for kind in ("machines", "flows", "repositories"):
            os.chmod(self.mount / kind, 0o777)
            STRANGER.does(lambda kind=kind: os.mkdir(self.mount / kind / "mine"))

    def refused(self, path, definition):
        """The sentence with which the stranger is told EPERM."""

        def attempt():
            try:
                self.daemon.write(f"{path}/config.json", json.dumps(definition))
            except PermissionError as error:
                return error.errno, self.daemon.read(f"{path}/error")
            return None

        number, sentence = STRANGER.does(attempt)
        self.assertEqual(number, errno.EPERM)
        return sentence

    def test_a_stranger_reads_no_file_of_the_host_through_a_machine(self):
        for definition, field in self.MACHINES:
            with self.subTest(field=field):
                said = self.refused("machines/mine", definition)
                self.assertIn(f"EPERM: '{field}' names something of the host: only root may set it", said)
                self.assertEqual(self.daemon.json("machines/mine/status.json")["state"], "incomplete")

    def test_a_stranger_keeps_what_root_has_set_and_changes_the_rest(self):
        file = self.folder / "disk"
        file.write_bytes(bytes(2**20))
        definition = {"driver": "file", "disks": [{"name": "d", "path": str(file)}]}
        self.daemon.write("machines/mine/config.json", json.dumps(definition))
        changed = definition | {"description": "mine"}
        STRANGER.does(lambda: self.daemon.write("machines/mine/config.json", json.dumps(changed)))
        self.assertEqual(self.daemon.json("machines/mine/config.json")["description"], "mine")
        for disks in (
            [{"name": "d", "path": "/etc/shadow"}],
            [{"name": "d", "path": str(file)}, {"name": "e", "path": "/etc/shadow"}],
            [{"name": "renamed", "path": str(file)}],
        ):
            self.assertIn(".path'", self.refused("machines/mine", definition | {"disks": disks}))
        for other, _ in self.MACHINES[1:]:
            self.refused("machines/mine", other)
        self.assertEqual(self.daemon.json("machines/mine/config.json")["disks"], definition["disks"])

    def test_a_repository_of_a_strangers_is_where_root_says(self):
        self.assertIn("'path'", self.refused("repositories/mine", {"path": str(self.folder / "elsewhere")}))
        self.assertFalse((self.folder / "elsewhere").exists())

    def test_every_field_that_the_schemas_leave_to_root_is_refused_to_others(self):
        fields = set()

        def walk(schema):
            for name, known in schema.get("properties", {}).items():
                if known.get("description", "").endswith("Set by root alone."):
                    fields.add(name)
            for below in schema.values():
                for one in below if isinstance(below, list) else [below]:
                    if isinstance(one, dict):
                        walk(one)

        for kind in ("machines", "flows", "repositories"):
            walk(self.daemon.json(f"{kind}/mine/config.schema.json"))
        # The law's list. What a later release knows of it has to be in the tests above, too.
        self.assertLessEqual({"path", "uri", "socket"}, fields)
        self.assertLessEqual(fields, {"path", "paths", "socket", "uri", "domain", "credential", "hooks", "only_if"})

    def test_a_stranger_runs_no_command_through_a_flow(self):
        known = self.daemon.json("flows/mine/config.schema.json")["properties"]
        STRANGER.does(lambda: self.daemon.read("flows/mine/config.json"))
        for field, value in [("only_if", "/bin/sh"), ("hooks", ["/bin/sh"])]:
            flow = {"target": "machines/mine", "repository": "r", field: value}
            expected = "EPERM" if field in known else "EINVAL"  # not yet a field
            outcome = STRANGER.outcome(lambda flow=flow: self.daemon.write("flows/mine/config.json", json.dumps(flow)))
            self.assertEqual(outcome, expected, field)
        self.assertEqual(self.daemon.json("flows/mine/status.json")["state"], "incomplete")

    def test_a_stranger_imports_no_file_of_the_host(self):
        command = "import file=/etc/shadow machine=mine disk=d"
        self.assertEqual(STRANGER.outcome(lambda: self.daemon.write("repositories/r/control", command)), "EPERM")
        self.assertEqual(os.listdir(self.mount / "machines/mine/points"), ["error"])


class Told(Permissions):
    """The event log has who did what, and who was refused it."""

    def events(self):
        return [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]

    def test_changes_and_refusals_are_told_with_who_asked(self):
        before = len(self.events())

        def act():
            os.chmod(self.mount / "flows/f", 0o755)
            for path, text in [("flows/f/control", "bogus"), ("flows/f/config.json", "{}")]:
                try:
                    self.daemon.write(path, text)
                except OSError:
                    pass
            with open(self.mount / "machines/m/latest/disk-0.raw", "rb"):
                return os.getpid()

        pid = OWNER.does(act)
        told = self.events()[before:]
        by = {"uid": OWNER.uid, "gid": OWNER.gid, "pid": pid}
        self.assertEqual([one["by"] for one in told], [by] * 4)
        point = os.readlink(self.mount / "machines/m/latest")
        self.assertEqual(
            [(one["event"], one["object"], one["result"]) for one in told],
            [
                ("flow.own", "flows/f", "ok"),
                ("flow.command", "flows/f", "refused"),
                ("flow.define", "flows/f", "refused"),
                ("image.open", f"machines/m/{point}/disk-0", "ok"),
            ],
        )
        self.assertEqual(told[0]["reason"], "user 1001, group 2000, mode 0755")
        self.assertIn("'bogus'", told[1]["reason"])
        self.assertIn('"target" is missing', told[2]["reason"])

    def test_refusals_by_the_daemon_are_told_by_their_names(self):
        os.chmod(self.mount / "flows", 0o777)
        before = len(self.events())
        for deed in ["mkdir flows/.bad", "rmdir flows/secret", "mv flows/secret other", "chown flows/f 1 1"]:
            STRANGER.outcome(self.perform(deed))
        told = self.events()[before:]
        self.assertEqual(
            [(one["event"], one["object"], one["result"], one["by"]["uid"]) for one in told],
            [
                ("flow.create", "flows/.bad", "refused", STRANGER.uid),
                ("flow.remove", "flows/secret", "refused", STRANGER.uid),
                ("flow.rename", "flows/secret", "refused", STRANGER.uid),
                # The kernel itself refuses chown: nobody asks the daemon.
            ],
        )

    def test_the_log_goes_on_in_parts_of_the_size_that_is_set(self):
        self.daemon.write("config.json", '{"events_size": 4096}')
        for number in range(300):
            (self.mount / "flows" / f"n{number}").mkdir()
        names = sorted(name for name in os.listdir(self.mount) if name.startswith("events"))
        self.assertEqual(names, ["events.jsonl"] + [f"events.jsonl.{number}" for number in range(1, 10)])
        made = []
        for name in ["events.jsonl"] + [f"events.jsonl.{number}" for number in range(1, 10)]:
            text = self.daemon.read(name)
            self.assertLess(len(text), 3 * 4096)
            made = [json.loads(line)["object"] for line in text.splitlines()] + made
        self.assertEqual(made, [f"flows/n{number}" for number in range(300 - len(made), 300)])
        self.assertGreater(len(made), 100)
        with self.assertRaises(FileNotFoundError):
            self.daemon.read("events.jsonl.10")

    def test_a_part_that_is_open_stays_what_it_is(self):
        with open(self.mount / "events.jsonl", encoding="utf-8") as log:
            before = log.read()
            inode = os.fstat(log.fileno()).st_ino
            self.daemon.write("config.json", '{"events_size": 4096}')
            for number in range(40):
                (self.mount / "flows" / f"n{number}").mkdir()
            self.assertNotEqual(os.stat(self.mount / "events.jsonl").st_ino, inode)
            rest = log.read()
            self.assertEqual(os.fstat(log.fileno()).st_ino, inode)
        older = [self.daemon.read(name) for name in os.listdir(self.mount) if name.startswith("events.jsonl.")]
        self.assertIn(before + rest, older)


if __name__ == "__main__":
    holdfast.main()
