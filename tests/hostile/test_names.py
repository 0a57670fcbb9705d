#!/usr/bin/python3
"""Names as an attack: a user who takes the names that the daemon would give to its jobs suppresses backups."""

import errno

import holdfast


class Names(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_file_machine()
        self.add_repository()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        (self.job,) = self.daemon.json("flows/f/executions/first/status.json")["created_job_ids"]

    def test_a_job_of_the_daemon_is_named_by_a_number_that_nobody_else_may_give(self):
        later = str(int(self.job) + 2**30)  # the daemon would give it some minutes from now
        for path, command in (
            ("machines/m/control", "backup repository=r"),
            ("machines/m/control", "prune"),
            ("machines/m/control", "verify"),
            ("repositories/r/control", "verify"),
            ("repositories/r/control", "test"),
            ("flows/f/control", "test"),
            ("control", "drain"),
        ):
            with self.subTest(path=path, command=command):
                with self.assertRaises(OSError) as refused:
                    self.daemon.write(path, f"{command} name={later}")
                self.assertEqual(refused.exception.errno, errno.EINVAL)
                self.assertIn("that the daemon gives; add a letter", self.daemon.read(path.replace("control", "error")))
                self.assertFalse((self.daemon.mount / "jobs" / later).exists())

    def test_a_number_that_the_daemon_never_gives_names_a_job(self):
        self.daemon.write("machines/m/control", "verify name=17")
        self.assertEqual(self.daemon.read("jobs/17/wait"), "success\n")

    def test_an_execution_may_have_any_number(self):
        self.assertEqual(self.daemon.run("f", str(int(self.job) + 2**30)), "success")


if __name__ == "__main__":
    holdfast.main()
