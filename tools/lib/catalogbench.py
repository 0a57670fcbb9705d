"""Runs catalog_bench, which is built beside the daemon, in a temporary directory."""

import pathlib
import subprocess
import tempfile

import holdfast


def run(what):
    """Returns the lines that catalog_bench prints."""
    program = pathlib.Path(holdfast.BINARY).resolve().parent / "tests/catalog_bench"
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        done = subprocess.run([program, what, folder], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()
