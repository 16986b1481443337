# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of recow on one broken (or faithful) layer, judged."""
import dataclasses
import pathlib
import shutil
import subprocess
import time

from proving import layers, machine
from proving.device import DeviceJudge
from proving.directory import DirectoryJudge
from proving.report import Report
from proving.truth import read_truth

JUDGES = {"device": DeviceJudge, "fs": DirectoryJudge}
LIMIT = 300  # seconds that a run may take before it counts as one that does not end


@dataclasses.dataclass
class Trial:
    place: pathlib.Path  # an empty directory of its own
    setting: layers.Setting
    mutant: str
    chance: layers.Chance
    empty: pathlib.Path  # an empty filesystem to be copied
    words: list          # further flags for recow run
    layer: object = None

    def go(self):
        """Run, read what recow says, and only then the truth. Returns a plain dict."""
        self.layer = layers.layer_of(self.setting)(self.place, self.setting, self.empty, self.mutant, self.chance)
        began = time.monotonic()
        with self.layer:
            code, output = self.run_recow()
        (self.place / "judged").mkdir()
        result = {"mutant": self.mutant, "setting": self.setting.name, "seed": self.chance.seed, "one_in": self.chance.one_in,
                  "exit": code, "seconds": round(time.monotonic() - began, 1), "trouble": self.layer.trouble}
        if not (self.place / "run/run.json").exists():
            return {**result, "trouble": f"no run: {output[-2000:]}"}
        report = Report(self.place / "run", code)
        truth = read_truth(self.layer.truth)
        return {**result, **self.judge(report, truth), **self.troubles(report, truth, output)}

    def run_recow(self):
        command = [layers.RECOW, "run", "prove", *self.layer.flags(), "--no-inject", "-q", "--keep-going", "--seed", self.chance.seed,
                   "--hang-timeout", "30s", "-o", self.place / "run", *self.words]
        process = machine.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            return "does not end", process.communicate()[0]
        (self.place / "output").write_text(output)
        return process.returncode, output

    def judge(self, report, truth):
        operations = report.outcome["operations"] if report.outcome else 0
        result = {"fired": truth.fired(), "offered": truth.offered, "findings": len(report.findings), "operations": operations,
                  "classes": sorted({f["class"] for f in report.findings}), "firings": []}
        if not truth.firings:
            return result
        judge = JUDGES[self.setting.layer](self, report)
        judged = [judge.judge(firing) for firing in truth.firings]
        result["firings"] = [describe(j, report) for j in judged]
        return result

    @staticmethod
    def troubles(report, truth, output):
        """What makes a run worth nothing."""
        if report.outcome is None or report.code == 4:
            return {"trouble": f"recow failed: {output[-1500:]}"}
        return {} if truth.ended else {"trouble": "the truth has no end"}

    def keep(self, where):
        """For somebody who wants to look into it; the image's holes stay holes."""
        shutil.rmtree(where, ignore_errors=True)
        where.parent.mkdir(parents=True, exist_ok=True)
        machine.run("cp", "-a", "--sparse=always", self.place, where)


def describe(judged, report):
    """A judgement as plain data."""
    finding, firing = judged.finding, judged.firing
    text = {"number": firing.number, "kind": firing.kind, "due": judged.due, "why": judged.why, "truth": firing.facts,
            "seen": finding is not None, "verdict": judged.verdict, "place": judged.place}
    if finding:
        text |= {"after": max(finding["at"] - firing.time, 0) / 1e9, "verifier": finding["verifier"], "class": finding["class"],
                 "operations": round(report.operations_at(finding["at"]) - report.operations_at(firing.time)),
                 "detail": finding["detail"], "path": finding["path"], "finding": finding["number"]}
    return text
