"""A program at a terminal of its own: for what is used with keys and a screen."""

import os
import pty
import select

from processes import spawn

CEILING = 120  # seconds until something that must appear counts as never appearing


class Terminal:
    """Starts the program. What it shows is looked for in order: until() begins behind what it found last."""

    def __init__(self, command, **options):
        ours, theirs = pty.openpty()
        self._screen = ours
        self._shown = b""
        environment = os.environ | {"TERM": "vt100", "LC_ALL": "C.UTF-8"}
        # In a session of its own, so that Ctrl-C reaches it and nobody else.
        command = ["setsid", "--ctty", *command]
        self.process = spawn(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, **options)
        os.close(theirs)

    def type(self, keys):
        os.write(self._screen, keys.encode())

    def until(self, *texts):
        """Waits until one of them is shown; that one."""
        while True:
            found = [(self._shown.find(text.encode()), text) for text in texts if text.encode() in self._shown]
            if found:
                at, text = min(found)
                self._shown = self._shown[at + len(text.encode()) :]
                return text
            self._shown += self._read(texts)

    def end(self):
        """Waits until it has ended, whatever it still shows; its exit status."""
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
        except OSError:  # EIO: nobody has the other side open any more
            raise EOFError(f"it ended and has never shown {' or '.join(wanted)}, but {self._shown!r}") from None

    def close(self):
        """For cleanup: whatever state it is in."""
        self.process.kill()
        self.process.wait()
        if self._screen >= 0:
            os.close(self._screen)
            self._screen = -1
