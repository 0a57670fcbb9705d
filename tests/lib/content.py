"""Comparisons of disks with their records, by stock tools.

A comparison returns yes or no and raises for anything else. So a tool that cannot run does not count as "different",
nor a missing file as "the same"."""

import os
import subprocess

CLUSTER = 64 * 1024


def _verdict(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(done.args)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.returncode == 0


def same_bytes(one, other):
    """Whether both files have the same length and the same bytes, by cmp."""
    return _verdict(["cmp", "--silent", "--", one, other])


def same_disk(image, record):
    """Whether the qcow2 `image`, with its backing files, reads as the raw `record`, by qemu-img compare."""
    return _verdict(["qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", image, record])


def sound(image):
    """Whether qemu-img check finds neither an error nor a leak."""
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
    """Numbers of the clusters that the (offset, length) ranges touch."""
    return {n for offset, length in ranges if length for n in range(offset // size, (offset + length - 1) // size + 1)}


def bytes_on_disk(folder):
    """Bytes on disk of all files in the directory, without holes."""
    return sum(entry.stat().st_blocks * 512 for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False))
