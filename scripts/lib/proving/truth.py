# SPDX-License-Identifier: GPL-2.0-or-later
"""The ground truth of a mutant (mutants/common/truth.h): what it did, and when that could no longer be seen."""
import dataclasses
import json
import math
import pathlib


REFUSALS = {"eio", "errno", "space", "short"}  # kinds of which the kernel is told, for the whole request
RANGES_MAX = 64  # a mutant that made more ranges wrong names only so many of them


@dataclasses.dataclass
class Firing:
    """One time that the bug showed. Times are CLOCK_MONOTONIC in ns."""
    number: int
    time: int
    kind: str
    facts: dict  # the line as it was written
    gone: float = math.inf
    why_gone: str = ""
    spread: list = dataclasses.field(default_factory=list)  # facts of where it was copied to with what was copied
    left: list = dataclasses.field(default_factory=list)  # [(offset, length)]: still wrong at the end

    def parts(self):
        """[(kind, [(offset, length)])]: what is wrong, and where on the device or in the file. A write that went astray is wrong
        in two places, each in its own way. No ranges: not about data."""
        if self.kind in REFUSALS and self.facts.get("request"):
            return [(self.kind, ranges_of(self.facts["request"]))]
        found = [(self.kind, self.left if self.left and "damage" not in self.facts else ranges_of(self.facts))]
        if isinstance(self.facts.get("other"), dict):
            found.append((self.facts["other"]["kind"], ranges_of(self.facts["other"])))
        return found

    def ranges(self):
        return [r for _, ranges in self.parts() for r in ranges]


def ranges_of(facts):
    """To the sector where the truth tells, else from the first to the last wrong byte."""
    if 0 < len(facts.get("damage", [])) < RANGES_MAX:
        return [tuple(r) for r in facts["damage"]]
    return [(facts["offset"], facts["length"])] if facts.get("length") else []


@dataclasses.dataclass
class Truth:
    firings: list
    offered: int = 0
    ended: bool = False  # the mutant came to its own end

    def fired(self):
        return len(self.firings)


def lines_of(path):
    """JSON lines; a last one that a death cut off is skipped."""
    found = []
    if not pathlib.Path(path).exists():
        return found
    for line in pathlib.Path(path).read_text(errors="replace").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            pass
    return found


def read_truth(path):
    truth = Truth([])
    by_number = {}
    for line in lines_of(path):
        number = line["number"]
        if line["event"] == "fired" and number in by_number:
            by_number[number].spread.append(line)  # what comes later of two may have one number: gone when both are
        elif line["event"] == "fired" and not line.get("same"):
            by_number[number] = Firing(number, line["time_ns"], line["kind"], line)
            truth.firings.append(by_number[number])
        elif line["event"] == "gone" and number in by_number:
            firing = by_number[number]
            if firing.gone == math.inf:
                firing.gone, firing.why_gone = line["time_ns"], line.get("why", "")
        elif line["event"] == "spread" and number in by_number:
            by_number[number].spread.append(line)
        elif line["event"] == "left" and number in by_number:
            by_number[number].left.append((line["offset"], line["length"]))
        elif line["event"] == "end":
            truth.offered, truth.ended = line.get("offered", 0), True
    return truth
