"""The elements of one JSON array, cut out of a stream of any length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from headwater.adapters.sources.files.lines import RecordTooLongError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+("?)|[{}\[\],]', re.DOTALL)
_SPACE = " \t\r\n"


class NoArrayError(Exception):
    """The text is not one whole JSON array; carries what is wrong, in words."""


@dataclass(slots=True)
class JsonArray:
    """Cuts elements at commas outside quotes and brackets, whether they are valid JSON or not."""

    more: Iterator[str]
    bound: int
    _text: str = ""
    _at: int = 0

    def elements(self) -> Iterator[str]:
        """The text of each element.

        :raises NoArrayError: when the array does not begin, does not end, or is followed by something.
        :raises RecordTooLongError: when an element is longer than the bound.
        """
        if self._next_sign() != "[":
            raise NoArrayError("does not begin with [")
        self._at += 1
        if self._next_sign() == "]":
            self._at += 1
        else:
            last = False
            while not last:
                element, last = self._element()
                yield element
        if self._next_sign():
            raise NoArrayError("goes on after its closing ]")

    def _element(self) -> tuple[str, bool]:
        """One element without the spaces around it, and whether it was the last."""
        depth, scan = 0, self._at
        while True:
            match = _TOKEN.search(self._text, scan)
            if match is None or (match[0][0] == '"' and not match[1]):
                # nothing more to see, or a quote that is not closed yet
                scan = (len(self._text) if match is None else match.start()) - self._at
                self._forget()
                if not self._read():
                    raise NoArrayError("ends before its closing ]")
                continue
            scan, sign = match.end(), match[0][0]
            if depth == 0 and sign in ",]}":
                if sign == "}":
                    continue
                start, self._at = self._at, scan
                return self._text[start : match.start()].strip(_SPACE), sign == "]"
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign, 0)

    def _next_sign(self) -> str:
        """The next sign that is no space, or nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            self._forget()
            if not self._read():
                return ""

    def _forget(self) -> None:
        self._text, self._at = self._text[self._at :], 0

    def _read(self) -> bool:
        block = next(self.more, None)
        if block is None:
            return False
        self._text += block
        if len(self._text) > self.bound + len(block):
            raise RecordTooLongError
        return True
