"""Disks that are plain files, and NBD servers for them: nbdkit and qemu-nbd, with certificates if needed."""

import os
import socket as socketlib
import subprocess
import time

import content
from processes import spawn

CEILING = 60  # seconds until a server that is not ready counts as broken


class PlainDisk:
    """A raw file that the test writes to as its owner."""

    def __init__(self, path, capacity):
        self.name = path.stem
        self.path = path
        with open(path, "wb") as file:
            file.truncate(capacity)

    def write(self, offset, data):
        with open(self.path, "r+b") as file:
            assert os.pwrite(file.fileno(), data, offset) == len(data)

    def discard(self, offset, length):
        subprocess.run(["fallocate", "--punch-hole", "-o", str(offset), "-l", str(length), self.path], check=True)

    def record(self, path):
        content.copy(self.path, path)
        return path


class Server:
    """A server process, ready when the constructor returns."""

    def __init__(self, command, pidfile, **options):
        pidfile.unlink(missing_ok=True)
        self.process = spawn(command, stderr=subprocess.PIPE, text=True, **options)
        deadline = time.monotonic() + CEILING
        while not (pidfile.exists() and pidfile.read_text().strip()):
            if self.process.poll() is not None:
                said = self.process.stderr.read()
                self.close()
                raise RuntimeError(f"{command[0]} has ended: {said}")
            if time.monotonic() > deadline:
                self.close()
                raise TimeoutError(f"{command[0]} is not ready after {CEILING} s")
            time.sleep(0.01)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def nbdkit(socket, *arguments):
    """Starts nbdkit with a plugin and its parameters, at a unix socket."""
    socket.unlink(missing_ok=True)
    pidfile = socket.with_suffix(".pid")
    return Server(["nbdkit", "--foreground", "--unix", socket, "--pidfile", pidfile, *arguments], pidfile)


def nbdkit_tcp(folder, *arguments):
    """Starts nbdkit at a free TCP port. Returns the server and the port."""
    pidfile = folder / "tcp.pid"
    with socketlib.create_server(("localhost", 0)) as listener:
        # Socket activation as systemd does it: the listening socket is descriptor 3, and LISTEN_PID names the process.
        activate = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{listener.fileno()}'
        command = ["bash", "-c", activate, "nbdkit", "nbdkit", "--foreground", "--pidfile", pidfile, *arguments]
        return Server(command, pidfile, pass_fds=[listener.fileno()]), listener.getsockname()[1]


def qemu_nbd(socket, *arguments):
    """Starts qemu-nbd, read-only, for any number of clients, until it is closed."""
    socket.unlink(missing_ok=True)
    pidfile = socket.with_suffix(".pid")
    own = ["--read-only", "--persistent", "--shared=0", "--socket", socket, "--pid-file", pidfile]
    return Server(["qemu-nbd", *own, *arguments], pidfile)


def uri(socket, export="", scheme="nbd", **parameters):
    more = "".join(f"&{name.replace('_', '-')}={value}" for name, value in parameters.items())
    return f"{scheme}+unix:///{export}?socket={socket}{more}"


def certificates(folder):
    """Makes a certificate authority with a server's and a client's certificates. Returns a directory that both can
    use."""
    folder.mkdir()

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder)

    new_key = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *new_key, "-days", 2, "-subj", "/CN=authority", "-keyout", "ca-key.pem", "-out", "ca-cert.pem")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost\n")
    for who in ("server", "client"):
        openssl("req", *new_key, "-subj", f"/CN={who}", "-keyout", f"{who}-key.pem", "-out", f"{who}.csr")
        signed = ["-CA", "ca-cert.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "extensions"]
        openssl("x509", "-req", "-days", 2, *signed, "-in", f"{who}.csr", "-out", f"{who}-cert.pem")
    return folder
