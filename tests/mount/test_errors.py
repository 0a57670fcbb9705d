#!/usr/bin/python3
"""Errnos of the mount (law 17): the operation that causes each errno, its sentence in `error`, and the user who reads
the sentence."""

import errno
import json
import os
import subprocess

import holdfast
from processes import detach
from users import User, unnamed

MIB = 2**20
FLOW = {"target": "machines/m", "repository": "r"}


class Errors(holdfast.MountTest):
    """Flow f of machine m, whose source does not exist, into repository r."""

    def setUp(self):
        super().setUp()
        self.mount = self.daemon.mount
        self.path = self.add_repository()
        self.daemon.define("machines/m", self.machine())
        self.add_flow()

    def machine(self, **more):
        socket = str(self.folder / "absent.sock")
        return {"driver": "qmp", "socket": socket, "disks": [{"name": "disk-0", "node": "disk0"}]} | more

    def assert_refused(self, number, sentence, error, act):
        """`act` fails with the errno; the file `error` holds one line with time, errno and sentence."""
        with self.assertRaises(OSError) as refusal:
            act()
        self.assertEqual(errno.errorcode[refusal.exception.errno], errno.errorcode[number])
        said = self.daemon.read(error)
        self.assertRegex(said, sentence)
        self.assertRegex(said, rf"\A\d{{4}}-\d\d-\d\dT[^ ]* [^\n]*: {errno.errorcode[number]}: [^\n]*\n\Z")

    def define(self, path, definition):
        text = definition if isinstance(definition, str) else json.dumps(definition)
        return lambda: self.daemon.write(f"{path}/config.json", text)

    def command(self, path, line):
        return lambda: self.daemon.write(f"{path}/control", line)


class Table(Errors):
    def test_einval_text_that_does_not_parse(self):
        for text, sentence in [
            ("{nonsense", "this is no JSON: parse error at line 1, column "),
            ("[]", "a definition is a JSON object, in braces"),
            ('{"target":"machines/m","target":"machines/m"}', 'field "target" is there twice'),
        ]:
            self.assert_refused(errno.EINVAL, sentence, "flows/f/error", self.define("flows/f", text))
        for line, sentence in [
            ("", "an empty command; reading this file shows what may be written"),
            ("run now", "'now' is no argument; write key=value"),
            ("run name=a name=b", "'name' is given twice"),
            ("disable x=1", "'disable' takes no arguments, but 'x' was given"),
        ]:
            self.assert_refused(errno.EINVAL, sentence, "flows/f/error", self.command("flows/f", line))

    def test_einval_an_unknown_verb_or_field_gets_a_suggestion(self):
        for line, sentence in [
            ("rnu", "there is no verb 'rnu' here, only run, cancel, .*; did you mean 'run'\\?"),
            ("run nmae=x", "'run' has no argument 'nmae', only type, .*; did you mean 'name'\\?"),
            ("run type=incremntal", "type='incremntal' is not one of auto, full, incremental; did you mean 'incremental'\\?"),
        ]:
            self.assert_refused(errno.EINVAL, sentence, "flows/f/error", self.command("flows/f", line))
        for kind, definition, sentence in [
            ("flows/f", FLOW | {"repositry": "r"}, 'field "repositry" is not known here; did you mean "repository"\\?'),
            ("flows/f", FLOW | {"colour": 1}, 'field "colour" is not known here, only "description", .*"repository"'),
            ("machines/m", self.machine(driver="qnp"), 'field "driver" is "qnp"; it must be .*; did you mean "qmp"\\?'),
            ("repositories/r", {"path": str(self.path), "compression": "zst"}, 'did you mean "zstd"\\?'),
            (".", {"max_concurent_jobs": 2}, 'did you mean "max_concurrent_jobs"\\?'),
        ]:
            self.assert_refused(errno.EINVAL, sentence, f"{kind}/error", self.define(kind, definition))

    def test_einval_a_wrong_type_or_a_value_out_of_range(self):
        for kind, definition, sentence in [
            ("flows/f", FLOW | {"enabled": "yes"}, 'field "enabled" is "yes"; it must be true or false'),
            ("flows/f", {"repository": "r"}, 'field "target" is missing; it must be a machine or a group, written as'),
            ("flows/f", FLOW | {"target": "m"}, 'field "target" is "m"; it must be a machine or a group, written as'),
            (".", {"max_concurrent_jobs": 0}, 'field "max_concurrent_jobs" is 0; it must be a whole number from 1 to 1000'),
            (".", {"events_size": "1K"}, 'field "events_size" is "1K"; it must be a size from 4096'),
            ("repositories/r", {"path": "srv"}, 'field "path" is "srv"; it must be an absolute path'),
            ("machines/m", self.machine(disks=[]), 'field "disks" is \\[\\]; it must be a list of at least one disk'),
        ]:
            self.assert_refused(errno.EINVAL, sentence, f"{kind}/error", self.define(kind, definition))
        self.assert_refused(errno.EINVAL, "timeout='soon' is no span of time", "error", self.command(".", "drain timeout=soon"))

    def test_einval_bytes_that_are_not_utf_8(self):
        """Regression: each of these lines ended the daemon."""
        for line in (b'set description="caf\xe9"', b"set \xff=1", b'set tags=["\xff"]', b"run name=\xff", b"\xff"):
            with self.assertRaises(OSError) as refused:
                with open(self.mount / "flows/f/control", "wb", buffering=0) as control:
                    control.write(line + b"\n")
            self.assertEqual(refused.exception.errno, errno.EINVAL)
            self.assertIn("the command is not UTF-8", self.daemon.read("flows/f/error"))
        with self.assertRaises(OSError) as refused:
            with open(self.mount / "flows/f/config.json", "wb", buffering=0) as config:
                config.write(b'{"description": "caf\xe9"}')
        self.assertEqual(refused.exception.errno, errno.EINVAL)
        (self.mount / "flows/f/error").read_bytes()

    def test_einval_a_disk_with_a_reserved_name(self):
        disks = [{"name": "error", "node": "n"}]
        self.assert_refused(errno.EINVAL, 'and not "error"', "machines/m/error", self.define("machines/m", self.machine(disks=disks)))

    def test_einval_an_invalid_or_reserved_name(self):
        self.assert_refused(errno.EINVAL, "mkdir flows/\\.x", "error", lambda: os.mkdir(self.mount / "flows/.x"))
        self.assert_refused(errno.EINVAL, "rename flows/f to flows/a b", "error", lambda: os.rename(self.mount / "flows/f", self.mount / "flows/a b"))
        self.assert_refused(errno.EINVAL, "name: 'error' is the name of a fixed file; choose another", "flows/f/error", self.command("flows/f", "run name=error"))
        for path in ("flows/error", "machines/error"):
            self.assert_refused(errno.EINVAL, f"mkdir {path}: EINVAL: 'error' is the name of a fixed file", "error", lambda path=path: os.mkdir(self.mount / path))
        self.assert_refused(errno.EINVAL, "a name has 1 to 128 bytes, this one has 129", "error", lambda: os.mkdir(self.mount / "flows" / ("x" * 129)))

    def test_enoent_a_reference_to_an_absent_object(self):
        for definition, sentence in [
            (FLOW | {"target": "machines/none"}, "there is no machine 'none'"),
            (FLOW | {"repository": "none"}, "there is no repository 'none'"),
        ]:
            self.assert_refused(errno.ENOENT, sentence, "flows/f/error", self.define("flows/f", definition))
        self.assert_refused(errno.ENOENT, "machine 'x' is not one of flow 'f', which backs up machines/m", "flows/f/error", self.command("flows/f", "run machines=x"))

    def test_eexist_a_name_in_use(self):
        self.assertEqual(self.daemon.run("f", "first"), "error")
        self.assert_refused(errno.EEXIST, "'first'", "flows/f/error", self.command("flows/f", "run name=first"))
        (self.mount / "flows/g").mkdir()
        self.assert_refused(errno.EEXIST, "flow 'g' exists", "error", lambda: os.rename(self.mount / "flows/f", self.mount / "flows/g"))

    def test_ebusy_an_object_in_use(self):
        self.assert_refused(errno.EBUSY, "machine 'm' .*flow 'f'", "error", lambda: os.rmdir(self.mount / "machines/m"))
        self.assert_refused(errno.EBUSY, "repository 'r' .*flow 'f'", "error", lambda: os.rmdir(self.mount / "repositories/r"))
        self.daemon.write("control", "drain")
        self.assert_refused(errno.EBUSY, "the daemon is draining; it takes no new runs until it is told to resume", "flows/f/error", self.command("flows/f", "run"))

    def test_eperm_operations_forbidden_to_every_user(self):
        for sentence, error, act in [
            ("nothing can be made, deleted or renamed in this directory", "error", lambda: os.mkdir(self.mount / "jobs/x")),
            ("'status.json' is a fixed file", "flows/f/error", lambda: os.unlink(self.mount / "flows/f/status.json")),
            ("'config.json' is a fixed file", "flows/f/error", lambda: os.rename(self.mount / "flows/f/config.json", self.mount / "flows/f/x")),
            ("only the daemon writes this file", "flows/f/error", lambda: self.daemon.write("flows/f/status.json", "x")),
            ("no links, pipes or devices can be made here", "error", lambda: os.symlink("x", self.mount / "flows/x")),
            ("an object stays in the directory of its kind", "error", lambda: os.rename(self.mount / "flows/f", self.mount / "machines/f")),
            ("owner and mode follow from the object", "flows/f/error", lambda: os.chmod(self.mount / "flows/f/config.json", 0o666)),
        ]:
            self.assert_refused(errno.EPERM, sentence, error, act)

    def test_emsgsize_and_efbig_a_command_or_definition_over_its_limit(self):
        self.assert_refused(errno.EMSGSIZE, "a command has at most 4096 bytes, this one has 4106", "flows/f/error", self.command("flows/f", "run name=" + "x" * 4096))
        self.assert_refused(errno.EFBIG, "a definition has at most 1048576 bytes", "flows/f/error", self.overfill)
        self.assert_refused(errno.EFBIG, "a definition has at most 1048576 bytes", "flows/f/error", self.extend)
        self.assert_refused(errno.EFBIG, "write .scratch: .*1048576 bytes", "flows/f/error", self.overfill_scratch)

    def overfill(self):
        """Overfills config.json as cp does: after a refused write, close(2) succeeds and saves nothing."""
        file = os.open(self.mount / "flows/f/config.json", os.O_WRONLY | os.O_TRUNC)
        self.assertEqual(os.write(file, b'{"' + b"x" * (MIB - 2)), MIB)  # this may still become a definition
        with self.assertRaises(OSError) as refusal:
            os.write(file, b"x")
        self.assertEqual(refusal.exception.errno, errno.EFBIG)
        os.close(file)

    def overfill_scratch(self):
        file = os.open(self.mount / "flows/f/.scratch", os.O_WRONLY | os.O_CREAT)
        try:
            os.write(file, b"x" * MIB)
            os.write(file, b"x")
        finally:
            os.close(file)

    def extend(self):
        file = os.open(self.mount / "flows/f/config.json", os.O_WRONLY)
        try:
            os.ftruncate(file, MIB + 1)
        finally:
            os.close(file)

    def test_enospc_a_full_repository(self):
        path = self.folder / "full"
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64K", "tmpfs", path], check=True)
        self.addCleanup(detach, path)
        self.addCleanup(self.daemon.close)
        (path / "r").mkdir()
        with self.assertRaises(OSError), open(path / "filler", "wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        self.assert_refused(errno.ENOSPC, "No space left", "repositories/r/error", self.define("repositories/r", {"path": str(path / "r")}))
        self.assertEqual(self.daemon.json("repositories/r/config.json")["path"], str(self.path))


class Backups(Errors):
    """Errors of a point's files."""

    def setUp(self):
        super().setUp()
        self.storage = self.add_machine("real", capacities=[8 * MIB])
        self.storage.disks[0].write(0, os.urandom(2 * MIB))
        self.daemon.write("flows/f/config.json", json.dumps({"target": "machines/real", "repository": "r"}))
        self.assertEqual(self.daemon.run("f", "first"), "success")
        self.point = self.mount / "machines/real/latest"
        self.error = "machines/real/latest/error"

    def test_erofs_a_write_to_a_backup(self):
        for act in [
            lambda: os.close(os.open(self.point / "disk-0.raw", os.O_WRONLY)),
            lambda: os.close(os.open(self.point / "disk-0.raw", os.O_RDWR)),
            lambda: os.truncate(self.point / "disk-0.qcow2", 0),
        ]:
            self.assert_refused(errno.EROFS, "this is a backup: it cannot be changed", self.error, act)

    def test_eio_a_block_with_a_wrong_checksum(self):
        (image,) = self.path.glob("*/*/disk-0.qcow2")
        with open(image, "r+b") as file:
            file.seek(image.stat().st_size - MIB)
            file.write(os.urandom(4096))
        self.assert_refused(errno.EIO, "read disk-0.raw: EIO: .*checksum", self.error, (self.point / "disk-0.raw").read_bytes)
        told = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        self.assertEqual([one["result"] for one in told if one["event"] == "image.damaged"], ["error"])

    def test_eio_a_missing_image(self):
        (image,) = self.path.glob("*/*/disk-0.qcow2")
        image.rename(self.folder / "away")
        self.assert_refused(errno.EIO, "open disk-0.raw: EIO: an image of this point is missing", self.error, (self.point / "disk-0.raw").read_bytes)
        self.assertEqual([json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()][-1]["result"], "error")

    def test_ebusy_a_machine_with_points(self):
        self.assert_refused(errno.EBUSY, "machine 'real' ", "error", lambda: os.rmdir(self.mount / "machines/real"))


class Users(Errors):
    """Errors for users other than root: each user reads only their own sentences."""

    ANNS, BOBS, TEAM = unnamed(3)
    ANN, BOB = User(ANNS, groups=[TEAM]), User(BOBS, groups=[TEAM])

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        os.chown(self.mount / "flows/f", 0, self.TEAM)
        os.chmod(self.mount / "flows/f", 0o770)
        os.chmod(self.mount / "machines", 0o777)

    def assert_refused_to(self, user, number, sentence, error, act):
        user.does(lambda: self.assert_refused(number, sentence, error, act))

    def test_eperm_a_field_that_only_root_may_set(self):
        self.ANN.does(lambda: os.mkdir(self.mount / "machines/hers"))
        definition = {"driver": "file", "disks": [{"name": "d", "path": "/etc/shadow"}]}
        self.assert_refused_to(self.ANN, errno.EPERM, r"only root may set 'disks\[0\].path', because it names something of the host", "machines/hers/error", self.define("machines/hers", definition))

    def test_eacces_an_object_that_its_mode_closes_to_the_user(self):
        (self.mount / "repositories/other").mkdir()
        self.assert_refused_to(self.ANN, errno.EACCES, "repositories/other is not yours to use", "flows/f/error", self.define("flows/f", FLOW | {"repository": "other"}))
        self.assert_refused_to(self.ANN, errno.EACCES, "'m' is not yours to delete or rename", "error", lambda: os.rmdir(self.mount / "machines/m"))

    def test_each_user_reads_only_their_own_errors(self):
        self.assert_refused_to(self.ANN, errno.EINVAL, "'anns'", "flows/f/error", self.command("flows/f", "anns"))
        self.assert_refused_to(self.BOB, errno.EINVAL, "'bobs'", "flows/f/error", self.command("flows/f", "bobs"))
        self.assertEqual(self.daemon.read("flows/f/error"), "")
        self.assertIn("'anns'", self.ANN.does(lambda: self.daemon.read("flows/f/error")))
        # Success empties only the user's own `error` of this directory.
        self.assert_refused_to(self.BOB, errno.EINVAL, ".bad", "error", lambda: os.mkdir(self.mount / "machines/.bad"))
        self.BOB.does(self.command("flows/f", "disable"))
        self.assertEqual(self.BOB.does(lambda: self.daemon.read("flows/f/error")), "")
        self.assertIn(".bad", self.BOB.does(lambda: self.daemon.read("error")))
        self.assertIn("'anns'", self.ANN.does(lambda: self.daemon.read("flows/f/error")))

    def test_a_refused_operation_changes_nothing(self):
        before = self.daemon.read("flows/f/config.json")
        for act in [self.command("flows/f", "bogus"), self.define("flows/f", FLOW | {"repository": "none"})]:
            self.assertNotEqual(self.ANN.outcome(act), "ok")
        self.assertEqual(self.daemon.read("flows/f/config.json"), before)
        self.assertEqual(os.listdir(self.mount / "flows/f/executions"), [])


if __name__ == "__main__":
    holdfast.main()
