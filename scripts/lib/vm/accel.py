# SPDX-License-Identifier: GPL-2.0-or-later
"""KVM only where it really boots a guest: a device that is present and opens can still hang, and a hung guest looks like a finding."""
import os
import subprocess
import tempfile

from vm import host, initramfs, qemu

LIMIT = 20  # seconds: where KVM works the kernel needs two


def choose(kernel, wanted):
    """ "kvm" or "tcg"; `wanted` is one of them or "auto". What a probe said holds until the machine boots anew."""
    if wanted != "auto":
        return wanted
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    place = host.cache() / f"accelerator-{host.boot_id()}"
    with host.locked("accelerator"):
        if not place.exists():
            fresh = place.with_suffix(".new")
            fresh.write_text("kvm" if boots(kernel) else "tcg", encoding="ascii")
            fresh.rename(place)
    return place.read_text(encoding="ascii")


# The guest says that it is up by a code that no crash, reset or power-off gives QEMU: (1 << 1) | 1 through isa-debug-exit.
INIT = b"""#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
printf '\\001' | /bin/busybox dd of=/dev/port bs=1 seek=244
/bin/busybox sleep 1000
"""
UP = 3


def boots(kernel, accelerator="kvm", limit=LIMIT):
    """Does this kernel reach its first process there?"""
    with tempfile.TemporaryDirectory(prefix="recow-vm-", dir="/var/tmp") as scratch:
        root = f"{scratch}/root"
        with open(root, "wb") as file:
            archive = initramfs.Archive(file)
            archive.copy(initramfs.busybox(), "bin/busybox")
            archive.bytes("init", INIT, 0o755)
            archive.folder("dev")
            archive.end()
        words = [qemu.program(), *qemu.machine(256 << 20, 1, accelerator), "-kernel", str(kernel.image), "-initrd", root,
                 "-append", "panic=-1 quiet", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4"]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   preexec_fn=host.die_with_parent)
        try:
            return process.wait(limit) == UP
        except subprocess.TimeoutExpired:
            return False
        finally:
            process.kill()
            process.wait()
