# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's root, made of what this machine has: busybox, recow as it was just built, filesystem tools, their libraries, modules."""
import os
import pathlib
import re
import shlex
import shutil
import stat

from vm import host
from vm.modules import LOADED, Modules

INIT = pathlib.Path(__file__).with_name("init")
PROGRAMS = ("btrfs", "btrfstune", "mkfs.btrfs", "mkfs.ext4", "e2fsck", "debugfs", "fsck.ext4", "tune2fs", "mkfs.xfs", "xfs_repair", "fsck.xfs", "dmsetup",
            "mkswap", "setpriv")
REQUIRED = ("btrfs", "mkfs.btrfs")
# Loaded by name while a program runs, so ldd does not show it: glibc wants it when a thread is cancelled or ends itself.
UNSEEN_LIBRARIES = ("libgcc_s.so.1",)
FOLDERS = ("bin", "sbin", "dev", "proc", "sys", "tmp", "run", "out", "mnt", "etc", "root", "var/tmp", "var/log", "usr/bin", "usr/sbin", "modules")


class Archive:
    """A cpio archive in the newc format (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self, file):
        self.file, self.inode, self.folders, self.names = file, 0, set(), set()

    def entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        raw = name.encode() + b"\0"
        numbers = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
        self.file.write(b"070701" + b"".join(b"%08X" % n for n in numbers) + raw)
        self.file.write(b"\0" * (-(110 + len(raw)) % 4))
        self.file.write(data)
        self.file.write(b"\0" * (-len(data) % 4))

    def folder(self, name):
        if name and name not in self.folders:
            self.folder(os.path.dirname(name))
            self.folders.add(name)
            self.entry(name, stat.S_IFDIR | 0o755)

    def bytes(self, name, data, mode=0o644):
        name = name.lstrip("/")
        if name not in self.names:
            self.names.add(name)
            self.folder(os.path.dirname(name))
            self.entry(name, stat.S_IFREG | mode, data)

    def copy(self, path, name=None):
        """A file of this machine, where a link leads to."""
        path = pathlib.Path(path)
        self.bytes(str(name or path), path.read_bytes(), stat.S_IMODE(path.stat().st_mode) | 0o444)

    def link(self, name, target):
        if name not in self.names:
            self.names.add(name)
            self.folder(os.path.dirname(name))
            self.entry(name, stat.S_IFLNK | 0o777, target.encode())

    def end(self):
        self.entry("TRAILER!!!", 0)


def libraries(program):
    """What the dynamic linker would map for it, the linker itself among them."""
    return re.findall(r"(?:=> )?(/\S+) \(0x", host.run("ldd", program).stdout)


def find_program(name):
    path = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") if "/" not in name else name
    return path if path and os.path.isfile(path) else None


def need_program(name, package):
    path = find_program(name)
    if not path:
        raise host.CannotRun(f"{name} is missing: apt-get install {package}")
    return path


def busybox():
    path = need_program("busybox", "busybox-static")
    if libraries(path):
        raise host.CannotRun(f"{path} is not the static one: apt-get install busybox-static")
    return path


def write(path, guest):
    """The archive for this guest (guest.Wish)."""
    modules = Modules(guest.kernel)
    with open(path, "wb") as file:
        archive = Archive(file)
        for folder in FOLDERS:
            archive.folder(folder)
        archive.entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        archive.copy(INIT, "init")
        archive.copy(busybox(), "bin/busybox")
        add_programs(archive, guest.programs)
        add_recow(archive)
        add_modules(archive, modules, guest)
        for source, name in guest.files:
            archive.copy(source, name)
        archive.bytes("command", ("exec " + shlex.join(guest.command) + "\n").encode())
        archive.bytes("settings", "".join(f"{k}={shlex.quote(str(v))}\n" for k, v in guest.settings().items()).encode())
        archive.bytes("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        archive.bytes("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
        archive.end()


def add_program(archive, path, name):
    archive.copy(path, name)
    for library in libraries(path):
        archive.copy(library)


def add_programs(archive, further):
    for name in REQUIRED:
        need_program(name, "btrfs-progs")
    for name in (*PROGRAMS, *further):
        path = find_program(name)
        if path:
            add_program(archive, path, f"usr/bin/{os.path.basename(name)}")
        elif name in further:
            raise host.CannotRun(f"there is no program {name} on this machine to take along")
    for name in UNSEEN_LIBRARIES:
        found = next(pathlib.Path("/").glob(f"lib/*/{name}"), None)
        if not found:
            raise host.CannotRun(f"{name} is missing: apt-get install libgcc-s1")
        archive.copy(found)


def add_recow(archive):
    if not host.RECOW.exists():
        raise host.CannotRun(f"{host.RECOW} is missing: make -C {host.BUILD}, or say BUILD=DIR")
    add_program(archive, host.RECOW, "usr/bin/recow")
    for scenario in (host.ROOT / "scenarios").glob("*.ini"):
        archive.copy(scenario, f"usr/share/recow/scenarios/{scenario.name}")


def add_modules(archive, modules, guest):
    """Those that are loaded at once. The others are the share modules, for modprobe."""
    for path in modules.order(LOADED):
        archive.copy(modules.top / path, f"modules/boot.d/{os.path.basename(path)}")
    archive.bytes("modules/boot", "".join(f"/modules/boot.d/{os.path.basename(path)}\n" for path in modules.order(LOADED)).encode())
    archive.folder(f"lib/modules/{guest.kernel.release}")
    lines = []
    for number, (path, parameters) in enumerate(guest.modules):
        archive.copy(path, f"modules/{number}-{path.name}")
        lines.append(f"/modules/{number}-{path.name} {' '.join(parameters)}\n")
    archive.bytes("modules/own", "".join(lines).encode())
