"""A program at its own terminal, for tests of keys and screens."""

import os
import pty
import select

from processes import spawn

CEILING = 120  # seconds until a missing text counts as a failure


class Terminal:
    """Starts the program. until() searches its output in order: each search begins behind the last match."""

    def __init__(self, command, **options):
        ours, theirs = pty.openpty()
        self._screen = ours
        self._shown = b""
        environment = os.environ | {"TERM": "vt100", "LC_ALL": "C.UTF-8"}
        # A session of its own confines Ctrl-C to the program.
        command = ["setsid", "--ctty", *command]
        self.process = spawn(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, **options)
        os.close(theirs)

    def type(self, keys):
        os.write(self._screen, keys.encode())

    def until(self, *texts):
        """Waits until one of the texts is shown, and returns that text."""
        while True:
            found = [(self._shown.find(text.encode()), text) for text in texts if text.encode() in self._shown]
            if found:
                at, text = min(found)
                self._shown = self._shown[at + len(text.encode()) :]
                return text
            self._shown += self._read(texts)

    def end(self):
        """Waits for the program's end, ignores its output, and returns its exit status."""
        while True:
            try:
                self._read(["its end"])
            except EOFError:
                return self.process.wait(CEILING)

    def _read(self, wanted):
        if not select.select([self._screen], [], [], CEILING)[0]:
            raise TimeoutError(f"no {' or '.join(wanted)} after {CEILING} s, but {self._shown!r}")
        try:
            return os.read(self._screen, 65536)
        except OSError:  # EIO: no process has the other side open
            raise EOFError(f"it ended and has never shown {' or '.join(wanted)}, but {self._shown!r}") from None

    def close(self):
        """Cleans up in any state."""
        self.process.kill()
        self.process.wait()
        if self._screen >= 0:
            os.close(self._screen)
            self._screen = -1
