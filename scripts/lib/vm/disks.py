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

    def words(self):
        """What the guest wrote is in the image as soon as it was written, whatever becomes of the guest: QEMU has no cache of its
        own, the kernel of this machine has it."""
        return ["-drive", f"file={str(self.image).replace(',', ',,')},if=none,id=disk{self.number},format=raw,cache=writeback,discard=unmap",
                "-device", f"virtio-blk-pci,drive=disk{self.number},serial=disk{self.number}"]

    def name(self):
        return f"/dev/vd{chr(ord('a') + self.number)}"


def make(output, sizes):
    """New images, or those that are there when no sizes are given."""
    disks = []
    for number, size in enumerate(sizes):
        image = output / f"disk{number}.img"
        with open(image, "wb") as file:
            os.truncate(file.fileno(), size)
        disks.append(Disk(number, image))
    return disks
