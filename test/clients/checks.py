"""Runs every check_… function of a module and prints one JSON line for each: {"name", "error"}."""

import json
import sys
import traceback


def run_checks(functions):
    for name, check in list(functions.items()):
        if not name.startswith("check_"):
            continue
        try:
            check()
            error = None
        except Exception:
            error = traceback.format_exc()
        print(json.dumps({"name": name.removeprefix("check_"), "error": error}), flush=True)


def arguments():
    """The server's base URL and the model's name."""
    return sys.argv[1], sys.argv[2]
