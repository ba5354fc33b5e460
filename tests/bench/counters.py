# SPDX-License-Identifier: GPL-2.0-or-later
"""What KVM and the scheduler count of a guest, whoever its VMM is.

Exits in all are KVM's per-VM counter in debugfs; exits by reason come from a histogram that the kernel keeps of
its tracepoint kvm:kvm_exit, by thread and reason, in a tracing instance of our own.
"""
import collections
import glob
import os
import re
import time

KVM = "/sys/kernel/debug/kvm"
INSTANCE = "/sys/kernel/tracing/instances/paravane-bench"
EVENT = INSTANCE + "/events/kvm/kvm_exit"
HISTOGRAM = "hist:keys=common_pid,exit_reason:size=4096"

SVM = {0x40: "exception", 0x4e: "page-fault", 0x60: "interrupt", 0x61: "nmi", 0x64: "interrupt-window",
       0x6e: "rdtsc", 0x72: "cpuid", 0x77: "pause", 0x78: "hlt", 0x7b: "io", 0x7c: "msr", 0x81: "hypercall",
       0x84: "stgi", 0x87: "rdtscp", 0x89: "wbinvd", 0x8a: "monitor", 0x8b: "mwait", 0x400: "npf"}
VMX = {0: "exception", 1: "interrupt", 7: "interrupt-window", 10: "cpuid", 12: "hlt", 18: "hypercall", 28: "cr",
       30: "io", 31: "msr", 32: "msr", 40: "pause", 44: "apic", 45: "eoi", 48: "npf", 49: "mmio",
       52: "preemption-timer", 54: "wbinvd", 55: "xsetbv", 56: "apic"}


def read(path):
    with open(path) as f:
        return f.read()


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


class Reasons:
    """The histogram of all exits; count() is by thread and the reason's name."""

    def __init__(self):
        self.names = SVM if re.search(r"^flags\b.*\bsvm\b", read("/proc/cpuinfo"), re.M) else VMX
        self.problem = None
        try:
            os.makedirs(INSTANCE, exist_ok=True)
            write(EVENT + "/trigger", HISTOGRAM)
        except OSError as error:
            self.problem = f"exits are not told by reason: {error.strerror}: {error.filename}"

    def close(self):
        if not self.problem:
            write(EVENT + "/trigger", "!" + HISTOGRAM)
        try:
            os.rmdir(INSTANCE)
        except OSError:
            pass

    def count(self):
        """{(thread id, reason): exits}"""
        if self.problem:
            return {}
        found = {}
        for line in read(EVENT + "/hist").splitlines():
            words = re.match(r"\{ common_pid: *(\d+), exit_reason: *(\d+) *\} hitcount: *(\d+)", line)
            if words:
                pid, reason, hits = map(int, words.groups())
                found[pid, self.names.get(reason, f"{reason:#x}")] = hits
        return found


def vhost_threads(pid):
    """The kernel's threads that serve a VMM's network."""
    name = f"vhost-{pid}"
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            if read(path).strip() == name:
                found.append(os.path.dirname(path))
        except OSError:
            pass
    return found


class Counters:
    """Those of the VM that process @pid owns."""

    def __init__(self, pid, reasons):
        self.pid, self.reasons = pid, reasons
        self.vhost = vhost_threads(pid)

    def exits(self):
        """Of all vCPUs since the VM was made; None where KVM does not tell."""
        files = glob.glob(f"{KVM}/{self.pid}-*/exits")
        return sum(int(read(f)) for f in files) if files else None

    def cpu(self):
        """Seconds in vCPU threads and in all others that work for the guest."""
        seconds = {True: 0.0, False: 0.0}
        for task in glob.glob(f"/proc/{self.pid}/task/*") + self.vhost:
            try:
                name, ran = read(task + "/comm"), read(task + "/schedstat").split()[0]
            except OSError:
                continue  # a worker that has just ended
            seconds[bool(re.match(r"vcpu\d|CPU \d+/KVM", name))] += int(ran) / 1e9
        return seconds

    def sample(self):
        return Sample(self.exits(), self.by_reason(), self.cpu())

    def by_reason(self):
        threads = {int(name) for name in os.listdir(f"/proc/{self.pid}/task")}
        found = collections.Counter()
        for (thread, reason), hits in self.reasons.count().items():
            if thread in threads:
                found[reason] += hits
        return found


class Sample:
    """One look at them; a difference of two is one, too."""

    def __init__(self, exits, reasons, cpu):
        self.exits, self.reasons, self.cpu = exits, reasons, cpu
        self.time, self.seconds = time.monotonic(), None
        # Of a whole step, its start and end included; what part of the step's work was done meanwhile
        self.whole, self.share = False, 1

    def __sub__(self, before):
        exits = None if self.exits is None or before.exits is None else self.exits - before.exits
        reasons = {name: count - before.reasons.get(name, 0) for name, count in self.reasons.items()}
        found = Sample(exits, reasons, {kind: self.cpu[kind] - before.cpu[kind] for kind in self.cpu})
        found.seconds = self.time - before.time
        return found
