# SPDX-License-Identifier: GPL-2.0-or-later
"""What recow said of a run: read from its run directory, as documented in docs/formats.md."""
import bisect
import json
import re

from proving.truth import lines_of

# The stages in which verifiers look at a target that nobody changes.
STILL = ("verify", "remount")


def unescape(text):
    """A path as bytes: recow escapes as strace does."""
    def one(match):
        word = match.group(1)
        if word[0] in "01234567":
            return chr(int(word, 8))
        return {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "v": "\v", "f": "\f", "e": "\x1b"}.get(word, word)
    return re.sub(r"\\([0-7]{1,3}|.)", one, text, flags=re.S).encode("latin-1", "replace")


class Report:
    """Findings in the order in which they were seen, each with `at`: its time on CLOCK_MONOTONIC."""

    def __init__(self, out, code):
        self.out, self.code = out, code
        run = json.loads((out / "run.json").read_text())
        self.start = run["started_mono_ns"]
        self.outcome = run.get("outcome")
        self.findings = lines_of(out / "findings.jsonl")
        for finding in self.findings:
            finding["at"] = self.start + finding["time_ns"]
        self.kernel = (out / "kmsg.log").read_text(errors="replace") if (out / "kmsg.log").exists() else ""
        self.remounted = False  # the last of these times is that of the fresh mount
        self.barriers = list(self.read_barriers())
        status = [s for s in lines_of(out / "status.jsonl") if "operations" in s]
        self.times, self.operations = [s["t"] for s in status], [s["operations"] for s in status]

    def read_barriers(self):
        """(begin, end) of each time in which nothing was changed and verifiers looked."""
        events = [e for e in lines_of(self.out / "timeline.jsonl") if e.get("event") in ("phase", "end")]
        for this, after in zip(events, events[1:] + [{"t": float("inf")}]):
            if this["event"] == "phase" and this["stage"] in STILL:
                self.remounted = this["stage"] == "remount"
                yield self.start + this["t"] * 1e9, self.start + after["t"] * 1e9

    def operations_at(self, moment):
        """Operations of all workers until this moment (CLOCK_MONOTONIC, ns), as exactly as a line a second tells."""
        t = (moment - self.start) / 1e9
        i = bisect.bisect_right(self.times, t)
        if i == 0 or i == len(self.times):
            return self.operations[min(i, len(self.operations) - 1)] if self.operations else 0
        share = (t - self.times[i - 1]) / max(self.times[i] - self.times[i - 1], 1e-9)
        return self.operations[i - 1] + share * (self.operations[i] - self.operations[i - 1])
