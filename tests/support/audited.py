"""Run the command line under an audit hook: `python -m tests.support.audited REPORT ARGUMENTS…`.

The report is JSON: changes of the environment while a second thread ran, and the addresses that
were connected to or looked up.
"""

import json
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

CHANGES = ("os.putenv", "os.unsetenv")
CONTACTS = ("socket.connect", "socket.getaddrinfo")


def main(report: str, arguments: list[str]) -> None:
    """Run the command and write the report, whatever the command's exit code is."""
    changes: list[str] = []
    contacts: set[str] = set()

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event in CHANGES and threading.active_count() > 1:
            frames = traceback.extract_stack()[-4:-1]
            places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
            changes.append(f"{event} {details[0]!r} at {places}")
        elif event == "socket.connect":
            contacts.add(str(details[1]))
        elif event == "socket.getaddrinfo":
            contacts.add(str((details[0], details[1])))

    sys.addaudithook(hook)
    from autoevol.experiments.cli.app import main as command_line

    sys.argv = ["autoevol", *arguments]
    try:
        command_line()
    finally:
        tree = {"changes": changes, "contacts": sorted(contacts)}
        Path(report).write_text(json.dumps(tree), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
