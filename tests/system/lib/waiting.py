"""Waiting on conditions: the tests never sleep for a fixed time."""

import time

# Timeouts are as for a machine of one's own; this many times longer is waited on one that is busy. A wait ends with its
# event, so that patience costs nothing where all is well.
PATIENCE = 4


def wait_until(condition, timeout=30.0, what="the condition", pause=0.02):
    """Calls `condition` until it gives something true, and returns that; or fails after `timeout` quiet seconds."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, AssertionError, TypeError) as error:  # TypeError: a metric that is not there yet
            last = error
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"waited {timeout:.0f} s for {said}; last seen: {last!r}")
        time.sleep(pause)
