# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's disks: sparse images in the output directory."""
import dataclasses
import os
import pathlib


@dataclasses.dataclass
class Disk:
    """/dev/vda is number 0."""
    number: int
    image: pathlib.Path
    log: pathlib.Path = None  # of all that is written to it (powercut.py)

    def words(self):
        """What the guest wrote is in the image as soon as it was written, whatever becomes of the guest: QEMU has no cache of its
        own, the kernel of this machine has it."""
        device = ["-device", f"virtio-blk-pci,drive=disk{self.number},serial=disk{self.number}"]
        if self.log:
            self.log.touch()
            return ["-blockdev", f"driver=file,node-name=image{self.number},filename={escaped(self.image)},discard=unmap",
                    "-blockdev", f"driver=raw,node-name=raw{self.number},file=image{self.number},discard=unmap",
                    "-blockdev", f"driver=file,node-name=log{self.number},filename={escaped(self.log)}",
                    "-blockdev", f"driver=blklogwrites,node-name=disk{self.number},file=raw{self.number},log=log{self.number},discard=unmap,"
                    "log-super-update-interval=1",
                    *device]
        return ["-drive", f"file={escaped(self.image)},if=none,id=disk{self.number},format=raw,cache=writeback,discard=unmap",
                *device]

    def name(self):
        return f"/dev/vd{chr(ord('a') + self.number)}"


def escaped(path):
    """A comma would end the option."""
    return str(path).replace(",", ",,")


def make(output, sizes):
    """New images, or those that are there when no sizes are given."""
    disks = []
    for number, size in enumerate(sizes):
        image = output / f"disk{number}.img"
        with open(image, "wb") as file:
            os.truncate(file.fileno(), size)
        disks.append(Disk(number, image))
    return disks
