# SPDX-License-Identifier: GPL-2.0-or-later
"""This machine: where recow was built, where things are kept, programs that must not outlive us, sizes and durations."""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
RECOW = BUILD / "recow"

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1

UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class CannotRun(Exception):
    """Something is missing; the text says what, and what to do."""


class WrongUsage(Exception):
    """The command line asks for what there isn't."""


def size(text):
    """ "600m" in bytes."""
    match = re.fullmatch(r"(\d+)([kmgt]?)(i?b)?", text.lower())
    if not match or not int(match[1]):
        raise WrongUsage(f"'{text}' is not a size such as 600m or 2g")
    return int(match[1]) * UNITS[match[2]]


def duration(text):
    """ "90s", "5m" in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|[smhd]?)", text)
    if not match or not float(match[1]):
        raise WrongUsage(f"'{text}' is not a duration such as 90s or 5m")
    return float(match[1]) * SECONDS[match[2] or "s"]


def cache():
    """A directory that outlives us, shared with others who run at the same time: what appears in it is complete (keep())."""
    top = os.environ.get("XDG_CACHE_HOME")
    place = pathlib.Path(top) / "recow" if top else BUILD / "vm"
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextlib.contextmanager
def locked(name):
    """One at a time does what is done under this name in the cache; the kernel lets go when we die."""
    with open(cache() / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield


def kept(name, fill):
    """Directory `name` of the cache, made by fill(directory) if it is not there: whole or not at all, and once."""
    place = cache() / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(name.replace("/", "-")):
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as new:
                fill(pathlib.Path(new))
                os.chmod(new, 0o755)
                os.rename(new, place)
                os.mkdir(new)  # for TemporaryDirectory
    return place


def boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def available_memory():
    """Bytes that this machine can give without swapping."""
    for line in pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def die_with_parent():
    """For a child, before it becomes another program: SIGKILL when the thread that started it is no more, and Ctrl-C is not for
    it."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpgid(0, 0)


def run(*command, **kwargs):
    """A command to its end; its output as text."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace", check=False,
                          preexec_fn=die_with_parent, stdin=subprocess.DEVNULL, **kwargs)
