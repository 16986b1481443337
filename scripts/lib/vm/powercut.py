# SPDX-License-Identifier: GPL-2.0-or-later
"""Power that goes: what a disk holds of what was written to it. QEMU's driver blklogwrites logs every request in the format of
dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst); the image is made anew from the log, without some of what
no flush had covered. Killing QEMU alone would lose nothing: its writes are in the page cache of this machine."""
import ctypes
import dataclasses
import random
import struct

from vm import host

MAGIC = 0x6A736677736872  # of the log's superblock, with version 1
SUPER = struct.Struct("<QQQI")   # magic, version, entries, bytes of a sector
ENTRY = struct.Struct("<QQQQ")   # sector, sectors, flags, bytes of data (of a mark)
FLUSH, FUA, DISCARD = 1, 2, 4
EARLIEST, LATEST = 5, 60         # seconds after the command began, of a cut that a seed chooses
SHARES = (0.1, 0.5, 0.9, 1.0)    # of the unflushed requests that are lost
TORN = 0.1                       # of those that are not lost, how many arrive only in part
SECTOR = 512                     # what a disk writes whole
KEEP_SIZE, PUNCH_HOLE = 1, 2     # <linux/falloc.h>


@dataclasses.dataclass(frozen=True)
class Cut:
    """When, and the seed of what is lost."""
    seconds: float
    seed: int


def parse(text):
    """ "17" is a seed, "20s" a moment (with seed 0), "17:20s" both."""
    if text.isdigit():
        return Cut(random.Random(int(text)).uniform(EARLIEST, LATEST), int(text))
    seed, _, moment = text.rpartition(":")
    if seed and not seed.isdigit():
        raise host.WrongUsage(f"--power-cut {text}: SEED, TIME or SEED:TIME")
    return Cut(host.duration(moment), int(seed or 0))


@dataclasses.dataclass
class Loss:
    requests: int = 0   # that the disk was sent: writes and discards
    flushes: int = 0
    pending: int = 0    # of the requests, after the last flush
    lost: int = 0
    torn: int = 0


def entries(log):
    """(sector size, [(offset in the log of the data, sector, sectors, flags)])."""
    log.seek(0)
    magic, version, count, sector = SUPER.unpack(log.read(SUPER.size))
    if magic != MAGIC or version != 1:
        raise RuntimeError(f"{log.name} is no log of writes")
    found, at = [], sector
    for _ in range(count):
        log.seek(at)
        where, sectors, flags, _ = ENTRY.unpack(log.read(ENTRY.size))
        at += sector
        found.append((at, where, sectors, flags))
        if not flags & DISCARD:
            at += sectors * sector
    return sector, found


def remake(image, log_path, seed):
    """The image as the disk is after the cut; it was empty when the log began. Returns the Loss."""
    dice, loss = random.Random(seed), Loss()
    size = image.stat().st_size
    with open(log_path, "rb") as log, open(image, "r+b") as disk:
        sector, all_of_them = entries(log)
        last = max((i for i, (*_, flags) in enumerate(all_of_them) if flags & FLUSH), default=-1)
        share = dice.choice(SHARES)
        disk.truncate(0)
        disk.truncate(size)
        for i, (at, where, sectors, flags) in enumerate(all_of_them):
            loss.flushes += bool(flags & FLUSH)
            if not sectors:
                continue
            loss.requests += 1
            length = sectors * sector
            if i > last and not flags & FUA:
                length = survives(dice, share, length, loss)
            apply(log, disk, (at, where * sector, length, flags))
    return loss


def survives(dice, share, length, loss):
    """How many bytes of an unflushed request the disk has kept."""
    loss.pending += 1
    if dice.random() < share:
        loss.lost += 1
        return 0
    if length > SECTOR and dice.random() < TORN:
        loss.torn += 1
        return dice.randrange(1, length // SECTOR) * SECTOR
    return length


def apply(log, disk, request):
    at, offset, length, flags = request
    if flags & DISCARD:
        zeroes(disk, offset, length)
        return
    log.seek(at)
    disk.seek(offset)
    disk.write(log.read(length))


def zeroes(disk, offset, length):
    """What was discarded reads as zeroes: QEMU makes a hole of it, and so do we (fallocate(2))."""
    disk.flush()
    hole = ctypes.c_int(PUNCH_HOLE | KEEP_SIZE)
    if host.LIBC.fallocate(disk.fileno(), hole, ctypes.c_long(offset), ctypes.c_long(length)):
        raise OSError(ctypes.get_errno(), f"no hole in {disk.name}")
