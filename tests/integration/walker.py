# SPDX-License-Identifier: GPL-2.0-or-later
"""An independent walker: compares a mounted tree with `recow model RUN --json` by plain POSIX calls. It shares no code with
recow's verifiers: other language, other reading order, other hash library binding."""
import json
import os
import stat
import subprocess

import xxhash

from lib import RECOW, expect

BLOCK = 4096
TYPES = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "symlink": stat.S_IFLNK, "whiteout": stat.S_IFCHR}
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}


def unescape(text):
    """The bytes behind recow's escaped form (C escapes: \\n, \\377)."""
    out, i = bytearray(), 0
    while i < len(text):
        if text[i] != "\\":
            out += text[i].encode()
            i += 1
        elif text[i + 1] in LETTERS:
            out += LETTERS[text[i + 1]].encode()
            i += 2
        else:
            out.append(int(text[i + 1:i + 4], 8))
            i += 4
    return bytes(out)


def load(run):
    """(header lines, objects) of a run's model."""
    result = subprocess.run([RECOW, "model", str(run), "--json"], capture_output=True, check=False)
    expect(result.returncode == 0, f"recow model failed: {result.stderr.decode()}")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return [l for l in lines if "type" not in l], [l for l in lines if "type" in l]


def block_hashes(path):
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            yield xxhash.xxh3_64_hexdigest(block.ljust(BLOCK, b"\0"))


ZEROES = xxhash.xxh3_64_hexdigest(bytes(BLOCK))


def check_file(path, o, wrong):
    expected = [h or ZEROES for h in o["blocks"]]
    found = list(block_hashes(path))
    if expected != found:
        bad = [i for i in range(max(len(expected), len(found))) if expected[i:i + 1] != found[i:i + 1]]
        wrong.append(f"{path}: blocks {bad[:8]} differ, {len(found)} of {len(expected)} blocks")


def check_xattrs(path, o, wrong):
    names = {n for n in os.listxattr(path, follow_symlinks=False) if n.startswith("user.recow.")}
    if names != set(o["xattrs"]):
        wrong.append(f"{path}: xattrs {sorted(names)}, expected {sorted(o['xattrs'])}")
    for name in names & set(o["xattrs"]):
        value = os.getxattr(path, name, follow_symlinks=False)
        e = o["xattrs"][name]
        if len(value) != e["length"] or xxhash.xxh3_64_hexdigest(value) != e["xxh3"]:
            wrong.append(f"{path}: value of {name} differs")


def check_object(root, o, wrong):
    paths = [os.path.join(root, unescape(p)) for p in o["paths"]]
    if o["anchor"] or o["held"]:  # a file without a name ends with its worker
        return
    inodes = set()
    for path in paths:
        try:
            s = os.lstat(path)
        except OSError as e:
            wrong.append(f"{path}: {e.strerror}")
            return
        inodes.add((s.st_dev, s.st_ino))
    if len(inodes) != 1:
        wrong.append(f"{paths}: not one inode")
    if stat.S_IFMT(s.st_mode) != TYPES[o["type"]]:
        wrong.append(f"{path}: another type")
        return
    if o["type"] != "symlink" and stat.S_IMODE(s.st_mode) != o["mode"]:
        wrong.append(f"{path}: mode {stat.S_IMODE(s.st_mode):o}, expected {o['mode']:o}")
    if (s.st_uid, s.st_gid) != (o["uid"], o["gid"]):
        wrong.append(f"{path}: owner {s.st_uid}:{s.st_gid}, expected {o['uid']}:{o['gid']}")
    if not o["mtime_ns"][0] <= s.st_mtime_ns <= o["mtime_ns"][1]:
        wrong.append(f"{path}: mtime {s.st_mtime_ns}, expected {o['mtime_ns']}")
    if o["type"] == "symlink" and os.fsencode(os.readlink(path)) != unescape(o["target"]):
        wrong.append(f"{path}: another target")
    if o["type"] != "dir" and s.st_nlink != len(paths):
        wrong.append(f"{path}: {s.st_nlink} links, expected {len(paths)}")
    if o["type"] == "file":
        if s.st_size != o["size"]:
            wrong.append(f"{path}: size {s.st_size}, expected {o['size']}")
        check_file(path, o, wrong)
    if o["type"] == "whiteout" and s.st_rdev != 0:
        wrong.append(f"{path}: device number {s.st_rdev:#x}, expected 0")
    if o["type"] in ("file", "dir"):
        check_xattrs(path, o, wrong)


def check_shared(root, objects, wrong):
    """A file that all workers write: the stretches of all together are its content, and all between them is zero."""
    files = {}
    for o in objects:
        if o["type"] == "file" and o["shared"]:
            files.setdefault((o["paths"][0], o["size"]), []).extend([*f, o["worker"]] for f in o["fragments"])
    for (path, size), fragments in files.items():
        with open(os.path.join(root, unescape(path)), "rb") as file:
            data = file.read()
        if len(data) != size:
            wrong.append(f"{path}: size {len(data)}, expected {size}")
        at = 0
        for offset, length, xxh3, worker in sorted(fragments):
            if offset < at:
                wrong.append(f"{path}: byte {offset} is worker {worker}'s and another's")
            if any(data[at:offset]):
                wrong.append(f"{path}: bytes {at} to {offset} are nobody's and not zero")
            if xxhash.xxh3_64_hexdigest(data[offset:offset + length]) != xxh3:
                wrong.append(f"{path}: {length} bytes of worker {worker} at {offset} differ")
            at = offset + length
        if any(data[at:]):
            wrong.append(f"{path}: bytes behind {at} are nobody's and not zero")
    return sum(len(f) for f in files.values())


def compare(root, run):
    """Every name, attribute and block; returns how many objects, names and blocks were compared."""
    root = os.fsencode(str(root))
    _, objects = load(run)
    wrong, expected = [], set()
    for o in objects:
        check_object(root, o, wrong)
        expected |= {os.path.join(root, unescape(p)) for p in o["paths"]}
    stretches = check_shared(root, objects, wrong)
    found = set()
    for top, dirs, files in os.walk(root):
        if top == root and b"snap" in dirs:
            dirs.remove(b"snap")  # snapshots of earlier states
        found |= {os.path.join(top, name) for name in dirs + files}
    found -= {os.path.join(root, b"shared"), os.path.join(root, b"lost+found")}
    wrong += [f"{p}: not in the model" for p in sorted(found - expected)[:20]]
    wrong += [f"{p}: not on the target" for p in sorted(expected - found)[:20]]
    expect(not wrong, f"{len(wrong)} differences:\n" + "\n".join(map(str, wrong[:20])))
    return {"objects": len(objects), "names": len(expected), "blocks": sum(len(o.get("blocks", [])) for o in objects),
            "stretches": stretches}
