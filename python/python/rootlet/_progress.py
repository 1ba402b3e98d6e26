"""Progress on a terminal or in a notebook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._trainer import Event


def results(event: Event) -> dict[str, float]:
    """The numbers of an epoch that people look at, by their names."""
    found = {"loss": event["train_loss"]}
    judged = event.get("validation")
    if judged is None and event["test_loss"] is not None:
        judged = {"loss": event["test_loss"], "accuracy": event["test_accuracy"], "metric": event.get("test_metric")}
        part = "test"
    else:
        part = "validation"
    if judged:
        found[f"{part} loss"] = judged["loss"]
        if judged.get("accuracy") is not None:
            found[f"{part} accuracy"] = judged["accuracy"]
        if judged.get("metric"):
            found[f"{part} {judged['metric']['name']}"] = judged["metric"]["value"]
    return {name: value for name, value in found.items() if value is not None and not math.isnan(value)}


class Bar:
    """A bar over the steps: tqdm's, in notebooks too, or plain lines without tqdm."""

    def __init__(self) -> None:
        self._bar: Any = None
        try:
            from tqdm.auto import tqdm
        except ImportError:
            tqdm = None
        self._tqdm = tqdm

    def see(self, event: Event) -> None:
        """Shows an event."""
        kind = event["event"]
        if kind == "note":
            self._say(event["text"])
        elif kind == "started" and self._tqdm is not None:
            done = event["resumed_at"] or 0
            self._bar = self._tqdm(total=event["steps_total"], initial=done, unit="step", leave=True)
        elif kind == "progress" and self._bar is not None:
            self._bar.update(event["step"] - self._bar.n)
        elif kind == "epoch":
            told = {name: f"{value:.4g}" for name, value in results(event).items()}
            if self._bar is None:
                print(f"epoch {event['epoch']}: " + ", ".join(f"{name} {value}" for name, value in told.items()))
            else:
                self._bar.update(event["step"] - self._bar.n)
                self._bar.set_postfix(epoch=event["epoch"], **told)

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()

    def _say(self, text: str) -> None:
        if self._tqdm is not None:
            self._tqdm.write(text)
        else:
            print(text)
