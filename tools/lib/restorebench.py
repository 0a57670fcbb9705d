"""A disk copied out of the mount by cp, beside qemu-img convert from the chain of files; into memory both."""

import bench
import content
import readbench

DEPTH = 4  # layers of the chain


def compare(form, flags, same):
    """The ratio, and a line for each way. `same(copy, record)` is how a copy of this form is checked."""
    with readbench.chain(DEPTH) as (site, points):
        mounted = site.daemon.mount / f"machines/m/points/{points[-1]}/disk-0.{form}"
        stored = next(site.repository.glob(f"*/{points[-1]}/disk-0.qcow2"))
        ours, theirs = (site.folder / f"{name}.{form}" for name in ("copied", "converted"))

        def forget():
            ours.unlink(missing_ok=True)
            theirs.unlink(missing_ok=True)
            bench.drop_cache(mounted)

        convert = ["qemu-img", "convert", "-W", "-m", "16", "-f", "qcow2", "-O", form, str(stored), str(theirs)]
        sides = [
            bench.Side("cp from the mount", ["cp", *flags, str(mounted), str(ours)], site.daemon.process.pid, forget),
            bench.Side("qemu-img convert", convert, prepare=forget),
        ]
        ratio = bench.alternate(*sides)
        check(theirs, site.disk.truth, same)
        forget()
        sides[0].measure()
        check(ours, site.disk.truth, same)
    return ratio, [side.line() for side in sides]


def check(copy, record, same):
    if not same(copy, record):
        raise RuntimeError(f"{copy} is not what the disk was")
    content.flip_bit(record, bench.CAPACITY // 3)
    seen = not same(copy, record)
    content.flip_bit(record, bench.CAPACITY // 3)
    if not seen:
        raise RuntimeError("a flipped bit was not noticed: the comparison is worth nothing")
