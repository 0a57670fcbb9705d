"""Child processes and mounts that never outlive the test."""

import re
import subprocess


def spawn(command, **options):
    """Starts a program that the kernel kills when this process dies."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], **options)


def is_mounted(path):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        # Field 5 is the mount point, with octal escapes for spaces and the like.
        points = [re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split()[4]) for line in table]
    return str(path) in points


def detach(path):
    """Detaches a mount, even of a dead server."""
    while is_mounted(path):
        subprocess.run(["umount", "--lazy", str(path)], check=True)
