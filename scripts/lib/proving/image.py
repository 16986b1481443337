# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies where in an image after the run, found with btrfs-progs, FIEMAP and a read-only mount: recow's own code is not asked."""
import bisect
import fcntl
import os
import re
import stat
import struct

from proving import machine

FS_IOC_FIEMAP, FS_IOC_GETFLAGS = 0xC020660B, 0x80086601
FS_NOCOW_FL = 0x800000
FIEMAP_FLAG_SYNC = 1
LAST, UNKNOWN, DELALLOC, ENCODED, INLINE, UNWRITTEN = 1, 2, 4, 8, 0x200, 0x800

# Where btrfs keeps its superblocks (fs/btrfs/disk-io.c, btrfs_sb_offset()).
SUPERBLOCKS = (65536, 64 << 20, 256 << 30)


def fiemap(descriptor):
    """[(file offset, address, length)] of the extents that hold written data."""
    found, start, count = [], 0, 256
    while True:
        buffer = bytearray(struct.pack("<QQIIII", start, (1 << 64) - 1 - start, FIEMAP_FLAG_SYNC, 0, count, 0) + bytes(56 * count))
        fcntl.ioctl(descriptor, FS_IOC_FIEMAP, buffer)
        mapped = struct.unpack_from("<I", buffer, 20)[0]
        flags = LAST
        for i in range(mapped):
            logical, physical, length, _, _, flags = struct.unpack_from("<QQQQQI", buffer, 32 + 56 * i)
            if not flags & (UNKNOWN | DELALLOC | INLINE | UNWRITTEN):
                found.append((logical, physical, length))
            start = logical + length
        if not mapped or flags & LAST:
            return found


def flags_of(descriptor):
    """As lsattr shows them."""
    return struct.unpack("<I", fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, bytes(8))[:4])[0]


class Ranges:
    """A set of half-open ranges."""

    def __init__(self, ranges):
        self.starts, self.ends = [], []
        for start, end in sorted(ranges):
            if self.ends and start <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], end)
            else:
                self.starts.append(start)
                self.ends.append(end)

    def overlaps(self, start, end):
        i = bisect.bisect_right(self.starts, start)
        return (i > 0 and self.ends[i - 1] > start) or (i < len(self.starts) and self.starts[i] < end)


class Chunks:
    """btrfs's logical addresses and the device's; empty for other filesystems, where they are the same."""

    def __init__(self, image, fs):
        self.chunks = []
        if fs != "btrfs":
            return
        text = machine.run("btrfs", "inspect-internal", "dump-tree", "-t", "chunk", image, check=False).stdout
        for part in re.split(r"\n\titem ", text)[1:]:
            key = re.search(r"key \(FIRST_CHUNK_TREE CHUNK_ITEM (\d+)\)", part)
            if key:
                length = int(re.search(r"length (\d+)", part).group(1))
                kind = re.search(r" type (\S+)", part).group(1)
                stripes = [int(n) for n in re.findall(r"stripe \d+ devid \d+ offset (\d+)", part)]
                self.chunks.append((int(key.group(1)), length, stripes, kind))

    def physical(self, start, end):
        """Device ranges, all copies, of a logical range (single and dup profiles)."""
        found = [(stripe + max(start, at) - at, stripe + min(end, at + length) - at)
                 for at, length, stripes, _ in self.chunks if at < end and start < at + length for stripe in stripes]
        return found if self.chunks else [(start, end)]

    def kind(self, offset):
        """"DATA|single", ... of the chunk in which a device offset lies; None: in none."""
        for _, length, stripes, kind in self.chunks:
            if any(stripe <= offset < stripe + length for stripe in stripes):
                return kind
        return None


class Contents:
    """Which bytes of the device are in use, and by what."""

    def __init__(self, image, fs, mount):
        self.fs = fs
        self.nodesize = 16384  # of btrfs
        self.chunks = Chunks(image, fs)
        self.files = []     # (path relative to the mount, file offset, device start, device end)
        self.names = {}     # path -> [(file offset, device start, device end)]
        self.by_inode = {}  # inode number -> paths (of any subvolume)
        self.unchecked = [] # (device start, device end) of data without checksums
        self.metadata = Ranges(self.tree_blocks(image))
        self.mounted = self.walk(image, mount)
        self.data = Ranges((start, end) for _, _, start, end in self.files)
        self.unchecked = Ranges(self.unchecked)

    def walk(self, image, mount):
        """Extents of all files; False where the filesystem can't be mounted or read any more."""
        with machine.Loop(image) as loop:  # writable: a log may have to be replayed
            if machine.run("mount", "-o", "ro,noatime", loop.path, mount, check=False).returncode:
                return False
            try:
                return self.walk_mounted(os.fsencode(str(mount)))
            finally:
                machine.run("umount", mount)

    def walk_mounted(self, root):
        whole = True
        def failed(_):
            nonlocal whole
            whole = False
        for top, _, names in os.walk(root, onerror=failed):
            for name in names:
                try:
                    whole &= self.look_at(root, os.path.join(top, name))
                except OSError:
                    whole = False
        return whole

    def look_at(self, root, path):
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            return True
        self.by_inode.setdefault(status.st_ino, set()).add(os.path.relpath(path, root))
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            checked = self.fs == "btrfs" and not flags_of(descriptor) & FS_NOCOW_FL
            for offset, address, length in fiemap(descriptor):
                length = min(length, status.st_size - offset)  # what lies behind the end of a file shows to nobody
                if length <= 0:
                    continue
                for start, end in self.chunks.physical(address, address + length):
                    self.files.append((os.path.relpath(path, root), offset, start, end))
                    if not checked:
                        self.unchecked.append((start, end))
        finally:
            os.close(descriptor)
        return True

    def tree_blocks(self, image):
        """Device ranges of metadata that a tree holds, and of the superblocks."""
        if self.fs != "btrfs":
            return
        for at in SUPERBLOCKS:
            yield at, at + 4096
        text = machine.run("btrfs", "inspect-internal", "dump-tree", "-t", "extent", image, check=False).stdout
        size = re.search(r"nodesize\s+(\d+)", machine.run("btrfs", "inspect-internal", "dump-super", image, check=False).stdout)
        self.nodesize = int(size.group(1)) if size else self.nodesize
        for at in re.findall(r"key \((\d+) METADATA_ITEM ", text):
            yield from self.chunks.physical(int(at), int(at) + self.nodesize)
        for at, length in re.findall(r"key \((\d+) EXTENT_ITEM (\d+)\)[^\n]*\n[^\n]*flags TREE_BLOCK", text):
            yield from self.chunks.physical(int(at), int(at) + int(length))

    def where(self, path, offset, length):
        """Device ranges of bytes of a file (path relative to the mount, bytes)."""
        if not self.names:
            for name, at, start, end in self.files:
                self.names.setdefault(name, []).append((at, start, end))
        found = []
        for at, start, end in self.names.get(path, []):
            lo, hi = max(offset, at), min(offset + length, at + end - start)
            if lo < hi:
                found.append((start + lo - at, start + hi - at))
        return found
