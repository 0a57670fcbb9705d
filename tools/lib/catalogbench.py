"""Runs catalog_bench, which is built beside the daemon, in a directory that goes with it."""

import pathlib
import subprocess
import tempfile

import holdfast


def run(what):
    """The lines that it prints."""
    program = pathlib.Path(holdfast.BINARY).resolve().parent / "tests/catalog_bench"
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        done = subprocess.run([program, what, folder], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()
