# SPDX-License-Identifier: GPL-2.0-or-later
"""What the judges of both layers share: when a firing must have been noticed, and what came of it."""
import dataclasses


@dataclasses.dataclass
class Judgement:
    firing: object
    due: bool       # it was there, and expected to be otherwise, when verifiers looked
    why: str        # if not: why not
    finding: dict   # the first one that is about it; None
    verdict: bool   # its class is right
    place: bool     # its place is right


def in_time(firing, report):
    """Did it happen before verifiers looked for the last time?"""
    if any(firing.time < end for _, end in report.barriers):
        return True, ""
    return False, "after the last verification"


def still_there(firing, report):
    """... and was it still to be seen when verifiers had looked? What goes while they look goes because what is dirty is written
    out by their looking."""
    ahead = [barrier for barrier in report.barriers if firing.time < barrier[1]]
    if not ahead:
        return False, "after the last verification"
    # What happens in the midst of a verification may be where it has been already. (The last one of a device begins with its
    # unmounting, and what it writes then is read later.)
    amidst = ahead[0][0] < firing.time
    if amidst and len(ahead) == 1 and firing.facts.get("persistent") and not report.remounted:
        return False, "in the midst of the last verification"
    if firing.gone < ahead[1 if amidst and len(ahead) > 1 else 0][1]:
        return False, firing.why_gone or "gone before the verification"
    return True, ""


def round_begin(firing, report):
    """When the round began in which it happened."""
    return max((end for _, end in report.barriers if end <= firing.time), default=0)
