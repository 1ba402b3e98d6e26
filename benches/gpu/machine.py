"""What machine this is, as far as the system says."""

import datetime
import hashlib
import os
import platform
import subprocess

GPU_STATE = "name,driver_version,pstate,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.draw,temperature.gpu,utilization.gpu,memory.used"


def about(options):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "rootlet": {"version": told([options.rootlet, "--version"]), "sha256": sha256(options.rootlet)},
        "before": gpu_state(),
    }


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def gpu_state():
    """Clocks, power and temperature from nvidia-smi; none without it."""
    text = told(["nvidia-smi", "--query-gpu=" + GPU_STATE, "--format=csv"])
    return text.splitlines() if text else None


def told(command):
    """What a short command prints; none if it cannot."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
        return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
    except (OSError, subprocess.SubprocessError):
        return None


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
