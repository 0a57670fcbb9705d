"""Random reads of a file beside its truth, by several threads, with read(2), mmap and O_DIRECT."""

import concurrent.futures
import contextlib
import mmap
import os
import random

LENGTHS = [1, 511, 512, 4095, 4096, 4097, 65536, 65537, 300_000, 2**20, 3 * 2**20 + 17]
WEIGHTS = [8, 8, 8, 8, 16, 8, 16, 16, 4, 2, 1]
FORGETTING = 8  # reads between two drops of the page cache, so that reads reach the server


class Buffered:
    def __init__(self, path):
        self._file = os.open(path, os.O_RDONLY)
        self._reads = 0

    def read(self, offset, length):
        self._reads += 1
        if self._reads % FORGETTING == 0:
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.pread(self._file, length, offset)

    def close(self):
        os.close(self._file)


class Mapped:
    def __init__(self, path):
        with open(path, "rb") as file:
            self._pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self._reads = 0

    def read(self, offset, length):
        self._reads += 1
        if self._reads % FORGETTING == 0:
            self._pages.madvise(mmap.MADV_DONTNEED)
        return self._pages[offset : offset + length]

    def close(self):
        self._pages.close()


class Direct:
    """O_DIRECT into aligned memory: each read reaches the server as it was asked for, aligned or not."""

    def __init__(self, path):
        self._file = os.open(path, os.O_RDONLY | os.O_DIRECT)
        self._memory = mmap.mmap(-1, max(LENGTHS))

    def read(self, offset, length):
        with memoryview(self._memory) as whole, whole[:length] as part:
            return bytes(part[: os.preadv(self._file, [part], offset)])

    def close(self):
        os.close(self._file)
        self._memory.close()


WAYS = [Buffered, Mapped, Direct]


def _read_some(way, path, truth, count, seed):
    rng = random.Random(seed)
    found = []
    with contextlib.closing(way(path)) as ours, open(truth, "rb") as theirs:
        size = os.fstat(theirs.fileno()).st_size
        for _ in range(count):
            length = rng.choices(LENGTHS, WEIGHTS)[0]
            # Half of the reads begin or end at a cluster's edge; some go beyond the end.
            offset = rng.randrange(size)
            if rng.random() < 0.5:
                offset = max(0, offset - offset % 65536 - rng.choice([0, 0, 1, length]))
            if ours.read(offset, length) != os.pread(theirs.fileno(), length, offset):
                found.append(f"{way.__name__}: {length} bytes at {offset} are not what they should be")
    return found


def differences(path, truth, count, rng, threads=6, ways=WAYS):
    """Reads `path` `count` times, with all threads at once, and returns a sentence for each difference from `truth`.
    Threads take turns in `ways`."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        begun = [
            pool.submit(
                _read_some,
                ways[number % len(ways)],
                path,
                truth,
                count // threads + (number < count % threads),
                rng.randrange(2**32),
            )
            for number in range(threads)
        ]
        return [sentence for one in begun for sentence in one.result()]
