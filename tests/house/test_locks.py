#!/usr/bin/python3
"""Clang checks what each mutex guards: -Wthread-safety on the sources that use catalog/base/mutex.h.

The rooms use no mutex of the standard library, because clang does not know what such a mutex guards."""

import concurrent.futures
import functools
import itertools
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

import tree

ROOMS = ("catalog", "engine", "fsd")
MUTEX = "catalog/base/mutex.h"
COMPILER = ["clang++-16", "-Wno-everything", "-Wthread-safety", "-Werror=thread-safety"]
# Headers that take most of a compilation's time. They are parsed once, for all sources.
HEAVY = ["algorithm", "chrono", "functional", "map", "thread", "fmt/format.h", "nlohmann/json.hpp", "tl/expected.hpp"]
BATCH = 20  # sources that are compiled as one
STANDARD = re.compile(
    r"std::(?:(?:recursive_|shared_)?(?:timed_)?mutex|condition_variable(?:_any)?"
    r"|lock_guard|scoped_lock|shared_lock|unique_lock)\b"
)

# A member that a mutex guards, or a function whose caller holds the mutex.
GUARDED = re.compile(r"(\w+)\s+HF_GUARDED_BY|(\w+)\((?:[^()]|\([^()]*\))*\)(?:\s+const)?\s+HF_REQUIRES")


def sources(root):
    """Returns the text of each source of the rooms, by its path."""
    return {
        str(path): (root / path).read_text(encoding="utf-8")
        for path in tree.files(root, ".h", ".cpp")
        if path.parts[0] in ROOMS
    }


def with_standard_mutexes(root):
    """Returns a sentence for each source that uses a mutex or a lock of the standard library."""
    return [
        f"{path} uses {found.group()}; {MUTEX} has those that clang checks"
        for path, text in sources(root).items()
        if path != MUTEX
        for found in STANDARD.finditer(text)
    ]


def to_check(root):
    """Returns the .cpp files that access what a mutex guards.

    A file belongs to them if it includes MUTEX, or names what a header of its own folder guards. A header that no
    such file includes is checked by the files of its folder that include it through other headers."""
    texts = sources(root)
    included = {path: set(re.findall(r'^\s*#\s*include\s+"([^"]+)"', texts[path], re.MULTILINE)) for path in texts}
    guarded = {
        path: {member or function for member, function in GUARDED.findall(texts[path])}
        for path in included
        if path.endswith(".h") and MUTEX in included[path]
    }

    def beside(path):
        """Returns the headers of the path's own folder that it includes."""
        return {used for used in included[path] & included.keys() if os.path.dirname(used) == os.path.dirname(path)}

    def reached(path):
        """Returns those headers, and the ones that they include in turn."""
        found, new = set(), beside(path)
        while new:
            found |= new
            new = set().union(*map(beside, new)) - found
        return found

    def names_guarded(path):
        names = set().union(*(guarded[header] for header in beside(path) & guarded.keys()))
        return not names.isdisjoint(re.findall(r"\w+", texts[path]))

    files = sorted(path for path in included if path.endswith(".cpp"))
    direct = {path for path in files if MUTEX in included[path] or names_guarded(path)}
    left = guarded.keys() - set().union(*map(beside, direct))
    return [path for path in files if path in direct or reached(path) & left]


def batches(paths):
    """Yields the paths in lists to be compiled as one, as a unity build does: within a room no two files use one name
    for two things."""
    for _, of_room in itertools.groupby(paths, lambda path: path.split("/")[0]):
        while batch := list(itertools.islice(of_room, BATCH)):
            yield batch


def flags():
    """Returns the language, definitions and include folders of the build; all its sources can be compiled with them."""
    commands = json.loads((pathlib.Path(os.environ["HOLDFAST_BUILD"]) / "compile_commands.json").read_text())
    found = {}  # in order
    for command in commands:
        words = iter(shlex.split(command["command"]))
        for word in words:
            if word == "-isystem":
                found[word, next(words)] = True
            elif re.match("-[ID]|-std=", word):
                found[(word,)] = True
    return [word for words in found for word in words]


@functools.cache
def parsed_headers():
    """Parses the heavy headers. Returns their file."""
    folder = tempfile.TemporaryDirectory(prefix="holdfast-house-")
    unittest.addModuleCleanup(folder.cleanup)
    heavy = pathlib.Path(folder.name) / "heavy.h"
    heavy.write_text("".join(f"#include <{name}>\n" for name in HEAVY), encoding="utf-8")
    subprocess.run([*COMPILER, *flags(), "-x", "c++-header", heavy, "-o", f"{heavy}.pch"], check=True)
    return f"{heavy}.pch"


def complaints(root):
    """Returns what clang says of the sources below `root`."""
    compiler = [*COMPILER, f"-I{root}", *flags(), "-include-pch", parsed_headers(), "-fsyntax-only", "-x", "c++", "-"]

    def check(batch):
        unity = "".join(f'#include "{path}"\n' for path in batch)
        done = subprocess.run(compiler, cwd=root, input=unity, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else f"{' '.join(batch)}: exit {done.returncode}\n{done.stderr}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return "".join(pool.map(check, batches(to_check(root))))


COUNTER = f"""#include "{MUTEX}"
class Counter {{
 public:
  void count() {{
    const holdfast::MutexLock lock(mutex_);
    add();
  }}
  int so_far();

 private:
  void add() HF_REQUIRES(mutex_) {{ ++so_far_; }}
  holdfast::Mutex mutex_;
  int so_far_ HF_GUARDED_BY(mutex_) = 0;
}};
"""


class Locks(tree.MadeTreeTest):
    def test_every_access_holds_the_mutex_that_guards(self):
        self.assertGreater(len(to_check(tree.ROOT)), 30)
        self.assertEqual(complaints(tree.ROOT), "")

    def test_no_room_uses_a_mutex_of_the_standard_library(self):
        self.assertEqual(with_standard_mutexes(tree.ROOT), [])

    def test_a_guarded_access_passes(self):
        self.make("engine/a/counter.h", COUNTER)
        self.make("engine/a/counter.cpp", '#include "engine/a/counter.h"\nvoid f(Counter& c) { c.count(); }\n')
        self.assertEqual(complaints(self.made), "")

    def test_an_unguarded_access_is_seen(self):
        self.make("engine/a/counter.h", COUNTER)
        self.make("engine/a/counter.cpp", '#include "engine/a/counter.h"\nint Counter::so_far() { return so_far_; }\n')
        self.assertRegex(complaints(self.made), "'so_far_' requires holding mutex 'mutex_'")

    def test_a_call_without_the_lock_in_an_inline_function_is_seen(self):
        self.make("fsd/a/counter.h", COUNTER.replace("const holdfast::MutexLock lock(mutex_);", ""))
        self.make("fsd/a/face.h", '#include "fsd/a/counter.h"\n')
        self.make("fsd/a/face.cpp", '#include "fsd/a/face.h"\n')
        self.assertRegex(complaints(self.made), "'add' requires holding mutex 'mutex_'")

    def test_a_standard_mutex_is_seen(self):
        self.make("catalog/a.cpp", "#include <mutex>\nstd::mutex mutex;\nstd::condition_variable_any changed;\n")
        self.assertEqual(len(with_standard_mutexes(self.made)), 2)


if __name__ == "__main__":
    unittest.main()
