# SPDX-License-Identifier: GPL-2.0-or-later
"""Btrfs on images, as plain bytes: finds blocks and items, changes them, makes their checksums right again. Metadata of the
profiles single, dup and raid1; checksums of crc32c.

It shares nothing with recow's own parser."""
import pathlib
import struct

SUPER = 65536
MIRRORS = (65536, 64 << 20)
ROOT, EXTENT, CHUNK, DEV, FS, CSUM, UUID, FREE_SPACE = 1, 2, 3, 4, 5, 7, 9, 10
DATA_RELOC = (1 << 64) - 9
DATA, SYSTEM, METADATA = 1, 2, 4
WRITTEN = 1
INODE_ITEM, INODE_REF, XATTR, DIR_ITEM, DIR_INDEX, EXTENT_DATA = 1, 12, 24, 84, 96, 108
EXTENT_CSUM, ROOT_ITEM, ROOT_BACKREF, ROOT_REF = 128, 132, 144, 156
EXTENT_ITEM, METADATA_ITEM, BLOCK_GROUP = 168, 169, 192
FREE_INFO, FREE_EXTENT, DEV_EXTENT, DEV_ITEM, CHUNK_ITEM, UUID_SUBVOL = 198, 199, 204, 216, 228, 251


def crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ 0x82f63b78 if n & 1 else n >> 1
        table.append(n)
    return table


TABLE = crc_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xffffffff


class Block:
    """A metadata block with its items; `put` and its like change the bytes, Image.write() writes them."""

    def __init__(self, bytenr, data):
        self.bytenr = bytenr
        self.data = bytearray(data)

    def u64(self, at):
        return struct.unpack_from("<Q", self.data, at)[0]

    def put(self, form, at, *values):
        struct.pack_into("<" + form, self.data, at, *values)

    generation = property(lambda self: self.u64(80))
    owner = property(lambda self: self.u64(88))
    count = property(lambda self: struct.unpack_from("<I", self.data, 96)[0])
    level = property(lambda self: self.data[100])

    def entry(self, slot):
        """Where the slot's head lies."""
        return 101 + slot * (33 if self.level else 25)

    def key(self, slot):
        return struct.unpack_from("<QBQ", self.data, self.entry(slot))

    def put_key(self, slot, key):
        struct.pack_into("<QBQ", self.data, self.entry(slot), *key)

    def item(self, slot):
        """(where its bytes lie in the block, how many)."""
        offset, size = struct.unpack_from("<II", self.data, self.entry(slot) + 17)
        return 101 + offset, size

    def put_item(self, slot, offset, size):
        struct.pack_into("<II", self.data, self.entry(slot) + 17, offset - 101, size)

    def remove(self, slot):
        """An item of a leaf."""
        items = [(self.key(i), bytes(self.data[self.item(i)[0]:sum(self.item(i))])) for i in range(self.count) if i != slot]
        self.data[101:], end = bytes(len(self.data) - 101), len(self.data)
        self.put("I", 96, len(items))
        for i, (key, data) in enumerate(items):
            end -= len(data)
            self.put_key(i, key)
            self.put_item(i, end, len(data))
            self.data[end:end + len(data)] = data

    def pointer(self, slot):
        return struct.unpack_from("<QQ", self.data, self.entry(slot) + 17)


class Image:
    def __init__(self, path, *others):
        self.path = pathlib.Path(path)
        self.file = open(path, "r+b")
        self.devices = {}
        for device in [self.file, *(open(other, "r+b") for other in others)]:
            device.seek(SUPER + 201)
            self.devices[struct.unpack("<Q", device.read(8))[0]] = device
        self.super = bytearray(self.pread(SUPER, 4096))
        self.generation, self.root, self.chunk_root = struct.unpack_from("<QQQ", self.super, 72)
        self.nodesize = struct.unpack_from("<I", self.super, 148)[0]
        assert struct.unpack_from("<H", self.super, 196)[0] == 0, "crc32c only"
        self.chunks = []
        size, at = struct.unpack_from("<I", self.super, 160)[0], 811
        while at < 811 + size:
            at += 17 + self.take_chunk(struct.unpack_from("<QBQ", self.super, at)[2], self.super[at + 17:])
        self.chunks = [c for leaf in self.leaves_of(self.chunk_root) for c in self.chunks_of(leaf)]

    def close(self):
        for device in self.devices.values():
            device.close()

    def pread(self, at, n, device=None):
        device = device or self.file
        device.seek(at)
        return device.read(n)

    def pwrite(self, at, data, device=None):
        device = device or self.file
        device.seek(at)
        device.write(data)
        device.flush()

    def take_chunk(self, start, item):
        length, _, _, kind = struct.unpack_from("<QQQQ", item)
        stripes = struct.unpack_from("<H", item, 44)[0]
        places = [struct.unpack_from("<QQ", item, 48 + 32 * i) for i in range(stripes)]
        self.chunks.append((start, length, kind, places))
        return 48 + 32 * stripes

    def chunks_of(self, leaf):
        before, self.chunks = self.chunks, []
        for slot in range(leaf.count):
            if leaf.key(slot)[1] == CHUNK_ITEM:
                self.take_chunk(leaf.key(slot)[2], leaf.data[leaf.item(slot)[0]:])
        found, self.chunks = self.chunks, before
        return found

    def copies(self, logical):
        """(device, offset) of all copies."""
        for start, length, _, places in self.chunks:
            if start <= logical < start + length:
                return [(self.devices[devid], place + logical - start) for devid, place in places]
        raise KeyError(logical)

    def places(self, logical):
        """Offsets of all copies on the only device."""
        return [place for _, place in self.copies(logical)]

    def kind(self, logical):
        return next(kind for start, length, kind, _ in self.chunks if start <= logical < start + length)

    def read(self, bytenr):
        device, place = self.copies(bytenr)[0]
        return Block(bytenr, self.pread(place, self.nodesize, device))

    def write(self, block, copies=None, checksum=True):
        """All copies, or those with these numbers (from 1)."""
        if checksum:
            struct.pack_into("<I", block.data, 0, crc32c(block.data[32:]))
        for number, (device, at) in enumerate(self.copies(block.bytenr), 1):
            if not copies or number in copies:
                self.pwrite(at, block.data, device)

    def write_super(self, data, mirrors=(1, 2), checksum=True, bytenr=None):
        for number, at in enumerate(MIRRORS, 1):
            if number not in mirrors:
                continue
            data = bytearray(data)
            struct.pack_into("<Q", data, 48, bytenr or at)
            if checksum:
                struct.pack_into("<I", data, 0, crc32c(data[32:]))
            self.pwrite(at, data)

    def blocks_of(self, root):
        block = self.read(root)
        yield block
        if block.level:
            for slot in range(block.count):
                yield from self.blocks_of(block.pointer(slot)[0])

    def leaves_of(self, root):
        return (b for b in self.blocks_of(root) if b.level == 0)

    def root_of(self, tree):
        if tree in (ROOT, CHUNK):
            return self.root if tree == ROOT else self.chunk_root
        for leaf in self.leaves_of(self.root):
            for slot in range(leaf.count):
                if leaf.key(slot)[:2] == (tree, ROOT_ITEM):
                    return leaf.u64(leaf.item(slot)[0] + 176)
        raise KeyError(tree)

    def subvolumes(self):
        return [leaf.key(slot)[0] for leaf in self.leaves_of(self.root) for slot in range(leaf.count)
                if leaf.key(slot)[1] == ROOT_ITEM and 256 <= leaf.key(slot)[0] < 1 << 48]

    def find(self, tree, kind, test=lambda leaf, slot: True):
        """(leaf, slot) of the first item of this type that passes."""
        for leaf in self.leaves_of(self.root_of(tree)):
            for slot in range(leaf.count):
                if (kind is None or leaf.key(slot)[1] == kind) and test(leaf, slot):
                    return leaf, slot
        raise KeyError((tree, kind))
