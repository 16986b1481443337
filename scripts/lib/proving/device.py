# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges what a broken device did against what recow said."""
import re

from proving import verdicts
from proving.judgement import Judgement, in_time, round_begin, still_there
from proving.image import SUPERBLOCKS, Contents
from proving.report import unescape
from proving.truth import REFUSALS

SECTOR, BLOCK = 512, 4096
WHOLE = 1 << 62  # of a file: an error of a call that names no range, such as fsync
SLACK = 5e6  # ns: the truth is written behind the deed
LINE_MOST = 300  # characters of a kernel log line: of a longer one a finding has only the beginning
LOG_SLACK = 1e9  # ns: the kernel log has a clock of its own
# The part of a directory that a run made for itself is mounted alone: its paths begin there.
OWN = re.compile(rb"^recow-[^/]*/")


class DeviceJudge:
    def __init__(self, trial, report):
        self.report, self.setting = report, trial.setting
        self.image = open(trial.layer.image, "rb")  # pylint: disable=consider-using-with
        self.contents = Contents(trial.layer.image, trial.setting.fs, trial.place / "judged")
        self.paths = {}
        for path, *_ in self.contents.files:
            self.paths.setdefault(OWN.sub(b"", path), path)
        self.lines = list(self.read_lines(report.kernel))

    # ---- what was hit

    def area(self, start, end):
        """What lies there: "superblock", "metadata", "checked" or "unchecked" data, "free" (or what can't be told)."""
        if any(start < at + 4096 and at < end for at in SUPERBLOCKS) and self.setting.fs == "btrfs":
            return "superblock"
        if self.contents.data.overlaps(start, end):
            return "unchecked" if self.contents.unchecked.overlaps(start, end) else "checked"
        if self.contents.metadata.overlaps(start, end):
            return "metadata"
        return "free" if self.contents.mounted or self.setting.fs != "btrfs" else "metadata"

    def due(self, firing):
        """Must recow have noticed it? (True, "") or (False, why not)."""
        if firing.kind in REFUSALS:
            return in_time(firing, self.report)
        there, why = still_there(firing, self.report)
        if not there:
            return there, why
        ranges = firing.left if firing.facts.get("persistent") and firing.left else firing.ranges()
        if all(self.area(at, at + length) == "free" for at, length in ranges):
            return False, "free at the end"
        return True, ""

    # ---- what was said

    def read_lines(self, log):
        """(time, without its numbers, device ranges) of each line of the kernel log that names places."""
        for line in log.splitlines():
            places = list(self.line_places(line))
            if places:
                yield int(line.split(",", 3)[2]) * 1000, shape(line), places

    def line_places(self, line):
        """Device ranges that a line of the kernel log names."""
        for at in re.findall(r"physical (\d+)", line):
            yield int(at), int(at) + 4096
        length = self.contents.nodesize if re.search("verify failed|tree block|leaf|node", line) else BLOCK
        for at in re.findall(r"(?:logical|tree block|bytenr|block=|block|failed on) ?(\d{6,})", line):
            yield from self.contents.chunks.physical(int(at), int(at) + length)
        for sector in re.findall(r"sector (\d+)", line):
            yield int(sector) * SECTOR, int(sector) * SECTOR + 4096
        for inode, at in re.findall(r"root \d+ ino (\d+) off (\d+)", line):
            yield from self.inode_places(int(inode), int(at), BLOCK)
        for inode, at, length in re.findall(r"direct IO failed ino (\d+) op \S+ offset 0x([0-9a-f]+) len (\d+)", line):
            yield from self.inode_places(int(inode), int(at, 16), int(length))

    def inode_places(self, inode, at, length):
        for path in self.contents.by_inode.get(inode, ()):
            yield from self.contents.where(path, at, length)

    def places(self, finding, since=0):
        """Device ranges that a finding names: its own addresses, those of its file's range, those of its kernel log line and of
        the lines that differ from it in numbers only, which the log of the run has and the guard counted as repetitions."""
        for mirror in finding["mirrors"]:
            at = int(mirror["physical"], 16)
            yield at, at + max(finding["length"], 1)
        if finding["path"] and (finding["length"] or finding["class"] == "eio"):
            path = unescape(finding["path"])
            yield from self.contents.where(self.paths.get(path, path), finding["offset"], finding["length"] or WHOLE)
        if finding["verifier"] == "fsck":
            yield from self.line_places(finding["detail"])
        if finding["place"] == "log":
            told = shape(finding["detail"])
            for time, line, places in self.lines:
                if time >= since and line[:LINE_MOST] in told:
                    yield from places

    def hit(self, finding, firing):
        """[(kind, begin, end)] of what the firing did in the blocks that the finding covers: first to last wrong byte of each that
        the file reaches to."""
        found = []
        for start, last in self.places(finding, firing.time - LOG_SLACK):
            for kind, ranges in firing.parts():
                for begin, end in by_block(ranges):
                    if start // BLOCK * BLOCK < end and begin < last:
                        found.append((kind, begin, min(end, last)))
        return found

    # ---- the verdict

    def right(self, kind, begin, end, firing):
        """Classes that are right for it."""
        if kind in REFUSALS:  # what a refused write leaves is what was there
            return verdicts.REFUSED | verdicts.CONTENT["lost"]
        area = self.area(begin, end)
        if area == "checked":
            return verdicts.CHECKED_DATA
        if area != "unchecked":
            return verdicts.CHECKED_METADATA
        if firing.facts.get("persistent"):
            hole = firing.facts.get("right_zeroes", 0) > 0.9 * firing.facts["length"]
            return verdicts.of_content(kind, begin % BLOCK, end - begin, self.stands(begin, end), hole)
        return verdicts.of_answer(kind, begin % BLOCK, end - begin, firing.facts.get("zeroes", 0) / firing.facts["length"])

    def stands(self, begin, end):
        """What the image holds there now."""
        self.image.seek(begin)
        return self.image.read(end - begin)

    def judge(self, firing):
        due, why = self.due(firing)
        later = [f for f in self.report.findings if f["at"] >= firing.time - SLACK or self.stands_for(f, firing)]
        here = [(f, hit) for f, hit in ((f, self.hit(f, firing)) for f in later) if hit]
        if here:
            finding, hit = here[0]
            return Judgement(firing, due, why, finding, any(finding["class"] in self.right(*h, firing) for h in hit), True)
        if due and is_fleeting(firing):
            return Judgement(firing, False, "an answer that perhaps nobody looked at", None, False, False)
        # What has no place at all may be about it. A flush has none itself.
        first = next((f for f in later if not any(True for _ in self.places(f))), None) if due else None
        right = set().union(*(self.right(kind, *span, firing) for kind, ranges in firing.parts() for span in by_block(ranges)))
        right |= verdicts.REFUSED if firing.kind in REFUSALS else set()
        return Judgement(firing, due, why, first, bool(first) and first["class"] in right, bool(first) and not firing.ranges())

    def stands_for(self, finding, firing):
        """What the guard hears again in one round it counts and doesn't tell again."""
        again = finding["place"] == "log" or (finding["place"] == "churn" and firing.kind in REFUSALS)
        return again and finding["at"] >= round_begin(firing, self.report)


def is_fleeting(firing):
    """One answer was wrong, and is right the next time: read ahead, by a scrub, or by a checker that only looked whether something is
    there, perhaps nobody ever used it."""
    return not firing.facts.get("persistent") and firing.kind not in REFUSALS and not firing.left and firing.facts["op"] == "read"


def by_block(ranges):
    """Of each block that is hit: (first, behind the last wrong byte)."""
    spans = {}
    for at, length in ranges:
        for block in range(at // BLOCK, (at + length - 1) // BLOCK + 1):
            begin, end = max(at, block * BLOCK), min(at + length, (block + 1) * BLOCK)
            lo, hi = spans.get(block, (begin, end))
            spans[block] = (min(lo, begin), max(hi, end))
    return [spans[block] for block in sorted(spans)]


def shape(line):
    """A line of the kernel log without its numbers."""
    return re.sub(r"0x[0-9a-f]+|\d+", "#", re.sub(r"^\d+,\d+,\d+,[^;]*;", "", line)).strip()
