"""guest-stall: p99 of a guest's write latency during a backup limited to 5 MB/s, beside the same without a backup.

A real guest's kernel traces when each write is handed to the disk and when it is done. The guest writes 4 KiB at a
time, in stretches over the whole disk. So during a backup one write in a few is the first in its cluster, and QEMU
copies the cluster first. Each round contains a whole backup: freeze, read, release."""

import contextlib
import pathlib
import re
import shutil
import statistics
import tempfile
import time

import bench
import content
import guest
import holdfast

MIB = 2**20
CAPACITY = 128 * MIB
STRETCH = 16  # writes
ROUNDS = 3
TRACE = "/tmp/trace"
WRITER = (
    "dd if=/dev/urandom of=/tmp/data bs=4k count={n} 2>/dev/null; rm -f /tmp/stop; while [ ! -e /tmp/stop ]; do "
    "dd if=/tmp/data of={disk} bs=4k seek=$(({n}*((RANDOM*32768+RANDOM)%{stretches}))) oflag=direct conv=notrunc 2>/dev/null; done"
)
# Example line: dd-97 [000] d.... 12.345678: block_rq_issue: 254,16 WS 4096 () 2048 + 8 [dd]
EVENT = re.compile(r" (\d+\.\d+): block_rq_(issue|complete): \S+ W\S* (?:\d+ )?\(\) (\d+) \+ \d+ ")


def latencies(trace):
    """Latency of each write, in seconds."""
    issued, found = {}, []
    for line in trace.splitlines():
        if event := EVENT.search(line):
            at, what, sector = float(event[1]), event[2], event[3]
            if what == "issue":
                issued[sector] = at
            elif sector in issued:
                found.append(at - issued.pop(sector))
    return found


class Round:
    """Results of one way of writing."""

    def __init__(self, name):
        self.name, self.p99, self.median, self.worst, self.writes = name, [], [], 0.0, 0

    def add(self, found):
        if len(found) < 1000:
            raise RuntimeError(f"{len(found)} writes are too few for a p99")
        cuts = statistics.quantiles(found, n=100)
        self.p99.append(cuts[98])
        self.median.append(cuts[49])
        self.worst = max(self.worst, *found)
        self.writes += len(found)

    def line(self):
        p99, median = statistics.median(self.p99), statistics.median(self.median)
        spread = (max(self.p99) - min(self.p99)) / p99
        return (
            f"{self.name:24} p99 {p99 * 1e6:7.0f} µs  spread {spread:4.0%}  p50 {median * 1e6:5.0f} µs  "
            f"worst {self.worst * 1e3:5.1f} ms  {self.writes} writes"
        )


class Site:
    """A guest that never stops writing, a daemon, and a flow "f" into a slow repository."""

    def __init__(self, stack):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
        stack.callback(shutil.rmtree, self.folder)
        self.daemon = holdfast.Daemon(self.folder)
        stack.callback(self.daemon.close)
        self.daemon.start()
        self.guest = guest.Guest(self.folder / "guest", guest.make_initrd(self.folder), [16 * MIB, CAPACITY])
        stack.callback(self.guest.close)
        self.disk = self.guest.disks[1]
        (self.folder / "repository").mkdir()
        self.daemon.define("machines/m", self.guest.definition())
        settings = {"path": str(self.folder / "repository"), "compression": "none", "bandwidth": "5M"}
        self.daemon.define("repositories/r", settings)
        self.daemon.define("flows/f", {"target": "machines/m", "repository": "r"})
        self.guest.run(f"dd if=/dev/urandom of=/tmp/mib bs=1M count=1 2>/dev/null; i=0; while [ $i -lt {CAPACITY // MIB} ]; do "
                       f"dd if=/tmp/mib of={self.disk.device} bs=1M seek=$i oflag=direct conv=notrunc 2>/dev/null; i=$((i+1)); done")  # fmt: skip
        self.guest.run(
            "mkdir -p /tracing; mount -t tracefs tracefs /tracing; echo 32768 >/tracing/buffer_size_kb; "
            "for e in issue complete; do echo 1 >/tracing/events/block/block_rq_$e/enable; done"
        )
        writer = WRITER.format(n=STRETCH, disk=self.disk.device, stretches=CAPACITY // 4096 // STRETCH)
        self.guest.run(f"({writer}) >/dev/null 2>&1 &")

    def measure(self, meanwhile):
        """Returns the latencies of the guest's writes while `meanwhile` runs."""
        self.guest.run("echo >/tracing/trace; echo 1 >/tracing/tracing_on")
        meanwhile()
        self.guest.run("echo 0 >/tracing/tracing_on")
        return latencies(self.guest.run("grep 'block_rq_.* W' /tracing/trace"))

    def back_up(self, name):
        status = self.daemon.run("f", name, "type=full")
        if status != "success":
            raise RuntimeError(f"the run {name} ended as {status}: {self.daemon.log.read_text()}")

    def check(self):
        """Checks that the last point, taken after the writes, is the guest's disk."""
        self.guest.run("touch /tmp/stop; while [ \"$(pidof dd)\" ]; do sleep 0.1; done; sync")  # fmt: skip
        self.back_up("check")
        self.guest.close()
        point = self.daemon.mount / "machines/m/latest"
        if not content.same_disk(self.disk.image, point / f"{self.disk.name}.raw"):
            raise RuntimeError("the point is not what the disk was")


def measure():
    if why := guest.missing():
        raise RuntimeError(why)
    with contextlib.ExitStack() as stack:
        site = Site(stack)
        without, during = Round("without a backup"), Round("during a backup")
        for number in range(ROUNDS):
            begun = time.monotonic()
            during.add(site.measure(lambda name=f"run-{number}": site.back_up(name)))
            seconds = time.monotonic() - begun
            without.add(site.measure(lambda seconds=seconds: site.guest.run(f"sleep {seconds:.0f}")))
        site.check()
    ratio = statistics.median(during.p99) / statistics.median(without.p99)
    return bench.Result(ratio, ("≤", 2.0), [during.line(), without.line()])
