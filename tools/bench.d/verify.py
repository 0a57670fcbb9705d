"""verify: `verify level=checksums` of a point, beside `cat` of the same files; all of them are in the page cache."""

import bench
import benchdata


def measure():
    with bench.Site(below=bench.memory()) as site:
        benchdata.fill_mixed(site.disk)
        point = site.back_up("full")
        files = [path for path in site.repository.glob(f"*/{point}/*") if path.suffix in (".qcow2", ".sums")]
        jobs, control = site.daemon.mount / "jobs", site.daemon.mount / f"machines/m/points/{point}/control"
        # The shell's number names the job.
        verify = f'echo verify name=v$$ > {control} && test "$(cat {jobs}/v$$/wait)" = success'

        def ready():
            bench.warm(files)

        ours = bench.Side("verify", ["sh", "-c", verify], site.daemon.process.pid, ready)
        cat = bench.Side("cat", ["cat", "--", *files], prepare=ready)
        ratio = bench.alternate(ours, cat)
        size = sum(path.stat().st_size for path in files)
        return bench.Result(ratio, ("≥", 0.8), [ours.line(), cat.line(), f"{'read':24} {size >> 20:7} MiB"])
