"""A small QMP client: one connection, one command at a time; events are kept."""

import json
import socket


class QmpError(Exception):
    """The peer refused a command; the text is QEMU's."""


def monitor():
    """Returns a connection for Qmp, the other end for QEMU, and the words of --chardev for a monitor on that end.

    A listening socket is not used: two threads of a starting QEMU can accept the same client, and one then waits
    forever."""
    ours, theirs = socket.socketpair()
    return ours, theirs, f"socket,id=own,fd={theirs.fileno()}"


class Qmp:
    """Negotiates at construction. Raises QmpError for a refusal and EOFError when the peer has gone."""

    def __init__(self, connection, seconds=120):
        self._socket = connection
        self._socket.settimeout(seconds)
        self._lines = self._socket.makefile("rwb")
        self.events = []
        self._receive()  # the greeting
        self.command("qmp_capabilities")

    def command(self, name, arguments=None):
        request = {"execute": name}
        if arguments:
            request["arguments"] = arguments
        self._lines.write(json.dumps(request).encode() + b"\n")
        self._lines.flush()
        while "event" in (reply := self._receive()):
            self.events.append(reply)
        if "error" in reply:
            raise QmpError(f"{name}: {reply['error']['desc']}")
        return reply["return"]

    def _receive(self):
        line = self._lines.readline()
        if not line:
            raise EOFError("the QMP peer has closed the connection")
        return json.loads(line)

    def close(self):
        self._lines.close()
        self._socket.close()
