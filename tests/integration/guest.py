# SPDX-License-Identifier: GPL-2.0-or-later
"""Damaged images as disks of a virtual machine (scripts/lib/vm) that mounts one after the other: it may hang or die of them, the host
may not. Nothing is ever written to them."""
import dataclasses
import pathlib
import shutil
import sys

from lib import ROOT, expect

sys.path.insert(0, str(ROOT / "scripts/lib"))
from vm import accel, guest, packages  # noqa: E402

LOOK = pathlib.Path(__file__).with_name("look-at-disks")
MEMORY = 768 << 20
LOST = 9  # exit code of LOOK: it waits in vain


@dataclasses.dataclass
class Disk:
    """The guest knows it by its serial number."""
    number: int
    name: str
    image: pathlib.Path
    unreadable: int  # a place, or None

    def serial(self):
        return f"d{self.number}"

    def words(self):
        """Eight share a slot of the bus, from 16 on, where QEMU puts nothing by itself: 128 have room."""
        image, error = "file.filename", ""
        if self.unreadable is not None:
            image = "file.image.filename"
            error = (",file.driver=blkdebug,file.inject-error.0.event=read_aio,file.inject-error.0.errno=5,"
                     f"file.inject-error.0.sector={self.unreadable // 512}")
        slot, function = divmod(self.number, 8)
        return ["-drive", f"driver=raw,read-only=on,{image}={self.image},if=none,id={self.serial()}{error}", "-device",
                f"virtio-blk-pci,drive={self.serial()},serial={self.serial()},addr={16 + slot:#x}.{function},multifunction=on"]


def boot(kernel, out, disks):
    """How it ended; what it said is in `out`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    wish = guest.Wish(command=["/look-at-disks", *(disk.serial() for disk in disks)], kernel=kernel, output=out, memory=MEMORY,
                      accelerator=accel.choose(kernel, "auto"), disks=disks, files=[(LOOK, "look-at-disks")], append="oops=panic",
                      quiet=True)
    return guest.Guest(wish, out, out / "console.log").go()


def answer(out, disk, what):
    """What the guest said of it; None: nothing yet."""
    path = out / f"{disk.serial()}.{what}"
    return path.read_text().strip() if path.exists() else None


def measure(scratch, images):
    """Yields (name, scrub, mount) for each (name, image, place that can't be read or None); boots again behind one that the guest
    did not survive."""
    kernel, out, left = packages.find(packages.DEFAULT), scratch / "guest", list(images)
    print(f"# Linux {kernel.release}", flush=True)
    while left:
        disks = [Disk(number, *each) for number, each in enumerate(left)]
        end = boot(kernel, out, disks)
        looked = [disk for disk in disks if answer(out, disk, "begun") is not None]
        survived = end.kind == "command" and answer(out, disks[-1], "scrub")
        expect(looked and (survived or end.is_finding() or (end.kind, end.code) == ("command", LOST)), f"the guest ends otherwise: {end}")
        lost = "never comes back" if end.kind in ("command", "hang") else "panics"
        for disk in looked:
            mount = answer(out, disk, "mount")
            yield disk.name, "not reached" if mount is None else answer(out, disk, "scrub") or lost, mount or lost
        left = left[len(looked):]
