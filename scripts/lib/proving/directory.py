# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges what a broken directory did against what recow said."""
import os
import re

from proving import verdicts
from proving.judgement import Judgement, in_time, still_there
from proving.report import unescape

OWN = re.compile(rb"^recow-[^/]*/")


def relative(path):
    """A path of the truth (relative to the served directory) as recow names it (relative to its own directory there)."""
    return OWN.sub(b"", path.encode(errors="surrogateescape"))


class DirectoryJudge:
    def __init__(self, trial, report):
        self.report = report
        self.names = {}  # inode number -> its names at the end
        root = os.fsencode(str(trial.layer.backing))
        for top, directories, files in os.walk(root):
            for name in directories + files:
                path = os.path.join(top, name)
                try:
                    inode = os.lstat(path).st_ino
                except OSError:
                    continue
                self.names.setdefault(inode, set()).add(OWN.sub(b"", os.path.relpath(path, root)))

    def due(self, firing):
        return in_time(firing, self.report) if firing.kind in verdicts.REFUSALS else still_there(firing, self.report)

    def paths(self, firing):
        """All names by which a finding may rightly call what was hit."""
        facts = firing.facts
        found = {relative(facts[key]) for key in ("path", "other") if facts.get(key)}
        if facts.get("name") and firing.kind != "attribute":
            found |= {relative(f"{facts['path']}/{facts['name']}"), relative(facts["name"])}
        return found | self.names.get(facts.get("inode"), set())

    def covers(self, finding, firing):
        facts = firing.facts
        same = finding["inode"] and finding["inode"] == facts.get("inode")
        if not same and unescape(finding["path"]) not in self.paths(firing):
            return False
        if not firing.ranges() or not finding["length"]:
            # Not about data: of a file whose data was hit only a wrong attribute may tell so (its size).
            return not firing.ranges() or finding["class"] in ("attribute", "eio", "answer")
        return any(at < finding["offset"] + finding["length"] and finding["offset"] < at + length for at, length in firing.ranges())

    @staticmethod
    def right(firing, finding):
        """Is its class right, and, of an attribute, the value that it says was found?"""
        kind = firing.kind
        if kind in verdicts.CONTENT and firing.ranges():
            return finding["class"] in verdicts.CONTENT[kind]
        if finding["class"] not in verdicts.NAMES.get(kind, verdicts.REFUSED if kind in verdicts.REFUSALS else set()):
            return False
        if kind == "attribute" and firing.facts.get("actual") is not None:
            return str(firing.facts["actual"]) in finding["detail"]
        return True

    def judge(self, firing):
        due, why = self.due(firing)
        later = [f for f in self.report.findings if f["at"] >= firing.time - 5e6]
        here = [f for f in later if self.covers(f, firing)]
        first = (here or later or [None])[0] if due else (here or [None])[0]
        return Judgement(firing, due, why, first, bool(first) and self.right(firing, first), bool(here))
