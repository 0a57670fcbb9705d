"""recover: cost per point of `holdfast recover` of 100,000 small points ÷ that of 1,000.

A machine with 100 points of a small file, in chains of twenty, is backed up once. Its directory is then repeated under
other keys, with other ids in its documents; the images are linked."""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time

import bench
from holdfast import BINARY, Daemon
from served import PlainDisk

POINTS = 100  # per machine
FEW, MANY = 10, 1000  # machines
CAPACITY = 2**20
ID_STEP = 2**32  # ids of a machine lie closer together


def make_template(folder, repository):
    """Backs up machine m 100 times. Returns the directory of its points."""
    daemon = Daemon(folder)
    try:
        daemon.start()
        rng = random.Random(7)
        disk = PlainDisk(folder / "disk", CAPACITY)
        daemon.define("repositories/r", {"path": str(repository)})
        daemon.define("machines/m", {"driver": "file", "disks": [{"name": "disk-0", "path": str(disk.path)}]})
        daemon.define("policies/p", {"full_every": 20})
        daemon.define("flows/f", {"target": "machines/m", "repository": "r", "policy": "p"})
        for number in range(POINTS):
            disk.write(rng.randrange(CAPACITY // 65536) * 65536, rng.randbytes(65536))
            if daemon.run("f", f"r{number}") != "success":
                raise RuntimeError(daemon.log.read_text())
        daemon.stop()
    finally:
        daemon.close()
    (points,) = [entry for entry in repository.iterdir() if entry.is_dir() and entry.name.startswith("m-")]
    return points


def repeat(template, number):
    """Makes machine m<number> with the same points."""
    key = f"{template.name}-{number}"
    definition = template.parent / "definitions/machines/m.json"
    text = json.loads(definition.read_text())
    text["name"], text["key"] = f"m{number}", key
    (definition.parent / f"m{number}.json").write_text(json.dumps(text))
    for point in template.iterdir():
        copy = template.parent / key / point.name
        copy.mkdir(parents=True)
        for file in point.iterdir():
            if file.name != "manifest.json":
                os.link(file, copy / file.name)
                continue
            manifest = json.loads(file.read_text())
            manifest["machine"], manifest["machine_key"] = f"m{number}", key
            manifest["point_id"] += number * ID_STEP
            manifest["chain"] = str(int(manifest["chain"]) + number * ID_STEP)
            (copy / file.name).write_text(json.dumps(manifest))


def seconds(repository, folder, machines):
    """Recovers the repository into a new catalog, which must have all points."""
    state = folder / "recovered"
    command = [BINARY.parent / "holdfast", "recover", repository, "--state", state]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.monotonic() - begun
    said = re.search(r"(\d+) points and 0 copies are added", done.stdout)
    if done.returncode != 0 or not said or int(said[1]) != machines * POINTS:
        raise RuntimeError(f"exit {done.returncode}: {done.stdout[-500:]}{done.stderr[-2000:]}")
    shutil.rmtree(state)
    return took


def measure():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))  # a disk may not lie below /dev
    repository = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=bench.memory()))
    try:
        template = make_template(folder, repository)
        for number in range(1, FEW):
            repeat(template, number)
        few = min(seconds(repository, folder, FEW) for _ in range(3))
        for number in range(FEW, MANY):
            repeat(template, number)
        many = seconds(repository, folder, MANY)
        lines = [
            f"{f'{machines * POINTS:,} points':24} {took:7.2f} s  {took / machines / POINTS * 1e6:7.0f} µs per point"
            for machines, took in ((FEW, few), (MANY, many))
        ]
        return bench.Result((many / MANY) / (few / FEW), ("≤", 2.0), lines)
    finally:
        for path in (folder, repository):
            shutil.rmtree(path, ignore_errors=True)
