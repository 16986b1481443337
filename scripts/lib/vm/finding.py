# SPDX-License-Identifier: GPL-2.0-or-later
"""The end of a guest as a finding of the run that it cut off (docs/formats.md, "findings.jsonl"), and the audit of what it left."""
import json
import pathlib

from vm import host

CLASS = {"panic": "kernel", "oops": "kernel", "reset": "kernel", "hang": "hang"}
WORDS = {"panic": "the guest's kernel panicked", "oops": "the guest's kernel met a bug of its own", "hang": "the guest hangs",
         "reset": "the guest's kernel ended in a reset"}
AUDIT_LIMIT = 600  # seconds


def runs(output):
    """Run directories that the guest left."""
    return sorted(path.parent for path in output.glob("*/run.json"))


def store(run, end):
    """A further line of findings.jsonl; not when the run heard the kernel's last words itself and has told them."""
    facts = json.loads((run / "run.json").read_text())
    path = run / "findings.jsonl"
    text = path.read_text(errors="replace") if path.exists() else ""
    if end.kind == "panic" and end.text in text:
        return
    time_ns = int(end.uptime * 1e9) - facts.get("started_mono_ns", 0) if end.uptime else last_time(run)
    line = {"number": text.count("\n") + 1, "class": CLASS[end.kind], "place": "log", "verifier": "vm", "time_ns": max(time_ns, 0),
            "round": 0, "phase": 0, "worker": 0, "object": 0, "operation": 0, "path": "", "offset": 0, "length": 0,
            "detail": f"{WORDS[end.kind]}: {end.text}"[:500], "still": True, "ranges": [], "mirrors": [], "dumps": False}
    with open(path, "a", encoding="utf-8") as file:
        file.write(("" if not text or text.endswith("\n") else "\n") + json.dumps(line, separators=(",", ":")) + "\n")


def last_time(run):
    """ns from the run's start to its last line of status.jsonl."""
    last = 0
    path = run / "status.jsonl"
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            last = json.loads(line).get("t", last)
        except json.JSONDecodeError:
            pass
    return int(last * 1e9)


def audit(disk, output):
    """(exit code, text) of recow audit on an image that nobody mounted since; kept as audit-diskN.txt. (0, ""): no btrfs lies on
    it."""
    if not is_btrfs(disk.image):
        return 0, ""
    try:
        result = host.run(host.RECOW, "audit", disk.image, timeout=AUDIT_LIMIT)
        code, text = result.returncode, result.stdout + result.stderr
    except host.subprocess.TimeoutExpired:
        code, text = 4, f"the audit did not end within {AUDIT_LIMIT} s\n"
    pathlib.Path(output / f"audit-disk{disk.number}.txt").write_text(f"{text}exit code {code}\n", encoding="utf-8")
    return code, text


def is_btrfs(image):
    with open(image, "rb") as file:
        file.seek(65536 + 64)
        return file.read(8) == b"_BHRfS_M"
