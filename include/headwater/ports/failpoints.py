"""Named places at which a fault test may stop a process. They cost one dictionary look-up when nothing is armed.

``HEADWATER_FAILPOINT=publish.after_intent:kill`` arms one; several are separated by commas. What they do:
``kill`` ends this process like kill -9, ``pause`` stops it until SIGCONT, ``raise`` raises FailpointError, ``hang``
waits until it is killed.
"""

from __future__ import annotations

import os
import signal
import threading

from headwater.domain.errors import HeadwaterError

VARIABLE = "HEADWATER_FAILPOINT"
ACTIONS = ("kill", "pause", "raise", "hang")


class FailpointError(HeadwaterError):
    """An armed failpoint was reached; only ever seen in fault tests, so it has no runbook of its own."""


def failpoint(name: str) -> None:
    """Do what ``HEADWATER_FAILPOINT`` says for this name, which is nothing unless a fault test set it.

    :raises FailpointError: when armed with ``raise``, or with an action that does not exist.
    """
    armed = os.environ.get(VARIABLE)
    if not armed:
        return
    for entry in armed.split(","):
        point, _, action = entry.partition(":")
        if point == name:
            _act(name, action)


def _act(name: str, action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "pause":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "hang":
        threading.Event().wait()
    elif action == "raise":
        raise FailpointError(f"failpoint {name} was reached")
    else:
        raise FailpointError(f"failpoint {name} is armed wrongly", got=action, allowed=", ".join(ACTIONS))
