"""Markdown tables from the results of compare.py."""

NAMES = {"spmm": "SpMM", "spmm_transposed": "SpMM, transposed", "sddmm": "SDDMM"}
SHORT = {"dense": "dense", "dense_transposed": "dense, transposed", "dense_gradient": "dense, gradient"}
CEILINGS = {
    "copy_gb_s": ("copy, read and written", "GB/s"),
    "vec4_loads_gelem_s": ("vec4 loads, random rows", "G elements/s"),
    "vec4_loads_sequential_gelem_s": ("vec4 loads, rows in order", "G elements/s"),
    "multiply_add_gflop_s": ("multiply-add", "GFLOP/s"),
    "dispatch_us": ("dispatch in a pass", "µs"),
    "submit_us": ("dispatch alone", "µs"),
    "readback_us": ("read-back of 16 bytes", "µs"),
    "barrier_ns": ("barrier of a workgroup of 256", "ns"),
    "sum_memory_ns": ("sum of 256 in workgroup memory", "ns"),
    "sum_subgroups_ns": ("sum of 256 with subgroups", "ns"),
}
BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"


def number(value, digits=3):
    """Three significant digits, never in exponent form."""
    if value is None:
        return "–"
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def milliseconds(seconds):
    return number(seconds * 1e3) if seconds is not None else "–"


def percent(fraction):
    return "–" if fraction is None else f"{fraction * 100:.4g} %"


def mebibytes(entry):
    return number(sum(entry["bytes"].values()) / 2**20) if entry.get("bytes") else "–"


def rows(header, lines):
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for line in lines:
        yield "| " + " | ".join(line) + " |"
    yield ""


def against(line, family):
    """Two cells: their time with the variant's name, and how many times as fast we are (smallest–largest round)."""
    entry = line["against"].get(family)
    if entry is None:
        return ["–", "–"]
    spread = f"{entry['ratio_min']:.2f}–{entry['ratio_max']:.2f}"
    return [f"{milliseconds(entry['seconds'])} (`{entry['variant']}`)", f"**{entry['ratio']:.2f}** ({spread})"]


def families(lines):
    """The kinds of peers that any line has, in the order in which they come."""
    found = dict.fromkeys(family for line in lines for family in line["against"])
    return sorted(found)


def kernels(lines):
    peers = families(lines)
    header = ["product", "n", "batch", "sparsity", "rootlet, ms", "GFLOP/s", "GB/s", "of its ceiling"]
    header += [cell for peer in peers for cell in (f"{peer}, ms", "×")]
    cells = []
    for line in lines:
        ours, (kernel, n, batch, sparsity) = line["rootlet"], line["key"]
        share = ours.get("share_of_ceiling")
        bound = f"{percent(round(share, 2))} of {ours.get('bound', '?')}" if share is not None else "–"
        cells.append(
            [NAMES.get(kernel, kernel), str(n), str(batch), percent(sparsity), milliseconds(ours["seconds"])]
            + [number(ours.get("gflop_s")), number(ours.get("gb_s")), bound]
            + [cell for peer in peers for cell in against(line, peer)]
        )
    return rows(header, cells)


def steps(lines):
    peers = families(lines)
    header = ["step", "batch", "sparsity", "connections", "rootlet, ms", "round, in steps", "peak, MiB"]
    header += [cell for peer in peers for cell in (f"{peer}, ms", "×")]
    cells = []
    for line in lines:
        ours, (_, model, batch, sparsity) = line["rootlet"], line["key"]
        cells.append(
            [model, str(batch), percent(sparsity), f"{ours['connections']:,}", milliseconds(ours["seconds"])]
            + [number(ours.get("round_in_steps")), mebibytes(ours)]
            + [cell for peer in peers for cell in against(line, peer)]
        )
    return rows(header, cells)


def ceilings(report):
    found = report.get("ceilings") or {}
    spread = found.get("spread", {})

    def quartiles(name):
        return f"{number(spread[name]['q1'])}–{number(spread[name]['q3'])}" if name in spread else "–"

    cells = [
        [label, number(found[name]), quartiles(name), unit]
        for name, (label, unit) in CEILINGS.items()
        if found.get(name) is not None
    ]
    return rows(["ceiling", "median", "quartiles", "unit"], cells) if cells else []


def figure_8(report):
    """GFLOP/s, and in brackets milliseconds, of every product by size and sparsity."""
    found = [k for k in report["kernels"] if k.get("n")]
    kinds = list(dict.fromkeys(k["kernel"] for k in found))
    by_size = {}
    for k in found:
        by_size.setdefault((k["n"], k["sparsity"]), {})[k["kernel"]] = k

    def cell(entry):
        if entry is None:
            return "skipped"
        share = entry.get("share_of_ceiling")
        share = "–" if share is None else percent(round(share, 2))
        return f"{milliseconds(entry['seconds'])} · {number(entry['gflop_s'])} · {number(entry['gb_s'])} · {share}"

    header = ["n", "sparsity", *(NAMES.get(kind, SHORT.get(kind, kind)) for kind in kinds)]
    cells = [
        [str(n), percent(sparsity), *(cell(entries.get(kind)) for kind in kinds)]
        for (n, sparsity), entries in sorted(by_size.items())
    ]
    if cells:
        yield "Each cell: ms · GFLOP/s · GB/s · share of the ceiling that bounds it."
        yield ""
        yield from rows(header, cells)


def networks(report):
    header = ["network", "batch", "sparsity", "connections", "step, ms", "quartiles", "round, ms", "peak, MiB"]

    def cells(s):
        spread = s["seconds_spread"]
        quartiles = f"{milliseconds(spread['q1'])}–{milliseconds(spread['q3'])}"
        return [s["model"], str(s["batch"]), percent(s["sparsity"]), f"{s['connections']:,}"] + [
            milliseconds(s["seconds"]),
            quartiles,
            milliseconds(s["round_seconds"]),
            mebibytes(s),
        ]

    found = [*report["steps"], *report["models"]]
    return rows(header, map(cells, found)) if found else []


def scaling(report):
    def cells(row):
        return [str(row["n"]), f"{row['connections']:,}", milliseconds(row["step_seconds"])] + [
            milliseconds(row["round_seconds"]),
            number(row["resident_bytes"] / 2**20),
        ]

    if report["scaling"]:
        yield "n-n-n-10 with 32 connections per output unit:"
        yield ""
        yield from rows(["n", "connections", "step, ms", "round, ms", "resident, MiB"], map(cells, report["scaling"]))
    fitted = report.get("exponents")
    if fitted:
        names = {"step_seconds": "step", "round_seconds": "round", "resident_bytes": "bytes"}
        yield f"Fitted growth: {', '.join(f'{names[k]} n^{v:.2f}' for k, v in fitted.items())}."
        yield ""


def skipped(report):
    """Cases with the same reason together."""
    by_reason = {}
    for skip in report["skipped"]:
        by_reason.setdefault((skip["case"], skip["reason"]), []).append(skip["part"])
    for (case, reason), parts in by_reason.items():
        yield f"- skipped {', '.join(parts)}, {case}: {reason}"
    if by_reason:
        yield ""


def who(out):
    peers = out["peers"]
    torch = peers.get("pytorch", {})
    versions = [f"{name} {code['version']}" for name, code in peers.items()]
    if torch.get("scipy"):
        versions.append(f"scipy {torch['scipy']}")
    ours = [f"rootlet {a['code']['version']}, sources {a['code']['sources']}" for a in out["adapters"] if a.get("code")]
    machine = torch.get("cpu", "this machine's processor")
    return (
        f"Measured {out['date'][:10]} on {machine}, {out['threads']} of {out['cores']} cores, with "
        f"{', '.join([*dict.fromkeys(ours), *versions])}, float32."
    )


def rounds(count):
    return "one round" if count == 1 else f"{count} rounds"


def markdown(out):
    """The whole report as one string."""
    lines = [
        f"{who(out)} {out['note']}".strip(),
        "",
        f"All sides ran alternately, case by case, {rounds(out['rounds'])}: medians over the rounds, and × says how many times as "
        "fast rootlet is (in brackets the smallest and the largest ratio of a round). Each peer stands with its fastest variant.",
        "",
    ]
    if out["warnings"]:
        lines += ["Warnings:", "", *(f"- {warning}" for warning in out["warnings"]), ""]
    for section in out["adapters"]:
        name = section.get("name", section["asked"])
        extra = ", ".join(str(section[k]) for k in ("backend", "device_type", "driver") if section.get(k))
        lines += [f"### rootlet on {name}" + (f" ({extra})" if extra else ""), ""]
        found = section["lines"]
        for make, wanted in ((kernels, ("spmm", "spmm_transposed", "sddmm")), (steps, ("step", "model"))):
            group = [line for line in found if line["key"][0] in wanted]
            if group:
                lines += make(group)
    for adapter, report in out.get("full", {}).items():
        lines += [f"### `rootlet bench` on {report['adapter']['name']}", ""]
        for part in (ceilings, figure_8, networks, scaling, skipped):
            lines += part(report)
    return "\n".join(lines).rstrip() + "\n"


def replace(path, text):
    """Puts the tables between the markers of a file."""
    old = path.read_text()
    if old.count(BEGIN) != 1 or old.count(END) != 1 or old.index(BEGIN) > old.index(END):
        raise SystemExit(f"{path} must have one {BEGIN} and after it one {END}")
    head, rest = old.split(BEGIN)
    tail = rest.split(END)[1]
    path.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")
