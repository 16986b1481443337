# SPDX-License-Identifier: GPL-2.0-or-later
"""A mutant of a device, served: what is asked of it is asked of a copy as well, so that what it did is known to the byte."""
import ctypes
import os
import struct
import subprocess
import time

from lib import ROOT, expect, lines_of

PROGRAM = os.environ.get("RECOW_MUTANT_DEVICE", str(ROOT / "build/mutants/recow-mutant-device"))
LIBC = ctypes.CDLL(None, use_errno=True)
PUNCH_HOLE = 1 | 2  # and KEEP_SIZE
SECTOR, BLOCK = 512, 4096
WRITE, FLUSH, FUA, DISCARD, PROMISED = 1, 2, 4, 8, 16  # flags of the write log


class Served:
    """The program on an image, and the file that it serves, open."""

    def __init__(self, scratch, mutant, *options, image=None, size=1 << 20, name="served"):
        self.image = image or scratch / f"{name}.img"
        self.file, self.truth_path, self.log = scratch / name, scratch / f"{name}.truth", scratch / f"{name}.log"
        if not image:
            self.image.write_bytes(os.urandom(size))
        self.file.write_bytes(b"")
        self.expected = bytearray(self.image.read_bytes()) if size <= 64 << 20 else None
        self.process = subprocess.Popen(
            [PROGRAM, "--backing", self.image, "--mount", self.file, "--mutant", mutant, "--truth", self.truth_path,
             *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        expect(said == "ready\n", f"it says {said!r}, {self.process.stderr.read() if not said else ''}")
        self.fd = os.open(self.file, os.O_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()
        subprocess.run(["umount", "-l", self.file], capture_output=True, check=False)  # if it died of the test

    def close(self):
        if self.fd is not None:
            try:
                os.close(self.fd)
            except OSError:
                pass  # its end was the test
        self.fd = None

    def end(self, code=0):
        """SIGTERM; it must end with `code`."""
        self.close()
        self.process.terminate()
        got = self.process.wait(20)
        expect(got == code, f"ended with {got}, not {code}: {self.process.stderr.read()}")

    def write(self, offset, data):
        """To the device and to the copy."""
        self.expected[offset:offset + len(data)] = data
        return os.pwrite(self.fd, data, offset)

    def read(self, offset, length):
        return os.pread(self.fd, length, offset)

    def flush(self):
        os.fsync(self.fd)

    def discard(self, offset, length):
        self.expected[offset:offset + length] = bytes(length)
        result = LIBC.fallocate(self.fd, PUNCH_HOLE, ctypes.c_long(offset), ctypes.c_long(length))  # fallocate(1) would fsync, too
        expect(result == 0, f"errno {ctypes.get_errno()}")

    def on_disk(self):
        return self.image.read_bytes()

    def truth(self, event):
        return [line for line in lines_of(self.truth_path) if line["event"] == event]

    def fired(self, count=1):
        """The lines of its firings, of which there must be `count`."""
        lines = self.truth("fired")
        expect(len(lines) == count, f"it fired {len(lines)} times, not {count}: {lines}")
        return lines

    def gone(self):
        return [line["number"] for line in self.truth("gone")]


def wrong_sectors(should, found, base=0):
    """[[offset, length], ...]: sectors that differ, cut to their first and last wrong byte, joined where they touch."""
    expect(len(should) == len(found), f"{len(found)} bytes, not {len(should)}")
    ranges = []
    for start in range(0, len(should), SECTOR):
        wrong = [i for i in range(start, min(start + SECTOR, len(should))) if should[i] != found[i]]
        if not wrong:
            continue
        first, length = base + wrong[0], wrong[-1] - wrong[0] + 1
        if ranges and sum(ranges[-1]) == first:
            ranges[-1][1] += length
        else:
            ranges.append([first, length])
    return ranges


def wrong_runs(should, found):
    """The same in whole sectors: where random bytes replace others, some are equal by chance."""
    runs = []
    for offset, length in wrong_sectors(should, found):
        start, end = offset // SECTOR * SECTOR, -(-(offset + length) // SECTOR) * SECTOR
        if runs and sum(runs[-1]) == start:
            runs[-1][1] += end - start
        else:
            runs.append([start, end - start])
    return runs


def expect_damage(line, ranges):
    """The truth names exactly these ranges, at its own place and at the other one."""
    named = line["damage"] + line.get("other", {}).get("damage", [])
    expect(sorted(named) == sorted(ranges), f"the truth says {sorted(named)}, wrong are {sorted(ranges)}")
    for where in [line] + ([line["other"]] if "other" in line else []):
        first, end = where["damage"][0][0], sum(where["damage"][-1])
        expect([where["offset"], where["length"]] == [first, end - first], f"place {where} of {first} to {end}")


def log_records(path):
    """The write log, read by its description (docs/mutants-device.md) alone."""
    raw = path.read_bytes()
    magic, version, at, _, _ = struct.unpack_from("<8sIIQQ", raw)
    expect(magic == b"recowwl\0" and version == 1, "no write log")
    records = []
    while at + 40 <= len(raw):
        record = dict(zip(("sequence", "time_ns", "offset", "length", "flags"), struct.unpack_from("<QQQQI", raw, at)))
        at += 40
        if record["flags"] & WRITE and not record["flags"] & PROMISED:
            record["data"] = raw[at:at + record["length"]]
            at += record["length"]
        records.append(record)
    expect(at == len(raw) and [r["sequence"] for r in records] == list(range(1, len(records) + 1)), "a damaged log")
    return records


class Loop:
    """A loop device with direct I/O on what is served."""

    def __init__(self, served):
        out = subprocess.run(["losetup", "--direct-io=on", "-f", "--show", served.file], capture_output=True, text=True,
                             check=True)
        self.device = out.stdout.strip()

    def __enter__(self):
        return self.device

    def __exit__(self, *exc):
        subprocess.run(["losetup", "-d", self.device], check=False)
        end = time.monotonic() + 10  # it is gone when its last user is
        while time.monotonic() < end and subprocess.run(["losetup", self.device], capture_output=True,
                                                        check=False).returncode == 0:
            time.sleep(0.05)
