# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a file's bytes lie in a btrfs image, found with btrfs-progs and filefrag alone, and changing them behind the
mount's back."""
import glob
import os
import re
import stat
import subprocess
import time

from lib import expect, read

BLOCK = 4096


class Chunks:
    """The chunk tree as `btrfs inspect-internal dump-tree` prints it."""

    def __init__(self, image):
        text = subprocess.run(["btrfs", "inspect-internal", "dump-tree", "-t", "chunk", str(image)], capture_output=True,
                              text=True, check=True).stdout
        self.chunks = []
        for part in re.split(r"\n\titem ", text)[1:]:
            key = re.search(r"key \(FIRST_CHUNK_TREE CHUNK_ITEM (\d+)\)", part)
            if key:
                length = int(re.search(r"length (\d+)", part).group(1))
                stripes = [int(n) for n in re.findall(r"stripe \d+ devid \d+ offset (\d+)", part)]
                self.chunks.append((int(key.group(1)), length, stripes))

    def physical(self, logical):
        """Device offsets of every copy (single and dup profiles)."""
        for start, length, stripes in self.chunks:
            if start <= logical < start + length:
                return [offset + logical - start for offset in stripes]
        raise AssertionError(f"logical {logical} is in no chunk")


def extents(path):
    """[(file offset, logical, length)] of the plain extents of a file."""
    text = subprocess.run(["filefrag", "-e", "-v", "-b1", path], capture_output=True, text=True, errors="replace",
                          check=True).stdout
    found = []
    for line in text.splitlines():
        m = re.match(r"\s*\d+:\s*(\d+)\.\.\s*(\d+):\s*(\d+)\.\.\s*(\d+):\s*(\d+):(.*)", line)
        if m and not re.search(r"inline|unwritten|encoded|delalloc", m.group(6)):
            found.append((int(m.group(1)), int(m.group(3)), int(m.group(5))))
    return found


def places(image, chunks, mount, minimum=BLOCK, snapshots=False, shared=False):
    """Blocks of files on the target: (path relative to the target, inode, file offset, device offsets), each one checked
    against the content that the mount shows. Those of the snapshots, and what several files share, only when asked for: damage
    there is damage to each of them."""
    found, users = [], {}
    with open(image, "rb") as device:
        for top, dirs, files in os.walk(os.fsencode(str(mount))):
            if top == os.fsencode(str(mount)) and not snapshots and b"snap" in dirs:
                dirs.remove(b"snap")
            for name in files:
                path = os.path.join(top, name)
                s = os.lstat(path)
                if not stat.S_ISREG(s.st_mode):
                    continue
                for offset, logical, length in extents(path):
                    for at in range(0, length, BLOCK):
                        users.setdefault(logical + at, set()).add((s.st_dev, s.st_ino, offset + at))
                    # A file with one name: a finding names it by one of its names only.
                    if s.st_nlink > 1 or s.st_size < minimum:
                        continue
                    for at in range(0, min(length, s.st_size - offset) // BLOCK * BLOCK, BLOCK):
                        found.append((os.path.relpath(path, os.fsencode(str(mount))), s.st_ino, offset + at,
                                      chunks.physical(logical + at), logical + at))
        found = [place[:4] for place in found if snapshots or shared or len(users[place[4]]) == 1]
        for path, _, offset, copies in found[:: max(1, len(found) // 200)]:
            with open(os.path.join(os.fsencode(str(mount)), path), "rb") as file:
                file.seek(offset)
                content = file.read(BLOCK)
            for copy in copies:
                device.seek(copy)
                expect(device.read(BLOCK) == content, f"{path!r} at {offset} does not lie at {copy}: the test's own mapping is wrong")
    return found


def write(image, offset, data):
    with open(image, "r+b") as device:
        device.seek(offset)
        device.write(data)
        device.flush()
        os.fsync(device.fileno())


def block(image, offset):
    with open(image, "rb") as device:
        device.seek(offset)
        return device.read(BLOCK)


FILL = """
mount -o loop,nodiscard "$1" "$2"
head -c 64M /dev/urandom >"$2/filling"
sync -f "$2"
btrfs balance start --full-balance "$2"
btrfs balance start --full-balance "$2"
rm "$2/filling"
sync -f "$2"
umount "$2"
"""


def let_go(image):
    """A loop device keeps its image for a moment after the unmount, and losetup already denies it."""
    for _ in range(100):
        if not any(read(path) == str(image) for path in glob.glob("/sys/block/loop*/loop/backing_file")):
            return
        time.sleep(0.1)
    raise AssertionError(f"a loop device still holds {image}")


def relocated_image(scratch, size="1g", *options):
    """A btrfs image whose chunks lie at other device offsets than their logical addresses: balanced, then emptied."""
    image, mount = scratch / "image", scratch / "fill"
    mount.mkdir()
    subprocess.run(["truncate", "-s", size, str(image)], check=True)
    subprocess.run(["mkfs.btrfs", "-q", *options, str(image)], check=True, capture_output=True)
    # In a mount namespace of its own: nobody else's can then keep it mounted.
    subprocess.run(["unshare", "-m", "sh", "-ec", FILL, "fill", str(image), str(mount)], check=True, capture_output=True)
    let_go(image)
    return image
