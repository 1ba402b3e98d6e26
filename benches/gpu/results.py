"""The results: one JSON and one table, written again after each part."""

import json
import os

import report

SCHEMA = 1


class Results:
    def __init__(self, out):
        self.machine, self.parts = {}, []
        self.json_path, self.table_path = os.path.join(out, "measure.json"), os.path.join(out, "measure.md")

    def add(self, part, outcome):
        self.parts.append(
            {
                "name": part.name,
                "status": outcome.status,
                "seconds": round(outcome.seconds, 2),
                "message": outcome.message,
                "command": outcome.command,
                "output": outcome.output,
                "result": outcome.result,
            }
        )
        self.write()

    def entry(self, name):
        return next((entry for entry in self.parts if entry["name"] == name), None)

    def status(self, name):
        entry = self.entry(name)
        return entry["status"] if entry else None

    def result(self, name):
        entry = self.entry(name)
        return entry["result"] if entry else None

    def measured(self):
        """Whether any of rootlet's own parts was measured."""
        return any(
            entry["status"] == "done" and not entry["name"].startswith("torch") and entry["name"] != "adapters" for entry in self.parts
        )

    def write(self):
        whole = {"measure": SCHEMA, "machine": self.machine, "parts": self.parts}
        replace(self.json_path, json.dumps(whole, indent=1) + "\n")
        try:
            text = report.markdown(whole)
        except Exception as error:  # the JSON has everything; a table can be made from it later
            text = f"The table cannot be made: {type(error).__name__}: {error}\n"
        replace(self.table_path, text)


def replace(path, text):
    """Writes a file as a whole or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
