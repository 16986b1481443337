# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU process, the sockets that tie it to us, and QMP. Sockets are pairs, not files: nothing is left of them, and when QEMU dies
they end."""
import json
import shutil
import signal
import socket
import subprocess

from vm import host

PROGRAM = "qemu-system-x86_64"
# Virtio-serial ports, by their names in the guest. `dimm` only where there are DIMMs: to recow it says that it can plug some.
PORTS = ("control", "stdout", "stderr")
ACCELERATORS = {"kvm": ["-accel", "kvm", "-cpu", "host"], "tcg": ["-accel", "tcg,thread=multi", "-cpu", "max"]}
PAGE = 4096
KEPT = 128 << 20  # of memory that outlives the guest: a power of two; the journal rings of 60 workers


def program():
    path = shutil.which(PROGRAM)
    if not path:
        raise host.CannotRun(f"{PROGRAM} is missing: apt-get install qemu-system-x86")
    return path


class Qemu:
    """A running QEMU. `socket[NAME]`: console, qmp and the ports. `log`: where what it says itself goes."""

    def __init__(self, words, log, ports=PORTS):
        self.log = log
        self.socket, theirs = {}, {}
        for name in ("console", "qmp", *ports):
            self.socket[name], theirs[name] = socket.socketpair()
            self.socket[name].setblocking(False)
        try:
            with open(log, "wb") as out:
                self.process = subprocess.Popen([program(), *words, *self.wiring(theirs, ports)], stdin=subprocess.DEVNULL, stdout=out,
                                                stderr=subprocess.STDOUT, preexec_fn=host.die_with_parent,
                                                pass_fds=[s.fileno() for s in theirs.values()])
        finally:
            for each in theirs.values():
                each.close()

    @staticmethod
    def wiring(theirs, ports):
        words = ["-device", "virtio-serial-pci,max_ports=8"]
        for name, end in theirs.items():
            words += ["-chardev", f"socket,id={name},fd={end.fileno()}"]
        words += ["-serial", "chardev:console", "-mon", "chardev=qmp,mode=control"]
        for name in ports:
            words += ["-device", f"virtserialport,chardev={name},name=org.recow.{name}"]
        return words

    def alive(self):
        return self.process.poll() is None

    def end(self):
        """Whatever it does: it is no more afterwards."""
        if self.alive():
            self.process.kill()
        self.process.wait()
        for each in self.socket.values():
            each.close()

    def last_words(self):
        """Why it ended, for people: its signal or code, and what it printed."""
        code = self.process.returncode
        how = f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"
        text = self.log.read_text(errors="replace").strip()
        return f"{how}{': ' + text[-2000:] if text else ''}"


class Monitor:
    """QMP (docs/interop/qmp-spec.txt): commands out, events in. Never waits: feed() is given what arrived."""

    def __init__(self, end):
        self.end, self.rest, self.serial = end, b"", 0
        self.waiting = {}  # id -> what is called with the answer
        self.send("qmp_capabilities")

    def send(self, command, then=None, **arguments):
        self.serial += 1
        self.waiting[self.serial] = then
        text = json.dumps({"execute": command, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}, "id": self.serial})
        try:
            self.end.sendall(text.encode() + b"\n")
        except OSError:  # QEMU is gone: who waits for its end hears that
            self.waiting.pop(self.serial)

    def feed(self, data):
        """The events that came, as QMP's objects; answers go to who asked."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            message = json.loads(line)
            if "event" in message:
                yield message
            elif "id" in message:
                then = self.waiting.pop(message["id"], None)
                if then:
                    then(message)


def kept_memory(path):
    """Words for a device whose memory is this file."""
    return ["-object", f"memory-backend-file,id=tail,share=on,mem-path={path},size={KEPT >> 20}M", "-device", "ivshmem-plain,memdev=tail"]


def machine(memory, cpus, accelerator, slots=0, maximum=None):
    """Words for the machine itself, without devices. `memory` in bytes."""
    words = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc", *ACCELERATORS[accelerator], "-smp", str(cpus)]
    room = f",slots={slots},maxmem={(maximum or memory) >> 20}M" if slots else ""
    return [*words, "-m", f"{memory >> 20}M{room}"]
