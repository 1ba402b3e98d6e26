"""The programs that are compared, and how busy the machine was beside them."""

import json
import os
import pathlib
import resource
import shlex
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


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


def rootlet(options, adapter, arguments):
    command = [options.rootlet, "bench", "--adapter", adapter, "--threads", str(options.threads)]
    # Whether the machine was busy is judged here, by rounds that alternate.
    return execute([*command, *arguments, "--keep-doubtful", "--json"], "rootlet")


def rootlet_case(options, adapter, case, n, sparsity):
    """One product, step or model."""
    narrow = ["--only", case, "--batch", str(options.batch), "--seconds", str(options.seconds), "--limit", "600"]
    if case == "step":
        narrow += ["--hidden", str(n), "--step-sparsity", str(sparsity)]
    elif case == "model":
        narrow += ["--models", n, "--step-sparsity", str(sparsity)]
    else:
        narrow += ["--sizes", str(n), "--sparsities", str(sparsity)]
    return rootlet(options, adapter, narrow)


def pytorch(options, case, n, sparsity, batch, connections=None):
    """PyTorch and SciPy."""
    command = [options.python, str(HERE / "peers.py"), "--sparsity", str(sparsity), "--batch", str(batch)]
    command += ["--threads", str(options.threads), "--seconds", str(options.seconds)]
    if case == "model":
        command += ["--case", "model-step", "--model", n, "--variants", options.model_variants, "--weight-decay", "1e-4"]
    else:
        command += ["--case", case, "--n", str(n)]
    if connections:
        command += ["--connections", ",".join(map(str, connections))]
    return execute([*command, "--json"], "peers.py")


def burn(options, case, n, sparsity):
    """burn through wgpu, on the device that it takes by default. The names of its variants differ from those of PyTorch's."""
    command = [options.burn, "--batch", str(options.batch), "--seconds", str(options.seconds)]
    command += ["--hidden", str(n), "--sparsity", str(sparsity)] if case == "step" else ["--n", str(n)]
    result = execute([*command, "--json"], "burn")
    for entry in [*result["kernels"], *result["steps"]]:
        entry["variant"] = f"burn_{entry['variant']}"
    return result
