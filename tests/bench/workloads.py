# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: a table of commands, and how their output is read."""
import json

# Shell commands; {disk} is the disk under test, {direct} whether to pass its cache by, {server} who runs
# iperf3's server, {seconds} how long.
FIO = ("fio --name={name} --filename={{disk}} --readonly --rw={rw} --bs={bs} --iodepth={depth} --ioengine=libaio"
       " --direct={{direct}} --invalidate=0 --thread --time_based --runtime={{seconds}} --output-format=json")
IPERF = "iperf3 --client {{server}} --time {{seconds}} --json{more}"
MB = 1000 * 1000


def last_json(text):
    """The object a program printed; words before and after it are left out."""
    return json.loads(text[text.index("{"):text.rindex("}") + 1])


def fio_iops(text):
    read = last_json(text)["jobs"][0]["read"]
    return read["iops"], read["total_ios"]


def fio_mbps(text):
    read = last_json(text)["jobs"][0]["read"]
    return read["bw_bytes"] / MB, read["io_bytes"] / MB


def iperf_mbps(text):
    end = last_json(text)["end"]["sum_received"]
    return end["bits_per_second"] / 8 / MB, end["bytes"] / MB


class Workload:
    """@read(output) gives (rate in @unit, how many of @per were done)."""

    def __init__(self, name, unit, per, command, read):
        self.name, self.unit, self.per, self.command, self.read = name, unit, per, command, read


def fio(name, rw, bs, depth, unit, per, read):
    return Workload(name, unit, per, FIO.format(name=name, rw=rw, bs=bs, depth=depth), read)


WORKLOADS = [
    fio("randread-4k-qd1", "randread", "4k", 1, "IOPS", "op", fio_iops),
    fio("randread-4k-qd32", "randread", "4k", 32, "IOPS", "op", fio_iops),
    fio("read-128k-qd4", "read", "128k", 4, "MB/s", "MB", fio_mbps),
    Workload("tcp-out", "MB/s", "MB", IPERF.format(more=""), iperf_mbps),
    Workload("tcp-in", "MB/s", "MB", IPERF.format(more=" --reverse"), iperf_mbps),
]
