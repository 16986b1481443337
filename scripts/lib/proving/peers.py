# SPDX-License-Identifier: GPL-2.0-or-later
"""The same broken layers under what people use today, from the distribution, with its verification on: who notices what."""
import dataclasses
import pathlib
import re
import shutil

from proving import layers, machine
from proving.truth import read_truth

THREADS, SECONDS = 6, 5  # scenarios/prove.ini: 4 workers that churn for 4 s, and verifications behind that

FIO = """
[global]
directory={mount}
size=24m
bsrange=512-64k
bs_unaligned={unaligned}
blockalign=512
rw=randrw
direct={direct}
ioengine={engine}
iodepth={depth}
verify={verify}
verify_backlog=256
verify_fatal=0
continue_on_error=verify
time_based
runtime={seconds}
fallocate=none
thread
[job]
numjobs={threads}
"""


def fio(verify, engine, direct):
    def go(place, mount):
        job = place / "job.fio"
        job.write_text(FIO.format(mount=mount, verify=verify, engine=engine, direct=direct, depth=16 if direct else 1, unaligned=0,
                                  threads=THREADS, seconds=SECONDS))
        result = machine.run("fio", job, check=False, timeout=120, cwd=place)
        text = result.stdout + result.stderr
        return result.returncode != 0 or bool(re.search(r"verify: (bad|type)|verify failed|io_u error|Input/output error", text)), text
    return go


def stress_ng(place, mount):
    """Those of its stressors that compare what they read with what they wrote, and those of names."""
    words = []
    for stressor in ("hdd", "readahead", "iomix", "aiol", "rename", "xattr"):
        words += [f"--{stressor}", "1"]
    words += ["--hdd-bytes", "16m", "--readahead-bytes", "16m", "--iomix-bytes", "16m"]
    result = machine.run("stress-ng", *words, "--verify", "-t", f"{SECONDS}s", "--temp-path", mount, check=False, timeout=120, cwd=place)
    text = result.stdout + result.stderr
    return result.returncode not in (0, 3, 4) or bool(re.search(r"incorrect data|fail:|error:.*(verif|corrupt)", text)), text


def load(place, mount):
    """The same load as fio's with nothing verified: for the filesystem's own checkers, which come afterwards."""
    job = place / "job.fio"
    job.write_text(FIO.format(mount=mount, verify="0", engine="psync", direct=0, depth=1, unaligned=0, threads=THREADS, seconds=SECONDS))
    machine.run("fio", job, check=False, timeout=120, cwd=place)
    return False, ""


PEERS = {
    "fio xxhash, buffered": fio("xxhash", "psync", 0),
    "fio crc32c, libaio": fio("crc32c", "libaio", 1),
    "stress-ng --verify": stress_ng,
    "scrub and check": load,
}


def scrubbed(mount):
    result = machine.run("btrfs", "scrub", "start", "-B", "-r", mount, check=False, timeout=120)
    return result.returncode != 0 or "no errors found" not in result.stdout, result.stdout + result.stderr


def checked(device):
    result = machine.run("btrfs", "check", "--readonly", device, check=False, timeout=120)
    return result.returncode != 0, result.stdout + result.stderr


@dataclasses.dataclass
class PeerTrial:
    place: pathlib.Path
    setting: layers.Setting
    mutant: str
    chance: layers.Chance
    empty: pathlib.Path
    peer: str

    def go(self):
        layer = layers.layer_of(self.setting)(self.place, self.setting, self.empty, self.mutant, self.chance)
        with layer:
            noticed, text = self.on_device(layer.target) if self.setting.layer == "device" else PEERS[self.peer](self.place, layer.target)
        truth = read_truth(layer.truth)
        return {"peer": self.peer, "mutant": self.mutant, "setting": self.setting.name, "seed": self.chance.seed, "fired": truth.fired(),
                "offered": truth.offered, "noticed": noticed, "said": text[-400:], "trouble": layer.trouble}

    def on_device(self, device):
        mount = self.place / "mount"
        mount.mkdir()
        options = ["-o", f"noatime,{self.setting.mount_options}" if self.setting.mount_options else "noatime"]
        if machine.run("mount", *options, device, mount, check=False).returncode:
            return True, "it can't be mounted"
        try:
            noticed, text = PEERS[self.peer](self.place, mount)
            if self.peer == "scrub and check":
                noticed, text = scrubbed(mount)
        finally:
            machine.run("umount", mount)
        if self.peer == "scrub and check" and not noticed:
            noticed, text = checked(device)
        return noticed, text
