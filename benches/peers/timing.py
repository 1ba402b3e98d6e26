"""Timing and checking, the same for every case."""

import statistics
import time

TOLERANCE = 1e-4  # largest |found - expected| / max |expected| that counts as the same result


def measure(function, repeats, budget):
    """Seconds of a call, after warm-up: {"seconds": median, "seconds_spread": {"min", "q1", "q3", "max", "samples"}}.

    Stops after `repeats` calls or, from the third call on, when `budget` seconds are spent.
    """
    begin = time.perf_counter()
    function()
    function()
    taken = []
    while len(taken) < repeats:
        start = time.perf_counter()
        function()
        end = time.perf_counter()
        taken.append(end - start)
        if len(taken) >= 3 and end - begin > budget:
            break
    q1, median, q3 = statistics.quantiles(taken, n=4, method="inclusive") if len(taken) > 1 else taken * 3
    spread = {"min": min(taken), "q1": q1, "q3": q3, "max": max(taken), "samples": len(taken)}
    return {"seconds": median, "seconds_spread": spread}


def error(found, expected):
    """Largest difference relative to the largest expected magnitude."""
    scale = expected.abs().max().item()
    return (found.double() - expected.double()).abs().max().item() / max(scale, 1e-30)


def require(name, value, allowed=TOLERANCE):
    """A timing of a wrong result is worse than none: stop."""
    if not value <= allowed:
        raise SystemExit(f"{name}: wrong result, relative error {value:.2e} (allowed {allowed:.0e}); nothing was timed")
    return value
