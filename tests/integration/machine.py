#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine before and after a test, by plain means.

    machine.py note FILE       what it is like now
    machine.py compare FILE    what is not as it was then; exit code 1 when there is something
"""
import glob
import json
import os
import pathlib
import subprocess
import sys
import time


def read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace").strip()
    except OSError as e:
        return f"<{e.strerror}>"


def machine():
    """Everything that a run may touch, as the kernel shows it."""
    state = {}
    for path in glob.glob("/proc/sys/vm/*"):
        if not path.endswith(("/compact_memory", "/drop_caches", "/stat_refresh")):
            state[path] = read(path)
    for block in glob.glob("/sys/devices/system/memory/memory[0-9]*"):
        state[block] = read(block + "/state") + " " + read(block + "/valid_zones").split(" ")[0]
    for path in glob.glob("/sys/kernel/mm/transparent_hugepage/*") + glob.glob("/sys/devices/system/cpu/cpu*/online"):
        if os.path.isfile(path):
            state[path] = read(path)
    for path in (glob.glob("/sys/kernel/mm/hugepages/*/nr_*hugepages") + glob.glob("/sys/block/zram*/disksize") +
                 glob.glob("/sys/kernel/mm/transparent_hugepage/khugepaged/*") + glob.glob("/proc/irq/*/smp_affinity_list")):
        if not path.endswith(("/full_scans", "/pages_collapsed")):
            state[path] = read(path)
    state["tracing"] = subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tracefs none /sys/kernel/tracing; cd /sys/kernel/tracing && "
         "ls instances && cat set_event && grep . kprobe_events"], capture_output=True, text=True, check=False).stdout
    state["swaps"] = read("/proc/swaps")
    state["loops"] = subprocess.run(["losetup", "-nl", "-O", "NAME,BACK-FILE"], capture_output=True, text=True,
                                    check=False).stdout
    state["mapped"] = sorted(glob.glob("/sys/block/dm-*"))
    state["mounts"] = read("/proc/self/mountinfo")
    state["cgroups"] = sorted(p for p in glob.glob("/sys/fs/cgroup/**/*recow*", recursive=True) if os.path.isdir(p))
    state["lock"] = sorted(p for p in glob.glob("/run/recow/*") if not p.endswith("/lock"))
    return state


def settled(before, seconds=10):
    """Autoclear loops and namespaces go a moment after the last process: give the kernel that moment."""
    end = time.monotonic() + seconds
    now = machine()
    while now != before and time.monotonic() < end:
        time.sleep(0.2)
        now = machine()
    return now


def difference(before, after):
    """For people; empty when there is none."""
    return "\n".join(f"{key}: was {before.get(key)!r}, is {after.get(key)!r}"
                     for key in sorted(set(before) | set(after)) if before.get(key) != after.get(key))


def main():
    verb, path = sys.argv[1:]
    if verb == "note":
        pathlib.Path(path).write_text(json.dumps(machine()), encoding="utf-8")
        return 0
    before = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    wrong = difference(before, settled(before))
    if wrong:
        print(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
