"""read-chain30: `dd bs=1M` of the newest point of 30 through the mount, beside the oldest, which is a full."""

import bench
import readbench


def measure():
    with readbench.chain(30) as (site, points):

        def side(name, point):
            image = site.daemon.mount / f"machines/m/points/{point}/disk-0.raw"
            dd = ["dd", "bs=1M", "of=/dev/null", "status=none", f"if={image}"]
            return bench.Side(name, dd, site.daemon.process.pid, lambda: bench.drop_cache(image))

        newest, oldest = side("the newest of 30", points[-1]), side("the oldest", points[0])
        ratio = bench.alternate(newest, oldest)
    return bench.Result(ratio, ("≥", 0.9), [newest.line(), oldest.line()])
