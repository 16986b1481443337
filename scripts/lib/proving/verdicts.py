# SPDX-License-Identifier: GPL-2.0-or-later
"""Which class of finding is right for what was done. One table for each way in which damage can reach recow."""

# The kernel notices by a checksum before recow does, and must say so: an error for the reader, or a line in the kernel log.
# Of metadata also by its own rules, in the checker, or by giving the filesystem up.
CHECKED_DATA = {"eio"}
CHECKED_METADATA = {"eio", "kernel", "erofs", "fsck", "target"}

# Nothing stands between damage and reader: the verdict on the content itself must be right.
CONTENT = {
    "lost": {"stale", "foreign", "zeroes"},   # what was there before; which of them is told by what stands there now
    "stale": {"stale", "foreign", "zeroes"},
    "torn": {"torn"},
    "foreign": {"foreign", "shifted"},
    "swapped": {"foreign", "shifted"},
    "duplicate": {"foreign", "shifted"},
    "newer": {"stale", "zeroes", "foreign"},  # by now it may have a hole or a clone there
    "misplaced": {"foreign", "shifted", "attribute"},  # its own bytes elsewhere in the file, which is then of another length
    "shifted": {"shifted"},
    "flipped": {"flipped"},
    "zeroes": {"zeroes"},
    "garbage": {"garbage"},
}

BLOCK = 4096
HEAD = 16  # its first words, which differ in few bits between two writes
LINE = 64  # what recow writes consists of lines that say whose they are
# Bytes that are the same before and after by chance hide where the border was: so near to an edge both are right.
BLUR = 32


def of_content(kind, begin, length, stands, hole):
    """Right classes for `length` bytes that are wrong from `begin` on in a block that has no checksum; `stands`: what is there
    now. Nothing but zeroes are `zeroes`, whoever's they are. `hole`: nothing but zeroes should be there."""
    right = by_geometry(kind, begin, length)
    if kind in ("flipped", "zeroes"):
        return right
    if hole and kind == "torn":  # where there should be nothing no write is torn
        right = right | CONTENT["lost"]
    zeroes = stands.count(0)
    if zeroes == len(stands):
        return {"zeroes"} | ({"torn"} & right)
    # What stands there is told by most of it.
    right = right - {"zeroes"} if 2 * zeroes < len(stands) else right | {"zeroes"}
    return right | (too_short(len(stands)) if right & CONTENT["lost"] else set())


def too_short(length):
    """Right beside the others for so few wrong bytes: what can't hold a line can't tell whose it is, and of a few bytes nobody can
    say what they are."""
    return {"garbage", "flipped"} if length < HEAD else {"garbage"} if length < LINE else set()


def of_answer(kind, begin, length, zeroes):
    """Likewise where nothing stands: of what was answered it is known which share of the bytes was zero."""
    right = by_geometry(kind, begin, length)
    if kind in ("flipped", "zeroes"):
        return right
    if zeroes == 1:
        return {"zeroes"} | ({"torn"} & right)
    # More than among random bytes: one block of it or the other may be mostly zeroes.
    return right | ({"zeroes"} if zeroes > 1 / 32 else set()) | too_short(length)


def by_geometry(kind, begin, length):
    """A block is torn when what arrived and what did not meet in it once: all of it, or a patch in its midst, is what stood there
    before. Of others, too, it may rightly be said, if a part of the block is as it should be."""
    if kind != "torn":
        part = length < BLOCK - BLUR and kind not in ("flipped", "shifted")
        return CONTENT.get(kind, set()) | ({"torn"} if part else set())
    end = begin + length
    head, tail = begin <= BLUR, end >= BLOCK - BLUR
    sure = (begin == 0 or not head) and (end == BLOCK or not tail)
    if head != tail and sure:
        return CONTENT["torn"]
    # A patch may be all that differs of a part that reaches to an edge, and one of its ends the edge of the write.
    return CONTENT["lost"] if head and tail and sure else CONTENT["torn"] | CONTENT["lost"]


# The device refused: recow hears it from the system call, from the kernel log, or from a filesystem that gives up.
REFUSED = {"eio", "erofs", "kernel", "target"}

# Names, attributes and answers of a directory.
NAMES = {
    "missing": {"missing"},
    "extra": {"extra"},
    "duplicate": {"extra"},
    "swapped": {"attribute", "foreign", "answer"},  # each name leads to the other's object
    "split": {"attribute", "stale"},  # two files where one should be, of which each gets a part of the changes
    "attribute": {"attribute", "answer"},
}
