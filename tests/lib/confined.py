#!/usr/bin/python3
"""Runs a program under what a systemd unit confines a service with, as far as this takes no systemd: its capabilities, its
system calls, its address families, its namespaces. Command: confined.py UNIT PROGRAM [ARGUMENT...]"""

import ctypes
import errno
import functools
import os
import re
import socket
import subprocess
import sys

import seccomp

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
NAMESPACES = 0x7E020000 | 0x80  # CLONE_NEW…: user, pid, net, uts, ipc, cgroup, mnt, time
NAMES = "/usr/include/linux/capability.h"


def settings(unit):
    """The unit's settings: each name with its values, in the order of their lines."""
    found = {}
    with open(unit, encoding="utf-8") as file:
        for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", file.read(), re.MULTILINE):
            found.setdefault(name, []).append(value)
    return found


@functools.cache
def calls_of(group):
    """The system calls of a group like @system-service, by systemd's own list; another word is a call."""
    if not group.startswith("@"):
        return {group}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True).stdout
    words = [line.strip() for line in listed.splitlines()[1:]]
    return set().union(*(calls_of(word) for word in words if word and not word.startswith("#")))


def allowed_calls(filters):
    allowed = set()
    for line in filters:
        calls = set().union(*map(calls_of, line.removeprefix("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def keep_capabilities(names):
    with open(NAMES, encoding="utf-8") as header:
        numbers = dict(re.findall(r"^#define (CAP_[A-Z_]+)\s+(\d+)$", header.read(), re.MULTILINE))
    kept = {int(numbers[name]) for name in names}
    libc = ctypes.CDLL(None, use_errno=True)
    for number in set(range(64)) - kept:
        if libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 and ctypes.get_errno() != errno.EINVAL:
            raise OSError(ctypes.get_errno(), f"capability {number} can't be dropped")


def confine(unit):
    has = settings(unit)
    keep_capabilities(has["CapabilityBoundingSet"][0].split())
    if has["NoNewPrivileges"] != ["yes"] or has["RestrictNamespaces"] != ["yes"]:
        raise ValueError("the unit has other settings than this program knows")
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refuse = seccomp.ERRNO(getattr(errno, has["SystemCallErrorNumber"][0]))
    rules = seccomp.SyscallFilter(defaction=refuse)
    for call in allowed_calls(has["SystemCallFilter"]) - {"clone", "clone3", "setns", "unshare", "socket", "personality"}:
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except (RuntimeError, ValueError):  # a call of another architecture
            continue
    rules.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, NAMESPACES, 0))
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for family in has["RestrictAddressFamilies"][0].split():
        rules.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, getattr(socket, family)))
    rules.load()


if __name__ == "__main__":
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
