# SPDX-License-Identifier: GPL-2.0-or-later
"""Damages: each function changes an image and returns what the audit must say: rule, other rules that the same damage breaks,
and the place."""
import os
import struct

import ondisk
from ondisk import CHUNK, CSUM, DEV, EXTENT, FREE_SPACE, FS, ROOT, UUID


def place(block, slot=None, copy=None):
    found = {"block": block.bytenr if hasattr(block, "bytenr") else block}
    if slot is not None:
        found["slot"] = slot
    if copy is not None:
        found["copy"] = copy
    return found


def sub_of(disk):
    return disk.subvolumes()[0]


def change(disk, tree, kind, form, at, value, test=lambda leaf, slot: True):
    """Put a number into the first item of this kind; a function as value gets the old one."""
    leaf, slot = disk.find(tree, kind, test)
    where = leaf.item(slot)[0] + at
    old = struct.unpack_from("<" + form, leaf.data, where)[0]
    leaf.put(form, where, value(old) if callable(value) else value)
    disk.write(leaf)
    return leaf, slot


def header(disk, tree, form, at, value, copies=None):
    """Put a number into the header of a leaf that has a parent, or of the only one."""
    leaf = list(disk.leaves_of(disk.root_of(tree)))[-1]
    old = struct.unpack_from("<" + form, leaf.data, at)[0]
    leaf.put(form, at, value(old) if callable(value) else value)
    disk.write(leaf, copies)
    return leaf


def shrink(disk, tree, kind, by):
    """Take the last bytes of the first item of this kind that has more than these; what lies below it in the leaf moves up."""
    leaf, slot = disk.find(tree, kind, lambda l, s: l.item(s)[1] > by)
    low, (offset, size) = leaf.item(leaf.count - 1)[0], leaf.item(slot)
    leaf.data[low + by:offset + size] = bytes(leaf.data[low:offset + size - by])
    leaf.put_item(slot, offset + by, size - by)
    for later in range(slot + 1, leaf.count):
        at, length = leaf.item(later)
        leaf.put_item(later, at + by, length)
    disk.write(leaf)
    return leaf, slot


def node_of(disk, tree=None):
    block = disk.read(disk.root_of(tree or sub_of(disk)))
    assert block.level
    return block


def d_super_checksum(disk):
    changed = bytearray(disk.super)
    changed[310] ^= 1
    disk.write_super(changed, (2,), checksum=False)
    return "super-checksum", (), {"copy": 2}


def d_super_bytenr(disk):
    disk.write_super(disk.super, (2,), bytenr=4096)
    return "super-bytenr", (), {"copy": 2}


def d_super_field(disk):
    changed = bytearray(disk.super)
    struct.pack_into("<Q", changed, 164, disk.generation + 1)
    disk.write_super(changed, (2,))
    return "super-field", ("super-agree",), {"copy": 2}


def d_super_agree(disk):
    changed = bytearray(disk.super)
    changed[310] ^= 1
    disk.write_super(changed, (2,))
    return "super-agree", (), {"copy": 2}


def d_device(disk):
    os.truncate(disk.path, disk.path.stat().st_size - (1 << 20))
    return "device", (), {"slot": 0}


def d_device_uuid(disk):
    leaf, slot = change(disk, CHUNK, ondisk.DEV_ITEM, "B", 66, lambda n: n ^ 1)
    return "device", (), place(leaf, slot)


def d_device_used(disk):
    change(disk, CHUNK, ondisk.DEV_ITEM, "Q", 16, lambda n: n - 4096)
    return "device", (), {"tree_id": CHUNK}


def d_system_chunks(disk):
    changed = bytearray(disk.super)
    changed[811 + 17 + 64] ^= 1
    disk.write_super(changed)
    return "system-chunks", (), {"key": f"(256 CHUNK_ITEM {struct.unpack_from('<Q', changed, 811 + 9)[0]})"}


def d_checksum(disk):
    leaf = list(disk.leaves_of(disk.root_of(sub_of(disk))))[3]
    leaf.data[200] ^= 1
    disk.write(leaf, (2,), checksum=False)
    return "checksum", (), place(leaf, copy=2)


def d_bytenr(disk):
    leaf = header(disk, sub_of(disk), "Q", 48, lambda n: n + disk.nodesize, (1,))
    return "bytenr", (), place(leaf, copy=1)


def d_lost_block(disk):
    leaf = list(disk.leaves_of(disk.root_of(sub_of(disk))))[2]
    leaf.data[200] ^= 1
    disk.write(leaf, checksum=False)
    return "checksum", (), place(leaf, copy=1)


def d_fsid(disk):
    leaf = header(disk, sub_of(disk), "Q", 32, lambda n: n ^ 1, (1,))
    return "fsid", (), place(leaf, copy=1)


def d_chunk_uuid(disk):
    return "chunk-uuid", (), place(header(disk, sub_of(disk), "Q", 64, lambda n: n ^ 1))


def d_level(disk):
    return "level", (), place(header(disk, sub_of(disk), "B", 100, 1))


def d_owner(disk):
    return "owner", (), place(header(disk, CSUM, "Q", 88, FS))


def d_owner_gone(disk):
    return "owner", ("data-ref",), place(header(disk, sub_of(disk), "Q", 88, 5000))


def d_owner_other(disk):
    """A block that only one tree reaches says that it is of another, which is there."""
    return "owner", (), place(header(disk, FS, "Q", 88, sub_of(disk)))


def d_written(disk):
    return "written", (), place(header(disk, sub_of(disk), "Q", 56, lambda n: n & ~1))


def d_written_one_copy(disk):
    leaf = header(disk, sub_of(disk), "Q", 56, lambda n: n & ~1, (2,))
    return "written", (), place(leaf, copy=2)


def d_written_node(disk):
    node = node_of(disk)
    node.put("Q", 56, node.u64(56) & ~1)
    disk.write(node)
    return "written", (), place(node)


def d_revision(disk):
    return "revision", (), place(header(disk, sub_of(disk), "Q", 56, 1))


def d_generation(disk):
    return "generation", (), place(header(disk, sub_of(disk), "Q", 80, lambda n: n - 1))


def d_stale_copy(disk):
    leaf = header(disk, sub_of(disk), "Q", 80, lambda n: n - 1, (2,))
    return "generation", (), place(leaf, copy=2)


def d_newer(disk):
    node = node_of(disk, CSUM) if disk.read(disk.root_of(CSUM)).level else node_of(disk)
    leaf = disk.read(node.pointer(0)[0])
    node.put("Q", node.entry(0) + 25, disk.generation + 3)
    leaf.put("Q", 80, disk.generation + 3)
    disk.write(node)
    disk.write(leaf)
    return "newer", ("extent-promise", "promises", "generation", "extent-item"), place(leaf)


def d_item_count(disk):
    return "item-count", (), place(header(disk, sub_of(disk), "I", 96, 60000))


def d_key_order(disk):
    leaf, slot = disk.find(sub_of(disk), ondisk.DIR_INDEX,
                           lambda l, s: s + 1 < l.count and l.key(s + 1)[:2] == l.key(s)[:2] and s > 0)
    leaf.put_key(slot, leaf.key(slot)[:2] + (1 << 60,))
    disk.write(leaf)
    return "key-order", ("names",), place(leaf, slot + 1)


def d_first_key(disk):
    node = node_of(disk)
    key = node.key(2)
    node.put_key(2, key[:2] + (key[2] - 1,))
    disk.write(node)
    return "first-key", ("promises",), place(node.pointer(2)[0], 0)


def d_mirror(disk):
    leaf = list(disk.leaves_of(disk.root_of(sub_of(disk))))[3]
    leaf.data[leaf.entry(leaf.count) + 10] ^= 1
    disk.write(leaf, (2,))
    return "mirror", (), place(leaf, copy=2)


def d_pointer(disk):
    node = node_of(disk)
    node.put("Q", node.entry(1) + 17, node.pointer(1)[0] + 1)
    disk.write(node)
    return "pointer", ("extent-unreached", "extent-count", "extent-owner", "data-ref"), place(node, 1)


def d_item_bounds(disk):
    leaf, slot = disk.find(UUID, None, lambda l, s: s == l.count - 1)
    offset, size = leaf.item(slot)
    leaf.put_item(slot, offset - 8, size)
    disk.write(leaf)
    return "item-bounds", (), place(leaf, slot)


def d_item_outside(disk):
    leaf, slot = disk.find(UUID, None, lambda l, s: s == l.count - 1)
    leaf.put_item(slot, 101 + disk.nodesize, 8)
    disk.write(leaf)
    return "item-bounds", (), place(leaf, slot)


def d_item_key(disk):
    leaf, slot = disk.find(sub_of(disk), ondisk.INODE_ITEM, lambda l, s: s > 0)
    key = leaf.key(slot)
    leaf.put_key(slot, key[:2] + (1,))
    disk.write(leaf)
    return "item-key", (), place(leaf, slot)


def d_item_size(disk):
    leaf, slot = shrink(disk, DEV, ondisk.DEV_EXTENT, 1)
    return "item-size", ("chunk-device", "device"), place(leaf, slot)


def d_item_type(disk):
    leaf, slot = disk.find(UUID, None, lambda l, s: s == l.count - 1)
    key = leaf.key(slot)
    leaf.put_key(slot, (key[0], 254, key[2]))
    disk.write(leaf)
    return "item-type", (), place(leaf, slot)


def d_inode(disk):
    leaf, slot = change(disk, sub_of(disk), ondisk.INODE_ITEM, "I", 52, 0, lambda l, s: l.key(s)[0] > 260)
    return "inode", ("file-bytes",), place(leaf, slot)


def d_inode_newer(disk):
    leaf, slot = change(disk, sub_of(disk), ondisk.INODE_ITEM, "Q", 8, disk.generation + 1)
    return "inode", (), place(leaf, slot)


def d_inode_ref(disk):
    leaf, slot = change(disk, sub_of(disk), ondisk.INODE_REF, "H", 8, 300)
    return "inode-ref", ("links", "names"), place(leaf, slot)


def d_first_ref(disk):
    leaf, slot = change(disk, ondisk.DATA_RELOC, ondisk.INODE_REF, "Q", 0, 1 << 32)
    return "inode-ref", (), place(leaf, slot)


def d_dir_item(disk):
    leaf, slot = change(disk, sub_of(disk), ondisk.DIR_INDEX, "B", 29, 77)
    return "dir-item", ("names",), place(leaf, slot)


def d_names(disk):
    change(disk, sub_of(disk), ondisk.DIR_INDEX, "B", 30, lambda n: n ^ 1)
    return "names", (), {}


def d_reloc_names(disk):
    """In the tree that balancing moves data through: the back reference of an inode that is not there."""
    leaf, slot = disk.find(ondisk.DATA_RELOC, ondisk.INODE_REF)
    leaf.put_key(slot, (258, *leaf.key(slot)[1:]))
    disk.write(leaf)
    return "names", ("links",), {"tree": "DATA_RELOC_TREE"}


def of_subvolume(leaf, slot):
    """A directory index that leads to a subvolume, and is the last of its directory."""
    return leaf.data[leaf.item(slot)[0] + 8] == ondisk.ROOT_ITEM and (
        slot + 1 == leaf.count or leaf.key(slot + 1)[:2] != leaf.key(slot)[:2])


def d_subvolume_index(disk):
    leaf, slot = disk.find(FS, ondisk.DIR_INDEX, of_subvolume)
    leaf.put_key(slot, (*leaf.key(slot)[:2], leaf.key(slot)[2] + 5))
    disk.write(leaf)
    return "subvolume", (), {"tree_id": leaf.u64(leaf.item(slot)[0])}


def d_subvolume_refs(disk):
    leaf, _ = change(disk, ROOT, ondisk.ROOT_REF, "Q", 8, lambda n: n + 1)
    return "subvolume", (), {}


def d_subvolume_unnamed(disk):
    """Both references are gone."""
    name = sub_of(disk)
    for key in ((FS, ondisk.ROOT_REF, name), (name, ondisk.ROOT_BACKREF, FS)):
        leaf, slot = disk.find(ROOT, key[1], lambda l, s, k=key: l.key(s) == k)
        leaf.remove(slot)
        disk.write(leaf)
    return "subvolume", (), {"tree_id": name}


def d_links(disk):
    change(disk, sub_of(disk), ondisk.INODE_ITEM, "I", 40, lambda n: n + 1, lambda l, s: l.key(s)[0] == 258)
    return "links", (), {}


def d_dir_size(disk):
    change(disk, sub_of(disk), ondisk.INODE_ITEM, "Q", 16, lambda n: n + 2, lambda l, s: l.key(s)[0] == 256)
    return "dir-size", (), {}


def d_file_bytes(disk):
    change(disk, sub_of(disk), ondisk.INODE_ITEM, "Q", 24, lambda n: n + 4096, lambda l, s: l.key(s)[0] > 260)
    return "file-bytes", (), {}


def d_name_hash(disk):
    leaf, slot = change(disk, sub_of(disk), ondisk.DIR_ITEM, "B", 30, lambda n: n ^ 1)
    return "name-hash", ("names",), place(leaf, slot)


def d_file_extent(disk):
    leaf, slot = change(disk, sub_of(disk), ondisk.EXTENT_DATA, "B", 16, 9,
                        lambda l, s: l.data[l.item(s)[0] + 20] == 0)
    return "file-extent", ("file-bytes",), place(leaf, slot)


def roomy(leaf, slot):
    """A stored extent that uses the front of what lies on the disk, with another extent of the file behind it."""
    at, _ = leaf.item(slot)
    if leaf.data[at + 20] != 1 or slot + 1 == leaf.count or leaf.key(slot + 1)[:2] != leaf.key(slot)[:2]:
        return False
    _, disk_length, offset, length = struct.unpack_from("<QQQQ", leaf.data, at + 21)
    return offset + length + 4096 <= disk_length


def d_file_overlap(disk):
    leaf, slot = change(disk, sub_of(disk), ondisk.EXTENT_DATA, "Q", 45, lambda n: n + 4096, roomy)
    return "file-overlap", ("file-bytes",), place(leaf, slot + 1)


def d_csum_item(disk):
    leaf, slot = shrink(disk, CSUM, ondisk.EXTENT_CSUM, 1)
    return "csum-item", ("csum-missing",), place(leaf, slot)


def is_data(leaf, slot):
    return leaf.u64(leaf.item(slot)[0] + 16) == 1


def d_extent_item(disk):
    leaf, slot = change(disk, EXTENT, ondisk.EXTENT_ITEM, "Q", 16, 1 | 1 << 20, is_data)
    return "extent-item", (), place(leaf, slot)


def d_extent_ref(disk):
    leaf, slot = change(disk, EXTENT, ondisk.EXTENT_ITEM, "B", 24, 99, is_data)
    return "extent-ref", ("data-ref",), place(leaf, slot)


def data_chunk(leaf, slot):
    return leaf.u64(leaf.item(slot)[0] + 24) & 1


def data_group(leaf, slot):
    return leaf.u64(leaf.item(slot)[0] + 16) & 1


def d_group_item(disk):
    leaf, slot = change(disk, EXTENT, ondisk.BLOCK_GROUP, "Q", 16, lambda n: n | 8 | 16)
    return "group-item", ("group-chunk",), place(leaf, slot)


def d_chunk_item(disk):
    leaf, slot = change(disk, CHUNK, ondisk.CHUNK_ITEM, "Q", 16, 4096, data_chunk)
    return "chunk-item", ("unmapped", "chunk-device", "group-chunk", "group-used", "data-ref", "space", "csum-missing"), \
        place(leaf, slot)


def d_device_item(disk):
    leaf, slot = change(disk, CHUNK, ondisk.DEV_ITEM, "Q", 0, 9)
    return "device-item", (), place(leaf, slot)


def d_device_extent(disk):
    leaf, slot = change(disk, DEV, ondisk.DEV_EXTENT, "Q", 0, 9)
    return "device-extent", (), place(leaf, slot)


def d_root_item(disk):
    leaf, slot = change(disk, ROOT, ondisk.ROOT_ITEM, "Q", 208, 4)
    return "root-item", (), place(leaf, slot)


def d_root_ref(disk):
    leaf, slot = change(disk, ROOT, ondisk.ROOT_REF, "H", 16, 100)
    return "root-ref", ("subvolume",), place(leaf, slot)


def d_free_space_item(disk):
    leaf, slot = change(disk, FREE_SPACE, ondisk.FREE_INFO, "I", 4, 6)
    return "free-space-item", ("space",), place(leaf, slot)


def d_unmapped(disk):
    node = node_of(disk)
    node.put("Q", node.entry(1) + 17, 1 << 50)
    disk.write(node)
    return "unmapped", ("extent-unreached",), place(node, 1)


def shared_pointer(disk):
    """A node and a slot: another node points to the same block."""
    seen = {}
    for tree in disk.subvolumes():
        for block in disk.blocks_of(disk.root_of(tree)):
            for slot in range(block.count if block.level else 0):
                if seen.setdefault(block.pointer(slot)[0], block.bytenr) != block.bytenr:
                    return block, slot
    raise KeyError("nothing is shared")


def d_promises(disk):
    node, slot = shared_pointer(disk)
    node.put("Q", node.entry(slot) + 25, node.pointer(slot)[1] - 1)
    disk.write(node)
    return "promises", ("generation", "extent-promise"), {}


def d_tree_missing(disk):
    leaf, slot = disk.find(ROOT, ondisk.ROOT_ITEM, lambda l, s: l.key(s)[0] == CSUM)
    leaf.put_key(slot, (CSUM, 133, 0))
    disk.write(leaf)
    return "tree-missing", ("item-type",), {"tree_id": CSUM}


def metadata_blocks(disk):
    return {b.bytenr for tree in [ROOT, EXTENT, DEV, FS, CSUM, UUID, FREE_SPACE, *disk.subvolumes()]
            for b in disk.blocks_of(disk.root_of(tree))}


def metadata_of(disk, tree):
    """The extent item of a leaf of this tree, with free space behind the leaf."""
    used = metadata_blocks(disk)
    wanted = next(b.bytenr for b in disk.leaves_of(disk.root_of(tree)) if b.bytenr + disk.nodesize not in used)
    return disk.find(EXTENT, ondisk.METADATA_ITEM, lambda l, s: l.key(s)[0] == wanted), wanted


def d_extent_missing(disk):
    (leaf, slot), bytenr = metadata_of(disk, sub_of(disk))
    key = leaf.key(slot)
    leaf.put_key(slot, (key[0] + 4096, key[1], key[2]))
    disk.write(leaf)
    return "extent-missing", ("extent-unreached", "space", "item-key", "first-key"), place(bytenr)


def d_extent_unreached(disk):
    (leaf, slot), bytenr = metadata_of(disk, sub_of(disk))
    key = leaf.key(slot)
    leaf.put_key(slot, (key[0] + 4096, key[1], key[2]))
    disk.write(leaf)
    return "extent-unreached", ("extent-missing", "space", "item-key", "first-key"), place(bytenr + 4096)


def d_extent_count(disk):
    (leaf, slot), bytenr = metadata_of(disk, sub_of(disk))
    leaf.put("Q", leaf.item(slot)[0], leaf.u64(leaf.item(slot)[0]) + 1)
    disk.write(leaf)
    return "extent-count", (), place(bytenr)


def d_extent_owner(disk):
    (leaf, slot), bytenr = metadata_of(disk, sub_of(disk))
    at = leaf.item(slot)[0] + 25
    leaf.put("Q", at, leaf.u64(at) + 100)
    disk.write(leaf)
    return "extent-owner", (), place(bytenr)


def d_extent_promise(disk):
    (leaf, slot), _ = metadata_of(disk, sub_of(disk))
    at = leaf.item(slot)[0] + 8
    leaf.put("Q", at, leaf.u64(at) - 1)
    disk.write(leaf)
    return "extent-promise", (), {}


def d_group_used(disk):
    leaf, slot = change(disk, EXTENT, ondisk.BLOCK_GROUP, "Q", 0, lambda n: n + 4096, data_group)
    return "group-used", (), place(leaf.key(slot)[0])


def d_super_used(disk):
    changed = bytearray(disk.super)
    struct.pack_into("<Q", changed, 120, struct.unpack_from("<Q", changed, 120)[0] + 4096)
    disk.write_super(changed)
    return "group-used", (), {}


def d_group_chunk(disk):
    leaf, slot = change(disk, EXTENT, ondisk.BLOCK_GROUP, "Q", 16, lambda n: n ^ 32, lambda l, s: not data_group(l, s))
    return "group-chunk", (), place(leaf, slot)


def d_chunk_device(disk):
    leaf, slot = change(disk, DEV, ondisk.DEV_EXTENT, "Q", 24, lambda n: n - 4096)
    return "chunk-device", ("device",), place(leaf.u64(leaf.item(slot)[0] + 16))


def d_stripe_uuid(disk):
    leaf, slot = change(disk, CHUNK, ondisk.CHUNK_ITEM, "B", 64, lambda n: n ^ 1, data_chunk)
    return "chunk-device", (), place(leaf, slot)


def d_space_gap(disk):
    leaf, slot = disk.find(FREE_SPACE, ondisk.FREE_EXTENT, lambda l, s: s > 0 and l.key(s)[2] > 8192 and
                           any(c[0] <= l.key(s)[0] < c[0] + c[1] for c in disk.chunks))
    key = leaf.key(slot)
    leaf.put_key(slot, (key[0], key[1], key[2] - 4096))
    disk.write(leaf)
    return "space", (), place(key[0] + key[2] - 4096)


def d_space_reachable(disk):
    """What is allocated is free too: the next to write there destroys it."""
    leaf, slot = disk.find(FREE_SPACE, ondisk.FREE_EXTENT, lambda l, s: s + 1 < l.count and l.key(s)[2] > 8192 and
                           l.key(s + 1)[1] == ondisk.FREE_EXTENT and
                           any(c[0] <= l.key(s)[0] < c[0] + c[1] for c in disk.chunks))
    key = leaf.key(slot)
    leaf.put_key(slot, (key[0], key[1], key[2] + 4096))
    disk.write(leaf)
    return "space", (), {}


def d_space_count(disk):
    leaf, slot = change(disk, FREE_SPACE, ondisk.FREE_INFO, "I", 0, lambda n: n + 1, lambda l, s: any(
        c[0] == l.key(s)[0] for c in disk.chunks))
    return "space", (), place(leaf.key(slot)[0])


def d_data_ref(disk):
    leaf, slot = change(disk, EXTENT, ondisk.EXTENT_ITEM, "Q", 33, lambda n: n + 1000,
                        lambda l, s: is_data(l, s) and l.data[l.item(s)[0] + 24] == 178)
    return "data-ref", (), place(leaf.key(slot)[0])


def d_data_count(disk):
    leaf, slot = change(disk, EXTENT, ondisk.EXTENT_ITEM, "Q", 0, lambda n: n + 1, is_data)
    return "data-ref", (), place(leaf.key(slot)[0])


def d_csum_missing(disk):
    shrink(disk, CSUM, ondisk.EXTENT_CSUM, 4)
    return "csum-missing", ("csum-stray",), {}


def d_csum_overlap(disk):
    leaf, slot = disk.find(CSUM, ondisk.EXTENT_CSUM, lambda l, s: s > 0)
    before = leaf.key(slot - 1)[2] + leaf.item(slot - 1)[1] // 4 * 4096
    leaf.put_key(slot, leaf.key(slot)[:2] + (before - 4096,))
    disk.write(leaf)
    return "csum-overlap", ("csum-missing", "csum-stray", "data"), place(leaf, slot)


def d_csum_stray(disk):
    leaf, slot = disk.find(CSUM, ondisk.EXTENT_CSUM, lambda l, s: s == l.count - 1)
    leaf.put_key(slot, leaf.key(slot)[:2] + (leaf.key(slot)[2] + (1 << 20),))
    disk.write(leaf)
    return "csum-stray", ("csum-missing", "data"), {}


def d_data(disk):
    leaf, slot = disk.find(CSUM, ondisk.EXTENT_CSUM)
    start = leaf.key(slot)[2]
    at = disk.places(start)[0] + 4096
    disk.pwrite(at, bytes([disk.pread(at, 1)[0] ^ 1]))
    return "data", (), place(start + 4096, copy=1)


def d_unreached_unwritten(disk):
    """A block that nothing points to, written without the mark."""
    used = metadata_blocks(disk)
    start, length = next(c[:2] for c in disk.chunks if c[2] & ondisk.METADATA)
    free = next(a for a in range(start + length - disk.nodesize, start, -disk.nodesize) if a not in used)
    leaf = next(disk.leaves_of(disk.root_of(FS)))
    leaf.bytenr = free
    leaf.put("Q", 48, free)
    leaf.put("Q", 56, 1 << 56)
    disk.write(leaf)
    return "unreached-unwritten", (), place(free)


DAMAGES = {name[2:].replace("_", " "): f for name, f in list(globals().items()) if name.startswith("d_")}

# Rules whose damage wants an image of its own, or a device that fails: where it is tested.
BESIDES = {"super-read": "61-audit-rare.test", "read": "61-audit-rare.test", "too-many": "61-audit-rare.test"}
