#!/usr/bin/python3
"""A QMP server of an ordinary user, which names files and sockets of others. root looks at what it names, with no more
rights than the server's user has: nothing of a file is told, and no connection arrives."""

import os
import select
import shutil
import socket
import traceback

import holdfast
from lying_qmp import LyingQmp, reply
from users import User, unnamed

MIB = 2**20
LENGTH = 43_210  # the file's; a number that no other part of a sentence has
CUT = 370_890  # within the data of a qcow2 image, behind its tables
TOLD = f"was truncated to {LENGTH} bytes"
USERS, GROUP = unnamed(2)
ROOT, USER = User(0), User(USERS, groups=[GROUP])


class QmpRights(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.add_repository()
        self.storage = self.add_machine("real")
        self.storage.disks[0].write(0, os.urandom(MIB))
        self.storage.socket.chmod(0o666)
        self.home = self.folder / "home"
        self.home.mkdir()
        os.chown(self.home, USER.uid, USER.gid)
        self.closed = self.folder / "closed"
        self.closed.mkdir(mode=0o700)
        self.socket = self.home / "qmp.sock"

    def serve(self, lies, quiesce="never", listens_as_root=False):
        """Starts the server as the user, and defines machine m and flow f for it."""

        def make():
            try:
                peer = LyingQmp(self.socket, self.storage.socket)
                peer.lies |= lies
                if listens_as_root:
                    USER.become()
                return peer
            except BaseException:
                traceback.print_exc()
                raise

        self.addCleanup((ROOT if listens_as_root else USER).stays(make))
        self.addCleanup(self.daemon.close)
        self.daemon.define("machines/m", self.storage.definition() | {"socket": str(self.socket), "quiesce": quiesce})
        self.add_flow()

    def claim(self, path, **options):
        """Serves nodes that claim to be kept in this file, and to have opened it when it was longer."""
        nodes = self.storage.qmp.command("query-named-block-nodes", {"flat": True})
        for node in nodes:
            node["file"] = str(path)
            if node["drv"] == "file":
                node["image"]["virtual-size"] = 2**40
        self.serve({"query-named-block-nodes": lambda request: reply(request, nodes)}, **options)

    def file(self, folder, owner=0, group=0, mode=0o600):
        path = folder / "file"
        path.write_bytes(bytes(LENGTH))
        os.chown(path, owner, group)
        path.chmod(mode)
        return path

    def run_and_tell(self):
        """Runs the flow, and returns what anybody is told of it."""
        self.daemon.run("f", "told")
        (job,) = self.daemon.json("flows/f/executions/told/status.json")["created_job_ids"]
        self.daemon.write("flows/f/control", "test name=tried")
        self.daemon.read("jobs/tried/wait")
        machine = self.daemon.mount / "machines/m"
        return "".join(
            [
                self.daemon.read(f"jobs/{job}/status.json"),
                self.daemon.read("jobs/tried/status.json"),
                self.daemon.read("flows/f/executions/told/log"),
                (machine / "status.json").read_text(),
                *(path.read_text() for path in machine.glob("disks/*/status.json")),
                self.daemon.read("events.jsonl"),
                self.daemon.log.read_text(),
            ]
        )

    def test_the_truth_is_backed_up(self):
        self.serve({})
        self.assertEqual(self.daemon.run("f", "first"), "success")

    def test_a_file_of_its_own_is_looked_at(self):
        self.claim(self.file(self.home, USER.uid))
        self.assertIn(TOLD, self.run_and_tell())

    def test_a_file_of_one_of_its_groups_is_looked_at(self):
        self.claim(self.file(self.home, 0, GROUP, 0o640))
        self.assertIn(TOLD, self.run_and_tell())

    def test_nothing_is_told_of_a_file_that_root_alone_may_read(self):
        self.claim(self.file(self.home))
        self.assertNotIn(str(LENGTH), self.run_and_tell())

    def test_nothing_is_told_of_a_file_in_a_folder_that_root_alone_may_enter(self):
        self.claim(self.file(self.closed, mode=0o644))
        self.assertNotIn(str(LENGTH), self.run_and_tell())

    def test_nothing_is_told_of_a_file_behind_a_link(self):
        link = self.home / "link"
        link.symlink_to(self.file(self.closed, mode=0o644))
        self.claim(link)
        self.assertNotIn(str(LENGTH), self.run_and_tell())

    def test_a_server_that_gave_up_the_rights_of_root_has_them_no_more(self):
        self.claim(self.file(self.home), listens_as_root=True)
        self.assertNotIn(str(LENGTH), self.run_and_tell())

    def test_nothing_is_told_of_the_tables_of_an_image_that_root_alone_may_read(self):
        image = self.closed / "image"
        shutil.copy(self.storage.disks[0].image, image)
        os.truncate(image, CUT)
        nodes = self.storage.qmp.command("query-named-block-nodes", {"flat": True})
        for node in nodes:
            if node["drv"] == "qcow2":
                node["file"] = str(image)
        self.serve({"query-named-block-nodes": lambda request: reply(request, nodes)})
        self.assertNotIn(str(CUT), self.run_and_tell())

    def test_a_pipe_and_a_device_hang_nothing(self):
        pipe = self.home / "pipe"
        os.mkfifo(pipe)
        os.chown(pipe, USER.uid, USER.gid)
        self.claim(pipe)
        self.assert_within(60, self.run_and_tell)
        self.assertNotIn("still hangs", self.daemon.log.read_text())

    def listen(self, path, owner=0):
        """Listens in the place of a guest's agent; the server names the socket."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(path))
        listener.listen()
        os.chown(path, owner, owner)
        path.chmod(0o600)
        port = {"name": "a", "type": "child<virtserialport>"}
        chardev = {"label": "c", "frontend-open": True, "filename": f"unix:{path},server=on"}
        properties = {"name": "org.qemu.guest_agent.0", "chardev": "c"}
        lies = {
            "qom-list": lambda request: reply(request, [port]),
            "qom-get": lambda request: reply(request, properties[request["arguments"]["property"]]),
            "query-chardev": lambda request: reply(request, [chardev]),
        }
        self.serve(lies, quiesce="required")
        return listener

    def test_a_socket_of_its_own_is_connected_to(self):
        listener = self.listen(self.home / "agent", USER.uid)
        self.daemon.write("flows/f/control", "run name=told")
        connection, _ = listener.accept()
        connection.close()
        self.assertEqual(self.daemon.read("flows/f/executions/told/wait").strip(), "error")

    def test_no_connection_arrives_at_a_socket_of_root(self):
        listener = self.listen(self.home / "agent")
        self.assertEqual(self.daemon.run("f", "told"), "error")
        self.assertEqual(select.select([listener], [], [], 0)[0], [])

    def test_no_connection_arrives_at_a_socket_in_a_folder_of_root(self):
        listener = self.listen(self.closed / "agent", USER.uid)
        self.assertEqual(self.daemon.run("f", "told"), "error")
        self.assertEqual(select.select([listener], [], [], 0)[0], [])


if __name__ == "__main__":
    holdfast.main()
