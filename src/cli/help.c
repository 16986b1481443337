/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "src/cli/cli.h"

static const char general[] =
	"recow churns a filesystem from many threads while the kernel moves its memory, and proves with\n"
	"checksums against recorded state that every byte and every name is still right.\n"
	"\n"
	"Usage: recow COMMAND [ARGUMENTS]\n"
	"\n"
	"  run [SCENARIO]   churn, disturb, verify: migration-storm on a throw-away btrfs image if nothing "
	"is named\n"
	"  verify RUN       a filesystem against a run's recorded state: after a reboot, a crash, a copy\n"
	"  audit DEVICE...  btrfs metadata on the disk, block by block\n"
	"  replay RUN       the same operations and the same injections again\n"
	"  report RUN...    what came of one run or several\n"
	"  journal RUN      the operations of a run, like strace\n"
	"  model RUN        what the filesystem must look like, as JSON lines\n"
	"  list [KIND]      operations, workloads, injectors, verifiers, scenarios\n"
	"  doctor           what this machine allows, and what to do about the rest\n"
	"  restore RUN      put back what a dead run left\n"
	"\n"
	"recow COMMAND --help says more, recow(1) all. recow --version tells the version.\n"
	"\n"
	"Examples:\n"
	"  sudo recow run -t 30s            a first answer\n"
	"  recow list injectors             what can disturb this machine\n"
	"  recow report /var/tmp/recow/*    all runs together\n"
	"\n"
	"Exit status: 0 clean, 1 corruption or another finding, 2 wrong usage, 3 cannot run here,\n"
	"4 the harness failed, was cut short or could not put the machine back, 5 inconclusive.\n";

/* A line here is a line there. */
/* clang-format off */
/* Of run and replay. */
#define OUTPUT_FLAGS \
	"      --keep                 keep the image (after a finding it is kept anyway)\n" \
	"      --keep-going           go on after a finding\n" \
	"      --json                 the whole result as one JSON object on stdout, nothing else\n" \
	"  -n, --dry-run              print the plan and change nothing\n" \
	"  -q, --quiet                no progress; -v, --verbose: more of it\n"

static const char run[] =
	"Usage: recow run [SCENARIO] [FLAGS]\n"
	"\n"
	"Churn a filesystem, disturb the machine, verify. SCENARIO is a name (see recow list scenarios) or\n"
	"the path of an .ini file; default: migration-storm.\n"
	"\n"
	"How long (default: what the scenario says):\n"
	"  -t, --duration TIME        30s, 10m, 2h, 1d; 0: until Ctrl-C\n"
	"  -r, --rounds N             whole rounds, verification included\n"
	"      --ops N                operations per worker: with the same seed, the same run\n"
	"  -j, --workers N            threads that churn (default: 2 per CPU)\n"
	"  -s, --seed N               decimal or 0x...; always printed first (default: a random one)\n"
	"\n"
	"On what:\n"
	"      --target WHERE         auto (a throw-away image, the default), a block device, an image file or a directory\n"
	"      --image-size SIZE      of the throw-away image (k, m, g, t; default 4g)\n"
	"      --tmpfs                put the throw-away image on a tmpfs\n"
	"      --fs NAME              filesystem to make: btrfs (default), ext4, xfs\n"
	"      --mkfs-options WORDS   passed to mkfs\n"
	"      --mount-options LIST   passed to mount\n"
	"      --mkfs --yes           format the device or image that --target names; both are needed\n"
	"      --shared-dirs N        directories that the workers share (default 8)\n"
	"\n"
	"What:\n"
	"  -w, --workload NAME[:KEY=VALUE,...]   only this workload (may be repeated)\n"
	"  -i, --inject NAME[:KEY=VALUE,...]     this injector too, or with these parameters (may be repeated)\n"
	"      --no-inject                       churn and verify only\n"
	"      --verify NAME,...                 only these verifiers\n"
	"\n"
	"Limits:\n"
	"      --journal-keep SIZE    keep this much of the journals (default 1g; 0: everything)\n"
	"      --journal-tail PATH    memory outside of the machine (of a guest: its host's) for what the "
	"journals\n"
	"                             don't have yet; recow verify wants it as RUN/journal/tail\n"
	"      --hang-timeout TIME    an operation that takes longer is a hang (default 2m)\n"
	"      --memory-floor SIZE    free memory that is always left (default 512m)\n"
	"\n"
	"Output:\n"
	"  -o, --output DIR           run directory, must not exist (default: below /var/tmp/recow)\n"
	OUTPUT_FLAGS
	"\n"
	"Examples:\n"
	"  recow run -t 30s                                  the default scenario, half a minute\n"
	"  recow run smoke --tmpfs                           two short rounds in memory\n"
	"  recow run -t 10m -w logtree -i hotplug:limit=1s   one workload; hotplug with a limit of its own\n"
	"  recow run --ops 100k -s 7 -j 1 --no-inject        the same operations each time\n"
	"  recow run --target /mnt/scratch --no-inject       in a directory of a mounted filesystem\n"
	"  recow run --target /dev/vdb --mkfs --yes -t 1d    a whole day on a device that may be formatted\n";

static const char replay[] =
	"Usage: recow replay RUN [FLAGS]\n"
	"\n"
	"Do the operations of a run again, as its journals have them, in the same rounds and phases and\n"
	"with the same injections, on a fresh target like the run's, and verify. The run directory is all\n"
	"it takes. What the kernel answers otherwise is listed, and no finding; an operation that makes no\n"
	"sense any more after that is left out and counted.\n"
	"\n"
	"      --until-finding N      at most N times, until one has a finding (with --keep-going: N times);\n"
	"                             then say how many had one, and after how many operations\n"
	"      --no-inject            the operations only\n"
	"\n"
	"On what (default: a target as the run had it; the flags are those of recow run):\n"
	"      --target WHERE, --image-size SIZE, --tmpfs, --fs NAME, --mkfs-options WORDS,\n"
	"      --mount-options LIST, --mkfs --yes\n"
	"\n"
	"Output:\n"
	"  -o, --output DIR           run directory of the replay, must not exist (default: below\n"
	"                             /var/tmp/recow); with --until-finding that of the first one is DIR/DIR-1\n"
	OUTPUT_FLAGS
	"\n"
	"Exit status as of recow run; 3 also for a run whose journals lost their first operations.\n"
	"\n"
	"Examples:\n"
	"  recow replay /var/tmp/recow/20261122-161851-1f\n"
	"  recow replay RUN --until-finding 20 -q\n"
	"  recow replay RUN --target auto --no-inject --json\n";
/* clang-format on */

static const struct {
	const char *command, *text;
} texts[] = {
	{"", general},
	{"run", run},
	{"verify",
	 "Usage: recow verify RUN [--target WHERE] [--verify NAME,...] [-o DIR] [--json]\n"
	 "\n"
	 "Compare a target that was kept after its run, rebooted under or copied with what the run recorded\n"
	 "at its last barrier. It is mounted read-only in a mount namespace of recow's own, and not\n"
	 "written to, except that the filesystem may have to replay its log.\n"
	 "\n"
	 "      --target WHERE     a copy: image, device or directory (default: where the run was)\n"
	 "      --verify NAME,...  hot, cold, remount, audit, scrub, devstats, fsck (default: remount, "
	 "cold,\n"
	 "                         devstats)\n"
	 "  -o, --output DIR       write findings.jsonl, dumps and verify.json into DIR, which must not "
	 "exist\n"
	 "      --json             the whole result as one JSON object on stdout\n"
	 "\n"
	 "Of a run that ended amid a round, by a power cut or killed, what was durable must be there: what "
	 "was\n"
	 "synced, as it was then or as something later left it. docs/verify.md has the rules.\n"
	 "\n"
	 "Exit status: 0 all as recorded or as it was durable, 1 a finding, 3 the target is not there or "
	 "can't\n"
	 "be read here, 5 nothing was durable, or what was done last is not known.\n"
	 "\n"
	 "Examples:\n"
	 "  recow verify /var/tmp/recow/20261122-161851-1f\n"
	 "  recow verify RUN --target /mnt/copy --verify hot,cold\n"},
	{"audit",
	 "Usage: recow audit DEVICE|IMAGE... [--data] [--scan] [--all] [--threads N] [--json]\n"
	 "\n"
	 "Read all metadata of a btrfs straight from its devices (name all of them) or images, every copy of "
	 "every\n"
	 "block that its superblocks can reach, and say which rule is broken, where. Writes nothing. The "
	 "filesystem must\n"
	 "not be mounted for writing meanwhile.\n"
	 "\n"
	 "      --data       check data against their checksums too, every copy\n"
	 "      --scan       look at unreachable blocks in metadata chunks too: one that was written without "
	 "the mark\n"
	 "                   WRITTEN is the footprint of a write that took the wrong road\n"
	 "      --all        print all findings, not only the first 20 of each rule\n"
	 "      --threads N  readers (default: one for each processor)\n"
	 "      --json       the result as one JSON object on stdout (docs/formats.md, \"Audit\")\n"
	 "\n"
	 "Exit status: 0 clean, 1 corrupt, 2 wrong usage, 3 can't be read here, 4 cut short, 5 not checked: "
	 "the\n"
	 "filesystem has a feature that is not understood (it is named).\n"
	 "\n"
	 "Examples:\n"
	 "  recow audit /var/tmp/recow/20261122-161851-1f/image\n"
	 "  recow audit /dev/vdb /dev/vdc --data\n"
	 "  recow audit disk.img --scan --json\n"},
	{"replay", replay},
	{"report", "Usage: recow report RUN... [--json]\n"
		   "\n"
		   "Print what came of a run, findings included; of several runs, sums too. Reads the run\n"
		   "directory and nothing else. The exit status is 0 when the report could be made.\n"
		   "\n"
		   "Examples:\n"
		   "  recow report /var/tmp/recow/20261122-161851-1f\n"
		   "  recow report /var/tmp/recow/* --json\n"},
	{"journal",
	 "Usage: recow journal RUN [--worker N] [--path PATH] [--json]\n"
	 "\n"
	 "Print the operations of a run as strace would, by worker. PATH is relative to the target,\n"
	 "as findings print it; what lies below it is printed too.\n"
	 "\n"
	 "Examples:\n"
	 "  recow journal RUN --worker 3\n"
	 "  recow journal RUN --path w0003/a/b\n"},
	{"model", "Usage: recow model RUN [--json] [--worker N]\n"
		  "\n"
		  "Print the recorded state at the last checkpoint: what every object of the target must be. "
		  "One line for\n"
		  "each object; with --json one JSON object a line (docs/formats.md, \"Model export\").\n"
		  "\n"
		  "Example:\n"
		  "  recow model RUN --json > model.jsonl\n"},
	{"list", "Usage: recow list [operations|workloads|injectors|verifiers|scenarios] [--json]\n"
		 "\n"
		 "What recow can do, with parameters, units and defaults, and whether it can run here.\n"},
	{"doctor",
	 "Usage: recow doctor [--json]\n"
	 "\n"
	 "What this machine allows and what to do about the rest. Exit status 0 when the default run can\n"
	 "begin, otherwise 3.\n"},
	{"restore", "Usage: recow restore RUN\n"
		    "\n"
		    "Put back what a dead run changed on the machine, from its undo.log. Exit status 0 when "
		    "all is back,\n"
		    "4 when something is left (it is printed, with how).\n"},
};

int cli_help(const char *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].command, command) == 0) {
			fputs(texts[i].text, stdout);
			return EXIT_CLEAN;
		}
	}
	return -1;
}
