# SPDX-License-Identifier: GPL-2.0-or-later
"""The broken layers under recow: a device that a filesystem lies on, or a directory that is passed through."""
import dataclasses
import json
import os
import pathlib
import shutil

from proving import machine

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
RECOW = BUILD / "recow"
PROGRAMS = {layer: next((p for p in BUILD.glob(f"**/recow-mutant-{layer}") if p.is_file()), BUILD / f"mutants/recow-mutant-{layer}")
            for layer in ("device", "fs")}


@dataclasses.dataclass(frozen=True)
class Setting:
    """A filesystem, and which of the device's requests the bug may hit; of a directory what lies under it."""
    name: str
    layer: str
    fs: str
    scope: str = "any"
    mount_options: str = ""


SETTINGS = {s.name: s for s in (
    Setting("btrfs data", "device", "btrfs", "data"),
    Setting("btrfs metadata", "device", "btrfs", "metadata"),
    Setting("nodatacow", "device", "btrfs", "data", "nodatacow"),
    Setting("ext4", "device", "ext4"),
    Setting("xfs", "device", "xfs"),
    Setting("directory", "fs", "tmpfs"),
    Setting("btrfs directory", "fs", "btrfs"),
)}

# A btrfs whose chunks lie at other device offsets than their logical addresses: filled, balanced, emptied.
RELOCATE = """
mount -o nodiscard "$1" "$2"
head -c 64M /dev/urandom >"$2/filling"
sync -f "$2"
btrfs balance start --full-balance "$2"
btrfs balance start --full-balance "$2"
rm "$2/filling"
sync -f "$2"
fstrim "$2"
sync -f "$2"
umount "$2"
"""
IMAGE_SIZE = "1g"

# What a mutant must be given to do: recow mounts its targets with nodiscard.
MOUNTED_WITH = {"greedy-discard": {"btrfs": "discard=sync", "ext4": "discard", "xfs": "discard"}}

# Two filesystems with one name must not be mounted at a time.
RENAME = {"btrfs": ["btrfstune", "-f", "-u"], "ext4": ["tune2fs", "-f", "-U", "random"], "xfs": ["xfs_admin", "-U", "generate"]}


@dataclasses.dataclass(frozen=True)
class Chance:
    """When a bug shows (mutants/common/chance.h)."""
    seed: int
    one_in: int
    limit: int = 8
    start: float = 0 # seconds

    def words(self):
        return ["--seed", self.seed, "--one-in", self.one_in, "--limit", self.limit, "--from", self.start]


def need(layer):
    """What must be there to run this layer."""
    if not PROGRAMS[layer].exists():
        raise machine.CannotRun(f"{PROGRAMS[layer]} is missing: make -C {BUILD} check TESTS= (needs libfuse3-dev)")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise machine.CannotRun("/dev/fuse is missing or may not be used: modprobe fuse, or a machine with CONFIG_FUSE_FS")


def mutants(layer):
    """What the program of this layer has, as it tells itself: name, summary, source, unseen."""
    return json.loads(machine.run(PROGRAMS[layer], "--list", "--json").stdout)


def make_images(scratch, wanted):
    """An empty filesystem of each kind that is wanted, to be copied: formatting is no part of what is proved."""
    mount = scratch / "make"
    mount.mkdir()
    images = {}
    for fs, words in {"btrfs": ["-q"], "ext4": ["-q", "-F"], "xfs": ["-q"]}.items():
        if fs not in wanted:
            continue
        image = images[fs] = scratch / f"empty.{fs}"
        machine.run("truncate", "-s", IMAGE_SIZE, image)
        machine.run(f"mkfs.{fs}", *words, image)
        if fs == "btrfs":
            with machine.Loop(image) as loop:
                machine.run("sh", "-ec", RELOCATE, "relocate", loop.path, mount)
    return images


class DeviceLayer:
    """A copy of an empty image, served by the mutant, on a loop device."""

    def __init__(self, place, setting, empty, mutant, chance):
        self.image, self.served = place / "image", place / "served"
        self.truth = place / "truth.jsonl"
        machine.run("cp", "--sparse=always", empty, self.image)
        machine.run(*RENAME[setting.fs], self.image)
        self.served.touch()
        self.words = [PROGRAMS["device"], "--backing", self.image, "--mount", self.served, "--mutant", mutant, "--truth", self.truth,
                      *chance.words(), *(["--scope", setting.scope] if setting.scope != "any" else [])]
        self.options = ",".join(o for o in (setting.mount_options, MOUNTED_WITH.get(mutant, {}).get(setting.fs)) if o)
        self.trouble = ""

    def __enter__(self):
        self.daemon = machine.Daemon(self.words, self.served)
        try:
            self.loop = machine.Loop(self.served)
            self.target = self.loop.__enter__().path
        except BaseException:
            self.daemon.end()
            raise
        return self

    def flags(self):
        """For recow run."""
        return ["--target", self.target, "--keep", *(["--mount-options", self.options] if self.options else [])]

    def __exit__(self, *_):
        self.loop.__exit__()
        self.trouble = self.daemon.end()


class DirectoryLayer:
    """A directory, passed through."""

    def __init__(self, place, setting, _, mutant, chance):
        self.backing, self.target = place / "backing", place / "served"
        self.truth = place / "truth.jsonl"
        self.backing.mkdir()
        self.target.mkdir()
        self.words = [PROGRAMS["fs"], "--backing", self.backing, "--mount", self.target, "--mutant", mutant, "--truth", self.truth,
                      *chance.words()]
        self.setting = setting
        self.trouble = ""
        self.names = {}  # inode number -> its names at the end

    def __enter__(self):
        self.daemon = machine.Daemon(self.words, self.words[4])
        return self

    def flags(self):
        return ["--target", self.target, "--keep"]

    def __exit__(self, *_):
        self.trouble = self.daemon.end()
        root = os.fsencode(str(self.backing))
        for top, directories, files in os.walk(root):
            for name in directories + files:
                path = os.path.join(top, name)
                try:
                    self.names.setdefault(os.lstat(path).st_ino, set()).add(os.path.relpath(path, root))
                except OSError:
                    pass


class BesideLayer(DirectoryLayer):
    """A directory of a real btrfs that recow uses itself, while the mutant does something to it behind its back."""

    def __init__(self, place, setting, empty, mutant, chance):
        super().__init__(place, setting, empty, mutant, chance)
        self.image = place / "image"
        machine.run("cp", "--sparse=always", empty, self.image)
        machine.run(*RENAME["btrfs"], self.image)
        self.target = self.backing

    def __enter__(self):
        self.loop = machine.Loop(self.image)
        try:
            machine.run("mount", "-o", "noatime,nodiscard", self.loop.__enter__().path, self.backing)
            return super().__enter__()
        except BaseException:
            self.leave()
            raise

    def leave(self):
        machine.run("umount", self.backing, check=False)
        self.loop.__exit__()

    def __exit__(self, *_):
        super().__exit__()
        self.leave()


def layer_of(setting):
    if setting.layer == "device":
        return DeviceLayer
    return BesideLayer if setting.fs == "btrfs" else DirectoryLayer


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
