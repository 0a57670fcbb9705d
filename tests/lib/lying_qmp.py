"""A QMP server that lies: it stands before a real one and answers the commands that it was told to answer itself."""

import json
import select
import socket
import threading

PIECE = 2**16


def reply(request, value):
    """The bytes that answer a request with this value."""
    return json.dumps({"return": value, "id": request["id"]}).encode() + b"\n"


class LyingQmp:
    """Serves one client at a time. `lies` has, by the name of a command, a function from the request to the bytes to
    answer; the real server answers any other command."""

    def __init__(self, path, real):
        self.path = path
        self.real = real
        self.lies = {}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.ended, self.end = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.end.send(b"e")
        self.thread.join()
        for each in (self.listener, self.ended, self.end):
            each.close()

    def _serve(self):
        while self.ended not in select.select([self.listener, self.ended], [], [])[0]:
            client, _ = self.listener.accept()
            with client, socket.socket(socket.AF_UNIX) as real:
                real.connect(str(self.real))
                try:
                    self._pass_on(client, real)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the client has had enough

    def _pass_on(self, client, real):
        unfinished = b""
        while True:
            ready = select.select([client, real, self.ended], [], [])[0]
            if self.ended in ready:
                return
            if real in ready:
                answers = real.recv(PIECE)
                if not answers:
                    return
                client.sendall(answers)
            if client in ready:
                asked = client.recv(PIECE)
                if not asked:
                    return
                *lines, unfinished = (unfinished + asked).split(b"\n")
                for line in lines:
                    self._answer(client, real, line)

    def _answer(self, client, real, line):
        request = json.loads(line)
        if lie := self.lies.get(request["execute"]):
            client.sendall(lie(request))
        else:
            real.sendall(line + b"\n")
