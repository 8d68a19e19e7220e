"""The product's server as `streamlit run asgi.py` starts it, in a process that can be asked what it holds.

For each line on its standard input it collects garbage and answers with a line of JSON. What the server itself prints
goes to the standard error.
"""

import gc
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

import psutil
from streamlit.runtime.app_session import AppSession
from streamlit.web import cli

ASGI = Path(__file__).parent.parent.parent / "asgi.py"


def held() -> dict[str, int]:
    """What this process holds once its garbage is collected: bytes of memory, threads, sessions, open sockets."""
    for _ in range(3):  # what a finalizer let go of is garbage of the next collection
        gc.collect()
    process = psutil.Process()
    return {
        "memory": process.memory_info().rss,
        "threads": threading.active_count() - 1,
        "sessions": sum(type(each) is AppSession for each in gc.get_objects()),
        "connections": sum(each.status == psutil.CONN_ESTABLISHED for each in process.net_connections("tcp")),
        "files": process.num_fds() if hasattr(process, "num_fds") else 0,
    }


def answer(answers: TextIO) -> None:
    """Answer each line that is asked, until there are no more."""
    for _ in sys.stdin:
        print(json.dumps(held()), file=answers, flush=True)


def main(arguments: list[str]) -> Any:
    """Serve until told to end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    threading.Thread(target=answer, args=(answers,), daemon=True).start()
    return cli.main(["run", str(ASGI), *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
