# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges what a broken directory did against what recow said."""
import re

from proving import verdicts
from proving.judgement import Judgement, in_time, round_begin, still_there
from proving.report import unescape
from proving.truth import REFUSALS, ranges_of

SLACK = 5e6  # ns: the truth is written behind the deed
OWN = re.compile(rb"^recow-[^/]*/")


def relative(path):
    """A path of the truth (relative to the served directory) as recow means it (relative to its own directory there)."""
    return OWN.sub(b"", unescape(path))


def is_told(finding, facts):
    """An operation's answer: does the line name the path? Of a long one it has the end."""
    path = (facts.get("path") or "").split("/", 1)[-1][-90:]
    return finding["place"] == "churn" and bool(path) and path in finding["detail"]


def is_moved(finding, facts):
    """A name of which no inode is known: directories above it may have been renamed since. recow's names are its own."""
    name = relative(facts.get("path") or "").split(b"/")[-1]
    return not facts.get("inode") and len(name) > 2 and unescape(finding["path"]).split(b"/")[-1] == name


class DirectoryJudge:
    def __init__(self, trial, report):
        self.report = report
        self.names = {inode: {OWN.sub(b"", path) for path in paths} for inode, paths in trial.layer.names.items()}
        self.all_names = set().union(*self.names.values())

    def due(self, firing):
        if firing.kind == "newer" and relative(firing.facts["path"]) not in self.all_names:
            return False, "the snapshot is no more"
        return in_time(firing, self.report) if firing.kind in REFUSALS else still_there(firing, self.report)

    def paths(self, facts, kind):
        """All names by which a finding may rightly call what was hit."""
        found = {relative(facts[key]) for key in ("path", "path2") if facts.get(key)}
        if isinstance(facts.get("other"), dict):
            found |= self.paths(facts["other"], kind)
        return found if kind == "newer" else found | self.names.get(facts.get("inode"), set())

    def covers(self, finding, firing):
        return any(self.touches(finding, facts, firing.kind) for facts in [firing.facts, *firing.spread])

    def touches(self, finding, facts, kind):
        """Is the finding about this file or name, and about these bytes of it?"""
        same = kind != "newer" and finding["inode"] and finding["inode"] == facts.get("inode")
        if not (same or unescape(finding["path"]) in self.paths(facts, kind) or is_told(finding, facts) or is_moved(finding, facts)):
            return False
        ranges = ranges_of(facts)
        if not ranges or not finding["length"]:
            # Not about data: of a file whose data was hit only a wrong attribute may tell so (its size).
            return not ranges or finding["class"] in ("attribute", "eio", "answer")
        return any(at < finding["offset"] + finding["length"] and finding["offset"] < at + length for at, length in ranges)

    def right(self, firing, finding):
        """Is its class right, and, of an attribute, the value that it says was found?"""
        kind, facts = firing.kind, firing.facts
        if kind in REFUSALS:
            return finding["class"] in verdicts.REFUSED
        if facts.get("length"):
            hit = [f for f in [facts, *firing.spread] if self.touches(finding, f, kind)] or [facts]
            return any(finding["class"] in self.of_data(kind, f, finding, facts) for f in hit)
        if facts.get("name") and kind != "split":
            return finding["class"] in verdicts.NAMES["attribute"] and self.names_attribute(finding, facts)
        return finding["class"] in verdicts.NAMES.get(kind, set())

    @staticmethod
    def names_attribute(finding, facts):
        """Does it say which attribute, and with what value? Of an operation's answer only the class is asked."""
        what, actual = facts["name"], facts.get("actual")
        if finding["class"] == "answer":
            return True
        if what == "mode":
            return f"{actual & 0o7777:04o}" in finding["detail"]
        if what == "owner":
            return finding["detail"].startswith(("owner:", "group:"))
        if what == "nlink":  # links may have come and gone since: it is off by as many
            told = re.match(r"link count: expected (\d+), found (\d+)", finding["detail"])
            return bool(told) and int(told[2]) - int(told[1]) == actual - facts["expected"]
        if what == "mtime":
            return str(actual) in finding["detail"]
        if what == "target":
            return finding["detail"].startswith(("target:", "size:"))
        return what.split(" ")[-1] in finding["detail"]

    @staticmethod
    def of_data(kind, place, finding, facts):
        """Right classes for the first block that the finding covers of what was hit at `place`."""
        block = max(place["offset"], finding["offset"]) // verdicts.BLOCK * verdicts.BLOCK
        begin, end = max(place["offset"], block), min(place["offset"] + place["length"], block + verdicts.BLOCK)
        right = verdicts.by_geometry(kind, begin - block, end - begin)
        if kind in ("flipped", "zeroes"):
            return right
        if facts.get("zeroes"):
            return {"zeroes"} | ({"torn"} & right)
        if kind == "torn" and facts.get("how") == "mapped":  # the store may lie in the lost half alone
            right = right | verdicts.CONTENT["lost"]
        if facts.get("mutant", "").startswith("copy-"):  # another version of what was copied
            right = right | {"stale"}
        return right | verdicts.too_short(facts.get("differing", verdicts.LINE))

    def judge(self, firing):
        due, why = self.due(firing)
        # A refusal that repeats one of its file in its round is counted and not told again.
        since = round_begin(firing, self.report) if firing.kind in REFUSALS else firing.time - SLACK
        later = [f for f in self.report.findings if f["at"] >= since]
        here = [f for f in later if self.covers(f, firing)]
        # What has no place at all may be about it.
        first = (here or [f for f in later if due and not f["path"]] or [None])[0]
        return Judgement(firing, due, why, first, bool(first) and self.right(firing, first), bool(here))
