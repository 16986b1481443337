# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/prove is made of: broken layers set up and torn down, what they did, what recow said, and the judge between."""
