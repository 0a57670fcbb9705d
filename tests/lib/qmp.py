"""A small QMP client: one connection, one command at a time, events put aside."""

import json
import socket


class QmpError(Exception):
    """The peer refused a command; the text is its own."""


def monitor():
    """A connection for Qmp, the other end of it for QEMU, and what makes a monitor of that: --chardev's words.

    Not a socket that listens: who connects to it while QEMU starts is accepted by two of its threads at once, of which
    one then waits for ever."""
    ours, theirs = socket.socketpair()
    return ours, theirs, f"socket,id=own,fd={theirs.fileno()}"


class Qmp:
    """Greets on construction. Raises QmpError for a refusal and EOFError when the peer has gone."""

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
