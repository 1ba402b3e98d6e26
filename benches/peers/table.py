"""Markdown tables from the results of compare.py."""

NAMES = {"spmm": "SpMM", "spmm_transposed": "SpMM, transposed", "sddmm": "SDDMM"}
CEILINGS = {
    "copy_gb_s": ("copy", "GB/s"),
    "vec4_loads_gelem_s": ("vec4 loads", "G elements/s"),
    "multiply_add_gflop_s": ("multiply-add", "GFLOP/s"),
    "dispatch_us": ("dispatch", "µs"),
    "readback_us": ("read-back", "µs"),
}


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


def kernels(lines):
    header = ["kernel", "n", "batch", "sparsity", "rootlet, ms", "GFLOP/s", "of its ceiling", "PyTorch CSR, ms", "×"]
    header += ["PyTorch dense, ms", "×"]
    cells = []
    for line in lines:
        ours, (kernel, n, batch, sparsity) = line["rootlet"], line["key"]
        share = ours.get("share_of_ceiling")
        bound = f"{percent(round(share, 2))} of {ours.get('bound', '?')}" if share is not None else "–"
        cells.append(
            [NAMES.get(kernel, kernel), str(n), str(batch), percent(sparsity)]
            + [milliseconds(ours["seconds"]), number(ours.get("gflop_s")), bound]
            + against(line, "csr")
            + against(line, "dense")
        )
    return rows(header, cells)


def steps(lines):
    header = ["model", "batch", "sparsity", "connections", "rootlet, ms", "round, in steps", "peak, MiB"]
    header += ["PyTorch masked, ms", "×", "PyTorch dense, ms", "×", "PyTorch CSR by hand, ms", "×"]
    cells = []
    for line in lines:
        ours, (_, model, batch, sparsity) = line["rootlet"], line["key"]
        peak = sum(ours["bytes"].values()) / 2**20 if ours.get("bytes") else None
        connections = f"{ours['connections']:,}" if ours.get("connections") else "–"
        cells.append(
            [model, str(batch), percent(sparsity), connections, milliseconds(ours["seconds"])]
            + [number(ours.get("round_in_steps")), number(peak)]
            + against(line, "masked")
            + against(line, "dense")
            + against(line, "csr")
        )
    return rows(header, cells)


def scaling(section):
    def cells(row):
        return [str(row["n"]), f"{row['connections']:,}", milliseconds(row["step_seconds"])] + [
            milliseconds(row["round_seconds"]),
            number(row["resident_bytes"] / 2**20),
        ]

    yield from rows(["n", "connections", "step, ms", "round, ms", "resident, MiB"], map(cells, section["rows"]))
    fitted = section["exponents"]
    names = {"step_seconds": "step", "round_seconds": "round", "resident_bytes": "bytes"}
    parts = [f"{names[k]} n^{v:.2f}" for k, v in fitted.items() if v is not None]
    if parts:
        yield f"Fitted growth (least squares on the logarithms): {', '.join(parts)}."
        yield ""


def markdown(out):
    """The whole report as one string."""
    peer = out["peer"]
    lines = [
        f"Measured {out['date'][:10]} on {peer['cpu']}, {out['threads']} of {peer['cores']} cores, PyTorch "
        f"{peer['torch']} ({peer['capability']}), float32. Both sides ran alternately ({out['alternated']}), "
        f"{out['rounds']} rounds: medians over the rounds, and × says how many times as fast rootlet is (in brackets the "
        "smallest and the largest ratio of a round). PyTorch stands with its fastest variant of each kind.",
        "",
    ]
    if out["warnings"]:
        lines += ["Warnings:", *(f"- {warning}" for warning in out["warnings"]), ""]
    for section in out["adapters"]:
        name = section.get("name", section["asked"])
        extra = ", ".join(str(section[k]) for k in ("backend", "device_type", "driver") if section.get(k))
        lines += [f"### rootlet on {name}" + (f" ({extra})" if extra else ""), ""]
        ceilings = section["ceilings"]
        if ceilings:
            known = [f"{CEILINGS[k][0]} {number(v)} {CEILINGS[k][1]}" for k, v in ceilings.items() if k in CEILINGS]
            lines += [f"Measured ceilings: {', '.join(known)}.", ""]
        found = section["lines"]
        if any(line["key"][0] != "step" for line in found):
            lines += kernels(line for line in found if line["key"][0] != "step")
        if any(line["key"][0] == "step" for line in found):
            lines += steps(line for line in found if line["key"][0] == "step")
        if section["scaling"]["rows"]:
            lines += scaling(section["scaling"])
    return "\n".join(lines).rstrip() + "\n"
