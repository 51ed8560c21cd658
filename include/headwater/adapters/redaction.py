"""Masks secrets in every text that leaves: stored, sent or logged."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_SECRET = 4
"""Shorter values occur in ordinary words; masking them would garble every text and hide nothing."""
_ENVIRONMENT = re.compile(r"""(AIRFLOW_CONN_\w+\s*[=:]\s*)('[^']*'|"[^"]*"|\S+)""")
_URL_PASSWORD = re.compile(r"(\b[a-zA-Z][\w+.-]*://[^\s:/@]*:)[^\s]+(@)")
_AUTHORIZATION = re.compile(r"(\b(?:Bearer|Basic|Token)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
_NAMED = re.compile(
    r"""(\b(?:pass(?:word|wd)?|pwd|secret|token|api[_-]?key|access[_-]?key|sslpassword)["']?\s*[=:]\s*)"""
    r"""('[^']*'|"[^"]*"|[^\s,;&'"]+)""",
    re.IGNORECASE,
)
_SLACK_HOOK = re.compile(r"(https://hooks\.slack\.com/(?:services|workflows)/)[^\s\"'>]+")


class Redactor:
    """Masks known values in every form they take, and whatever stands where secrets stand.

    :param secrets: values such as passwords of connections; those under four characters are not looked for.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in forms_of(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(re.escape(form) for form in longest_first)) if forms else None

    def __call__(self, text: str) -> str:
        """The text with every secret replaced by ``***``."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        text = _ENVIRONMENT.sub(rf"\1{MASK}", text)
        text = _URL_PASSWORD.sub(rf"\1{MASK}\2", text)
        text = _SLACK_HOOK.sub(rf"\1{MASK}", text)
        text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
        return _NAMED.sub(rf"\1{MASK}", text)


def forms_of(secret: str) -> frozenset[str]:
    """The secret plain, URL-encoded, as repr, as JSON and in base64 at each of the three offsets it can have."""
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in quoted}
    escaped = {repr(secret)[1:-1], json.dumps(secret)[1:-1], repr(secret.encode())[2:-1]}
    return frozenset({secret, *quoted, *lower, *escaped, *_base64_forms(secret.encode())})


def _base64_forms(data: bytes) -> set[str]:
    """What a base64 text holds of ``data`` whatever stands before and after it, as in ``user:password``."""
    forms = {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * before + data).decode().rstrip("=")
            first = (before * 8 + 5) // 6
            last = (before + len(data)) * 8 // 6
            core = encoded[first:last]
            forms |= {core} if len(core) >= SHORTEST_SECRET else set()
    return forms
