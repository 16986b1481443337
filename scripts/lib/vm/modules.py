# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel modules: which there are, what each needs first, and whether one that somebody built fits."""
import re

from vm import host

# Loaded before the command runs, in this order. What a kernel has built in, or has not, is left out.
LOADED = ("virtio_pci", "virtio_blk", "virtio_console", "9pnet_virtio", "9p", "crc32c_intel", "crc32c_generic", "xxhash_generic",
          "sha256_generic", "blake2b_generic", "loop", "dm_mod", "btrfs", "hwpoison_inject", "i6300esb", "virtio_mem")
# Without these there is no guest to speak of.
NEEDED = ("virtio_pci", "virtio_blk", "virtio_console", "9pnet_virtio", "9p", "btrfs")


def name_of(path):
    """ "kernel/fs/btrfs/btrfs.ko" is btrfs; dashes and underscores are the same."""
    return re.sub(r"\.ko(\.\w+)?$", "", str(path).rsplit("/", 1)[-1]).replace("-", "_")


class Modules:
    """modules.dep of one kernel."""

    def __init__(self, kernel):
        self.top = kernel.modules
        self.path, self.needs = {}, {}
        for line in (self.top / "modules.dep").read_text(encoding="utf-8").splitlines():
            path, _, needs = line.partition(":")
            self.path[name_of(path)] = path
            self.needs[name_of(path)] = [name_of(n) for n in needs.split()]
        builtin = self.top / "modules.builtin"
        self.builtin = {name_of(line) for line in builtin.read_text(encoding="utf-8").splitlines()} if builtin.exists() else set()
        missing = [name for name in NEEDED if name not in self.path and name not in self.builtin]
        if missing:
            raise host.CannotRun(f"kernel {kernel.release} has no {', '.join(missing)}, neither built in nor below {self.top}: "
                                 "scripts/vm can't work without; build them, or take a distribution kernel")

    def order(self, names):
        """Paths below `top`, so that what a module needs comes before it. modules.dep names the nearest first."""
        done = {}
        for name in names:
            if name in self.path:
                for each in [*reversed(self.needs[name]), name]:
                    done.setdefault(self.path[each])
        return list(done)


def vermagic(path):
    """The kernel that a module was built for, as .modinfo says: "6.1.0-56-amd64 SMP preempt mod_unload modversions"."""
    match = re.search(rb"\0vermagic=([^\0]*)\0", path.read_bytes())
    return match[1].decode("ascii", "replace").strip() if match else None


def check_fit(path, kernel):
    """Refuse here what the guest's kernel would refuse there."""
    if not path.is_file():
        raise host.CannotRun(f"there is no module {path}: build it first (make -C mutants/kernel)")
    magic = vermagic(path)
    if magic is None:
        raise host.CannotRun(f"{path} is not a kernel module: it has no vermagic")
    if magic.split()[0] != kernel.release:
        raise host.CannotRun(f"{path} does not fit: it was built for '{magic}', the guest's kernel is {kernel.release}; build it "
                             f"against linux-headers-{kernel.release}, or boot its kernel with --kernel")
