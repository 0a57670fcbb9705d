"""Images by image_bench, which is built beside the daemon, and by qemu-img, in a temporary directory."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

import bench
import benchdata
import content
import holdfast

PROGRAM = pathlib.Path(holdfast.BINARY).resolve().parent / "tests/image_bench"


class RawDisk:
    """A sparse raw file to fill."""

    capacity = bench.CAPACITY

    def __init__(self, path):
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
        os.ftruncate(self._file, self.capacity)

    def write(self, offset, data):
        if os.pwrite(self._file, data, offset) != len(data):
            raise RuntimeError(f"{self.path} takes no more")

    def close(self):
        os.close(self._file)


def memory_folder():
    """A temporary directory, in memory where possible, because the disk is not measured."""
    return tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=bench.memory())


@contextlib.contextmanager
def mixed_disk():
    """A raw file of mixed data, in its own directory."""
    with memory_folder() as folder:
        disk = RawDisk(pathlib.Path(folder) / "disk.raw")
        with contextlib.closing(disk):
            benchdata.fill_mixed(disk)
        yield disk.path


def run(*words):
    """Returns the output of image_bench."""
    done = subprocess.run([PROGRAM, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def compare_writing(codec, flags):
    """Compares image_bench with qemu-img convert, with its flags for the codec. Returns the ratio and a line for
    each."""
    with mixed_disk() as raw:
        ours, theirs = raw.with_name("ours.qcow2"), raw.with_name("theirs.qcow2")
        convert = ["qemu-img", "convert", "-W", "-m", "16", *flags, "-f", "raw", "-O", "qcow2", raw, theirs]
        sides = [
            bench.Side("image_bench write", [PROGRAM, "write", raw, ours, codec], prepare=lambda: forget(ours)),
            bench.Side("qemu-img convert", convert, prepare=lambda: forget(theirs)),
        ]
        ratio = bench.alternate(*sides)
        if not (content.sound(ours) and content.same_disk(ours, raw)):
            raise RuntimeError("what was written is not what the disk was")
    return ratio, [side.line() for side in sides]


def forget(image):
    image.unlink(missing_ok=True)


def check_reading(raw, images):
    """Checks that both readers agree about the chain (newest first), and that the comparison sees a flipped bit."""
    record = raw.with_name("record.raw")
    convert = ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", images[0], record]
    subprocess.run(convert, check=True)
    run("export", raw, *images)
    bench.check_contents([raw], record)
    record.unlink()
    raw.unlink()


def compare_reading(images, size):
    """Compares two image_bench readers with qemu-img bench, all in requests of `size` bytes. Returns the ratio and a
    line for each."""
    requests = bench.CAPACITY // size
    theirs = ["qemu-img", "bench", "-U", "-f", "qcow2", "-d", "64", "-c", str(requests), "-s", str(size), images[0]]
    unit = f"{size >> 10} KiB"
    sides = [
        bench.Side(f"image_bench {unit}", [PROGRAM, "read", "2", str(size), *images]),
        bench.Side(f"qemu-img bench {unit}", theirs),
    ]
    return bench.alternate(*sides), [side.line() for side in sides]
