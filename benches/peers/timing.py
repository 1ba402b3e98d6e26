"""Timing and checking, the same for every case."""

import statistics
import time

TOLERANCE = 1e-4  # largest |found - expected| / max |expected| that counts as the same result


def measure(function, repeats, budget):
    """Seconds of a call, after warm-up: {"seconds": median, "seconds_min", "repeats"}.

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
    return {"seconds": statistics.median(taken), "seconds_min": min(taken), "repeats": len(taken)}


def error(found, expected):
    """Largest difference relative to the largest expected magnitude."""
    scale = expected.abs().max().item()
    return (found.double() - expected.double()).abs().max().item() / max(scale, 1e-30)


def require(name, value, allowed=TOLERANCE):
    """A timing of a wrong result is worse than none: stop."""
    if not value <= allowed:
        raise SystemExit(f"{name}: wrong result, relative error {value:.2e} (allowed {allowed:.0e}); nothing was timed")
    return value
