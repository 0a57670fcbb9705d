#!/usr/bin/python3
"""Groups of a flow's owner: a plain `chown` of an object leaves it with root's group, which gives its owner nothing."""

import os
import pwd

import holdfast
from users import unnamed

# The account that every Debian has, with a group that is not root's.
ACCOUNT = pwd.getpwnam("games")


class Groups(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.said = self.folder / "said"
        self.said.mkdir()
        self.said.chmod(0o777)
        self.folder.chmod(0o755)
        self.add_file_machine()
        self.add_repository()
        self.add_hook("tell", f"id -G > {self.said}/groups\n")
        self.add_flow(hooks=["tell"])

    def hand_to(self, uid, *paths):
        for path in paths:
            os.chown(self.daemon.mount / path, uid, -1)

    def groups_of_the_hook(self, uid):
        self.hand_to(uid, "machines/m", "repositories/r", "flows/f")
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        return [int(number) for number in (self.said / "groups").read_text().split()]

    def test_a_hook_of_an_account_has_the_groups_of_the_account(self):
        self.assertEqual(self.groups_of_the_hook(ACCOUNT.pw_uid), os.getgrouplist(ACCOUNT.pw_name, ACCOUNT.pw_gid))

    def test_a_hook_of_a_user_without_an_account_is_not_in_roots_group(self):
        (uid,) = unnamed(1)
        self.assertNotIn(0, self.groups_of_the_hook(uid))

    def test_roots_group_gives_the_owner_of_a_flow_no_right(self):
        for uid in (ACCOUNT.pw_uid, *unnamed(1)):
            with self.subTest(uid=uid):
                os.chmod(self.daemon.mount / "repositories/r", 0o775)  # root's group may write to it
                self.hand_to(uid, "machines/m", "flows/f")
                with self.assertRaises(PermissionError):
                    self.daemon.run("f", f"of-{uid}")
                self.assertIn("may not write to repositories/r", self.daemon.read("flows/f/error"))


if __name__ == "__main__":
    holdfast.main()
