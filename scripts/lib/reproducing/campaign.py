# SPDX-License-Identifier: GPL-2.0-or-later
"""Which boots, in which order: broken and sound kernels by turns."""
import json
import pathlib
import subprocess

from reproducing import cases, trial

PEERS = ("stress-ng", "fio")
# A run with the bug ends at its first finding: on a busy machine it may need long for the first migration of metadata.
SHORT_MUTANT, SHORT_CONTROL = "150s", "40s"


class WrongUsage(Exception):
    pass


def load(path):
    if not path or not path.exists():
        raise WrongUsage("--table-only needs --results with a file that is there")
    return [json.loads(line) for line in path.read_text().splitlines()]


def chosen(names):
    if not names:
        raise WrongUsage("which bug? --list tells those that can be put back")
    for name in names:
        if name not in cases.ALL:
            raise WrongUsage(f"no bug is called {name}; --list tells those that can be put back")
    return [cases.ALL[name] for name in names]


def module_of(case, kernel):
    """Built for this kernel."""
    done = subprocess.run([str(trial.ROOT / "scripts/lib/kernel-modules"), "--kernel", kernel, case.name], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise trial.CannotRun(done.stderr.strip())
    return pathlib.Path(done.stdout.split()[-1])


def plan(arguments):
    """Boots; a control for each seed of the first case of a scenario."""
    wanted = chosen(arguments.case)
    seeds = 1 if arguments.short else arguments.seeds
    controls = seeds if arguments.controls is None else arguments.controls
    durations = (SHORT_MUTANT, SHORT_CONTROL) if arguments.short else (arguments.duration, arguments.duration)
    programs = ["recow", *(PEERS if arguments.peers else ())]
    modules = {case.name: module_of(case, arguments.kernel) for case in wanted}
    firsts = {case.scenario: case for case in reversed(wanted)}
    for i in range(max(seeds, controls)):
        for case in wanted:
            for program in programs:
                if i < seeds:
                    yield trial.Boot(case, modules[case.name], arguments.first_seed + i, arguments.kernel, durations[0], program)
                if i < controls and firsts[case.scenario] is case:
                    yield trial.Boot(case, None, arguments.first_seed + i, arguments.kernel, durations[1], program)


def run(arguments):
    results = []
    for number, boot in enumerate(plan(arguments), 1):
        keep = arguments.keep / f"{number:03}" if arguments.keep else None
        result = run_patiently(boot, keep, bool(results))
        results.append(result)
        print(told(result), flush=True)
        if arguments.results:
            with open(arguments.results, "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
    return results


def run_patiently(boot, keep, others_booted):
    """Where others have booted, one guest that doesn't is tried once more: a campaign of hours is not lost for it."""
    try:
        return trial.run(boot, keep)
    except trial.CannotRun as error:
        if not others_booted:
            raise
        print(f"once more: {error}", flush=True)
        return trial.run(boot, keep)


def told(result):
    words = [result["case"] or "control", f"seed {result['seed']}", result["program"]]
    if result["case"]:
        words.append(f"fired {result['fired']} of {result['chances']} times")
    if result["found"]:
        when = "after the power cut" if result["found_after_s"] is None else f"after {result['found_after_s']:.1f} s"
        words.append(f"found {when} by {', '.join(result['by'])}: {result['what'][:110]}")
    else:
        words.append(f"nothing found, exit code {result['exit']}")
    return "; ".join(words)
