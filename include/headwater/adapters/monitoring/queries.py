"""How to ask Prometheus for what a counter grew, when the counter may be there only since something happened."""

from __future__ import annotations


def growth(counter: str, window: str) -> str:
    """What each series of a counter grew within a window.

    ``increase`` compares the first sample of a window with the last. A series appears with its first event, already at
    1, so that the first failure of a stage, or a source's only release of the day, would never be counted. A series
    that was not there when the window began brings all it has instead.

    :param counter: the metric, with its selector.
    :param window: such as ``1h``, or Grafana's ``$__rate_interval``.
    """
    return f"(({counter} unless {counter} offset {window}) or increase({counter}[{window}]))"
