# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be put back, and under which scenario it shows."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    name: str                 # of the module
    summary: str
    scenario: str = "btree-migration-2010"
    harmless: bool = False    # a module that does the same rightly: nothing is to be found
    parameters: tuple = ()
    memory: str = "512m"      # of the guest: small, so that what is dirty must move
    disk: str = "1g"


ALL = {case.name: case for case in (
    Case("btree-migration-2010", "migration writes dirty metadata out without lock and mark, as the kernel did until 2010"),
    Case("btree-migration-quiet", "its quiet half: the lock is held, the mark is missing; nothing else notices it on 6.1"),
    Case("btree-migration-right", "the same way to the disk with lock and mark: the positive control", harmless=True),
)}
