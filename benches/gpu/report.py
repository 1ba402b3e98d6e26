#!/usr/bin/env python3
"""The table of what was measured: `python report.py measure.json`."""

import json
import sys

NAMES = {"spmm": "SpMM", "spmm_transposed": "SpMM, transposed", "sddmm": "SDDMM"}
DENSE = {"spmm": "dense", "spmm_transposed": "dense_transposed", "sddmm": "dense_gradient"}
PRECISIONS = ("fp32", "tf32", "bf16")
CEILINGS = [
    ("copy_gb_s", "copy, read and written", "GB/s"),
    ("multiply_add_gflop_s", "multiply-add", "GFLOP/s"),
    ("dispatch_us", "a dispatch in a pass", "µs"),
    ("encode_us", "the host's part of it", "µs"),
    ("submit_us", "a submission alone", "µs"),
    ("readback_us", "read-back of 16 bytes", "µs"),
    ("barrier_ns", "barrier of a workgroup of 256", "ns"),
    ("sum_memory_ns", "sum of 256 in workgroup memory", "ns"),
    ("sum_subgroups_ns", "sum of 256 with subgroups", "ns"),
]


def number(value):
    """Three significant digits, never in exponent form."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.6f}"


def ms(entry):
    return "–" if entry is None or "seconds" not in entry else number(entry["seconds"] * 1e3)


def percent(share):
    return "–" if share is None else f"{share * 100:.4g} %"


def times(ours, theirs):
    """How many times as fast ours is."""
    if not ours or not theirs or "seconds" not in theirs:
        return "–"
    return f"**{theirs['seconds'] / ours['seconds']:.2f}**"


def rows(header, lines):
    if not lines:
        return []
    return ["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *("| " + " | ".join(line) + " |" for line in lines), ""]


def is_bench(result):
    """Whether a part is one of `rootlet bench`."""
    return isinstance(result, dict) and isinstance(result.get("code"), dict)


class Found:
    """The parts' results, by name."""

    def __init__(self, whole):
        self.parts = whole["parts"]
        self.benched = [part for part in self.parts if is_bench(part["result"])]
        self.torch = [line for part in self.parts if part["name"].startswith("torch") for line in part["result"] or []]

    def result(self, name):
        return next((part["result"] for part in self.parts if part["name"] == name and part["result"]), None)

    def benches(self, key, variants=False):
        """The entries of a list of all `rootlet bench` parts; of those with another value of a flag, or the others."""
        found = []
        for part in self.benched:
            flag = part["name"].partition(", ")[2]
            if bool(flag) == variants:
                found += [(flag, entry) for entry in part["result"].get(key) or []]
        return found

    def peer(self, case, **wanted):
        """The line of PyTorch that fits."""
        for line in self.torch:
            if line.get("case") == case and all(line.get(key) == value for key, value in wanted.items()):
                return line
        return None


def heading(whole, found):
    machine = whole["machine"]
    first = found.benched[0]["result"] if found.benched else None
    adapter, code = (first["adapter"], first["code"]) if first else ({}, {})
    lines = [f"# {adapter.get('name') or 'No adapter was measured'}", ""]
    if first:
        lines.append(f"{adapter.get('backend')}, {adapter.get('device_type')}, driver {adapter.get('driver')};")
        lines.append(f"rootlet {code.get('version')}, sources {code.get('sources')};")
    lines.append(f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f}; {machine['date']}.")
    torch = next((line for line in found.torch if line.get("case") == "about"), {})
    if torch:
        lines.append(f"PyTorch {torch.get('torch')} on {torch.get('name', torch.get('device'))}, CUDA {torch.get('cuda')}.")
    verified = next((part for part in found.parts if part["name"] == "verify"), None)
    if verified:
        lines.append("`rootlet verify`: " + ("passed." if verified["status"] == "done" else f"**{verified['status']}**: {last(verified)}"))
    return lines + [""]


def last(part):
    lines = part["message"].strip().splitlines()
    return lines[-1].replace("|", "\\|") if lines else ""


def ceilings(found):
    whole = (found.result("ceilings") or {}).get("ceilings")
    if not whole:
        return []
    lines = [[label, number(whole[field]), unit] for field, label, unit in CEILINGS if whole.get(field) is not None]
    for rate in whole.get("loads", []):
        size = rate["bytes"]
        size = f"{size >> 20} MiB" if size >> 20 else f"{size >> 10} KiB"
        both = f"{number(rate.get('random_gb_s'))} · {number(rate.get('sequential_gb_s'))}"
        lines.append([f"rows of 512 bytes from {size}: at random · in order", both, "GB/s"])
    return ["## Ceilings", "", *rows(["ceiling", "median", "unit"], lines), f"Timed by {whole.get('timed_by', 'the host')}.", ""]


def products(found):
    lines = []
    for _, k in found.benches("kernels"):
        if k["kernel"] not in NAMES:
            continue
        case = {"n": k["n"], "batch": k["batch"]}
        peer = found.peer("product", kernel=k["kernel"], sparsity=k["sparsity"], **case)
        full = [found.peer("product", kernel=DENSE[k["kernel"]], variant=v, **case) for v in PRECISIONS]
        share = k.get("share_of_ceiling")
        bound = f"{percent(round(share, 2))} of {k['bound']}" if share is not None else "–"
        lines.append(
            [NAMES[k["kernel"]], str(k["n"]), percent(k["sparsity"]), ms(k), number(k.get("bytes", 0) / 1e6), number(k["gflop_s"]), bound]
            + [ms(peer), times(k, peer), " · ".join(ms(d) for d in full)]
        )
    header = ["product", "n", "sparsity", "rootlet, ms", "MB", "GFLOP/s", "of its bound"]
    header += ["CSR, ms", "×", "dense, ms: FP32 · TF32 · bf16"]
    if not lines:
        return []
    note = "MB: everything that is read or written, once. CSR: `torch.sparse` (cuSPARSE on CUDA), `sampled_addmm` for SDDMM. "
    note += "× above 1: rootlet is faster."
    return ["## Products", "", *rows(header, lines), note, ""]


def dense(found):
    """rootlet's dense products beside PyTorch's."""
    lines = []
    for _, k in found.benches("kernels"):
        if k["kernel"] in DENSE.values():
            peers = [found.peer("product", kernel=k["kernel"], variant=v, n=k["n"], batch=k["batch"]) for v in PRECISIONS]
            lines.append([f"`{k['kernel']}`", str(k["n"]), ms(k), number(k["gflop_s"]), " · ".join(ms(p) for p in peers)])
    header = ["product", "n", "rootlet, ms", "GFLOP/s", "PyTorch, ms: FP32 · TF32 · bf16"]
    return ["## Dense products", "", *rows(header, lines)] if lines else []


def steps(found):
    lines, details = [], []
    for _, s in found.benches("steps") + found.benches("models"):
        peers = [line for line in found.torch if line.get("case") == "step"]
        peers = [line for line in peers if (line.get("model"), line.get("batch")) == (s["model"], s["batch"])]
        masked = best(peers, "masked")
        eager = best([p for p in peers if "," not in p["variant"]], "masked")
        dense = best(peers, "dense")
        lines.append(
            [s["model"], str(s["batch"]), f"{s['connections']:,}", ms(s), number(s["round_seconds"] * 1e3)]
            + [named(eager), times(s, eager), named(masked), times(s, masked), named(dense), times(s, dense)]
        )
        details += kernels(s)
    header = ["step", "batch", "connections", "rootlet, ms", "a round adds, ms"]
    header += ["masked, eager, ms", "×", "masked, best, ms", "×", "dense, best, ms", "×"]
    return ["## Training steps", "", *rows(header, lines), *details] if lines else []


def best(peers, kind):
    done = [p for p in peers if p["variant"].startswith(kind) and "seconds" in p]
    return min(done, key=lambda p: p["seconds"]) if done else None


def named(peer):
    return f"{ms(peer)} ({peer['variant'].split(' ', 1)[1]})" if peer else "–"


def kernels(step, most=12):
    found = (step.get("kernels") or [])[:most]
    if not found:
        return []
    whole = sum(k["seconds"] for k in step["kernels"])
    lines = [
        [f"`{k['kernel']}`", str(k["calls"]), ms(k), percent(round(k["share"], 3)), number(k.get("bytes", 0) / 1e6), number(k["gb_s"])]
        for k in found
    ]
    calls, clock = sum(k["calls"] for k in step["kernels"]), step.get("kernels_timed_by", "the host")
    about = f"{step['model']}: {calls} dispatches, {number(whole * 1e3)} ms together (timed by {clock}):"
    return [about, "", *rows(["kernel", "calls", "ms", "share", "MB", "GB/s"], lines)]


def crossover(found):
    lines = [[c["layer"], percent(c.get("tie")), number(c.get("dense_gflop_s"))] for _, c in found.benches("crossover")]
    return ["## Dense crossover", "", *rows(["layer", "density of a tie", "dense, GFLOP/s"], lines)] if lines else []


def variants(found):
    plain = [k for _, k in found.benches("kernels")] + [m for _, m in found.benches("models")]
    lines = []
    for flag, entry in found.benches("kernels", True) + found.benches("models", True):
        same = ("kernel", "model", "n", "batch", "sparsity")
        base = next((b for b in plain if all(b.get(key) == entry.get(key) for key in same)), None)
        case = entry.get("model") or f"{NAMES.get(entry['kernel'], entry['kernel'])}, n = {entry['n']}, {percent(entry['sparsity'])}"
        lines.append([flag, case, ms(base), ms(entry), times(entry, base)])
    return ["## Variants", "", *rows(["flag", "case", "default, ms", "with the flag, ms", "×"], lines)] if lines else []


def how_it_went(whole, found):
    lines = [[p["name"], p["status"], f"{p['seconds']:.1f}", last(p)[:200]] for p in whole["parts"]]
    inside = []
    for line in found.torch:
        if "error" in line:
            case = line.get("model") or f"{line.get('kernel', 'product')} n = {line.get('n')}"
            inside.append([case, line.get("variant", ""), line["error"].replace("|", "\\|")[:200]])
    text = ["## How it went", "", *rows(["part", "status", "s", "message"], lines)]
    return text + (["Cases of PyTorch that failed:", "", *rows(["case", "variant", "message"], inside)] if inside else [])


def markdown(whole):
    found = Found(whole)
    lines = heading(whole, found)
    for make in (ceilings, products, dense, steps, crossover, variants):
        lines += make(found)
    return "\n".join(lines + how_it_went(whole, found)).rstrip() + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(markdown(json.load(file)), end="")
