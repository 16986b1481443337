# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/vm is made of: a distribution kernel, a root in memory made from this machine, a QEMU that nobody forgets, and how it
all ends."""
