#!/usr/bin/python3
"""A user who makes refusals or changes by the thousand: messages are short, the log has a bounded part of them, says so,
and keeps what others did."""

import errno
import json
import os

import holdfast
from users import User, unnamed

LONGEST = 1024
BURST = 100  # refusals of one user that are recorded at once
CHANGES = 2000  # changes of one user that are taken at once
SLACK = 100  # one more each 5 s while the test runs


class Flood(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.user, self.other = (User(number) for number in unnamed(2))
        self.daemon.define("schedules/s", {"every": "7h"})
        (self.daemon.mount / "schedules/s").chmod(0o777)

    def events(self):
        return [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]

    def refusals(self, user):
        return [one for one in self.events() if one["result"] == "refused" and one["by"]["uid"] == user.uid]

    def flood(self, user, count, command="bogus"):
        def act():
            for _ in range(count):
                try:
                    self.daemon.write("schedules/s/control", command)
                except OSError:
                    pass

        user.does(act)

    def test_a_message_has_at_most_a_kibibyte_in_the_log_and_in_error(self):
        texts = ["x" * 2**20, '{"every": "%s"}' % ("ü" * 2**18), json.dumps({"e" * 4000: 1}), json.dumps({"every": "\x1b[2J" * 500})]
        for text in texts:
            self.assertEqual(self.user.outcome(lambda: self.daemon.write("schedules/s/config.json", text)), "EINVAL")
            self.assertLess(len(self.user.does(lambda: self.daemon.read("schedules/s/error")).encode()), LONGEST + 100)
        self.flood(self.user, 1, "y" * 4000)
        told = self.refusals(self.user)
        self.assertEqual(len(told), len(texts) + 1)
        for one in told:
            self.assertLessEqual(len(one["reason"].encode()), LONGEST)

    def test_the_reason_of_a_pin_or_a_verdict_has_at_most_a_kibibyte_in_the_log(self):
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.daemon.run("f", "r1")
        self.daemon.write("machines/m/latest/control", "pin why=" + "z" * 4000)
        self.assertEqual(self.events()[-1]["event"], "point.pin")
        self.assertEqual(len(self.events()[-1]["reason"].encode()), LONGEST)

    def test_a_flood_of_refusals_is_cut_off_and_the_log_says_so(self):
        self.flood(self.user, 700)
        told = self.refusals(self.user)
        self.assertGreaterEqual(len(told), BURST)
        self.assertLess(len(told), BURST + 20)  # one more a minute
        (note,) = [one for one in told if one["event"] == "daemon.refusals"]
        self.assertRegex(note["reason"], f"user {self.user.uid} .*{BURST}.* not recorded")
        # The user still learns the reason of each refusal.
        self.assertIn("'bogus'", self.user.does(lambda: self.daemon.read("schedules/s/error")))

    def test_another_user_and_accepted_commands_are_recorded_during_a_flood(self):
        self.flood(self.user, 300)
        self.flood(self.other, 3)
        self.assertEqual(len(self.refusals(self.other)), 3)
        self.user.does(lambda: self.daemon.write("schedules/s/control", "disable"))
        self.assertEqual((self.events()[-1]["event"], self.events()[-1]["by"]["uid"]), ("schedule.disable", self.user.uid))

    def test_a_flood_of_changes_is_cut_off_and_the_sentence_and_the_log_say_so(self):
        os.chmod(self.daemon.mount / "schedules", 0o777)
        path = self.daemon.mount / "schedules/x"

        def act():
            taken = 0
            while taken < 2 * CHANGES:
                try:
                    path.rmdir() if taken % 2 else path.mkdir()  # pylint: disable=expression-not-assigned
                except OSError as refusal:
                    return taken, errno.errorcode[refusal.errno]
                taken += 1
            return taken, ""

        taken, why = self.user.does(act)
        self.assertEqual(why, "EDQUOT")
        self.assertGreaterEqual(taken, CHANGES)
        self.assertLess(taken, CHANGES + SLACK)
        self.assertIn(f"{CHANGES} changes", self.user.does(lambda: self.daemon.read("error")))
        self.assertTrue(any(f"{CHANGES} changes" in one["reason"] for one in self.refusals(self.user)))
        # Definitions and commands count, too; those of others are taken.
        self.assertEqual(self.user.outcome(lambda: self.daemon.write("schedules/s/control", "disable")), "EDQUOT")
        self.assertEqual(self.user.outcome(lambda: self.daemon.write("schedules/s/config.json", "{}")), "EDQUOT")
        self.assertEqual(self.other.outcome(lambda: self.daemon.write("schedules/s/control", "disable")), "ok")
        self.daemon.write("schedules/s/control", "enable")


if __name__ == "__main__":
    holdfast.main()
