"""A disk copied out of the mount by cp, beside qemu-img convert from the chain of files; both write to memory."""

import bench
import content
import readbench

DEPTH = 4  # layers of the chain


def compare(form, flags, same):
    """Returns the ratio to plain qemu-img convert, and a line for each way; the last line is qemu-img with 16 parallel
    requests. `same(copy, record)` checks a copy of this form."""
    with readbench.chain(DEPTH) as (site, points):
        mounted = site.daemon.mount / f"machines/m/points/{points[-1]}/disk-0.{form}"
        stored = next(site.repository.glob(f"*/{points[-1]}/disk-0.qcow2"))
        ours, theirs = (site.folder / f"{name}.{form}" for name in ("copied", "converted"))

        def forget():
            ours.unlink(missing_ok=True)
            theirs.unlink(missing_ok=True)
            bench.drop_cache(mounted)
            bench.touch_memory(2 * bench.CAPACITY)  # drops the copy and the kernel's cache of the mount

        def convert(name, *options):
            words = ["qemu-img", "convert", *options, "-f", "qcow2", "-O", form, str(stored), str(theirs)]
            return bench.Side(name, words, prepare=forget)

        copy = bench.Side("cp from the mount", ["cp", *flags, mounted, ours], site.daemon.process.pid, forget)
        plain, eager = convert("qemu-img convert"), convert("qemu-img convert -W -m 16", "-W", "-m", "16")
        ratio = bench.alternate(copy, plain)
        lines = [copy.line(), plain.line()]
        check(theirs, site.disk.truth, same)
        beside_eager = bench.alternate(again(copy), eager, rounds=3)
        lines += [eager.line(), f"{'':24} × {beside_eager:.2f}"]
        forget()
        copy.measure()
        check(ours, site.disk.truth, same)
    return ratio, lines


def again(side):
    return bench.Side(side.name, side.command, side.server, side.prepare)


def check(copy, record, same):
    if not same(copy, record):
        raise RuntimeError(f"{copy} is not what the disk was")
    content.flip_bit(record, bench.CAPACITY // 3)
    seen = not same(copy, record)
    content.flip_bit(record, bench.CAPACITY // 3)
    if not seen:
        raise RuntimeError("a flipped bit was not noticed: the comparison is worth nothing")
