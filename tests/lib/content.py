"""What disks hold: independent records of it, and comparisons by the stock tools.

The comparisons answer yes or no and raise on anything else, so that a tool that could not run is
never taken for "different", nor a missing file for "the same"."""

import os
import subprocess

CLUSTER = 64 * 1024


def _verdict(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(done.args)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.returncode == 0


def same_bytes(one, other):
    """By cmp: equal in length and in every byte."""
    return _verdict(["cmp", "--silent", "--", one, other])


def same_disk(image, record):
    """By qemu-img compare: the qcow2 `image`, with all that it rests on, reads as the raw `record`."""
    return _verdict(["qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", image, record])


def sound(image):
    """By qemu-img check: no error, no leak."""
    done = subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", str(image)], capture_output=True, check=False)
    return done.returncode == 0


def copy(source, target):
    subprocess.run(["cp", "--sparse=always", "--", str(source), str(target)], check=True)


def flip_bit(path, offset):
    file = os.open(path, os.O_RDWR)
    try:
        byte = os.pread(file, 1, offset)
        os.pwrite(file, bytes([byte[0] ^ 1]), offset)
    finally:
        os.close(file)


def clusters(ranges, size=CLUSTER):
    """The numbers of the clusters that (offset, length) ranges touch."""
    return {n for offset, length in ranges if length for n in range(offset // size, (offset + length - 1) // size + 1)}


def bytes_on_disk(folder):
    """What all files of a directory take on disk, holes not counted."""
    return sum(entry.stat().st_blocks * 512 for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False))
