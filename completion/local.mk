# SPDX-License-Identifier: GPL-2.0-or-later
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = %D%/recow
