"""A deliverer that is told to stop does, at whatever moment it is told."""

import subprocess
import sys
import textwrap

from tests.conftest import LONGEST_WAIT, ROOT

PAUSES = textwrap.dedent("""
    import os, select, signal, sys, threading, time
    from core.commands.delivering import _told_to_stop

    def steps_until_it_waits():
        seen = []
        with _told_to_stop() as (stopped, pause):
            sys.setprofile(lambda _frame, event, argument: seen.append((event, argument)))
            pause(0)
            sys.setprofile(None)
        return seen.index(("c_call", select.select)) + 1

    def at(step):
        left = step

        def watch(_frame, _event, _argument):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGTERM)

        with _told_to_stop() as (stopped, pause):
            sys.setprofile(watch)
            pause(3600)
            sys.setprofile(None)
            assert stopped()

    def from_outside(moment):
        with _told_to_stop() as (stopped, pause):
            def tell():
                time.sleep(moment)
                os.kill(os.getpid(), signal.SIGTERM)
            teller = threading.Thread(target=tell)
            teller.start()
            while not stopped():
                pause(3600)
            teller.join()

    steps = steps_until_it_waits()
    assert steps > 1
    for step in range(1, steps + 1):
        at(step)
    for number in range(300):
        from_outside(number / 1_000_000)
    print("stopped every time")
""")


def test_a_signal_that_comes_just_before_the_pause_ends_it() -> None:
    """At each step into the pause, and at three hundred moments around its beginning."""
    child = subprocess.run(
        [sys.executable, "-c", PAUSES], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False
    )
    assert (child.stdout, child.stderr) == ("stopped every time\n", "")
