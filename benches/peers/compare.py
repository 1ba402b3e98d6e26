#!/usr/bin/env python3
"""Runs `rootlet bench` and peers.py alternately on one machine and sets their figures side by side.

    python compare.py --rootlet target/release/rootlet --rounds 3 --json results.json --markdown results.md

Both sides run in every round, one directly after the other, so that a ratio compares the same minute of the same
machine. What is reported is the median over the rounds, and the smallest and the largest ratio of any round. Needs
nothing but Python itself; peers.py runs under `--python`, an interpreter that has torch (see README.md).
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import table

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = ["spmm", "spmm_transposed", "sddmm"]
QUIET = 0.1  # cores that other programs may keep busy before a run counts as contended
STEADY = 1.3  # slowest over fastest round before a figure counts as unsteady


def listed(kind):
    return lambda text: [kind(part) for part in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rootlet", default="target/release/rootlet", help="the binary (release build)")
    parser.add_argument("--rootlet-args", default="", help="more arguments for every `rootlet bench`")
    parser.add_argument(
        "--rootlet-case-args",
        default="",
        help="arguments that narrow `rootlet bench` to one case, with {case}, {n}, {batch}, {sparsity} to fill in; "
        "given, the sides alternate case by case, otherwise whole bench by whole bench",
    )
    parser.add_argument("--adapter", type=listed(str), default=["cpu"], help="a list; each is compared with the same peer")
    parser.add_argument("--python", default=sys.executable, help="interpreter with torch, for peers.py")
    parser.add_argument("--peers-args", default="", help="more arguments for every peers.py")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for both sides")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=listed(str), default=[*KERNELS, "step"])
    parser.add_argument("--n", type=listed(int), default=[4096], help="kernels: units, a list")
    parser.add_argument("--hidden", type=listed(int), default=[4096], help="steps: width of the hidden layers, a list")
    parser.add_argument("--sparsity", type=listed(float), default=[0.98, 0.99], help="kernels, a list")
    parser.add_argument("--step-sparsity", type=listed(float), default=[0.98], help="steps, a list")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--json", metavar="FILE", help="all figures, round by round")
    parser.add_argument("--markdown", metavar="FILE", help="the tables (default: standard output)")
    parser.add_argument("--render", metavar="FILE", help="measure nothing: make the tables from a results file")
    options = parser.parse_args()
    for case in options.cases:
        if case not in [*KERNELS, "step"]:
            parser.error(f"--cases {case}: unknown; one of {', '.join(KERNELS)}, step")
    return options


def busy():
    """CPU seconds that this machine has spent working, and those of our finished children (Linux; else None)."""
    try:
        with open("/proc/stat") as lines:
            user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, lines.readline().split()[1:])
    except (OSError, ValueError):
        return None
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return machine, children.ru_utime + children.ru_stime, time.monotonic()


class Contention:
    """How many cores others kept busy while a command ran: PyTorch's threads wait for each other and suffer most."""

    def __init__(self):
        self.begin = busy()

    def cores(self):
        end = busy()
        if self.begin is None or end is None:
            return None
        machine, children, seconds = (b - a for a, b in zip(self.begin, end))
        return max(0.0, machine - children) / max(seconds, 1e-3)


def execute(command, what):
    """Runs a command that writes its JSON to the file appended to it, and reads that."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "out.json"
        print(f"$ {shlex.join(command)}", file=sys.stderr, flush=True)
        contention = Contention()
        try:
            done = subprocess.run([*command, str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        except OSError as error:
            raise SystemExit(f"cannot run {what} ({command[0]}): {error.strerror}") from None
        if done.returncode != 0:
            raise SystemExit(f"{what} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
        try:
            result = json.loads(file.read_text())
        except (OSError, json.JSONDecodeError) as error:
            raise SystemExit(f"{what} wrote no readable JSON: {error}") from None
        result["others_cores"] = contention.cores()
        return result


def cases(options):
    """Every (case, n, sparsity) to be measured."""
    for case in options.cases:
        sizes, sparsities = (options.hidden, options.step_sparsity) if case == "step" else (options.n, options.sparsity)
        yield from ((case, n, sparsity) for n in sizes for sparsity in sparsities)


def rootlet(options, adapter, narrow=""):
    command = [options.rootlet, "bench", "--adapter", adapter, "--threads", str(options.threads)]
    return execute([*command, *shlex.split(options.rootlet_args), *shlex.split(narrow), "--json"], "rootlet")


def peer(options, case, n, sparsity, connections=None):
    command = [options.python, str(HERE / "peers.py"), "--case", case, "--n", str(n), "--sparsity", str(sparsity)]
    command += ["--batch", str(options.batch), "--threads", str(options.threads)]
    if connections:
        command += ["--connections", ",".join(map(str, connections))]
    return execute([*command, *shlex.split(options.peers_args), "--json"], "peers.py")


def kernel_key(entry):
    return entry["kernel"], entry["n"], entry["batch"], round(entry["sparsity"], 6)


def step_key(entry):
    return "step", entry["model"], entry["batch"], round(entry["sparsity"], 6)


def entries(result):
    """(key, entry) of every kernel and step of one side's JSON."""
    yield from ((kernel_key(entry), entry) for entry in result.get("kernels", []))
    yield from ((step_key(entry), entry) for entry in result.get("steps", []))


def step_connections(found, n, batch, sparsity):
    """How many connections rootlet gave each layer of this step, where its JSON says so ("layers")."""
    key = ("step", f"3072-{n}-{n}-10", batch, round(sparsity, 6))
    return next((entry.get("layers") for k, entry in found if k == key), None)


def measure(options):
    """Ours {adapter: {key: [an entry a round]}}, our raw JSON, theirs {key: {variant: [...]}}, who, and others' cores."""
    ours = {adapter: {} for adapter in options.adapter}
    raw = {adapter: [] for adapter in options.adapter}
    theirs, peers, others = {}, [], []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        found = {adapter: [] for adapter in options.adapter}

        def run_rootlet(narrow="", wanted=None):
            for adapter in options.adapter:
                result = rootlet(options, adapter, narrow)
                raw[adapter].append(result)
                others.append(result["others_cores"])
                found[adapter] += [(k, e) for k, e in entries(result) if wanted in (None, k)]

        if not options.rootlet_case_args:
            run_rootlet()
        for case, n, sparsity in cases(options):
            if options.rootlet_case_args:
                values = {"case": case, "n": n, "batch": options.batch, "sparsity": sparsity}
                wanted = (case, f"3072-{n}-{n}-10" if case == "step" else n, options.batch, round(sparsity, 6))
                run_rootlet(options.rootlet_case_args.format(**values), wanted)
            connections = None
            if case == "step":
                known = (step_connections(f, n, options.batch, sparsity) for f in found.values())
                connections = next((c for c in known if c), None)
            result = peer(options, case, n, sparsity, connections)
            peers.append(result["peer"])
            others.append(result["others_cores"])
            for key, entry in entries(result):
                theirs.setdefault(key, {}).setdefault(entry["variant"], []).append(entry)
        for adapter, pairs in found.items():
            for key, entry in pairs:
                ours[adapter].setdefault(key, []).append(entry)
    return ours, raw, theirs, peers, others


def family(key, variant):
    """What a variant is an instance of: `csr`, `dense` or `masked`. The fastest of each is compared."""
    if key[0] == "step":
        return variant.split("_")[0]
    return "dense" if variant == "dense" else "csr"


def summary(rounds):
    seconds = [entry["seconds"] for entry in rounds]
    last = {k: v for k, v in rounds[-1].items() if k not in ("seconds", "seconds_min", "repeats", "gflop_s")}
    merged = {**last, "seconds": statistics.median(seconds), "rounds": seconds}
    if "gflop_s" in rounds[-1]:
        merged["gflop_s"] = statistics.median(entry["gflop_s"] for entry in rounds)
    return merged


def compare(key, ours, variants):
    """One line of the comparison: our summary, every variant's, and per family the fastest with its ratio."""
    line = {"rootlet": summary(ours), "peers": {name: summary(rounds) for name, rounds in variants.items()}, "against": {}}
    for name, rounds in variants.items():
        # Ours and theirs of the same round; a ratio above 1 says how many times as fast rootlet is.
        ratios = [theirs["seconds"] / mine["seconds"] for mine, theirs in zip(ours, rounds)]
        entry = {
            "variant": name,
            "seconds": line["peers"][name]["seconds"],
            "ratio": statistics.median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
        }
        best = line["against"].get(family(key, name))
        if best is None or entry["seconds"] < best["seconds"]:
            line["against"][family(key, name)] = entry
    return line


def warnings(key, line):
    """What makes a line less than a fair comparison."""
    sides = [("rootlet", line["rootlet"])] + [(a["variant"], line["peers"][a["variant"]]) for a in line["against"].values()]
    for name, side in sides:
        spread = max(side["rounds"]) / min(side["rounds"])
        if spread > STEADY:
            yield f"{' '.join(map(str, key))}: {name} was {spread:.1f} times as slow in one round as in another"
    mine = line["rootlet"].get("connections")
    for name, entry in line["peers"].items():
        if mine and not name.startswith("dense") and abs(entry["connections"] - mine) > 0.01 * mine:
            yield (
                f"{' '.join(map(str, key))}: rootlet has {mine} connections, PyTorch {entry['connections']}; "
                'have rootlet write "layers" in its step, or pass --peers-args "--connections …"'
            )
            return


def exponent(points):
    """Slope of log(value) against log(n) by least squares."""
    points = [(math.log(n), math.log(value)) for n, value in points if value and value > 0]
    if len({x for x, _ in points}) < 2:
        return None
    mean_x, mean_y = (statistics.fmean(axis) for axis in zip(*points))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def scaling(runs):
    """Medians over the rounds, and how each figure grows with n."""
    by_n = {}
    for result in runs:
        for entry in result.get("scaling", []):
            by_n.setdefault(entry["n"], []).append(entry)
    figures = ["step_seconds", "round_seconds", "resident_bytes"]
    rows = [
        {"n": n, "connections": e[-1]["connections"], **{f: statistics.median(x[f] for x in e) for f in figures}}
        for n, e in sorted(by_n.items())
    ]
    return {"rows": rows, "exponents": {f: exponent([(r["n"], r[f]) for r in rows]) for f in figures}}


def results(options):
    ours, raw, theirs, peers, others = measure(options)
    out = {
        "format": 1,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "rounds": options.rounds,
        "threads": options.threads,
        "alternated": "by case" if options.rootlet_case_args else "by whole bench",
        "peer": {k: v for k, v in peers[-1].items() if k != "load_average"},
        "others_cores": others,
        "adapters": [],
        "warnings": [],
    }
    contended = max((cores for cores in others if cores is not None), default=0.0)
    if contended > QUIET:
        out["warnings"].append(f"other programs kept up to {contended:.1f} cores busy: measure again on an idle machine")
    for adapter in options.adapter:
        section = {"asked": adapter, **raw[adapter][-1].get("adapter", {})}
        ceilings = [result["ceilings"] for result in raw[adapter] if result.get("ceilings")]
        section["ceilings"] = {k: statistics.median(c[k] for c in ceilings) for k in (ceilings[-1] if ceilings else [])}
        section["scaling"] = scaling(raw[adapter])
        section["lines"] = []
        for key in sorted(ours[adapter], key=lambda k: ([*KERNELS, "step"].index(k[0]), k[1:])):
            line = compare(key, ours[adapter][key], theirs.get(key, {}))
            section["lines"].append({"key": list(key), **line})
            out["warnings"] += warnings(key, line)
        for key in theirs.keys() - ours[adapter].keys():
            out["warnings"].append(f"{' '.join(map(str, key))}: rootlet bench on {adapter} has no such case")
        out["adapters"].append(section)
    return out


def main():
    options = parse()
    out = json.loads(pathlib.Path(options.render).read_text()) if options.render else results(options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(out, indent=1) + "\n")
    for warning in out["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    text = table.markdown(out)
    if options.markdown:
        pathlib.Path(options.markdown).write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
