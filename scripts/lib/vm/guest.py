# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest from its first instruction to its end, whichever that is."""
import dataclasses
import pathlib
import re
import selectors
import sys
import time

from vm import host, initramfs, qemu, ticks

BOOT_LIMIT = 180  # seconds; a busy machine with an emulated CPU takes 20
LAST_WORDS = 5    # seconds that a panicking kernel gets to say all of it
ASK_LIMIT = 20    # seconds that a hanging one gets to begin its answer to each of ASKED
QUIET = 3         # seconds without a further word: it has answered
ASKED = b"lw"     # SysRq: where the CPUs are, which tasks wait unkillably
OFF_LIMIT = 60    # seconds from the command's end to the guest's
STOP_LIMIT = 60   # seconds that a command gets to end in order when we are to stop
TAIL = 60         # lines of the console that are shown after a crash

# What a Linux kernel prints when it has met a bug of its own. Warnings, stalls and slow tasks are no crash: recow judges those itself.
PANIC = re.compile(rb"Kernel panic - not syncing: ?(.*)")
OOPS = re.compile(rb"(BUG: (?:kernel NULL pointer|unable to handle|Bad page|Bad rss).*|kernel BUG at .*|general protection fault.*|"
                  rb"Oops: .*|(?:invalid opcode|divide error|stack segment|double fault): .*|KASAN: .*)")
PANIC_END = b"end Kernel panic"


@dataclasses.dataclass
class Wish:
    """What is to be run, on what."""
    command: list
    kernel: object                 # packages.Kernel
    output: pathlib.Path           # shared with the guest, there /out
    memory: int                    # bytes
    cpus: int = 2
    accelerator: str = "tcg"
    disks: list = dataclasses.field(default_factory=list)     # disks.Disk
    dimms: object = None           # dimms.Dimms
    modules: list = dataclasses.field(default_factory=list)   # (path, [parameter=value])
    programs: list = dataclasses.field(default_factory=list)
    files: list = dataclasses.field(default_factory=list)     # (path here, path there)
    append: str = ""
    timeout: float = 3600          # seconds for the command
    hang: float = 90               # seconds without a sign of life
    boot: float = BOOT_LIMIT
    tail: pathlib.Path = None      # a file that is memory of the guest, there /dev/recow-tail: it outlives the guest's kernel
    cut: float = 0                 # power goes so many seconds after the command began; 0: never
    quiet: bool = False

    def settings(self):
        """For the guest's first process."""
        return {"watchdog": int(self.hang)}

    def words(self, root):
        """QEMU's command line."""
        dimm_slots, dimm_bytes = self.dimms.room() if self.dimms else (0, 0)
        words = qemu.machine(self.memory, self.cpus, self.accelerator, dimm_slots, self.memory + dimm_bytes)
        words += ["-kernel", str(self.kernel.image), "-initrd", str(root), "-append", self.boot_line()]
        words += share("out", self.output) + share("modules", self.kernel.modules, ",readonly=on")
        words += ["-device", "i6300esb", "-action", "watchdog=pause,panic=none", "-device", "pvpanic"]
        for disk in self.disks:
            words += disk.words()
        if self.tail:
            words += qemu.kept_memory(self.tail)
        return words + (self.dimms.words() if self.dimms else [])

    def boot_line(self):
        """Limits for an emulated CPU on a busy machine, which is slow but not stuck; `loglevel`: what is worse than a notice."""
        words = ["console=ttyS0 loglevel=5 rdinit=/init panic=0 sysrq_always_enabled mitigations=off random.trust_cpu=on no_timer_check cryptomgr.notests",
                 "memhp_default_state=online_movable"]
        if self.accelerator == "tcg":
            frequency = ticks.kilohertz()
            words.append(f"tsc_early_khz={frequency} tsc=reliable" if frequency else "")
            words.append("watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 sysctl.kernel.hung_task_timeout_secs=600")
        return " ".join(filter(None, [*words, self.append]))


@dataclasses.dataclass
class End:
    """How a guest ended. `kind`: command (`code` is its), panic, oops, hang, reset, cut, timeout, stopped, boot, qemu."""
    kind: str
    code: int = 0
    text: str = ""
    uptime: float = 0  # of the guest when its kernel said so, seconds; 0: not known

    def is_finding(self):
        return self.kind in ("panic", "oops", "hang", "reset")


class Guest:
    """One boot. go() returns its End; afterwards nothing runs any more."""

    def __init__(self, wish, scratch, console):
        self.wish, self.scratch = wish, pathlib.Path(scratch)
        self.log = open(console, "wb")  # pylint: disable=consider-using-with
        self.lines = {"console": b"", "control": b"", "dimm": b""}
        self.asked = b""           # of ASKED, still to be asked
        self.end = None            # decided, and only waiting for last words
        self.code = None           # of the command
        self.oops = None           # End
        self.until = None          # of that waiting
        self.up = None             # when the command began
        self.last_sign = time.monotonic()
        self.reset = False
        self.stopping = None

    def go(self):
        root = self.scratch / "root.cpio"
        initramfs.write(root, self.wish)
        self.began = time.monotonic()
        ports = (*qemu.PORTS, "dimm") if self.wish.dimms else qemu.PORTS
        self.qemu = qemu.Qemu(self.wish.words(root), self.scratch / "qemu.log", ports)
        try:
            self.monitor = qemu.Monitor(self.qemu.socket["qmp"])
            self.selector = selectors.DefaultSelector()
            for name, end in self.qemu.socket.items():
                self.selector.register(end, selectors.EVENT_READ, name)
            if self.wish.dimms:
                self.wish.dimms.attach(self.monitor, self.qemu.socket["dimm"])
            return self.watch()
        finally:
            self.qemu.end()
            self.log.close()

    # ---- until it has ended

    def watch(self):
        while self.selector.get_map():
            for key, _ in self.selector.select(0.2):
                self.take(key)
            end = self.decide(time.monotonic())
            if end:
                return end
        return self.gone()

    def take(self, key):
        try:
            data = key.fileobj.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(key.fileobj)
        elif key.data in ("stdout", "stderr"):
            out = getattr(sys, key.data).buffer
            out.write(data)
            out.flush()
        elif key.data == "qmp":
            for event in self.monitor.feed(data):
                self.on_event(event)
        else:
            if key.data == "console":
                self.log.write(data)
                self.log.flush()
                if self.end and self.end.kind == "hang":
                    self.until = time.monotonic() + QUIET
            *lines, self.lines[key.data] = (self.lines[key.data] + data).split(b"\n")
            for line in lines:
                {"console": self.on_console, "control": self.on_control, "dimm": self.on_dimm}[key.data](line)

    def decide(self, now):
        """An End when there is nothing more to wait for."""
        if self.end:
            if now >= self.until and self.asked:
                self.ask(now)
            return self.end if now >= self.until or not self.qemu.alive() else None
        if self.code is not None:
            return End("command", self.code) if now >= self.until else None
        if self.up is None:
            return End("boot", text=f"the command did not begin within {self.wish.boot:.0f} s") if now > self.began + self.wish.boot else None
        if self.stopping and now > self.stopping + STOP_LIMIT:
            return End("stopped", text="the command did not end when it was told to")
        if self.wish.cut and now > self.up + self.wish.cut:
            self.qemu.process.kill()  # QMP's quit and stop flush the disks, which no power cut does
            return End("cut", text=f"{now - self.up:.1f} s after the command began")
        if now > self.last_sign + self.wish.hang:
            self.settle(End("hang", text=f"no sign of life for {now - self.last_sign:.0f} s"))
            return None
        if now > self.up + self.wish.timeout:
            return End("timeout", text=f"the command did not end within {self.wish.timeout:.0f} s")
        return None

    def gone(self):
        """QEMU has ended."""
        self.qemu.process.wait()
        if self.end:
            return self.end
        if self.code is not None:
            return End("command", self.code)
        if self.up is None:
            return End("boot", text=f"QEMU ended before the command began ({self.qemu.last_words()})")
        if self.reset:
            return End("reset", text="the guest reset itself")
        return End("qemu", text=f"QEMU ended before the guest did ({self.qemu.last_words()})")

    # ---- what is heard

    def on_console(self, line):
        panic, oops = PANIC.search(line), OOPS.search(line)
        if panic and not self.end:
            self.settle(End("panic", text=text_of(panic[0]), uptime=uptime_of(line)))
        elif oops and not self.oops and not self.end:
            self.oops = End("oops", text=text_of(oops[0]), uptime=uptime_of(line))
        if PANIC_END in line and self.end:
            self.until = time.monotonic()

    def settle(self, end):
        """It ends so, when its last words are said."""
        if self.up is None and end.kind != "hang":
            end = End("boot", text=f"the guest's kernel ended before the command began: {end.text}")
        self.end, self.until = end, time.monotonic() + LAST_WORDS
        if end.kind == "hang":
            self.asked, self.until = ASKED, time.monotonic()

    def ask(self, now):
        """Evidence of a hang, which the kernel gives even then: SysRq over the serial line, a break and a letter."""
        letter, self.asked, self.until = self.asked[:1], self.asked[1:], now + ASK_LIMIT
        self.monitor.send("chardev-send-break", then=lambda _: self.qemu.socket["console"].sendall(letter), id="console")

    def on_control(self, line):
        self.last_sign = time.monotonic()
        word, _, rest = line.decode(errors="replace").partition(" ")
        if word == "up":
            self.up = time.monotonic()
            self.say(f"up after {self.up - self.began:.1f} s ({self.wish.accelerator}, kernel {self.wish.kernel.release})")
        elif word == "trouble":
            self.trouble(rest)
        elif word == "exit":
            self.code, self.until = int(rest), time.monotonic() + OFF_LIMIT

    def trouble(self, text):
        """What the guest's first process could not do. A module that was asked for and is not there makes the run worth nothing."""
        if text.startswith("module ") and any(f"-{path.name}:" in text for path, _ in self.wish.modules):
            self.end, self.until = End("boot", text=text), time.monotonic()
        elif text.startswith("cannot mount"):
            self.end, self.until = End("boot", text=text), time.monotonic()
        else:
            self.say(text)

    def on_event(self, event):
        name, data = event["event"], event.get("data", {})
        if name == "SHUTDOWN" and data.get("reason") == "guest-reset":
            self.reset = True
        elif name == "GUEST_PANICKED" and not self.end:
            self.settle(End("panic", text="the kernel panicked"))
        elif name == "WATCHDOG":
            if not self.end:
                self.settle(End("hang", text=f"the watchdog was not served for {self.wish.hang:.0f} s"))
            self.monitor.send("cont")  # it stopped the guest, which is to answer what it is asked
        elif self.wish.dimms:
            self.wish.dimms.on_event(name, data)

    def on_dimm(self, line):
        self.wish.dimms.on_request(line.decode(errors="replace"))

    # ---- what is said

    def stop(self, name="INT"):
        """The command is to end in order; the second time it is not asked."""
        if self.stopping or self.up is None:
            self.end, self.until = End("stopped", text="stopped"), time.monotonic()
            return
        self.stopping = time.monotonic()
        try:
            self.qemu.socket["control"].sendall(f"signal {name}\n".encode())
        except OSError:
            pass

    def say(self, text):
        if not self.wish.quiet:
            print(f"vm: {text}", file=sys.stderr, flush=True)


def share(name, path, more=""):
    """A directory of this machine that the guest mounts by this name. A path with a comma in it would be two options."""
    return ["-fsdev", f"local,id={name},path={str(path).replace(',', ',,')},security_model=none,multidevs=remap{more}",
            "-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"]


def text_of(raw):
    return raw.decode(errors="replace").strip()


def uptime_of(line):
    """The kernel's time stamp, "[   12.345678]"."""
    match = re.match(rb"\W*\[ *(\d+\.\d+)\]", line)
    return float(match[1]) if match else 0
