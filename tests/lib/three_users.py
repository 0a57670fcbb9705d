"""Three users on one mount: root, an owner, and a stranger who is in a group.

Root has handed out these objects, with chown and chmod alone:

    machines/m         owner:owner   0750    the owner's own
    flows/f            owner:team    0750    the owner's; the stranger, who is in the team, may look into the flow
    repositories/r     root:team     0770    the team's; flow f may write there because its group may
    policies/p         root:owner    0750    the owner may read the policy and name it in a flow
    machines/secret, flows/secret, repositories/secret, policies/secret     root:root   0750    closed to both
"""

import json
import os

import holdfast
from users import User, unnamed

OWNERS, STRANGERS, TEAM = unnamed(3)
ROOT, OWNER, STRANGER = User(0), User(OWNERS), User(STRANGERS, groups=[TEAM])
USERS = {"root": ROOT, "owner": OWNER, "stranger": STRANGER}


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
        for policy in ("p", "secret"):
            self.daemon.define(f"policies/{policy}", {})
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.hand_out()

    def hand_out(self):
        """Hands objects out as an administrator does, with chown and chmod."""
        for path, uid, gid, mode in [
            ("machines/m", OWNER.uid, OWNER.gid, 0o750),
            ("flows/f", OWNER.uid, TEAM, 0o750),
            ("repositories/r", 0, TEAM, 0o770),
            ("policies/p", 0, OWNER.gid, 0o750),
        ]:
            os.chown(self.mount / path, uid, gid)
            os.chmod(self.mount / path, mode)

    def perform(self, deed):
        """Returns a function that does what a row of the table says."""
        verb, path, *more = deed.split(" ", 2)
        job = os.listdir(self.mount / "flows/f/executions/first/jobs")[0]
        points = self.daemon.points("m")
        path = path.replace("JOB", f"jobs/{job}").replace("POINT", points[0]).replace("NEWEST", points[-1])
        path = self.mount / path
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
