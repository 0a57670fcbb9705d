"""Actions as another user. Numbers suffice; no account is needed."""

import errno
import grp
import itertools
import os
import pickle
import pwd
import socket
import traceback


def unnamed(count):
    """Returns so many numbers that the host knows neither as users nor as groups. A known number would come with a name
    in sentences, and with the groups of its user."""
    known = {user.pw_uid for user in pwd.getpwall()} | {group.gr_gid for group in grp.getgrall()}
    return list(itertools.islice((number for number in itertools.count(1001) if number not in known), count))


class User:
    """A user by number, with a group and supplementary groups. root is User(0)."""

    def __init__(self, uid, gid=None, groups=()):
        self.uid = uid
        self.gid = uid if gid is None else gid
        self.groups = list(groups)

    def does(self, action):
        """Runs action() in a process of the user, returns its value and raises its OSError here."""
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            self._be_child(action, send)
        os.close(send)
        with os.fdopen(receive, "rb") as answer:
            said = answer.read()
        os.waitpid(child, 0)
        outcome, value = pickle.loads(said)
        if outcome == "error":
            raise OSError(*value)
        if outcome == "bug":
            raise AssertionError(value)
        return value

    def become(self):
        """Makes this process the user's, for ever."""
        os.setgroups(self.groups)
        os.setgid(self.gid)
        os.setuid(self.uid)

    def stays(self, action):
        """Runs action() in a process of the user, which lives on with what it has made. Returns a function that ends
        it."""
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            ours.close()
            try:
                self.become()
                made = action()
                theirs.sendall(b"r")
                theirs.recv(1)  # until the test has ended
                del made
            finally:
                os._exit(0)
        theirs.close()
        is_ready = ours.recv(1) == b"r"

        def end():
            ours.close()
            os.waitpid(child, 0)

        if not is_ready:
            end()
            raise AssertionError("the process of the user has ended; its words are above")
        return end

    def _be_child(self, action, send):
        try:
            self.become()
            said = ("value", action())
        except OSError as error:
            said = ("error", (error.errno, error.strerror))
        except BaseException:  # pylint: disable=broad-exception-caught
            said = ("bug", traceback.format_exc())
        os.write(send, pickle.dumps(said))
        os._exit(0)

    def opens(self, path, flags):
        """Opens a file as the user, and returns its descriptor here."""
        ours, theirs = socket.socketpair()
        with ours, theirs:

            def hand_over():
                file = os.open(path, flags)
                socket.send_fds(theirs, [b"."], [file])

            self.does(hand_over)
            _, (file,), _, _ = socket.recv_fds(ours, 1, 1)
            return file

    def outcome(self, action):
        """Runs action() as the user and returns "ok" or the name of the errno."""
        try:
            self.does(action)
        except OSError as error:
            return errno.errorcode[error.errno]
        return "ok"
