# SPDX-License-Identifier: GPL-2.0-or-later
"""Power that goes, without a guest: a run on a device that logs what it is sent (mutants/device). At the cut the run is held, its
directory is copied as it is, and an image is made of what the log has up to its last flush, and of some of the rest."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

from lib import Running, expect, recow, scenario
from walker import unescape
from served import DISCARD, FLUSH, PROMISED, SECTOR, WRITE, Loop, Served, log_records

SIZE = 768 << 20


def processes(pid):
    """It and all that it started."""
    found = [pid]
    for at in found:
        try:
            with open(f"/proc/{at}/task/{at}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
        except FileNotFoundError:
            pass
    return found


def hold(run, drained=False):
    """Stop all of it where it is; `drained`: the guard last, when it has written all that the workers did."""
    guard, *others = processes(run.process.pid)
    for pid in [*others] if drained else [guard, *others]:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(0.5)  # what is within a system call is not held before it returns
    os.kill(guard, signal.SIGSTOP)


def kill(run):
    for pid in processes(run.process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    run.wait()


def remake(log, image, seed, lies=0):
    """What the disk has kept; the last `lies` flushes it only promised. Returns (requests behind the last flush, of these lost)."""
    dice, records = random.Random(seed), log_records(log)
    share = 1.0 if lies else dice.choice((0.1, 0.5, 0.9, 1.0))
    last = ([-1] * (lies + 1) + [i for i, r in enumerate(records) if r["flags"] & FLUSH and not r["flags"] & PROMISED])[-1 - lies]
    lost = 0
    with open(image, "wb") as disk:
        disk.truncate(SIZE)
        for i, record in enumerate(records):
            if record["flags"] & PROMISED or not record["flags"] & (WRITE | DISCARD):
                continue
            data = record.get("data", bytes(record["length"]))
            if i > last:
                if dice.random() < share:
                    lost += 1
                    continue
                if len(data) > SECTOR and dice.random() < 0.1:
                    data = data[:dice.randrange(1, len(data) // SECTOR) * SECTOR]
            disk.seek(record["offset"])
            disk.write(data)
    return len(records) - last - 1, lost


class Cut:
    """A run that was cut off, after so many seconds and when until(its directory) is true: `run` is its directory, `image` what the
    disk has kept."""

    def __init__(self, scratch, text, seed, fs="btrfs", seconds=4, mutant="control", options=(), words=(), drained=False, lies=0,
                 until=None):
        self.run, self.image = scratch / f"cut-{seed}", scratch / f"kept-{seed}.img"
        backing = scratch / f"disk-{seed}.img"
        backing.write_bytes(b"")
        os.truncate(backing, SIZE)
        log = scratch / f"writes-{seed}"
        with Served(scratch, mutant, "--log", log, *options, image=backing, size=SIZE, name=f"disk-{seed}") as served:
            served.close()
            with Loop(served) as device:
                run = Running(scratch / f"run-{seed}", scenario(scratch, text, f"cut-{seed}.ini"), "--target", device, "--mkfs", "--yes",
                              "--fs", fs, "--no-inject", "-q", "--seed", seed, "--keep", *words)
                run.until(lambda: (run.out / "status.jsonl").exists() and '"stage":"churn"' in (run.out / "status.jsonl").read_text(), "churn")
                time.sleep(seconds)
                if until:
                    run.until(lambda: until(run.out), "what the test cuts off")
                expect(run.process.poll() is None, f"the run ended before the cut:\n{run.output()[-2000:]}")
                hold(run, drained)
                shutil.copytree(run.out, self.run, ignore=shutil.ignore_patterns("mnt", "image"))
                (self.run / "mnt").mkdir()
                shutil.copyfile(log, f"{log}.cut")
                kill(run)
                recow("restore", run.out, code=None)  # its cgroup
        backing.unlink()
        log.unlink()
        self.pending, self.lost = remake(log.with_name(f"{log.name}.cut"), self.image, seed, lies)
        log.with_name(f"{log.name}.cut").unlink()


def mounted(image, where, change):
    """change(mount point), on an image that is mounted for it."""
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop,noatime", str(image), str(where)], check=True)
    try:
        return change(where)
    finally:
        subprocess.run(["umount", str(where)], check=True)


QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def operations(run, worker):
    """[(record, paths that it names)] of a worker's journal."""
    for line in recow("journal", run, "--json", "--worker", worker).stdout.splitlines():
        record = json.loads(line)
        yield record, QUOTED.findall(record["text"])


def removed_names(run):
    """Paths that were unlinked, and not made again, before their directory was fsynced; of workers 0 and 1."""
    found = []
    for worker in (0, 1):
        removed, last = {}, {}
        for record, paths in operations(run, worker):
            good = record["answer"] == 0
            if record["op"] == "fsync" and good:
                found += [path for path in removed if os.path.dirname(path) == paths[0] and last[path] is removed[path]]
            for path in paths:
                last[path] = record
            if record["op"] == "unlink" and good and "..." not in paths[0]:
                removed[paths[0]] = record
        found = [path for path in found if last.get(path, {}).get("op") == "unlink"]
    return [os.fsdecode(unescape(path)) for path in found]


def living_snapshots(run, workers):
    """Those that were taken and not deleted again."""
    found = []
    for worker in range(workers):
        for record, paths in operations(run, worker):
            if record["op"] in ("snapshot", "snapshot_switch") and record["answer"] == 0:
                found.append(paths[1])
            if record["op"] == "snapshot_delete" and record["answer"] == 0:
                found.remove(paths[0])
    return found


def begins_with_data(path):
    """More than what is zeroed of it, which is no hole."""
    with open(path, "rb") as file:
        head = file.read(101)
    return len(head) > 100 and any(head[:64])


def synced_files(run, where):
    """Files below the mount point `where` that were fsynced last of all that was done to them, as the journals have it, and hold some
    data. Of workers 0 and 1, whose workload is logtree: none of their directories moves."""
    last, found = {}, []
    for worker in (0, 1):
        for record, paths in operations(run, worker):
            last.update((path, record) for path in paths)
    for path, record in sorted(last.items(), key=lambda item: item[1]["operation"]):
        there = where / os.fsdecode(unescape(path))
        if record["op"] == "fsync" and record["answer"] == 0 and "..." not in path and there.is_file() and not there.is_symlink() \
                and there.stat().st_nlink == 1 and begins_with_data(there):
            found.append(there)
    return found
