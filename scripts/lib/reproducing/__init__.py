# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/reproduce: old bugs put back into stock kernels, and who notices."""
