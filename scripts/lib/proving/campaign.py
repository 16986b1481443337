# SPDX-License-Identifier: GPL-2.0-or-later
"""Which runs there are, in which order, several at a time, and what is done whatever ends them."""
import concurrent.futures
import dataclasses
import json
import os
import signal
import sys

from proving import layers, machine
from proving.peers import PEERS, PeerTrial, load
from proving.trial import Trial
from proving.truth import lines_of


# Firings that a run would have, about, if the bug could show from its beginning on, and how many it may have. Of metadata
# most is soon written anew elsewhere.
WANTED, LIMIT = {"metadata": 40}, {"metadata": 12}
SOME, MOST = 20, 8
FIRST_GUESS = 4000  # chances of a run
# Not before so many seconds, seed by seed: what is damaged late in the second round is more likely to be in use when verifiers look.
BEGINS = (0, 3.6, 3.0)
LOGGED = ("-read", "short-write", "eio-write", "eio-flush", "full-device")
SCRATCH = "10g"
UNTURNED = ("btrfs metadata", "btrfs directory")  # the same to a faithful layer as another setting
BESIDE = ("snapshot-changes",)  # serve nothing: they act on a filesystem that recow uses itself

# For the tests: (mutant, setting) of both layers, one for each way in which recow notices.
SAMPLE = (("lost-write", "nodatacow"), ("flip-write", "btrfs data"), ("torn-block", "nodatacow"), ("page-dropped", "directory"),
          ("mmap-lost", "directory"), ("nlink-low", "directory"))

# The hardest class, at every size: a write that was lost, or an older version that came back, in each way of writing.
LOST = ("page-dropped", "dirty-lost", "page-reverted", "direct-reverted", "rewrite-lost", "tail-lost", "mmap-lost", "error-swallowed",
        "direct-unseen")
SHAPES = {f"writes of {low} to {high} bytes": [word for load, files in (("churn", 300), ("mmap", 24), ("aio", 24)) for word in
                                               ("-w", f"{load}:files={files},size_max={size},write_min={low},write_max={high}")]
          for low, high, size in ((1, 16, "256k"), (1, 512, "512k"), (512, 16384, "1m"), (65536, 1048576, "4m"))}
LOST_MOST = 40

# What the peers are run on: damage of each kind, below checksums, where there are none, and above them.
PEERED = {"device": ("control", "lost-write", "torn-block", "misdirected-write", "flip-write", "zero-write", "stale-read"),
          "fs": ("control", "page-dropped", "page-reverted", "mmap-lost", "page-foreign", "bit-flipped", "hole-old-data", "copy-short",
                 "mode-lost",
                 "nlink-low", "xattr-stale", "rename-loses", "listed-never")}
PEERED_ON = {"device": ("nodatacow", "btrfs data"), "fs": ("directory",)}


class WrongUsage(Exception):
    """The command line asks for what there isn't."""


@dataclasses.dataclass(frozen=True)
class Task:
    mutant: str
    setting: str
    seed: int
    shape: str = ""  # of SHAPES
    peer: str = ""   # of peers.PEERS: it runs, not recow


class Plan:
    def __init__(self, arguments):
        self.arguments = arguments
        self.known = {}  # (mutant, setting) -> chances that a run offers
        if arguments.table_only and not arguments.results:
            raise WrongUsage("--table-only wants --results")

    # ---- what is run

    def mutants(self):
        """[(layer, about)] of what was chosen, control apart."""
        found = [(layer, about) for layer in layers.PROGRAMS if self.arguments.layer in (None, layer)
                 for about in layers.mutants(layer) if not is_faithful(about["name"])]
        wanted = self.arguments.mutant
        if not wanted:
            return found
        unknown = set(wanted) - {about["name"] for _, about in found}
        if unknown:
            raise WrongUsage(f"there is no mutant '{sorted(unknown)[0]}'; there are {', '.join(a['name'] for _, a in found)}")
        return [(layer, about) for layer, about in found if about["name"] in wanted]

    def settings(self, layer, about, number):
        """Where a mutant is run: every device mutant on btrfs in all its ways, by turns on ext4 or xfs."""
        if layer == "fs":
            names = ["btrfs directory" if about["name"] in BESIDE else "directory"]
        else:
            names = ["btrfs data", "btrfs metadata", "nodatacow", *((), ("ext4",), (), ("xfs",))[number % 4]]
        if self.arguments.setting and layer == "device":
            names = [n for n in layers.SETTINGS if n in self.arguments.setting and layers.SETTINGS[n].layer == layer]
        return names

    def pairs(self):
        if self.arguments.sample:
            return list(SAMPLE)
        pairs = []
        for layer in layers.PROGRAMS:
            mine = [about for where, about in self.mutants() if where == layer]
            for number, about in enumerate(mine):
                settings = self.settings(layer, about, number)
                pairs += [(about["name"], setting) for setting in (settings[:1] if about["unseen"] else settings)]
        return pairs

    def faithful(self):
        """[(name, setting)] of faithful layers, which are run by turns."""
        wanted = self.arguments.setting or [name for name in layers.SETTINGS if name not in UNTURNED]
        return [(about["name"], name) for name in wanted if self.arguments.layer in (None, layers.SETTINGS[name].layer)
                for about in layers.mutants(layers.SETTINGS[name].layer) if is_faithful(about["name"])]

    def tasks(self):
        """Seed by seed, with the faithful runs in between."""
        seeds = range(self.arguments.first_seed, self.arguments.first_seed + (1 if self.arguments.sample else self.arguments.seeds))
        chosen = {about["name"] for _, about in self.mutants()} | (set() if self.arguments.mutant else {"control"})
        if self.arguments.peers:
            return [Task(mutant, setting, seed, peer=peer) for seed in seeds for layer, names in PEERED.items()
                    for setting in PEERED_ON[layer] for mutant in names if mutant in chosen
                    for peer in PEERS if layer == "device" or PEERS[peer] is not load]
        if self.arguments.lost:
            broken = [Task(mutant, "directory", seed, shape) for seed in seeds for mutant in LOST if mutant in chosen for shape in SHAPES]
        else:
            broken = [Task(mutant, setting, seed) for seed in seeds for mutant, setting in self.pairs()]
        turns = self.faithful()
        controls = self.arguments.controls if self.arguments.controls is not None else (2 if self.arguments.sample else len(broken))
        faithful = [Task(*turns[n % len(turns)], seeds[0] + n) for n in range(controls)] if turns else []
        merged = [(i / max(len(broken), 1), n, task) for n, (i, task) in enumerate(enumerate(broken))]
        merged += [((i + 0.5) / max(controls, 1), len(broken) + i, task) for i, task in enumerate(faithful)]
        return [task for _, _, task in sorted(merged, key=lambda m: m[:2])]

    # ---- running

    def run(self):
        tasks = self.tasks()
        need_root()
        for layer in {layers.SETTINGS[task.setting].layer for task in tasks}:
            layers.need(layer)
        machine.private_mounts()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        results = []
        with machine.Scratch(SCRATCH) as scratch:
            empty = layers.make_images(scratch, {layers.SETTINGS[task.setting].fs for task in tasks})
            with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
                try:
                    futures = [pool.submit(self.one, scratch, empty, n, task) for n, task in enumerate(tasks)]
                    for future in concurrent.futures.as_completed(futures):
                        self.take(future.result(), results, len(tasks))
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    machine.end_children()
                    raise
        return results

    def one(self, scratch, empty, index, task):
        """A trial; where the bug did not show at all, once more with a better guess how often it must."""
        setting, key = layers.SETTINGS[task.setting], (task.mutant, task.setting, task.shape, task.peer)
        for _ in range(2):
            place = scratch / f"trial{index}"
            place.mkdir()
            what = (place, setting, task.mutant, self.chance(task, self.known.get(key, FIRST_GUESS)), empty.get(setting.fs))
            trial = PeerTrial(*what, task.peer) if task.peer else Trial(*what, [*SHAPES.get(task.shape, []), *self.arguments.recow])
            try:
                result = {**trial.go(), "shape": task.shape}
                if self.arguments.keep and is_wrong(result):
                    trial.keep(self.arguments.keep / f"{task.mutant}.{task.setting.replace(' ', '-')}.{task.seed}")
            finally:
                layers.remove(place)
            if result.get("offered"):
                self.known[key] = result["offered"]
            if is_faithful(task.mutant) or result.get("fired") or not result.get("offered"):
                break
        return result

    @staticmethod
    def chance(task, offered):
        scope = layers.SETTINGS[task.setting].scope
        limit = LOST_MOST if task.shape else LIMIT.get(scope, MOST)
        wanted = 2 * LOST_MOST if task.shape else WANTED.get(scope, SOME)
        if task.mutant.endswith(LOGGED) and not task.shape:  # nearly all are seen, and the kernel's log takes ten lines in five seconds
            limit, wanted = 3, 8
        return layers.Chance(task.seed, max(1, offered // wanted), limit, BEGINS[task.seed % len(BEGINS)])

    def take(self, result, results, total):
        results.append(result)
        if self.arguments.results:
            with open(self.arguments.results, "a", encoding="ascii") as file:
                file.write(json.dumps(result) + "\n")
        print(f"{len(results)}/{total} {line_about(result)}", file=sys.stderr, flush=True)


def is_faithful(mutant):
    """A layer without a bug: what recow finds there is a false alarm."""
    return mutant.startswith("control")


def due(result):
    return [f for f in result.get("firings", []) if f["due"]]


def is_wrong(result):
    """Worth a look: missed, called wrongly, in the wrong place, a false alarm, or no run at all."""
    if result.get("trouble"):
        return True
    if result.get("peer"):
        return False
    if is_faithful(result["mutant"]):
        return bool(result["findings"])
    return any(not (f["seen"] and f["verdict"] and f["place"]) for f in due(result))


def line_about(result):
    if result.get("peer"):
        return (f"{result['mutant']} on {result['setting']} under {result['peer']}: fired {result['fired']}, "
                f"noticed: {result['noticed']} {result['trouble']}")
    words = f"{result['mutant']} on {result['setting']} seed {result['seed']}: {result['seconds']} s, exit {result['exit']}"
    if result.get("trouble"):
        return f"{words}, TROUBLE: {result['trouble']}"
    if is_faithful(result["mutant"]):
        return f"{words}, {result['findings']} findings" + (" FALSE ALARM" if result["findings"] else "")
    told = []
    for f in result["firings"]:
        if not f["due"]:
            told.append(f"{f['kind']} ({f['why']})")
        elif not f["seen"]:
            told.append(f"{f['kind']} MISSED")
        else:
            told.append(f"{f['kind']} {f['class']} by {f['verifier']}" + ("" if f["verdict"] else " WRONG VERDICT") +
                        ("" if f["place"] else " WRONG PLACE"))
    return f"{words}, fired {result['fired']} of {result['offered']}: " + "; ".join(told)


def load_results(path):
    return lines_of(path)


def need_root():
    if os.geteuid():
        raise machine.CannotRun("must be root: it mounts filesystems; run: sudo scripts/prove")
