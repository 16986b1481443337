# SPDX-License-Identifier: GPL-2.0-or-later
"""What people do by hand to make the kernel migrate pages, without aim: the peers of recow's injectors. Each loop puts back
what it changed."""
import array
import pathlib
import re
import subprocess
import threading
import time

BLOCKS = pathlib.Path("/sys/devices/system/memory")
DIRTY, LRU, ANON, SWAPBACKED = 1 << 4, 1 << 5, 1 << 12, 1 << 14  # linux/kernel-page-flags.h
FRAME = 4096


def migrated_pages():
    return int(re.search(r"^pgmigrate_success (\d+)", pathlib.Path("/proc/vmstat").read_text(), re.M)[1])


def zone_of(block):
    return (block / "valid_zones").read_text().split()[0]


def fit_blocks():
    """Blocks that get their zone back: not at an edge of their zone, except in Normal (docs/injectors.md)."""
    blocks = {int(b.name[6:]): b for b in BLOCKS.glob("memory[0-9]*") if (b / "state").read_text().strip() == "online"}
    zones = {n: zone_of(b) for n, b in blocks.items()}
    return [b for n, b in sorted(blocks.items())
            if zones[n] == "Normal" or (zones[n] == zones.get(n - 1) == zones.get(n + 1) != "none")]


def dirty_pages(block, cgroup):
    """Dirty file pages of the memory cgroup with this inode in a block."""
    frames = int((BLOCKS / "block_size_bytes").read_text(), 16) // FRAME
    first = int(block.name[6:]) * frames
    words = []
    for name in ("kpageflags", "kpagecgroup"):
        with open(f"/proc/{name}", "rb", buffering=0) as file:
            file.seek(first * 8)
            words.append(array.array("Q", file.read(frames * 8)))
    return sum(1 for flags, owner in zip(*words)
               if owner == cgroup and flags & DIRTY and flags & LRU and not flags & (ANON | SWAPBACKED))


def set_state(block, state):
    """By a child: the kernel retries an offline until a signal comes."""
    try:
        return subprocess.run(["sh", "-c", f"echo {state} > {block}/state"], stderr=subprocess.DEVNULL, timeout=2,
                              check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


class Loop(threading.Thread):
    """One of the loops, from start() until end()."""

    def __init__(self, cgroup):
        super().__init__()
        self.cgroup, self.dirty, self.pages, self.over = cgroup, 0, 0, False

    def run(self):
        before, begin = migrated_pages(), time.monotonic()
        self.loop()
        self.pages, self.seconds = migrated_pages() - before, time.monotonic() - begin

    def end(self):
        self.over = True
        self.join()
        return self.pages / self.seconds, self.dirty / self.seconds


class Offline(Loop):
    """a plain loop: every block offline and back, one after another"""

    def loop(self):
        blocks = fit_blocks()
        while not self.over:
            for block in blocks:
                if self.over:
                    return
                self.cycle(block)

    def cycle(self, block):
        dirty = dirty_pages(block, self.cgroup)
        if set_state(block, "offline"):
            self.dirty += dirty
            set_state(block, "online_kernel")


class Compact(Loop):
    """a plain loop: compact_memory"""

    def loop(self):
        while not self.over:
            pathlib.Path("/proc/sys/vm/compact_memory").write_text("1")


LOOPS = (Offline, Compact)
