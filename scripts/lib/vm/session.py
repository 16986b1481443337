# SPDX-License-Identifier: GPL-2.0-or-later
"""One call of scripts/vm: from the command line's words to its exit code. What it makes it takes away, whatever ends it."""
import dataclasses
import json
import pathlib
import re
import shutil
import signal
import sys
import tempfile

from vm import accel, dimms, disks, finding, guest, host, modules, packages, powercut, qemu

CLEAN, FINDING, CUT_SHORT, INCONCLUSIVE = 0, 1, 4, 5
LEAST_MEMORY = 256 << 20  # the root lies in memory, and btrfs wants some
QEMU_NEEDS = 150 << 20    # beside the guest's memory
DISK = "2g"
TAIL_KEY = slice(16, 24)  # of a tail's header: the run's content key
FLOOR = "64m"             # recow's own default is for a machine that others use, and keeps injectors from a small guest


class Session:
    def __init__(self, arguments):
        self.arguments = arguments
        self.running = None     # guest.Guest
        self.made = []          # disks
        self.own_output = None  # a directory that was not named
        self.cut = powercut.parse(arguments.power_cut) if arguments.power_cut else None
        if arguments.cpus < 1:
            raise host.WrongUsage("--cpus: at least 1")

    # ---- what is wished

    def wish(self):
        given = self.arguments
        qemu.program()
        kernel = packages.find(given.kernel, given.modules_dir)
        own = [module_of(text) for text in given.module]
        for path, _ in own:
            modules.check_fit(path, kernel)
        memory = self.memory()
        accelerator = accel.choose(kernel, given.accel)
        output = self.output()
        self.made = disks.make(output, [host.size(text) for text in given.disk or [DISK]])
        return guest.Wish(command=complete(given.command, self.made, self.cut), kernel=kernel, output=output, memory=memory, cpus=given.cpus,
                          accelerator=accelerator, disks=self.made, modules=own, programs=given.program,
                          files=[file_of(text) for text in given.file], append=given.append, timeout=host.duration(given.timeout),
                          hang=host.duration(given.hang), dimms=self.dimms(), boot=host.duration(given.boot_timeout), quiet=given.quiet)

    def memory(self):
        wanted = host.size(self.arguments.memory)
        if wanted < LEAST_MEMORY:
            raise host.CannotRun(f"--memory {self.arguments.memory}: no guest boots with less than {LEAST_MEMORY >> 20}m")
        modules_size = sum(map(host.size, self.arguments.dimm + self.arguments.virtio_mem))
        here = host.available_memory()
        if wanted + modules_size + QEMU_NEEDS > here:
            raise host.CannotRun(f"the guest would need {(wanted + modules_size + QEMU_NEEDS) >> 20} MiB, this machine can give {here >> 20} MiB: "
                                 "give less with --memory, or end something")
        return wanted

    def dimms(self):
        given = self.arguments
        if not given.dimm and not given.virtio_mem:
            return None
        return dimms.Dimms([host.size(text) for text in given.dimm], [host.size(text) for text in given.virtio_mem])

    def output(self):
        if self.arguments.output:
            self.arguments.output.mkdir(parents=True, exist_ok=True)
            return self.arguments.output.resolve()
        self.own_output = pathlib.Path(tempfile.mkdtemp(prefix="recow-vm-", dir="/var/tmp"))
        return self.own_output

    # ---- what is done

    def run(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        try:
            wish = self.wish()
            with tempfile.TemporaryDirectory(prefix="recow-vm-scratch-", dir="/var/tmp") as scratch:
                if self.cut:
                    return self.run_and_cut(wish, pathlib.Path(scratch))
                end = self.boot(wish, scratch, "console.log")
            return self.conclude(wish, end, self.running.oops)
        except (host.CannotRun, host.WrongUsage):
            self.discard()
            raise
        except Stopped:
            self.discard()
            return CUT_SHORT

    def boot(self, wish, scratch, console):
        self.running = guest.Guest(wish, scratch, wish.output / console)
        return self.running.go()

    def run_and_cut(self, wish, scratch):
        """Twice: until power goes, and what is there then."""
        after = self.after_cut(wish)
        wish.cut = self.cut.seconds
        wish.tail = scratch / "tail"
        for disk in wish.disks:
            disk.log = scratch / f"disk{disk.number}.log"
        end = self.boot(wish, scratch, "console.log")
        if end.kind != "cut":
            say("the guest ended before the power did: nothing was cut")
            code = self.conclude(wish, end, self.running.oops)
            return code or CUT_SHORT
        self.made = []  # from here on they are what the whole was for
        say(f"power went {end.text}")
        damaged = [self.lose(disk, wish.output) for disk in wish.disks]
        keep_tail(wish.tail, wish.output)
        # What is on the disk is not judged by a kernel that may be broken.
        again = dataclasses.replace(wish, command=after, cut=0, tail=None, modules=[])
        end = self.boot(again, scratch, "console-after.log")
        code = self.conclude(again, end, self.running.oops)
        return FINDING if any(damaged) and code in (CLEAN, INCONCLUSIVE) else code

    def after_cut(self, wish):
        if self.arguments.after_cut:
            return ["sh", "-c", self.arguments.after_cut]
        if wish.command[:2] != ["recow", "run"]:
            raise host.WrongUsage("--power-cut: say with --after-cut what is to run when power is back")
        return ["recow", "verify", "/out/run", "--target", wish.disks[0].name()]

    def lose(self, disk, output):
        """Make its image what the disk has kept. True: the audit finds damage."""
        loss = powercut.remake(disk.image, disk.log, self.cut.seed)
        disk.log.unlink()
        disk.log = None
        say(f"disk{disk.number}: {loss.requests} requests and {loss.flushes} flushes; of {loss.pending} requests after the last flush "
            f"{loss.lost} are lost and {loss.torn} torn")
        code, text = finding.audit(disk, output)
        if text:
            say(f"audit of disk{disk.number}, before anybody mounts it:\n{text.rstrip()}")
        return code == FINDING

    def discard(self):
        """Nothing ran on these disks."""
        for disk in self.made:
            disk.image.unlink()
        for log in self.own_output.glob("console*.log") if self.own_output else ():
            if not log.stat().st_size:
                log.unlink()
        if self.own_output and not any(self.own_output.iterdir()):
            self.own_output.rmdir()

    def on_signal(self, *_):
        """The guest's command is told first; before there is one, and the second time, it is over at once."""
        if self.running is None:
            raise Stopped()
        self.running.stop()

    def conclude(self, wish, end, oops):
        """The exit code; what is wrong is said and kept."""
        if end.kind == "boot":
            raise host.CannotRun(f"the guest does not boot: {end.text}\n{tail(wish.output)}(more memory with --memory, more time with "
                                 f"--boot-timeout; {wish.output}/console.log has all that it said)")
        # recow notices an oops itself, and its account is better; a command that lived through one did not end well.
        if oops and not (end.kind == "command" and end.code == FINDING):
            end = oops
        code = CLEAN
        if end.kind == "command":
            code = end.code
        elif end.is_finding():
            code = FINDING
            self.tell(wish, end)
        else:
            code = CUT_SHORT
            say(f"cut short: {end.text}")
        return self.leave(wish, code)

    def tell(self, wish, end):
        say(f"finding: {finding.WORDS[end.kind]}: {end.text}\n{tail(wish.output)}")
        for run in finding.runs(wish.output):
            finding.store(run, end)
            say(f"the run that it cut off: {host.RECOW} report {run}")

    def leave(self, wish, code):
        """Images of what ended badly stay and are audited, before anybody mounts them."""
        for disk in wish.disks:
            if code == CLEAN and not self.arguments.keep:
                disk.image.unlink()
            elif code == FINDING:
                _, text = finding.audit(disk, wish.output)
                if text:
                    say(f"audit of {disk.image}, which nobody mounted since:\n{text.rstrip()}")
        if not self.arguments.quiet or code:
            say(f"exit code {code}; {wish.output} has what came out")
        return code


def keep_tail(tail, output):
    """What the journals did not have yet, to the run whose it is (docs/formats.md, "Tail")."""
    with open(tail, "rb") as file:
        key = file.read(TAIL_KEY.stop)[TAIL_KEY]
    for run in finding.runs(output):
        plan = json.loads((run / "run.json").read_text())["plan"]
        if int(plan["run_key"], 16) == int.from_bytes(key, "little"):
            shutil.copyfile(tail, run / "journal/tail")


class Stopped(Exception):
    """A signal came before the guest did."""


def say(text):
    print(f"vm: {text}", file=sys.stderr, flush=True)


def tail(output):
    lines = (output / "console.log").read_text(errors="replace").splitlines()
    return "".join(f"  | {line}\n" for line in lines[-guest.TAIL:])


def module_of(text):
    """ "PATH:a=1,b=2" """
    path, _, parameters = text.partition(":")
    return pathlib.Path(path), [word for word in parameters.split(",") if word]


def file_of(text):
    path, _, there = text.partition(":")
    if not pathlib.Path(path).is_file():
        raise host.CannotRun(f"there is no file {path} to take along")
    return path, there or str(pathlib.Path(path).resolve())


def complete(command, made, cut):
    """What recow run needs in a guest and was not said: where the run directory goes, and on which disk; where power is cut, the memory
    that is there afterwards."""
    if command[:2] != ["recow", "run"]:
        return command
    def said(*names):
        return any(word == name or word.startswith(f"{name}=") or (len(name) == 2 and re.match(f"{name}.", word))
                   for word in command for name in names)
    further = [] if said("-o", "--output") else ["-o", "/out/run"]
    if made and not said("--target", "--image-size", "-n", "--dry-run"):
        further += ["--target", made[0].name(), "--mkfs", "--yes"]
    if not said("--memory-floor"):
        further += ["--memory-floor", FLOOR]
    if cut and not said("--journal-tail"):
        further += ["--journal-tail", "/dev/recow-tail"]
    return command[:2] + further + command[2:]
