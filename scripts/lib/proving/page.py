# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/detection.md: the rules, the tables, the totals."""
import collections
import statistics

from proving import layers
from proving.campaign import due, is_faithful

HEAD = """\
# Detection

What recow notices of layers that are broken on purpose (`mutants/`: [devices](mutants-device.md),
[filesystems](mutants-fs.md)), as `sudo ./scripts/prove` measured it. Written by that script.

## How it is judged

A mutant is one small bug that shows rarely, on a schedule that a seed decides. Each time that it *fires* it writes what it did to
a file, the ground truth, which is read only when recow's own report lies there. Each firing is judged for itself.

- **Due** (must be noticed): what the firing damaged could still be seen when verifiers had looked next, with nobody changing anything.
  Not due: the place was written again, cut off or removed before that (the truth says so, to the byte), or it happened after the last
  verification. What happens in the midst of a verification must outlast the next one. On a device the image is asked at the end, with
  other tools than recow's (btrfs-progs, FIEMAP): damage that lies in no file (up to its end) and in no tree is not due. That leaves out
  some that an earlier round had to see, and counts none that could not be seen. On ext4 and xfs only file contents count. One wrong answer
  of a device (a read that is right again the next time: the mutants `*-read`) counts only if it was noticed, since nobody knows
  whether anybody used what was read ahead: their rate of detection says nothing, their verdicts and places do. A refusal (EIO, no
  space) is due whenever it happened.
- **Noticed**: a finding, not earlier than the firing, is about its place; or about none (a count of scrub's, an error of a whole
  filesystem). What the guard hears again in one round it counts and tells once: then the first stands for the others. A run is
  detected when all that was due in it was noticed.
- **Place right**: a finding's file and bytes, name, or device address covers what was hit. A kernel log line counts with the numbers
  in it, and so do the later lines that differ from it in numbers only: the run's log has them. A flush that was refused has no
  place. Of a name whose inode the truth doesn't have the last component counts: directories above it may have been renamed.
- **Verdict right**: the class of the first finding about that place is one that is right for what was done, as far as this layer
  lets it through. Where btrfs has a checksum between damage and reader: `eio` for data, nothing else; `eio`, `kernel`, `fsck`, `erofs`
  or `target` for metadata and superblocks. A refusal: `eio`, `kernel`, `erofs` or `target`, and on a device what was there before. Where
  nothing is between (nodatacow, ext4, xfs, a directory) the class of the content itself:

{verdicts}
  What stands there now decides further: nothing but zeroes is `zeroes`, whatever else was done, and of what is mostly something else
  `zeroes` is wrong. A part of a block may be called `torn`; a whole block that a `torn` write left is what was there before, a patch in
  the midst of one is either. Below 64 wrong bytes, which can't hold one of recow's stamped lines, `garbage` is right, too, and below 16
  (two lines begin with nearly the same words) `flipped`. Of an attribute the finding must name it, and the value where no later
  change can have altered it.
- **False alarm**: any finding in a run on a faithful layer (the mutants `control` and `control-cached`).

Runs are `recow run prove` (scenarios/prove.ini) with `--keep-going --no-inject`, images of 1 GiB on tmpfs, btrfs with chunks that were
moved, so that logical and device addresses differ. Time and operations are from the firing to the first finding about it.
Results of several sessions of the script are joined (`--results`), so that
some mutants have more runs than others. In the tables: firings that were due and those of them that were noticed; `(+n)`: noticed though not due.
"""


def write(results):
    everything, results = results, [r for r in results if not r.get("peer")]
    parts = [HEAD.format(verdicts=verdict_table())]
    parts.append(totals(results))
    for layer, title in (("device", "Devices"), ("fs", "Filesystems")):
        parts.append(table(layer, title, results))
    parts += [lost(results), controls(results), open_cases(results), unseen(), peers(everything)]
    return "\n".join(part for part in parts if part)


def verdict_table():
    from proving import verdicts  # pylint: disable=import-outside-toplevel
    rows = ["  | done | right |", "  |---|---|"]
    for kinds in (verdicts.CONTENT, verdicts.NAMES):
        rows += [f"  | {kind} | {', '.join(sorted(classes))} |" for kind, classes in kinds.items()]
    return "\n".join(rows) + "\n"


def share(part, whole):
    return f"{part} of {whole}" + (f" ({100 * part / whole:.1f} %)" if whole else "")


def broken_runs(results):
    return [r for r in results if not is_faithful(r["mutant"])]


def control_runs(results):
    return [r for r in results if is_faithful(r["mutant"])]


def all_due(results):
    return [f for r in results for f in due(r)]


def count(firings, *keys):
    return sum(all(f[key] for key in keys) for f in firings)


def detected(result):
    return all(f["seen"] for f in due(result))


def hidden():
    """Names of mutants that nobody can notice now, with the reason."""
    return {about["name"]: about["unseen"] for layer in layers.PROGRAMS if layers.PROGRAMS[layer].exists()
            for about in layers.mutants(layer) if about["unseen"]}


def totals(results):
    results = [r for r in results if r["mutant"] not in hidden()]
    runs = broken_runs(results)
    must = [r for r in runs if due(r)]
    firings = all_due(runs)
    faithful = control_runs(results)
    rows = [
        ("mutants, settings", f"{len({r['mutant'] for r in runs})}, {len({(r['mutant'], r['setting']) for r in runs})}"),
        ("runs; the bug showed in; it was due in", f"{len(runs)}; {sum(bool(r.get('fired')) for r in runs)}; {len(must)}"),
        ("detected runs", share(sum(map(detected, must)), len(must))),
        ("firings due, noticed", share(count(firings, "seen"), len(firings))),
        ("verdict right", share(count(firings, "seen", "verdict"), count(firings, "seen"))),
        ("place right", share(count(firings, "seen", "place"), count(firings, "seen"))),
        ("faithful runs with a finding", share(sum(bool(r.get("findings")) for r in faithful), len(faithful))),
        ("runs that came to nothing (trouble)", str(sum(bool(r.get("trouble")) for r in results))),
    ]
    return "## Totals\n\n| | |\n|---|---|\n" + "".join(f"| {a} | {b} |\n" for a, b in rows)


def table(layer, title, results):
    groups = collections.defaultdict(list)
    for r in broken_runs(results):
        if not r.get("shape") and layers.SETTINGS[r["setting"]].layer == layer and r["mutant"] not in hidden():
            groups[(r["mutant"], r["setting"])].append(r)
    if not groups:
        return ""
    text = f"## {title}\n\n"
    on = " on |" if layer == "device" else ""
    text += f"| mutant |{on} runs | showed in | firings due | noticed | after s | operations | first seen by | verdict | place |\n"
    text += "|---|" + "---|" * (10 if on else 9) + "\n"
    order = list(layers.SETTINGS)
    for (mutant, setting), runs in sorted(groups.items(), key=lambda g: (g[0][0], order.index(g[0][1]))):
        text += row(mutant, f" {setting} |" if on else "", runs)
    return text


def row(mutant, on, runs):
    firings = all_due(runs)
    seen = [f for f in firings if f["seen"]]
    after = f"{statistics.median(f['after'] for f in seen):.1f}" if seen else "-"
    operations = f"{statistics.median(f['operations'] for f in seen):,.0f}" if seen else "-"
    by = collections.Counter(f["verifier"] for f in seen)
    more = sum(f["seen"] and not f["due"] for r in runs for f in r.get("firings", []))
    noticed = f"{len(seen)} (+{more})" if more else str(len(seen))
    fired = sum(bool(r.get("fired")) for r in runs)
    return (f"| {mutant} |{on} {len(runs)} | {fired} | {len(firings)} | {noticed} | {after} | {operations} | "
            f"{', '.join(name for name, _ in by.most_common(3)) or '-'} | {count(seen, 'verdict')} | {count(seen, 'place')} |\n")


SIZES = ((1, 1), (2, 7), (8, 63), (64, 511), (512, 4095), (4096, 4096), (4097, 65535), (65536, 1 << 62))
WAYS = ("buffered", "mapped", "direct", "device")


def lost(results):
    """Lost writes and older versions that came back: due and noticed, by how many bytes were hit and how they were written."""
    cells = collections.defaultdict(list)
    for f in all_due(broken_runs(results)):
        if f["kind"] in ("lost", "stale") and f["truth"].get("length") and f["truth"]["op"] == "write":
            way = f["truth"].get("how", "device")
            cells[(next(s for s in SIZES if s[0] <= f["truth"]["length"] <= s[1]), way)].append(f)
    if not cells:
        return ""
    text = "## Stale pages: lost writes and older versions, noticed of due\n\n"
    text += "| bytes |" + "".join(f" {way} |" for way in WAYS) + "\n|---|" + "---|" * len(WAYS) + "\n"
    for size in SIZES:
        told = (cells.get((size, way), []) for way in WAYS)
        text += f"| {size_name(*size)} |" + "".join(f" {count(c, 'seen')} of {len(c)} |" if c else " - |" for c in told) + "\n"
    every = [f for firings in cells.values() for f in firings]
    return (f"{text}\nIn all {share(count(every, 'seen'), len(every))}; "
            f"verdict right in {share(count(every, 'seen', 'verdict'), count(every, 'seen'))}.\n")


def size_name(least, most):
    if least == most:
        return f"{least:,}"
    return f"{least:,} and more" if most > 1 << 60 else f"{least:,} to {most:,}"


def controls(results):
    groups = collections.defaultdict(list)
    for r in control_runs(results):
        groups[r["setting"]].append(r)
    if not groups:
        return ""
    text = "## Faithful layers\n\n| on | runs | operations | findings |\n|---|---|---|---|\n"
    for setting, runs in groups.items():
        text += f"| {setting} | {len(runs)} | {sum(r.get('operations', 0) for r in runs):,} | {sum(r.get('findings', 0) for r in runs)} |\n"
    return text


def open_cases(results):
    """Every one that was not as it should be, by name: nothing is hidden in a percentage."""
    rows = []
    for r in results:
        where = f"{r['mutant']} | {r['setting']} | {r['seed']}"
        if r.get("trouble"):
            rows.append(f"| {where} | {' '.join(str(r['trouble']).split())[:200]} |")
        if is_faithful(r["mutant"]) and r.get("findings"):
            rows.append(f"| {where} | false alarm: {', '.join(r['classes'])} |")
        if r["mutant"] in hidden():
            continue
        for f in due(r):
            if not f["seen"]:
                rows.append(f"| {where} | {f['kind']}: not noticed |")
            elif not (f["verdict"] and f["place"]):
                wrong = " and ".join(w for w, k in (("verdict", "verdict"), ("place", "place")) if not f[k])
                rows.append(f"| {where} | {f['kind']}: {wrong} wrong: {f['class']} by {f['verifier']} |")
    if not rows:
        return ""
    return "## What was missed or called wrongly\n\n| mutant | on | seed | what |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


PEERS_HEAD = """## What people use today, on the same broken layers

Runs in which the tool noticed something, of those in which the bug showed, whether or not it could still be seen (for recow, too). On the
faithful layer `control` what is noticed is a false alarm.
fio and stress-ng have 6 threads and 5 s, verification going on all the time; recow 4 workers, which churn for 4 s, and the time that its
verification takes. `scrub and check`: the load of fio without verification, then `btrfs scrub` and `btrfs check`.

"""


def peers(results):
    """Who notices what."""
    cells = collections.defaultdict(list)
    for r in results:
        if r.get("peer") and (r["fired"] or is_faithful(r["mutant"])):
            cells[(r["mutant"], r["setting"], r["peer"])].append(bool(r["noticed"]))
    names = list(dict.fromkeys(peer for _, _, peer in cells))
    if not names:
        return ""
    pairs = list(dict.fromkeys((mutant, setting) for mutant, setting, _ in cells))
    for r in results:
        if not r.get("peer") and not r.get("shape") and (r["mutant"], r["setting"]) in pairs and (
                r.get("fired") or is_faithful(r["mutant"])):
            cells[(r["mutant"], r["setting"], "recow")].append(bool(r["findings"]))
    names.insert(0, "recow")
    text = PEERS_HEAD + "| mutant | on | " + " | ".join(names) + " |\n|---|---|" + "---|" * len(names) + "\n"
    for mutant, setting in pairs:
        told = (cells[(mutant, setting, name)] for name in names)
        text += f"| {mutant} | {setting} | " + " | ".join(f"{sum(c)} of {len(c)}" if c else "-" for c in told) + " |\n"
    sums = ([n for key, c in cells.items() if key[2] == name and not is_faithful(key[0]) for n in c] for name in names)
    return text + "| all broken ones | | " + " | ".join(share(sum(c), len(c)) for c in sums) + " |\n"


def unseen():
    rows = "".join(f"| {name} | {why} |\n" for name, why in sorted(hidden().items()))
    return rows and "## What can't be noticed, or not yet\n\n| mutant | why |\n|---|---|\n" + rows


FEW = 2  # that may be wrong where there are so few of them (--sample) that 95 % means none


def aims_met(results):
    """Everything due noticed, no false alarm, 95 % of the verdicts and places right."""
    results = [r for r in results if r["mutant"] not in hidden() and not r.get("peer")]
    firings = all_due(broken_runs(results))
    right = count(firings, "seen", "verdict", "place")
    return (not any(r.get("trouble") for r in results) and not any(r.get("findings") for r in control_runs(results)) and
            count(firings, "seen") == len(firings) and (right >= 0.95 * len(firings) or right >= len(firings) - FEW))
