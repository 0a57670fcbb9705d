#!/usr/bin/python3
"""A QMP server and a guest's agent as attackers: whatever they answer, the run ends and the daemon lives on."""

import json
import os
import socket
import threading

import holdfast
from lying_qmp import LyingQmp, reply

NESTED = b"[" * 500_000 + b"]" * 500_000
MIB = 2**20
LONGEST_SENTENCE = 1024
ASKED = "query-named-block-nodes"  # a command that every capture gives


class Agent:
    """A guest's agent that greets as it should and then answers each command with the same bytes."""

    def __init__(self, path, answer):
        self.path = path
        self.answer = answer
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as lines:
                try:
                    for line in lines:
                        self._answer(json.loads(line.rpartition(b"\xff")[2]), lines)
                except OSError:
                    pass

    def _answer(self, request, lines):
        if request["execute"] == "guest-sync-delimited":
            lines.write(b"\xff" + json.dumps({"return": request["arguments"]["id"]}).encode() + b"\n")
        else:
            lines.write(self.answer + b"\n")
        lines.flush()


class QmpPeer(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_repository()
        self.storage = self.add_machine("real")
        self.storage.disks[0].write(0, os.urandom(MIB))
        self.peer = LyingQmp(self.folder / "peer.sock", self.storage.socket)
        self.addCleanup(self.peer.close)
        self.addCleanup(self.daemon.close)
        self.define()
        self.add_flow()

    def define(self, **fields):
        definition = self.storage.definition() | {"socket": str(self.peer.path)} | fields
        if not (self.daemon.mount / "machines/m").exists():
            (self.daemon.mount / "machines/m").mkdir()
        self.daemon.write("machines/m/config.json", json.dumps(definition))

    def serve_agent(self, answer):
        agent = Agent(self.folder / "agent.sock", answer)
        self.addCleanup(agent.close)
        port = {"name": "a", "type": "child<virtserialport>"}
        chardev = {"label": "c", "frontend-open": True, "filename": f"unix:{agent.path},server=on"}
        properties = {"name": "org.qemu.guest_agent.0", "chardev": "c"}
        self.peer.lies |= {
            "qom-list": lambda request: reply(request, [port]),
            "qom-get": lambda request: reply(request, properties[request["arguments"]["property"]]),
            "query-chardev": lambda request: reply(request, [chardev]),
        }

    def lie_of_nodes(self, said):
        """Answers with these bytes, in which ID stands for the request's id."""
        self.peer.lies[ASKED] = lambda request: said.replace(b"ID", b"%d" % request["id"]) + b"\n"

    def run_ends(self, name="lied-to"):
        """Runs the flow against the lies, to an error with a short sentence, and then without them."""
        self.assertEqual(self.daemon.run("f", name), "error")
        status = self.daemon.json(f"flows/f/executions/{name}/status.json")
        (job,) = status["created_job_ids"]
        message = self.daemon.json(f"jobs/{job}/status.json")["message"]
        self.assertLess(len(message.encode()), LONGEST_SENTENCE, message[:200])
        self.assertLess(max(map(len, self.daemon.log.read_text().splitlines())), 2 * LONGEST_SENTENCE)
        self.peer.lies.clear()
        self.define()
        self.assertIn(self.daemon.run("f", f"after-{name}"), ("success", "warning"))
        return message

    def test_the_truth_is_backed_up(self):
        self.assertEqual(self.daemon.run("f", "first"), "success")

    def test_an_agent_that_answers_in_nested_brackets_ends_the_run(self):
        self.define(quiesce="required")
        self.serve_agent(NESTED)
        self.assertIn("nested deeper than", self.run_ends())

    def test_an_agent_that_answers_at_length_is_quoted_in_short(self):
        self.define(quiesce="required")
        self.serve_agent(b'"' + b"\xc3\xa4" * 400_000 + b'"')
        self.run_ends()

    def test_an_agent_that_refuses_at_length_is_quoted_in_short(self):
        self.define(quiesce="required")
        self.serve_agent(json.dumps({"error": {"class": "GenericError", "desc": "no " * 200_000}}).encode())
        self.run_ends()

    def test_a_reply_in_nested_brackets_ends_the_run(self):
        self.lie_of_nodes(b'{"id": ID, "return": %b}' % NESTED)
        self.assertIn("nested deeper than", self.run_ends())

    def test_an_event_in_nested_brackets_ends_the_run(self):
        self.lie_of_nodes(b'{"event": "E", "data": %b}' % NESTED)
        self.assertIn("nested deeper than", self.run_ends())

    def test_a_reply_of_a_million_values_ends_the_run(self):
        self.lie_of_nodes(b'{"id": ID, "return": [%b0]}' % (b"0," * MIB))
        self.assertIn("values", self.run_ends())

    def test_a_refusal_at_length_is_quoted_in_short(self):
        error = {"class": "c" * MIB, "desc": "no " * MIB}
        self.lie_of_nodes(b'{"id": ID, "error": %b}' % json.dumps(error).encode())
        self.run_ends()

    def test_a_reply_that_nobody_asked_for_ends_the_run(self):
        self.lie_of_nodes(b'{"id": ID000, "return": {}}')
        self.assertIn("without a request", self.run_ends())


if __name__ == "__main__":
    holdfast.main()
