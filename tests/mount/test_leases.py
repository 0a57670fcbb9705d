#!/usr/bin/python3
"""Two daemons and one repository: one writes there, and the other says who (law 12)."""

import contextlib
import errno
import json
import os
import subprocess
import sys

import content
import holdfast


def files_of(repository):
    """Every file of the repository but the lease, with its content."""
    return {
        str(file.relative_to(repository)): file.read_bytes()
        for file in repository.rglob("*")
        if file.is_file() and not file.name.startswith(".lease")
    }


class Leases(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.disk = self.add_file_machine()
        self.repository = self.add_repository()
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.lease = self.repository / ".lease"

    def start_second(self, **settings):
        """A daemon with a catalog of its own, whose repository r is the first one's."""
        folder = self.folder / "second"
        folder.mkdir()
        second = holdfast.Daemon(folder)
        self.addCleanup(second.close)
        second.start()
        second.define("repositories/r", {"path": str(self.repository), **settings})
        listed = [{"name": "disk-0", "path": str(self.disk.path)}]
        second.define("machines/other", {"driver": "file", "disks": listed})
        second.define("flows/g", {"type": "backup", "target": "machines/other", "repository": "r"})
        return second

    def events(self, daemon, word):
        return [event for event in map(json.loads, daemon.read("events.jsonl").splitlines()) if event["event"] == word]

    def end_of(self, daemon, run, flow="f"):
        return daemon.json(f"flows/{flow}/executions/{run}/status.json")["message"]

    def tell(self, daemon, command, expected=None):
        """Writes to the repository's control; returns the sentence of the refusal that is expected."""
        if expected is None:
            daemon.write("repositories/r/control", command)
            return ""
        with self.assertRaises(OSError) as refusal:
            daemon.write("repositories/r/control", command)
        sentence = daemon.read("repositories/r/error")
        self.assertEqual(refusal.exception.errno, expected, sentence)
        return sentence

    def leased(self, daemon):
        """Returns the warning about another daemon that writes there, which both statuses have; None if there is none."""
        status = daemon.json("repositories/r/status.json")
        warnings = [one for one in daemon.json("status.json")["warnings"] if one["reason"] == "leased"]
        if status["state"] != "leased":
            self.assertEqual(warnings, [])
            return None
        (warning,) = warnings
        self.assertEqual(warning["object"], "repositories/r")
        self.assertIn(warning["message"], status["warnings"])
        return warning

    def forge(self, **fields):
        """Puts another holder's lease in the place of the present one by a rename, as take-over does."""
        forged = {"owner": "holdfastd, process 7", "host": "elsewhere", "machine": "0123456789abcdef", "boot": "b", "process": 7}
        forged |= {"started": 7, "time": "2026-11-20T02:00:00Z", "token": "0123456789abcdef"}
        other = self.repository / ".lease.forged"
        other.write_text(json.dumps(forged | fields) + "\n")
        other.rename(self.lease)

    def test_a_second_daemon_refuses_runs_and_names_the_first(self):
        second = self.start_second()
        before = files_of(self.repository)
        self.assertEqual(second.run("g", "refused"), "error")
        for sentence in self.end_of(second, "refused", "g"), self.leased(second)["message"]:
            self.assertIn(f"holdfastd, process {self.daemon.process.pid}, at host {os.uname().nodename}, since 2", sentence)
        self.assertIsNone(self.leased(self.daemon))
        sentence = self.tell(second, "take-over why=impatience", errno.EBUSY)
        self.assertIn("end that process", sentence)
        self.assertEqual(self.events(second, "repository.take-over")[:-1], [])
        self.assertEqual(files_of(self.repository), before)
        self.assertEqual(self.daemon.run("f", "second"), "success")
        self.daemon.stop()
        self.assertEqual(second.run("g", "allowed"), "success")
        self.assertIsNone(self.leased(second))

    def test_a_second_daemon_that_only_reads_sees_new_points(self):
        second = self.start_second(read_only=True)
        for turn in range(2):
            self.disk.write(0, bytes([turn]) * 4096)
            self.assertEqual(self.daemon.run("f", f"turn-{turn}"), "success")
            before = files_of(self.repository)
            self.tell(second, f"rescan name=look-{turn}")
            self.assertEqual(second.read(f"jobs/look-{turn}/wait").strip(), "success", second.read(f"jobs/look-{turn}/status.json"))
            self.assertEqual(second.points("m"), self.daemon.points("m"))
            newest = second.mount / f"machines/m/points/{second.points('m')[-1]}/disk-0.raw"
            self.assertTrue(content.same_bytes(newest, self.disk.path))
            status = second.json("repositories/r/status.json")
            self.assertEqual((status["state"], status["warnings"]), ("ready", []))
            self.assertEqual(files_of(self.repository), before)
        self.tell(second, "take-over why=x", errno.EROFS)
        second.write("control", "resume")
        self.assertEqual(second.run("g", "refused"), "error")
        self.assertIn("read-only", self.end_of(second, "refused", "g"))

    def test_a_daemon_that_only_reads_keeps_nobody_from_writing(self):
        self.daemon.stop()
        second = self.start_second(read_only=True)
        self.assertEqual(second.json("repositories/r/status.json")["state"], "ready")
        self.daemon.start()
        self.assertEqual(self.daemon.run("f", "second"), "success")

    def test_an_ended_daemon_leaves_no_owner(self):
        self.assertIn(f"process {self.daemon.process.pid}", json.loads(self.lease.read_text())["owner"])
        self.daemon.stop()
        self.assertIsNone(json.loads(self.lease.read_text())["owner"])
        self.daemon.start()
        self.assertEqual(self.daemon.run("f", "second"), "success")
        self.assertEqual(self.events(self.daemon, "repository.lease"), [])

    def test_the_lease_of_a_killed_daemon_is_taken_and_the_event_log_names_it(self):
        second = self.start_second()
        self.assertEqual(second.run("g", "refused"), "error")
        killed = self.daemon.process.pid
        self.daemon.kill()
        self.assertEqual(second.run("g", "allowed"), "success")
        (event,) = self.events(second, "repository.lease")
        self.assertIn(f"process {killed}, at host {os.uname().nodename}", event["reason"])
        self.assertEqual((event["object"], event["by"]), ("repositories/r", "daemon"))
        before = files_of(self.repository)
        self.daemon.start()
        self.assertEqual(self.daemon.run("f", "second"), "error")
        self.assertIn(f"process {second.process.pid}", self.leased(self.daemon)["message"])
        self.assertEqual(files_of(self.repository), before)
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{self.daemon.points('m')[0]}/disk-0.raw", self.disk.path))

    def test_the_lease_of_this_host_before_its_last_start_is_taken(self):
        own = json.loads(self.lease.read_text())
        self.daemon.kill()
        self.forge(**own | {"boot": "another", "process": os.getpid()})
        self.daemon.start()
        self.assertEqual(self.daemon.run("f", "second"), "success")
        (event,) = self.events(self.daemon, "repository.lease")
        self.assertIn(own["owner"], event["reason"])

    def test_a_clone_of_this_host_under_another_name_is_another_host(self):
        own = json.loads(self.lease.read_text())
        self.daemon.kill()
        self.forge(**own | {"boot": "another", "host": "clone"})
        self.daemon.start()
        self.assertEqual(self.daemon.run("f", "second"), "error")

    def test_another_hosts_lease_is_taken_over_by_a_persons_word(self):
        self.daemon.stop()
        self.forge()
        self.daemon.start()
        before = files_of(self.repository)
        self.assertEqual(self.daemon.run("f", "refused"), "error")
        sentence = self.end_of(self.daemon, "refused")
        self.assertIn("holdfastd, process 7, at host elsewhere, since 2026-11-20T02:00:00Z", sentence)
        self.assertIn("take-over why=TEXT", sentence)
        self.assertIn("take-over why=TEXT", self.leased(self.daemon)["fix"])
        self.assertTrue(content.same_bytes(self.daemon.mount / f"machines/m/points/{self.daemon.points('m')[0]}/disk-0.raw", self.disk.path))
        for refused in "take-over", 'take-over why=""', 'take-over why=" "':
            self.assertIn("why=", self.tell(self.daemon, refused, errno.EINVAL))
        self.assertEqual(files_of(self.repository), before)
        self.tell(self.daemon, 'take-over why="elsewhere has \x1b[2J burnt"')
        self.assertIsNone(self.leased(self.daemon))
        self.assertEqual(self.daemon.run("f", "second"), "success")
        (event,) = [one for one in self.events(self.daemon, "repository.take-over") if one["result"] == "ok"]
        self.assertIn("from holdfastd, process 7, at host elsewhere, since 2026-11-20T02:00:00Z: elsewhere has  [2J burnt", event["reason"])
        self.assertEqual((event["object"], event["by"]["uid"]), ("repositories/r", 0))
        self.tell(self.daemon, "take-over why=x", errno.EINVAL)

    def test_a_lease_is_taken_over_while_another_host_holds_its_lock(self):
        self.daemon.stop()
        self.forge()
        code = "import fcntl,sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
        command = [sys.executable, "-c", code, str(self.lease)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:  # as a hung client of a server of files
            self.addCleanup(client.kill)
            self.assertEqual(client.stdout.readline(), b"held\n")
            self.daemon.start()
            self.assertEqual(self.daemon.run("f", "refused"), "error")
            self.tell(self.daemon, "take-over why=gone")
            self.assertEqual(self.daemon.run("f", "second"), "success")
            client.communicate()

    def test_a_reason_that_is_long_is_cut(self):
        self.daemon.stop()
        self.forge()
        self.daemon.start()
        self.tell(self.daemon, "take-over why=" + "x" * 3000)
        (event,) = self.events(self.daemon, "repository.take-over")
        self.assertLessEqual(len(event["reason"].encode()), 1024)
        self.assertIn("at host elsewhere", event["reason"])

    def test_whoever_loses_the_lease_in_a_run_publishes_nothing(self):
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "bandwidth": "128K"}))
        self.daemon.write("flows/f/control", "run name=slow type=full")
        self.until(lambda: list(self.repository.glob("*/*.partial/*.qcow2")) != [])
        self.forge(time="2026-11-21T03:00:00Z")
        before = files_of(self.repository)
        self.assertEqual(self.daemon.read("flows/f/executions/slow/wait").strip(), "error")
        self.assertIn("was taken over by holdfastd, process 7, at host elsewhere, since 2026-11-21T03:00:00Z", self.end_of(self.daemon, "slow"))
        self.assertEqual(len(self.daemon.points("m")), 1)
        (partial,) = self.repository.glob("*/*.partial")
        self.assertEqual(set(files_of(self.repository)), set(before), "what the run had begun stays, because it may not delete")
        self.assertIn("elsewhere", self.leased(self.daemon)["message"])
        with self.assertRaises(OSError) as refusal:
            (self.daemon.mount / f"machines/m/points/{self.daemon.points('m')[0]}").rmdir()
        self.assertEqual(refusal.exception.errno, errno.EBUSY)
        self.assertIn("elsewhere", self.lease.read_text(), "the loser does not take it again")
        self.daemon.stop()
        self.assertIn("elsewhere", self.lease.read_text(), "the loser gives back nothing")
        self.daemon.start()
        self.tell(self.daemon, "take-over why=back")
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository)}))
        self.assertEqual(self.daemon.run("f", "again"), "success")
        self.assertFalse(partial.exists())

    def test_a_lease_that_says_nothing_is_nobodys_only_if_it_is_blank(self):
        texts = ("", "success"), ("\0" * 64, "success"), ("scribble", "error"), ('{"host":"h"}', "error"), ("[" * 4000, "error")
        for turn, (text, expected) in enumerate(texts):
            with self.subTest(text=text[:12]):
                self.daemon.stop()
                self.lease.write_text(text)
                self.daemon.start()
                run = f"run-{turn}"
                self.assertEqual(self.daemon.run("f", run), expected)
                if expected == "error":
                    self.assertIn("does not say who writes there", self.end_of(self.daemon, run))
                    self.tell(self.daemon, "take-over why=scribble")

    def test_a_lease_that_was_deleted_is_made_anew(self):
        self.lease.unlink()
        self.assertEqual(self.daemon.run("f", "second"), "success")
        self.assertIn(f"process {self.daemon.process.pid}", self.lease.read_text())

    def test_the_lease_of_an_earlier_version_is_taken_on_its_own_host_alone(self):
        for host, expected in (os.uname().nodename, "success"), ("elsewhere", "error"):
            with self.subTest(host=host):
                self.daemon.stop()
                self.lease.write_text(json.dumps({"owner": "holdfastd, process 3", "host": host, "time": "2026-11-20T02:00:00Z"}))
                self.daemon.start()
                self.assertEqual(self.daemon.run("f", f"at-{host}"), expected)

    def test_a_repository_becomes_read_only_and_writable_again(self):
        second = self.start_second()
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository), "read_only": True}))
        self.daemon.json("repositories/r/status.json")
        self.assertEqual(second.run("g", "allowed"), "success")
        second.stop()
        self.daemon.write("repositories/r/config.json", json.dumps({"path": str(self.repository)}))
        with contextlib.suppress(OSError):
            self.tell(self.daemon, "rescan name=both")
            self.daemon.read("jobs/both/wait")
        self.assertEqual(self.daemon.run("f", "second"), "success")


if __name__ == "__main__":
    holdfast.main()
