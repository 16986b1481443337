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
    power_cut: bool = False   # only what is there after a power cut shows it


ALL = {case.name: case for case in (
    Case("btree-migration-2010", "migration writes dirty metadata out without lock and mark, as the kernel did until 2010"),
    Case("btree-migration-quiet", "its quiet half: the lock is held, the mark is missing; nothing else notices it on 6.1"),
    Case("btree-migration-right", "the same way to the disk with lock and mark: the positive control", harmless=True),
    Case("btree-stale-csum", "a metadata block is written with the checksum that its header held before", parameters=("one_in=5",)),
    Case("btree-unwritten", "a dirty metadata block is taken for clean and not written", parameters=("one_in=5",)),
    Case("data-dirty-lost", "a dirty data page is clean after it was migrated", "mmap-under-compaction"),
    Case("data-part-copied", "migration copies all of a data page but its last 512 bytes", "mmap-under-compaction"),
    Case("mmap-store-unseen", "migration writes a page out; what is stored to it later through a mapping is lost", "mmap-under-compaction"),
    Case("tail-not-zeroed", "the tail of the last block is not zeroed when a file grows", "mmap-under-compaction"),
    Case("direct-write-unseen", "a direct write leaves the old pages in the cache", "direct-in-flight"),
    Case("snapshot-unwritten", "the root block of a snapshot is not written", "snapshot-same-transaction"),
    Case("fsync-skips-log", "fsync logs nothing while another task writes a transaction out", "power-cut", power_cut=True),
    Case("writeback-skips-page", "writeback that somebody waits for passes over a page", "power-cut", power_cut=True, parameters=("one_in=3",)),
)}
