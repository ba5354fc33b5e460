# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is compared: a table of guests, the exact command that starts each, and what each cannot do."""
import fcntl
import functools
import os
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PARAVANE = f"{ROOT}/build/paravane"
QEMU = "qemu-system-x86_64"
MEMORY_MIB = 256
VCPUS = 2
# The second processor of a guest is set to work only for what needs two
APPEND = "quiet panic=-1 nowatchdog rcupdate.rcu_cpu_stall_suppress=1 maxcpus=1 guest.out=port"

KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_GET_TSC_KHZ = 0xae01, 0xae41, 0xaea3

FULL_DISK = ["-drive", "if=ide,index=0,format=raw,file.locking=off,file={disk}",
             # IDE knows no read-only disk; the guest mounts it so
             "-drive", "if=ide,index=2,format=raw,file.locking=off,file={tools}"]
FULL_NET = ["-netdev", "tap,id=net,ifname={tap},script=no,downscript=no",
            "-device", "e1000,netdev=net,romfile="]
VIRTIO_DISK = ["-object", "iothread,id=io",
               "-drive", "if=none,id=disk,format=raw,aio=io_uring,file.locking=off,file={disk}",
               "-drive", "if=none,id=tools,format=raw,readonly=on,file.locking=off,file={tools}",
               "-device", "virtio-blk-{bus},drive=disk,iothread=io", "-device", "virtio-blk-{bus},drive=tools"]
VIRTIO_NET = ["-netdev", "tap,id=net,ifname={tap},script=no,downscript=no{vhost}",
              "-device", "virtio-net-{bus},netdev=net{no_rom}"]
FULL_MODULES = ["ata_piix", "sd_mod", "e1000"]
VIRTIO_MODULES = ["virtio_blk", "virtio_net"]
OURS = ["paravane", "paravane-blk", "paravane-net"]


def tsc_khz():
    """The rate of a guest's TSC, asked of KVM."""
    fds = [os.open("/dev/kvm", os.O_RDWR)]
    try:
        for request in (KVM_CREATE_VM, KVM_CREATE_VCPU):
            fds.append(fcntl.ioctl(fds[-1], request, 0))
        return fcntl.ioctl(fds[-1], KVM_GET_TSC_KHZ, 0)
    finally:
        for fd in reversed(fds):
            os.close(fd)


@functools.lru_cache
def version(command, pattern):
    """What a program says of its version."""
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    found = re.search(pattern, said)
    return found[1] if found else "unknown"


class Column:
    """One competitor. @cannot says why it has no disk and no network, or None."""

    def __init__(self, name, title, disk="", modules=(), cannot=None, append=""):
        self.name, self.title, self.modules, self.cannot, self.append = name, title, modules, cannot, append
        # What the guest calls its two disks
        self.disk, self.tools = (f"/dev/{disk}a", f"/dev/{disk}b") if disk else (None, None)

    def missing(self):
        """Why it cannot run here, or None."""
        return None

    def command(self, files):
        """What starts it; @files has name, kernel, vmlinux, initrd, append, disk and tools (or None), tap (or None)."""
        raise NotImplementedError

    def versions(self):
        return {}

    def guest_append(self):
        return self.append


class Native(Column):
    def command(self, files):
        return []


class Qemu(Column):
    def __init__(self, name, title, machine, disk_options, net_options, kernel="vmlinux", bus="pci", **more):
        super().__init__(name, title, **more)
        self.machine, self.disk_options, self.net_options = machine, disk_options, net_options
        self.kernel, self.bus = kernel, bus

    def missing(self):
        return None if shutil.which(QEMU) else f"{QEMU} is not installed"

    def command(self, files):
        values = {"bus": self.bus, "no_rom": "" if self.bus == "device" else ",romfile=",
                  "vhost": ",vhost=on" if os.path.exists("/dev/vhost-net") else "", **files}
        options = [*self.machine, *(self.disk_options if files["disk"] else []),
                   *(self.net_options if files["tap"] else [])]
        return [QEMU, "-name", f"{files['name']},debug-threads=on", "-accel", "kvm",
                "-smp", str(VCPUS), "-m", str(MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none",
                "-no-reboot", "-kernel", files[self.kernel], "-initrd", files["initrd"], "-append", files["append"],
                "-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line",
                "-chardev", "file,id=debug,path=/dev/stderr",
                "-device", "isa-debugcon,iobase=0xe9,chardev=debug",
                *(word.format(**values) for word in options)]

    def versions(self):
        return {"qemu": version((QEMU, "--version"), r"version (\S+)")}


class FullTsc(Qemu):
    """Its TSC is believed, where the kernel by itself would take the HPET."""

    def guest_append(self):
        return f"{self.append} clocksource=tsc tsc=reliable tsc_early_khz={tsc_khz()}"


class Paravane(Column):
    def __init__(self, name, title, profile, **more):
        super().__init__(name, title, **more)
        self.profile = profile

    def missing(self):
        return None if os.path.exists(PARAVANE) else "build/paravane is not built (make)"

    def command(self, files):
        disks = ["--disk", files["disk"], "--disk", files["tools"] + ",ro"] if files["disk"] else []
        net = "tap=" + files["tap"] if files["tap"] else "none"
        return [PARAVANE, "run", "--name", files["name"], "--profile", self.profile,
                "--kernel", files["vmlinux"], "--initrd", files["initrd"], "--append", files["append"],
                "--memory", f"{MEMORY_MIB}M", "--vcpus", str(VCPUS), *disks, "--net", net,
                "--console", "stdio"]

    def versions(self):
        return {"paravane": version((PARAVANE, "version"), r"(\S+)$")}


FULL = {"machine": ["-machine", "pc", "-cpu", "host,kvm=off,-hypervisor"], "kernel": "kernel",
        "disk_options": FULL_DISK, "net_options": FULL_NET, "disk": "sd", "modules": FULL_MODULES, "append": "nopv"}
COLUMNS = [
    Native("native", "native, without a guest"),
    Qemu("qemu-full-hpet", "QEMU, full virtualization (IDE, e1000), HPET", **FULL),
    FullTsc("qemu-full-tsc", "QEMU, full virtualization (IDE, e1000), TSC", **FULL),
    Qemu("qemu-virtio", "QEMU, virtio (iothread, io_uring, vhost, KVM's PV)", ["-machine", "pc", "-cpu", "host"],
         VIRTIO_DISK, VIRTIO_NET, disk="vd", modules=["virtio_pci", *VIRTIO_MODULES]),
    Qemu("qemu-microvm", "QEMU microvm, virtio-mmio",
         ["-machine", "microvm,rtc=on,pit=off,pic=off,isa-serial=on", "-cpu", "host"],
         VIRTIO_DISK, VIRTIO_NET, bus="device", disk="vd", modules=["virtio_mmio", *VIRTIO_MODULES],
         append="pci=off"),
    Paravane("paravane", "Paravane, before insmod", "kvm", append="pci=off",
             cannot="the guest has neither disk nor network before insmod"),
    Paravane("paravane-pv", "Paravane, our modules", "kvm", disk="xvd", modules=OURS, append="pci=off"),
    Paravane("paravane-xen", "Paravane, the kernel's Xen drivers", "xen", disk="xvd",
             modules=["xen-blkfront", "xen-netfront"]),
]
# What --against may name
GROUPS = {"qemu-full": ["qemu-full-hpet", "qemu-full-tsc"]}


def chosen(against):
    """The columns to measure: native and ours always, of the others those @against names (None: all)."""
    if against is None:
        return COLUMNS
    names = [name for word in against for name in GROUPS.get(word, [word])]
    return [c for c in COLUMNS if c.name in names or not isinstance(c, Qemu)]
