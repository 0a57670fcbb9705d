"""An NBD server that lies: it speaks the protocol as a client of QEMU expects, but for one lie, which it tells by name."""

import socket
import struct
import threading

MIB = 2**20
OPTION, REPLY = b"IHAVEOPT", 0x0003E889045565A9
REQUEST, CHUNK = 0x25609513, 0x668E33EF
ABORT, INFO, GO, STRUCTURED, SET_CONTEXTS = 2, 6, 7, 8, 10  # options
ACK, SAYS, CONTEXT, UNSUPPORTED = 1, 3, 4, 0x80000001  # replies to them
READ, DISCONNECT, STATUS = 0, 2, 7  # requests
DATA, EXTENTS, DONE = 1, 5, 1  # kinds of chunks, and the flag of the last one
FLAGS = 1 | 2 | 1 << 7  # flags are sent; read-only; answers in one piece
ZERO = 3  # a hole that reads as zeros; a dirty bitmap has only the lower bit, dirty
AT_ONCE = MIB  # extents in an answer with many

LIES = {
    "": "the truth: all of it is data, and reads as zeros",
    "no greeting": "takes connections and says nothing",
    "endless contexts": "grants meta contexts without end",
    "huge": "claims 2^62 bytes",
    "small blocks": "takes requests of 4 KiB at most",
    "mute": "never answers block status",
    "dripping": "answers block status a byte at a time, without end",
    "byte by byte": "answers each block status with an extent of one byte",
    "many bytes": "describes each byte by an extent of its own, many in an answer",
    "alternating": "the same, and each extent is of another kind than the one before",
    "endless chunks": "repeats its answer to a block status without end",
    "mute reads": "never answers a read",
    "dripping reads": "answers a read a byte at a time, without end",
}


class Mangled:
    """A connection that changes, cuts, repeats or adds to some of what is sent over it."""

    def __init__(self, connection, random):
        self.connection = connection
        self.random = random
        self.recv = connection.recv

    def sendall(self, data):
        if self.random.random() < 0.1:
            data = self._mangle(bytearray(data))
        self.connection.sendall(data)

    def _mangle(self, data):
        deed = self.random.randrange(5)
        place = self.random.randrange(len(data))
        if deed == 0:
            data[place] ^= 1 << self.random.randrange(8)
        elif deed == 1:
            data[place] = self.random.choice((0, 1, 0x7F, 0xFF))
        elif deed == 2:
            del data[place:]
        elif deed == 3:
            data *= 2
        else:
            data[place:place] = self.random.randbytes(self.random.randrange(1, 64))
        return data


class LyingNbd:
    """Serves any number of clients, and grants every meta context. `asked` is set once a client has met the lie. With
    `random` it mangles its words, too."""

    def __init__(self, path, lie="", size=MIB, random=None):
        assert lie in LIES, lie
        self.random = random
        self.lie = lie
        self.size = 2**62 if lie == "huge" else size
        self.asked = threading.Event()
        self.closed = threading.Event()
        self.clients = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def close(self):
        self.closed.set()
        for each in (self.listener, *self.clients):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client has gone
        for thread in self.threads:
            thread.join()
        for each in (self.listener, *self.clients):
            each.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.clients.append(client)
            self.threads.append(threading.Thread(target=self._serve, args=[client], daemon=True))
            self.threads[-1].start()

    def _serve(self, client):
        try:
            Conversation(self, client).hold()
        except (OSError, EOFError):
            pass  # the client has had enough
        finally:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Conversation:
    """One client's connection, from the greeting to its end."""

    def __init__(self, server, client):
        self.server = server
        self.client = Mangled(client, server.random) if server.random else client
        self.contexts = {}  # numbers, by name
        self.tellers = {
            "mute": self._say_nothing,
            "dripping": lambda handle, _: self._drip(EXTENTS, handle, 4 + 8 * MIB),
            "byte by byte": lambda handle, _: self._extents(handle, [1, 0]),
            "many bytes": lambda handle, _: self._extents(handle, [1, 0], AT_ONCE),
            "alternating": lambda handle, _: self._extents(handle, [1, 0, 1, ZERO], 2 * AT_ONCE),
            "endless chunks": self._repeat,
        }

    def hold(self):
        if self.server.lie == "no greeting":
            self.server.asked.set()
            self._say_nothing()
        self.client.sendall(b"NBDMAGIC" + OPTION + struct.pack(">H", 3))
        self._take(4)
        while self._option():
            pass
        while self._request():
            pass

    def _take(self, count):
        taken = b""
        while len(taken) < count:
            piece = self.client.recv(count - len(taken))
            if not piece:
                raise EOFError
            taken += piece
        return taken

    # The handshake

    def _reply(self, option, kind, data=b""):
        self.client.sendall(struct.pack(">QLLL", REPLY, option, kind, len(data)) + data)

    def _option(self):
        """Answers an option. Returns False when the client's requests come next."""
        option, length = struct.unpack(">8xLL", self._take(16))
        data = self._take(length)
        if option == ABORT:
            self._reply(option, ACK)
            raise EOFError
        if option in (INFO, GO):
            self._describe(option)
        elif option == STRUCTURED:
            self._reply(option, ACK)
        elif option == SET_CONTEXTS:
            self._grant(option, data)
        else:
            self._reply(option, UNSUPPORTED)
        return option != GO

    def _describe(self, option):
        self._reply(option, SAYS, struct.pack(">HQH", 0, self.server.size, FLAGS))
        if self.server.lie == "small blocks":
            self.server.asked.set()
            self._reply(option, SAYS, struct.pack(">HLLL", 3, 512, 4096, 4096))
        if self.server.lie == "huge":
            self.server.asked.set()
        self._reply(option, ACK)

    def _grant(self, option, data):
        (length,) = struct.unpack_from(">L", data)
        at = 4 + length + 4
        while at < len(data):
            (length,) = struct.unpack_from(">L", data, at)
            name = data[at + 4 : at + 4 + length]
            at += 4 + length
            self.contexts[name] = len(self.contexts) + 1
            self._reply(option, CONTEXT, struct.pack(">L", self.contexts[name]) + name)
        if self.server.lie == "endless contexts":
            self.server.asked.set()
            name = b"x" * 4000
            one = struct.pack(">QLLLL", REPLY, option, CONTEXT, 4 + len(name), 9) + name
            while True:
                self.client.sendall(one * 256)
        self._reply(option, ACK)

    # Requests

    def _chunk(self, handle, kind, data, flags=DONE):
        self.client.sendall(struct.pack(">LHHQL", CHUNK, flags, kind, handle, len(data)) + data)

    def _request(self):
        """Answers a request. Returns False when the client takes its leave."""
        _, kind, handle, offset, length = struct.unpack(">4xHHQQL", self._take(28))
        if kind == DISCONNECT:
            return False
        if kind == STATUS:
            if self.server.lie in self.tellers:
                self.server.asked.set()
            self.tellers.get(self.server.lie, self._tell)(handle, length)
        elif kind == READ:
            if self.server.lie.endswith("reads"):
                self.server.asked.set()
            if self.server.lie == "mute reads":
                self._say_nothing()
            if self.server.lie == "dripping reads":
                self._drip(DATA, handle, 8 + length)
            self._chunk(handle, DATA, struct.pack(">Q", offset) + bytes(length))
        return True

    def _tell(self, handle, length):
        self._extents(handle, [length, 0])

    def _extents(self, handle, extents, times=1, last=DONE):
        """Answers for each granted context with the same lengths and flags, so many times. 0 is data, or clean; ZERO is a
        hole, or dirty."""
        said = struct.pack(f">{len(extents)}L", *extents) * times
        for number in self.contexts.values():
            is_last = number == len(self.contexts)
            self._chunk(handle, EXTENTS, struct.pack(">L", number) + said, last if is_last else 0)

    def _repeat(self, handle, length):
        while True:
            self._extents(handle, [length, 0], last=0)

    def _say_nothing(self, *_):
        self.server.closed.wait()
        raise EOFError

    def _drip(self, kind, handle, length):
        """Announces so many bytes, and sends one often enough that nobody calls the server silent."""
        self.client.sendall(struct.pack(">LHHQL", CHUNK, DONE, kind, handle, length))
        while not self.server.closed.wait(0.1):
            self.client.sendall(b"\0")
        raise EOFError
