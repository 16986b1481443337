# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that comes and goes while the guest runs, as the guest asks for it (docs/vm.md, "The port of the DIMMs")."""
import dataclasses

from vm import host

ALIGNED = 128 << 20  # a memory block of x86-64: Linux refuses what ends amid one


@dataclasses.dataclass
class Module:
    """A DIMM, or with `virtio` a virtio-mem device whose memory comes and goes instead."""
    number: int
    size: int
    virtio: bool = False
    plugged: bool = False
    start: int = 0
    asked: str = ""    # tag of the request under way
    leaving: bool = False

    def name(self):
        return f"{'vmem' if self.virtio else 'dimm'}{self.number}"


class Dimms:
    """All are away at first. Answers go to the port when QEMU says that it is so, and to who asked last."""

    def __init__(self, sizes, virtio_sizes):
        self.modules = []
        for virtio, some in ((False, sizes), (True, virtio_sizes)):
            for size in some:
                if size % ALIGNED:
                    raise host.WrongUsage(f"a DIMM of {size >> 20}m: sizes are multiples of {ALIGNED >> 20}m")
                self.modules.append(Module(len(self.modules), size, virtio))
        self.monitor = self.port = None

    def room(self):
        """(slots, bytes) that the machine must have for them; a module of virtio-mem needs no slot, but may not lie at its address
        unaligned."""
        return len(self.modules), sum(m.size + ALIGNED for m in self.modules)

    def total(self):
        return sum(m.size for m in self.modules)

    def words(self):
        words = []
        for module in self.modules:
            if module.virtio:
                words += ["-object", f"memory-backend-ram,id=mem-{module.name()},size={module.size}",
                          "-device", f"virtio-mem-pci,id={module.name()},memdev=mem-{module.name()},requested-size=0"]
        return words

    def attach(self, monitor, port):
        self.monitor, self.port = monitor, port

    # ---- what the guest asks

    def on_request(self, line):
        tag, _, request = line.partition(" ")
        word, _, number = request.partition(" ")
        if word == "list":
            self.look(tag)
        elif word in ("plug", "unplug") and number.isdigit() and int(number) < len(self.modules):
            self.change(tag, self.modules[int(number)], word == "plug")
        else:
            self.answer(tag, "none")

    def answer(self, tag, text):
        try:
            self.port.sendall(f"{tag} {text}\n".encode())
        except OSError:  # QEMU is gone: nobody waits for it
            pass

    def settle(self, module, text):
        """The request under way is over."""
        if module.asked:
            self.answer(module.asked, text)
        module.asked = ""

    def look(self, tag):
        """Where they lie is QEMU's choice."""
        def told(message):
            places = {one["data"].get("id"): one["data"] for one in message.get("return", [])}
            for module in self.modules:
                place = places.get(module.name(), {})
                module.start = place.get("addr", place.get("memaddr", 0))
            self.answer(tag, "dimms" + "".join(f" {int(m.plugged)} {m.start if m.plugged else 0} {m.size}" for m in self.modules))
        self.monitor.send("query-memory-devices", told)

    def change(self, tag, module, plugged):
        if module.plugged == plugged and not module.leaving:
            self.answer(tag, "ok")
            return
        module.asked = tag
        if module.virtio:
            self.resize(module, plugged)
        elif plugged and not module.leaving:
            self.plug(module)
        elif plugged:
            self.settle(module, "busy")  # it may still go
        else:
            self.unplug(module)

    def plug(self, module):
        def there(message):
            module.plugged = "return" in message
            if not module.plugged:
                self.monitor.send("object-del", id=f"mem-{module.name()}")
            self.settle(module, "ok" if module.plugged else "busy")
        self.monitor.send("object-add", qom_type="memory-backend-ram", id=f"mem-{module.name()}", size=module.size)
        self.monitor.send("device_add", there, driver="pc-dimm", id=module.name(), memdev=f"mem-{module.name()}")

    def unplug(self, module):
        """Asked for only: gone it is when DEVICE_DELETED says so."""
        def heard(message):
            if "error" in message and not module.leaving:
                self.settle(module, "busy")
            else:
                module.leaving = True
        self.monitor.send("device_del", heard, id=module.name())

    def resize(self, module, plugged):
        def heard(message):
            if "error" in message:
                self.settle(module, "busy")
        self.monitor.send("qom-set", heard, path=f"/machine/peripheral/{module.name()}", property="requested-size",
                          value=module.size if plugged else 0)

    # ---- what QEMU says

    def on_event(self, name, data):
        for module in self.modules:
            if name == "MEMORY_DEVICE_SIZE_CHANGE" and data.get("id") == module.name():
                self.resized(module, data["size"])
            elif data.get("device") != module.name():
                continue
            elif name == "DEVICE_DELETED":
                module.plugged = module.leaving = False
                self.monitor.send("object-del", id=f"mem-{module.name()}")
                self.settle(module, "ok")
            elif name in ("MEM_UNPLUG_ERROR", "DEVICE_UNPLUG_GUEST_ERROR"):
                module.leaving = False
                self.settle(module, "busy")

    def resized(self, module, size):
        """virtio-mem gives and takes in small blocks; what counts is all or nothing."""
        if size in (0, module.size):
            module.plugged = size != 0
            self.settle(module, "ok")
