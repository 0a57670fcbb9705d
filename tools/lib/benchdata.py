"""Contents of benchmark disks: "mixed" data and "scattered" changes, the same for each run with one seed."""

import random

MIB = 2**20
BLOCK = 64 * 1024


def _text_pool(rng):
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 9))) for _ in range(4096)]
    return [" ".join(rng.choices(words, k=200_000)).encode()[:MIB] for _ in range(8)]


def _zero_heavy(rng):
    block = bytearray(MIB)
    for _ in range(200):
        at = rng.randrange(MIB - 64)
        block[at : at + 64] = rng.randbytes(64)
    return bytes(block)


def kinds(rng):
    """Returns functions for the kinds of mixed data: text-like, random, zero-heavy. Each call of one makes a MiB."""
    pool = _text_pool(rng)
    return [
        lambda: pool[rng.randrange(len(pool))],
        lambda: rng.randbytes(MIB),
        lambda: _zero_heavy(rng),
    ]


def fill_mixed(disk, seed=1):
    """Fills half of the disk with mixed data, a third of each kind. The other half stays a hole."""
    rng = random.Random(seed)
    makers = kinds(rng)
    stretch = 8 * MIB
    for number, offset in enumerate(range(0, disk.capacity, 2 * stretch)):
        for step in range(0, stretch, MIB):
            disk.write(offset + step, makers[number % 3]())


def change_scattered(disk, total=64 * MIB, seed=2):
    """Overwrites `total` bytes in random, aligned, distinct blocks of 64 KiB. Returns the number of blocks."""
    rng = random.Random(seed)
    blocks = rng.sample(range(disk.capacity // BLOCK), total // BLOCK)
    for block in blocks:
        disk.write(block * BLOCK, rng.randbytes(BLOCK))
    return len(blocks)
