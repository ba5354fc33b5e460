#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report.py RUN_DIR READ_MIB WRITE_MIB PAYLOAD_MIB: what first_light found, for people.

Exit status 0 only if there are verdicts and every one is PASS.
"""
import json
import os
import re
import statistics
import sys

# What must hold of a boot without a serial console
MAX_BOOT_EXITS = 2500
MAX_BOOT_USER_EXITS = 50
MAX_VMM_MIB = 8
MIB = 1 << 20

run = sys.argv[1]
read_mib, write_mib, payload_mib = map(int, sys.argv[2:5])


def load(name):
    with open(os.path.join(run, name)) as f:
        return f.read() if not name.endswith(".json") else json.load(f)


def mark(report, name):
    return next(m for m in report["marks"] if m["name"] == name)


job = load("job-report.json")
# Only the plain run compares boots.
boots = boot = None
if os.path.exists(os.path.join(run, "boot.json")):
    boots = load("boot.json")
    # The repetition least disturbed by the host's own interrupts, which are exits too
    boot = min((load(f"boot-report.{n}.json") for n in range(len(boots["paravane"]["ms"]))),
               key=lambda report: mark(report, "init")["exits"])
verdicts = []


def verdict(good, text):
    verdicts.append(f"{'PASS' if good else 'FAIL'} {text}")


def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def boot_table():
    title(f"Boot to init, {boot['vcpus']} vCPU, the same kernel and initramfs")
    print(f"{'':24}{'median ms':>10}{'min-max':>16}{'exits':>8}{'to user space':>15}")
    user = {"paravane": str(mark(boot, "init")["user_exits"])}
    for name, label in (("paravane", "Paravane"), ("microvm", "QEMU microvm (PVH)")):
        ms, exits = boots[name]["ms"], boots[name]["exits"]
        print(f"{label:24}{statistics.median(ms):10.0f}{f'{min(ms)}-{max(ms)}':>16}"
              f"{statistics.median(exits):8.0f}{user.get(name, '-'):>15}")
    ratio = statistics.median(boots["microvm"]["ms"]) / statistics.median(boots["paravane"]["ms"])
    print(f"From process start to init's mark Paravane is {ratio:.1f} times as fast. Exits of all vCPUs, from KVM;\n"
          "to user space those of Paravane's repetition with the fewest; QEMU does not count its own.")


def transfers():
    title("The job")
    print(f"{'':24}{'MiB':>6}{'seconds':>9}{'MiB/s':>8}{'exits':>8}{'exits/MiB':>11}{'to user space/MiB':>19}")
    for label, name, mib in (("disk: read and check", "disk-read", read_mib),
                             ("disk: write and fsync", "disk-write", write_mib),
                             ("network: fetch", "net-in", payload_mib),
                             ("network: send", "net-out", payload_mib)):
        start, end = mark(job, name + "-start"), mark(job, name + "-end")
        seconds, exits = (end["ms"] - start["ms"]) / 1000, end["exits"] - start["exits"]
        user = end["user_exits"] - start["user_exits"]
        print(f"{label:24}{mib:6}{seconds:9.1f}{mib / seconds:8.1f}{exits:8}{exits / mib:11.1f}"
              f"{user / mib:19.1f}")


def counters(heading, counts, limit=12):
    rows = sorted(counts.items(), key=lambda item: -item[1])[:limit]
    print(f"{heading}: " + (", ".join(f"{name} {n}" for name, n in rows) or "none"))


def vmm_memory():
    vmm = job["vmm"]["pss_bytes"] / MIB
    print(f"VMM memory beyond guest RAM: {vmm:.1f} MiB (proportional set size)")
    verdict(vmm < MAX_VMM_MIB, f"VMM memory under {MAX_VMM_MIB} MiB ({vmm:.1f})")


def guest_verdicts():
    log = load("guest.log")
    verdicts.extend(re.findall(r"\b(?:PASS|FAIL) .*", log))
    verdict("paravane-mark: done" in log, "guest reached its end")
    verdict(job["shutdown"] == "poweroff", "guest powered itself off")


def boot_figures():
    init = mark(boot, "init")
    verdict(init["exits"] <= MAX_BOOT_EXITS,
            f"at most {MAX_BOOT_EXITS} exits until init ({init['exits']} in the best repetition)")
    verdict(init["user_exits"] <= MAX_BOOT_USER_EXITS,
            f"at most {MAX_BOOT_USER_EXITS} of them to user space ({init['user_exits']})")


guest_kernel = re.search(r"guest kernel (\S+)", load("guest.log"))
print(f"Paravane {load('versions').strip()}, guest kernel {guest_kernel[1] if guest_kernel else 'unknown'}")
print(f"transport {job['transport']}, profile {job['profile']}, on {load('machine').strip()}")
if boot:
    boot_table()
transfers()
title("Exits of the job, boot included")
counters("by reason (KVM; hypercalls are the guest's to KVM itself)", {k: v for k, v in job["exits"]["kvm"].items() if k in (
    "io_exits", "mmio_exits", "signal_exits", "irq_window_exits", "nmi_window_exits",
    "halt_exits", "irq_exits", "hypercalls", "insn_emulation", "pf_taken", "request_irq_exits")})
counters("to user space", job["exits"]["by_reason"])
counters("port accesses", job["exits"]["by_port"])
counters("hypercalls", job["hypercalls"])
vmm_memory()
guest_verdicts()
verdicts.extend(load("host.verdicts").splitlines())
if boot:
    boot_figures()
title("Verdicts")
print("\n".join(verdicts))
sys.exit(0 if verdicts and all(v.startswith("PASS") for v in verdicts) else 1)
