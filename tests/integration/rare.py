# SPDX-License-Identifier: GPL-2.0-or-later
"""Damages that want an image of their own, or a device that fails."""
import contextlib
import os
import re
import struct

import ondisk
from auditing import make, mounted, sh, write

SECTOR = 4096

# --- a device that fails


def failing_places(disk):
    """Name -> (rule, place on the device, what the audit must say of it): one copy of a block with a neighbour, one superblock."""
    leaves = list(disk.leaves_of(disk.root_of(disk.subvolumes()[0])))
    leaf = next(l for l in leaves if l.bytenr + disk.nodesize in {other.bytenr for other in leaves})
    place, mirror = disk.places(leaf.bytenr)[1], ondisk.MIRRORS[1]
    return {"read": ("read", place, {"block": leaf.bytenr, "copy": 2, "physical": place}),
            "super read": ("super-read", mirror, {"copy": 2, "physical": mirror})}


def lies_at(file, offset):
    """Where a byte of a file lies in the filesystem's own addresses."""
    for line in sh("filefrag", "-v", "-b4096", file).splitlines():
        parts = re.match(r" *\d+: +(\d+)\.\. +(\d+): +(\d+)\.\.", line)
        if parts and int(parts[1]) <= offset // SECTOR <= int(parts[2]):
            return (int(parts[3]) + offset // SECTOR - int(parts[1])) * SECTOR + offset % SECTOR
    raise KeyError(offset)


@contextlib.contextmanager
def unreadable(scratch, image, offset):
    """The image on a device of which one sector can't be read: a file on a btrfs that has another checksum for it."""
    outer, inner = scratch / "outer", scratch / "outer-mnt" / "image"
    make([outer], ("-m", "single", "-d", "single"), "2g")
    with mounted([outer], inner.parent):
        sh("cp", "--sparse=always", image, inner)
        os.sync()
        address = lies_at(inner, offset)
    disk = ondisk.Image(outer)
    for at in disk.places(address):
        disk.pwrite(at, bytes(b ^ 255 for b in disk.pread(at, 16)))
    disk.close()
    with mounted([outer], inner.parent, "ro,nodiscard,noatime"):
        yield inner


# --- absurd counts


def crowded_node(disk):
    """The root of the filesystem's tree becomes a node that points to as many blocks as it can, each at another place."""
    leaf = disk.read(disk.root_of(ondisk.FS))
    start, length = next(c[:2] for c in disk.chunks if c[2] & ondisk.METADATA)
    room = (disk.nodesize - 101) // 33
    addresses = [a for a in range(start, start + length - disk.nodesize, SECTOR) if a != leaf.bytenr][:room]
    leaf.data[101:] = bytes(disk.nodesize - 101)
    leaf.put("B", 100, 1)
    leaf.put("I", 96, len(addresses))
    for slot, address in enumerate(addresses):
        leaf.put_key(slot, (256 + slot, 1, 0))
        leaf.put("QQ", leaf.entry(slot) + 17, address, leaf.generation)
    disk.write(leaf)
    root, slot = disk.find(ondisk.ROOT, ondisk.ROOT_ITEM, lambda l, s: l.key(s)[0] == ondisk.FS)
    root.put("B", root.item(slot)[0] + 238, 1)
    disk.write(root)
    return leaf, len(addresses)


def crowded(scratch):
    """An image with more pointers than its device has room for blocks: (image, the node, how many pointers)."""
    image = scratch / "crowded"
    make([image], ("-n", "64k", "-m", "single", "-d", "single"), "120m")
    with mounted([image], scratch / "mnt"):
        pass
    disk = ondisk.Image(image)
    node, count = crowded_node(disk)
    disk.close()
    return image, node, count


# --- a subvolume of which a part is deleted


def half_deleted(scratch, image):
    """The key at which the deletion of a snapshot stopped: nothing below it is left, when the cleaner had its time cut short by
    unmounting. It reads the blocks from the disk, which takes it a while."""
    make([image], ("-n", "4k", "-m", "dup"), "1g")
    with mounted([image], scratch / "mnt") as top:
        sh("btrfs", "subvolume", "create", top / "sub")
        for i in range(20000):
            write(top / f"sub/file-{i}", b"%d" % i * 200)
    for _ in range(5):
        with mounted([image], scratch / "mnt") as top:
            sh("btrfs", "subvolume", "snapshot", top / "sub", top / "snapshot")
            for i in range(0, 20000, 7):
                os.utime(top / f"snapshot/file-{i}")
        with mounted([image], scratch / "mnt") as top:
            sh("btrfs", "subvolume", "delete", "-c", top / "snapshot")
        disk = ondisk.Image(image)
        try:
            root, slot = disk.find(ondisk.ROOT, ondisk.ROOT_ITEM, lambda l, s: l.data[l.item(s)[0] + 220:][:17] != bytes(17))
            return disk, root, slot
        except KeyError:
            disk.close()
    raise AssertionError("the cleaner was never cut short")


def drop_further(disk, root, slot):
    """As if one more block were gone: (rule, the block)."""
    drop = root.item(slot)[0] + 220
    key, level = struct.unpack_from("<QBQ", root.data, drop), root.data[drop + 17]
    node = disk.read(root.u64(root.item(slot)[0] + 176))
    while node.level > level:
        node = disk.read(node.pointer(max(i for i in range(node.count) if node.key(i) <= key))[0])
    assert node.level, f"it stopped at {key} of level {level}"
    first = next(i for i in range(node.count - 1) if node.key(i) >= key)
    root.put("QBQ", drop, *node.key(first + 1))
    disk.write(root)
    skipped = disk.read(node.pointer(first)[0])
    shared = skipped.owner != root.key(slot)[0]  # with the subvolume, which still points to it
    return "extent-count" if shared else "extent-unreached", skipped.bytenr
