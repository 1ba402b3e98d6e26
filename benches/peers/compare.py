#!/usr/bin/env python3
"""Runs rootlet, PyTorch with SciPy, and burn alternately on one machine and sets their figures side by side.

    python compare.py --python PEERS/bin/python --docs docs/benchmarks.md --json results.json

All sides run in every round, one directly after the other, case by case, so that a ratio compares the same minute of the same
machine. What is reported is the median over the rounds, and the smallest and the largest ratio of any round. Needs nothing but
Python itself; peers.py runs under `--python`, an interpreter that has torch and scipy, and burn is a binary (see README.md).
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import sys
import time

import sides
import table

KERNELS = ["spmm", "spmm_transposed", "sddmm"]
CASES = [*KERNELS, "step", "model"]
QUIET = 0.1  # cores that other programs may keep busy before a run counts as contended
STEADY = 1.3  # slowest over fastest round before a figure counts as unsteady


def listed(kind):
    return lambda text: [kind(part) for part in text.split(",") if part]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rootlet", default="target/release/rootlet", help="the binary (release build)")
    parser.add_argument("--burn", default="benches/peers/burn/target/release/burn-peer", help="the binary (release build)")
    parser.add_argument("--python", default=sys.executable, help="interpreter with torch and scipy, for peers.py")
    parser.add_argument("--without", type=listed(str), default=[], help="peers to leave out: pytorch, burn")
    parser.add_argument("--adapter", type=listed(str), default=["cpu", "0"], help="a list; burn stands beside all but cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for all sides")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each measurement")
    parser.add_argument("--cases", type=listed(str), default=CASES)
    parser.add_argument("--n", type=listed(int), default=[4096], help="products: units, a list")
    parser.add_argument("--hidden", type=listed(int), default=[4096], help="steps: width of the hidden layers, a list")
    parser.add_argument("--models", type=listed(str), default=["vgg16-small", "resnet20", "resnet56"])
    parser.add_argument("--model-variants", default="masked_channels_last", help="of PyTorch's, a list")
    parser.add_argument("--sparsity", type=listed(float), default=[0.9, 0.98, 0.99], help="products, a list")
    parser.add_argument("--step-sparsity", type=listed(float), default=[0.98], help="steps and models, a list")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--no-full", dest="full", action="store_false", help="leave out the whole `rootlet bench` of each adapter")
    parser.add_argument("--note", default="", help="a sentence for the report, such as what else the machine did")
    parser.add_argument("--json", metavar="FILE", help="all figures, round by round")
    parser.add_argument("--markdown", metavar="FILE", help="the tables (default: standard output)")
    parser.add_argument("--docs", metavar="FILE", help="put the tables between the markers of this file")
    parser.add_argument("--render", metavar="FILE", help="measure nothing: make the tables from a results file")
    options = parser.parse_args()
    for case in options.cases:
        if case not in CASES:
            parser.error(f"--cases {case}: unknown; one of {', '.join(CASES)}")
    for peer in options.without:
        if peer not in ("pytorch", "burn"):
            parser.error(f"--without {peer}: unknown; pytorch or burn")
    return options


def cases(options):
    """Every (case, size or model, sparsity) to be measured."""
    for case in options.cases:
        of = {"step": (options.hidden, options.step_sparsity), "model": (options.models, options.step_sparsity)}
        sizes, sparsities = of.get(case, (options.n, options.sparsity))
        yield from ((case, n, sparsity) for n in sizes for sparsity in sparsities)


def entries(result):
    """(key, entry) of every product, step and model of one side's JSON."""
    for entry in result.get("kernels", []):
        yield (entry["kernel"], entry["n"], entry["batch"], round(entry["sparsity"], 6)), entry
    for kind, part in (("step", "steps"), ("model", "models")):
        for entry in result.get(part, []):
            yield (kind, entry["model"], entry["batch"], round(entry["sparsity"], 6)), entry


class Figures:
    """What every side found: {adapter: {key: [an entry a round]}} and {key: {variant: [...]}}."""

    def __init__(self, options):
        self.ours = {adapter: {} for adapter in options.adapter}
        self.identities = {}
        self.theirs, self.code, self.others = {}, {}, []

    def add_ours(self, adapter, result):
        self.others.append(result["others_cores"])
        self.identities[adapter] = (result["adapter"], result["code"])
        for key, entry in entries(result):
            self.ours[adapter].setdefault(key, []).append(entry)

    def add_theirs(self, result, key=None):
        self.others.append(result["others_cores"])
        self.code[result["code"]["name"]] = {**result["code"], **result.get("peer", {}), "adapter": result["adapter"]}
        for found, entry in entries(result):
            self.theirs.setdefault(key or found, {}).setdefault(entry["variant"], []).append(entry)


def measure(options):
    figures = Figures(options)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        burnt = set()
        for case, n, sparsity in cases(options):
            name = f"3072-{n}-{n}-10" if case == "step" else n
            connections = None
            batches = set()
            for adapter in options.adapter:
                result = sides.rootlet_case(options, adapter, case, n, sparsity)
                figures.add_ours(adapter, result)
                for (kind, model, batch, _), entry in entries(result):
                    if (kind, model) == (case, name):
                        connections = connections or entry.get("layers")
                        batches.add(batch)
            if "pytorch" not in options.without:
                for batch in sorted(batches):
                    figures.add_theirs(sides.pytorch(options, case, n, sparsity, batch, connections))
            if "burn" not in options.without and case == "step":
                figures.add_theirs(sides.burn(options, case, n, sparsity))
            elif "burn" not in options.without and case in KERNELS and n not in burnt:
                # A dense product is the same at every sparsity.
                burnt.add(n)
                result = sides.burn(options, case, n, sparsity)
                figures.others.append(result["others_cores"])
                figures.code["burn"] = {**result["code"], "adapter": result["adapter"]}
                for entry in result["kernels"]:
                    for other in options.sparsity:
                        key = (entry["kernel"], n, entry["batch"], round(other, 6))
                        figures.theirs.setdefault(key, {}).setdefault(entry["variant"], []).append(entry)
    return figures


def family(key, variant):
    """What a variant is an instance of. The fastest of each is compared."""
    if variant.startswith("burn_"):
        return variant.replace("_", " ")
    if variant.startswith("scipy"):
        return "SciPy CSR"
    if key[0] in ("step", "model"):
        return f"PyTorch {variant.split('_')[0]}"
    return "PyTorch dense" if variant == "dense" else "PyTorch csr"


def summary(rounds):
    seconds = [entry["seconds"] for entry in rounds]
    last = {k: v for k, v in rounds[-1].items() if k not in ("seconds", "seconds_spread", "gflop_s", "kernels")}
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
    named = [(a["variant"], line["peers"][a["variant"]]) for a in line["against"].values()]
    for name, side in [("rootlet", line["rootlet"]), *named]:
        spread = max(side["rounds"]) / min(side["rounds"])
        if spread > STEADY:
            yield f"{' '.join(map(str, key))}: {name} was {spread:.1f} times as slow in one round as in another"
    mine = line["rootlet"].get("connections")
    for name, entry in line["peers"].items():
        if mine and "dense" not in name and abs(entry["connections"] - mine) > 0.02 * mine:
            yield f"{' '.join(map(str, key))}: rootlet has {mine} connections, {name} {entry['connections']}"


def results(options):
    begin = time.monotonic()
    figures = measure(options)
    full = {}
    if options.full:
        full = {adapter: sides.rootlet(options, adapter, []) for adapter in options.adapter}
        figures.others += [report["others_cores"] for report in full.values()]
    out = {
        "format": 2,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "minutes": (time.monotonic() - begin) / 60,
        "rounds": options.rounds,
        "threads": options.threads,
        "cores": os.cpu_count(),
        "note": options.note,
        "peers": {name: {k: v for k, v in code.items() if k != "load_average"} for name, code in figures.code.items()},
        "others_cores": figures.others,
        "adapters": [],
        "full": full,
        "warnings": [],
    }
    known = [cores for cores in figures.others if cores is not None]
    if known and max(known) > QUIET:
        out["warnings"].append(
            f"other programs kept {statistics.median(known):.1f} cores busy (median; up to {max(known):.1f}): "
            "measure again on an idle machine"
        )
    for adapter, ours in figures.ours.items():
        identity, code = figures.identities.get(adapter, ({}, {}))
        section = {"asked": adapter, **identity, "code": code, "lines": []}
        for key in sorted(ours, key=lambda k: (CASES.index(k[0]), *map(str, k[1:]))):
            theirs = figures.theirs.get(key, {})
            if identity.get("backend") == "cpu":
                theirs = {name: entries for name, entries in theirs.items() if not name.startswith("burn_")}
            line = compare(key, ours[key], theirs)
            section["lines"].append({"key": list(key), **line})
            out["warnings"] += [f"{adapter}: {warning}" for warning in warnings(key, line)]
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
    if options.docs:
        table.replace(pathlib.Path(options.docs), text)
    if options.markdown:
        pathlib.Path(options.markdown).write_text(text)
    elif not options.docs:
        print(text, end="")


if __name__ == "__main__":
    main()
