# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the audit share: images, what fills them, and what the audit says of them."""
import contextlib
import json
import os
import subprocess

from lib import expect, recow


def sh(*words, **kwargs):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True, **kwargs).stdout


def make(paths, options, size="300m"):
    for path in paths:
        sh("truncate", "-s", size, path)
    sh("mkfs.btrfs", "-q", "-f", *options, *paths)


@contextlib.contextmanager
def mounted_devices(devices, where, options="nodiscard,noatime"):
    where.mkdir(exist_ok=True)
    sh("mount", "-t", "btrfs", "-o", ",".join([options] + [f"device={d}" for d in devices]), devices[0], where)
    try:
        yield where
    finally:
        sh("umount", where)


@contextlib.contextmanager
def loop_devices(paths):
    loops = []
    try:
        for path in paths:
            loops.append(sh("losetup", "-f", "--show", path).strip())
        yield loops
    finally:
        for loop in loops:
            sh("losetup", "-d", loop)


@contextlib.contextmanager
def mounted(paths, where, options="nodiscard,noatime"):
    with loop_devices(paths) as loops, mounted_devices(loops, where, options):
        yield where


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def patch(path, places, data):
    fd = os.open(path, os.O_WRONLY)
    for at in places:
        os.pwrite(fd, data, at)
    os.close(fd)


def fill(top, files=400):
    """Everything that writes items of its own kind: files small and large, names, links, xattrs, snapshots, holes, clones."""
    sub, big = top / "sub", top / "sub/big"
    sh("btrfs", "subvolume", "create", sub)
    (sub / "nocow").mkdir()
    sh("chattr", "+C", sub / "nocow")
    write(sub / "nocow/file", os.urandom(200000))
    write(big, os.urandom(3 << 20))
    os.sync()
    patch(big, range(40960, 3 << 20, 163840), os.urandom(4096))
    sh("cp", "--reflink=always", big, sub / "clone")
    sh("fallocate", "-l", "1m", sub / "prealloc")
    patch(sub / "prealloc", (40960, 200000), b"x" * 9000)
    for i in range(files):
        write(sub / f"file-{i}", b"%d\n" % i * (1 + i % 300))
        if i % 10 == 0:
            os.setxattr(sub / f"file-{i}", "user.test", b"v" * (i + 1))
    for i in range(120):
        os.link(sub / "file-0", sub / f"a-rather-long-name-so-that-few-of-them-have-room-in-one-item-{i:040}")
    os.symlink("target", sub / "symlink")
    os.mkfifo(sub / "fifo")
    os.sync()
    sh("btrfs", "subvolume", "snapshot", sub, top / "snapshot")
    sh("btrfs", "subvolume", "snapshot", "-r", sub, top / "gone")
    for i in range(0, files, 3):
        os.unlink(sub / f"file-{i}")
    for i in range(1, files, 7):
        write(top / f"snapshot/file-{i}", b"again")
    os.sync()
    sh("btrfs", "subvolume", "delete", top / "gone")
    os.sync()


def audit(*words, code=0):
    return json.loads(recow("audit", "--json", "--all", *words, code=code).stdout)


def expect_clean(what, paths):
    result = recow("audit", "--data", "--scan", *paths, code=None)
    expect(result.returncode == 0, f"{what}: exit status {result.returncode}\n{result.stdout[-3000:]}{result.stderr[-500:]}")


def base_image(scratch):
    image = scratch / "base"
    make([image], ("-m", "dup", "-d", "single", "-n", "4k"))
    with mounted([image], scratch / "mnt") as top:
        fill(top, 300)
    expect_clean("before damage", [image])
    return image
