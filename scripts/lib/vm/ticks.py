# SPDX-License-Identifier: GPL-2.0-or-later
"""The frequency of this machine's time stamp counter, which an emulated guest sees as its own. A guest that measures it itself, on
a busy machine, is wrong by as much as a factor of four, and its seconds with it."""
import ctypes
import mmap
import platform
import time

# rdtsc; shl rdx, 32; or rax, rdx; ret
READ = bytes.fromhex("0f31 48c1e220 4809d0 c3")
SPAN = 0.1   # seconds of one measurement
TRIES = 5


def kilohertz():
    """0: this machine has no such counter."""
    if platform.machine() != "x86_64":
        return 0
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(READ)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    return sorted(measure(read) for _ in range(TRIES))[TRIES // 2]


def measure(read):
    ticks, began = moment(read)
    time.sleep(SPAN)
    further, ended = moment(read)
    return round((further - ticks) * 1e6 / (ended - began))


def moment(read):
    """(ticks, ns) as near to each other as they come: the narrowest of some looks, since we may be put aside between two of them."""
    looks = []
    for _ in range(20):
        before, ticks, after = time.monotonic_ns(), read(), time.monotonic_ns()
        looks.append((after - before, ticks, (before + after) / 2))
    return min(looks)[1:]
