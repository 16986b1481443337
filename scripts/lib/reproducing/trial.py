# SPDX-License-Identifier: GPL-2.0-or-later
"""One boot: a kernel with or without a module, recow or a peer on it, and what came of it as plain data."""
import dataclasses
import json
import pathlib
import random
import subprocess
import tempfile

from proving.report import Report

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
VM = ROOT / "scripts/vm"
CHECK_LIMIT = 300  # seconds
BOOT_TIMEOUT = "15m"  # a run that a broken kernel never lets end
EARLIEST_CUT, LATEST_CUT = 20, 60  # seconds after the run began, of a power cut
AFTER_CUT = "recow verify /out/run --target /dev/vda --verify remount,fsck -o /out/verify"


class CannotRun(Exception):
    """What this machine lacks; the text says what to do about it."""


@dataclasses.dataclass
class Boot:
    case: object          # cases.Case
    module: pathlib.Path  # None: a control
    seed: int
    kernel: str
    duration: str
    program: str = "recow"  # or a peer

    def command(self):
        if self.program != "recow":
            return ["/peers", self.program, self.duration.rstrip("s")]
        duration = "1h" if self.case.power_cut else self.duration
        words = ["recow", "run", "/scenario.ini", "-t", duration, "--seed", str(self.seed), "--target", "/dev/vda", "--mkfs", "--yes",
                 "-o", "/out/run"]
        return words + ["--journal-tail", "/dev/recow-tail"] if self.case.power_cut else words

    def cut(self):
        """When power goes, and what is done then. Peers don't know what must be there afterwards."""
        seconds = random.Random(self.seed).uniform(EARLIEST_CUT, LATEST_CUT)
        return ["--power-cut", f"{self.seed}:{seconds:.1f}s", "--after-cut", AFTER_CUT]

    def words(self, out):
        words = [VM, "--quiet", "--kernel", self.kernel, "--memory", self.case.memory, "--disk", self.case.disk, "--timeout", BOOT_TIMEOUT, "--keep", "--output", out,
                 "--file", f"{HERE / 'guest'}:/guest", "--file", f"{ROOT / 'scenarios' / self.case.scenario}.ini:/scenario.ini"]
        if self.case.power_cut:
            words += self.cut()
        name = ""
        if self.module:
            name = self.module.stem.replace("-", "_")
            words += ["--module", ":".join(filter(None, [str(self.module), ",".join(self.case.parameters)]))]
        if self.program != "recow":
            words += ["--program", self.program, "--file", f"{HERE / 'peers'}:/peers"]
        return [*map(str, words), "--", "env", f"MODULE={name}", "sh", "/guest", *(["sh"] if self.program != "recow" else []), *self.command()]


def run(boot, keep=None):
    """The result of one boot."""
    with tempfile.TemporaryDirectory(prefix="recow-reproduce-", dir="/var/tmp") as scratch:
        out = pathlib.Path(scratch) if keep is None else keep
        out.mkdir(parents=True, exist_ok=True)
        done = call(boot.words(out))
        if done.returncode in (2, 3):
            raise CannotRun(done.stderr.strip() or done.stdout.strip())
        (out / "said.txt").write_text(done.stdout + done.stderr)
        result = {"case": boot.case.name if boot.module else None, "harmless": boot.case.harmless, "scenario": boot.case.scenario,
                  "seed": boot.seed, "kernel": boot.kernel, "program": boot.program, "duration": boot.duration, "exit": done.returncode,
                  **module_says(out), **images(out)}
        if boot.program != "recow":
            result.update(peer_says(out))
        elif (out / "verify/verify.json").exists():
            result.update(verify_says(out))
        else:
            result.update(recow_says(out, result))  # also of a run that ended before its power did
        for image in out.glob("disk*.img"):
            image.unlink()
        return result


def call(words):
    """As subprocess.run(), but nothing goes on when we are stopped."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            stdout, stderr = process.communicate()
        except BaseException:
            process.terminate()
            process.communicate()
            raise
        return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


def module_says(out):
    """The bug's own count: how often it could show, how often it did, when first (CLOCK_BOOTTIME of the guest)."""
    path = out / "module"
    if not path.exists():
        return {"fired": 0, "chances": 0, "first_ns": 0}
    facts = dict(line.split(" ", 1) for line in path.read_text().splitlines() if " " in line)
    return {"fired": int(facts.get("fired", 0)), "chances": int(facts.get("chances", 0)), "first_ns": int(facts.get("first_boottime_ns", 0))}


def images(out):
    """What others make of the disk that the guest left, before anybody mounts it."""
    image = out / "disk0.img"
    if not image.exists():
        return {"check": None, "audit": None}
    return {"check": ask("btrfs", "check", "--readonly", image), "audit": ask(ROOT / "build/recow", "audit", "--json", "--scan", image, by_rule=True)}


def ask(*command, by_rule=False):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=CHECK_LIMIT)
    if by_rule:
        return json.loads(done.stdout)["by_rule"] if done.returncode in (0, 1) else {"error": done.stderr.strip()}
    return done.returncode


def recow_says(out, result):
    run_dir = out / "run"
    if not (run_dir / "run.json").exists():
        return {"found": result["exit"] == 1, "by": [], "what": "no run directory"}
    report = Report(run_dir, result["exit"])
    outcome = report.outcome or {}
    first = report.findings[0] if report.findings else None
    return {
        "found": bool(first),
        "by": sorted({f"{f['verifier']}:{f['class']}" for f in report.findings}),
        "first": first["verifier"] if first else None,
        "what": first["detail"] if first else "",
        "rounds": outcome.get("rounds", 0),
        "operations": report.operations[-1] if report.operations else 0,
        "migrated": (outcome.get("exposure") or {}).get("total", {}).get("pages", 0),
        "found_after_s": first["time_ns"] / 1e9 if first else None,
        "found_after_operations": round(report.operations_at(first["at"])) if first else None,
        "after_firing_s": (first["at"] - result["first_ns"]) / 1e9 if first and result["first_ns"] else None,
        "kernel_log": next((f["detail"] for f in report.findings if f["verifier"] in ("kmsg", "mirrors", "vm")), ""),
    }


def verify_says(out):
    """What recow verify made of the target after the power cut."""
    said = json.loads((out / "verify/verify.json").read_text())
    findings = said["findings"]
    status = [json.loads(line) for line in (out / "run/status.jsonl").read_text().splitlines() if line.endswith("}")]
    return {
        "found": bool(findings),
        "by": sorted({f"{f['verifier']}:{f['class']}" for f in findings}),
        "first": findings[0]["verifier"] if findings else None,
        "what": findings[0]["detail"] if findings else said["verdict"],
        "operations": status[-1]["operations"] if status else 0,
        "found_after_s": None,
    }


def peer_says(out):
    path = out / "peer"
    said = [line.split(" ", 2) for line in path.read_text(errors="replace").splitlines()] if path.exists() else []
    said = [words for words in said if len(words) == 3]
    return {"found": bool(said), "by": [words[0] for words in said], "first": min(said, key=lambda w: float(w[1]))[0] if said else None, "what": said[0][2] if said else "",
            "found_after_s": min(float(words[1]) for words in said) if said else None}
