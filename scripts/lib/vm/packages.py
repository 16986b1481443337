# SPDX-License-Identifier: GPL-2.0-or-later
"""Distribution kernels: found in the package archive, unpacked into the cache, never installed."""
import dataclasses
import functools
import lzma
import pathlib
import re
import tempfile

from vm import host

DEFAULT = "6.1"
# Flavours such as cloud and rt are other kernels: they are had by their full name.
STOCK = re.compile(r"linux-image-(\d+\.\d+\.\d+(?:-\d+|\+deb\d+)?)-amd64(-unsigned)?")


@dataclasses.dataclass(frozen=True)
class Kernel:
    """What QEMU boots, and what fits it."""
    image: pathlib.Path    # bzImage
    modules: pathlib.Path  # lib/modules/RELEASE, with modules.dep
    release: str


def find(wanted, modules_dir=None):
    """The kernel that `wanted` names: a version ("6.12"), a package, a package file, or a bzImage with its modules beside it."""
    path = pathlib.Path(wanted)
    if "/" in wanted or path.is_file():
        if not path.is_file():
            raise host.CannotRun(f"there is no kernel {path}")
        return unpacked(path.stem, path) if path.suffix == ".deb" else from_image(path, modules_dir)
    if modules_dir:
        raise host.WrongUsage("--modules-dir is for a kernel given by its path")
    return packaged(wanted)


# ---- a kernel of one's own

def release_of(image):
    """The release that a bzImage names in its own header (Documentation/arch/x86/boot.rst: kernel_version, a pointer at 0x20E)."""
    with open(image, "rb") as file:
        head = file.read(65536)
    if head[0x202:0x206] != b"HdrS":
        raise host.CannotRun(f"{image} is not an x86 bzImage")
    at = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    return head[at:at + 200].split(b"\0")[0].split()[0].decode("ascii", "replace")


def from_image(image, modules_dir):
    release = release_of(image)
    modules = pathlib.Path(modules_dir) if modules_dir else image.resolve().parents[1] / "lib/modules" / release
    if modules.name != release and (modules / "lib/modules" / release).is_dir():
        modules = modules / "lib/modules" / release
    if not (modules / "modules.dep").exists():
        raise host.CannotRun(f"{image} is {release}, and {modules} has no modules.dep for it: give --modules-dir "
                             f"(the directory lib/modules/{release}; depmod -b DIR {release} makes modules.dep)")
    return Kernel(image, modules, release)


# ---- kernels of the archive

def packaged(wanted):
    name = package_name(wanted)

    def fill(place):
        with tempfile.TemporaryDirectory(prefix="recow-vm-", dir="/var/tmp") as scratch:
            unpack(download(name, scratch), place)
    return in_place(host.kept(f"kernels/{name}", fill))


def unpacked(name, package):
    """The same from a package file."""
    return in_place(host.kept(f"kernels/{name}-{package.stat().st_mtime_ns}", lambda place: unpack(package, place)))


def in_place(place):
    modules = next((place / "lib/modules").iterdir())
    return Kernel(next((place / "boot").glob("vmlinuz-*")), modules, modules.name)


def package_name(wanted):
    """ "6.1" and "6.12" are the newest stock kernel of that series; a full name is itself."""
    if wanted.startswith("linux-image-"):
        if host.run("apt-cache", "show", wanted).returncode == 0:
            return wanted
        raise host.CannotRun(f"the package archive has no {wanted}; it has {', '.join(series()) or 'no kernels'}: "
                             "apt-get update, or one of those with --kernel")
    found = {}
    for name in archived():
        match = STOCK.fullmatch(name)
        if match and match[1].startswith(f"{wanted}."):
            found.setdefault(match[1], name)  # the signed one sorts before the unsigned
    if not found:
        raise host.CannotRun(f"the package archive has no kernel {wanted}; it has {', '.join(series()) or 'no kernels'}: "
                             "apt-get update, or one of those with --kernel")
    return found[max(found, key=lambda version: [int(n) for n in re.findall(r"\d+", version)])]


@functools.lru_cache(None)
def archived():
    result = host.run("apt-cache", "--names-only", "search", "^linux-image-[0-9]")
    return sorted(line.split()[0] for line in result.stdout.splitlines())


def series():
    found = {tuple(map(int, match[1].split(".")[:2])) for match in map(STOCK.fullmatch, archived()) if match}
    return [f"{major}.{minor}" for major, minor in sorted(found)]


def download(name, scratch, version=None):
    """The package file; asked of the archive once more with a fresh list, since lists grow old."""
    wanted = f"{name}={version}" if version else name
    result = host.run("apt-get", "-q", "download", wanted, cwd=scratch)
    if result.returncode and host.run("apt-get", "-q", "update").returncode == 0:
        result = host.run("apt-get", "-q", "download", wanted, cwd=scratch)
    files = list(pathlib.Path(scratch).glob(f"{name}_*.deb"))
    if result.returncode or not files:
        raise host.CannotRun(f"cannot download {wanted}: {result.stderr.strip()[-500:]} (the archive must be reachable once; later "
                             f"runs use {host.cache()})")
    return files[0]


def unpack(package, place):
    """With modules.dep, and with modules that insmod of any busybox reads."""
    result = host.run("dpkg", "-x", package, place)
    if result.returncode or not list((place / "boot").glob("vmlinuz-*")):
        raise host.CannotRun(f"{package} has no kernel in it: {result.stderr.strip()}")
    for module in place.glob("lib/modules/**/*.ko.xz"):
        module.with_suffix("").write_bytes(lzma.decompress(module.read_bytes()))
        module.unlink()
    for modules in (place / "lib/modules").iterdir():
        result = host.run("depmod", "-b", place, modules.name)
        if result.returncode:
            raise host.CannotRun(f"depmod fails for {modules.name}: {result.stderr.strip()} (package kmod)")
