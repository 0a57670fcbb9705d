"""Prints the slowest twenty tests and translation units of some builds: timings.py BUILD...

ninja keeps the seconds of each command in BUILD/.ninja_log, ctest those of each test in Testing/Temporary/CTestCostData.txt.
Two things at a time on two cores: a time is one of the wall, beside whatever ran meanwhile."""

import pathlib
import signal
import sys

SHOWN = 20

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as head may end first


def translation_units(build):
    """Yields (seconds, name) of the newest compilation of each object."""
    log = build / ".ninja_log"
    newest = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        fields = line.split("\t")
        if len(fields) == 5 and fields[3].endswith(".o"):
            newest[fields[3]] = (int(fields[1]) - int(fields[0])) / 1000
    for name, seconds in newest.items():
        yield seconds, f"{build.name}/{name}"


def tests(folder):
    """Yields (seconds, name) of each test that ctest has run in a folder: NAME RUNS SECONDS, until a line of dashes."""
    costs = folder / "Testing/Temporary/CTestCostData.txt"
    for line in costs.read_text().splitlines() if costs.exists() else []:
        if line.startswith("---"):
            return
        name, _, seconds = line.rsplit(" ", 2)
        yield float(seconds), name


def show(title, timed):
    slowest = sorted(timed, reverse=True)[:SHOWN]
    print(f"{title}: {'nothing is on record; run tools/test first' if not slowest else ''}")
    for seconds, name in slowest:
        print(f"{seconds:8.1f} s  {name}")


builds = [pathlib.Path(name) for name in sys.argv[1:]]
show("The slowest tests", {entry for folder in [builds[0].parent / "test", *builds] for entry in tests(folder)})
show("The slowest translation units", (entry for build in builds for entry in translation_units(build)))
