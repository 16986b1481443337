# SPDX-License-Identifier: GPL-2.0-or-later
"""The table."""
import statistics

COLUMNS = ("kernel", "program", "boots", "found in", "fired (median)", "operations", "pages moved", "first finding after", "operations until then",
           "after the first firing", "seen first by", "btrfs check of the disk", "audit of the disk")


def groups(results):
    """Boots that are alike, controls last."""
    keys = {}
    for result in results:
        keys.setdefault((result["case"] is None, result["kernel"], result["case"] or "control", result["program"]), []).append(result)
    return [(key, keys[key]) for key in sorted(keys, key=lambda k: (k[0], k[2], k[1], k[3] != "recow", k[3]))]


def median(values, form="{:.0f}"):
    known = [v for v in values if v is not None]
    return form.format(statistics.median(known)) if known else "-"


def counted(words):
    """ "audit 9, kmsg 1" """
    number = {}
    for word in words:
        number[word] = number.get(word, 0) + 1
    return ", ".join(f"{word} {number[word]}" for word in sorted(number, key=lambda w: (-number[w], w))) or "-"


def row(key, boots):
    _, kernel, case, program = key
    found = [b for b in boots if b["found"]]
    return (f"{kernel}, {case}", program, len(boots), len(found), median([b["fired"] for b in boots]) if case != "control" else "-",
            sum(b.get("operations") or 0 for b in boots) or "-", sum(b.get("migrated") or 0 for b in boots) or "-",
            median([b["found_after_s"] for b in found], "{:.1f} s"), median([b.get("found_after_operations") for b in found]),
            median([b.get("after_firing_s") for b in found], "{:.1f} s"), counted(b["first"] for b in found if b.get("first")),
            counted("clean" if b["check"] == 0 else "errors" for b in boots if b["check"] is not None),
            counted(", ".join(sorted(b["audit"])) or "clean" for b in boots if b["audit"] is not None))


def write(results):
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(str(cell) for cell in row(key, boots)) + " |" for key, boots in groups(results)]
    return "\n".join(lines) + "\n"


def as_expected(results):
    """recow found every bug that showed, and nothing where there was none. A bug that never showed proves nothing."""
    mine = [r for r in results if r["program"] == "recow"]
    return all(r["found"] == (r["case"] is not None and not r["harmless"]) and (r["case"] is None or r["fired"] > 0) for r in mine)
