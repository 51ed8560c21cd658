"""Some records of a file as texts, and the dialect they are written in, as far as it can be guessed."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headwater.adapters.sources.files.csv_dialect import csv_sample
from headwater.adapters.sources.files.json_array import JsonArray, NoArrayError
from headwater.adapters.sources.files.json_values import Number, decoded, text_of
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.lines import RecordTooLongError
from headwater.adapters.sources.files.samples import MOST_RECORDS, SAMPLE_BYTES, Sample, UnreadableSampleError
from headwater.adapters.sources.files.unpacking import packing_of, parts_of
from headwater.domain.spec import FilesExtract

LARGEST_PACKED_BYTES = 256 << 20
_NO_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


def sampled(landing: Landing, file: LandedFile, scratch: Path) -> Sample:
    """The first records of a file of lines.

    :raises UnreadableSampleError: when it is not what its name says.
    :raises SourceDataError: when it is damaged.
    """
    head = _head(landing, file, scratch)
    encoding, text = _decoded(head, len(head) == SAMPLE_BYTES)
    options = {"encoding": encoding} if encoding != "utf-8" else {}
    if landing.extract.format == "csv":
        sample = csv_sample(landing.extract, text, options)
        if len(sample.names) == 1 and file.path.lower().endswith(".txt"):
            raise UnreadableSampleError("no delimiter makes columns of its lines")
        return sample
    return _json(landing.extract, text, options, len(head) == SAMPLE_BYTES)


def _head(landing: Landing, file: LandedFile, scratch: Path) -> bytes:
    if packing_of(landing, file.path) == "none":
        with landing.open(file.path) as content:
            return content.read(SAMPLE_BYTES)
    if file.size > LARGEST_PACKED_BYTES:
        raise UnreadableSampleError(f"a packed file of {file.size:,} bytes is too large to look into")
    local, _ = landing.fetch(file, scratch)
    return next((part.content.read(SAMPLE_BYTES) for part in parts_of(landing, file, local)), b"")


def _decoded(head: bytes, is_cut: bool) -> tuple[str, str]:
    """The encoding that the bytes can be of, and their text up to the last whole line."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        name, text = "utf-16", head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        try:
            # a character may be cut in two by the end
            name, text = "utf-8", codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=not is_cut)
        except UnicodeDecodeError:
            name = "latin-1" if _NO_CP1252 & set(head) else "cp1252"
            text = head.decode(name)
    return name, text[: text.rfind("\n") + 1] or text if is_cut else text


def _json(extract: FilesExtract, text: str, options: dict[str, Any], is_cut: bool) -> Sample:
    objects = list(_objects(extract, text, is_cut))
    if not objects:
        raise UnreadableSampleError("its newest file holds no objects")
    names = tuple(dict.fromkeys(name for item in objects for name in item))
    if any(len(item) != len(names) for item in objects):
        options["missing_fields"] = "null"
    texts_only = frozenset(
        name for item in objects for name, value in item.items() if isinstance(value, str | dict | list)
        and not isinstance(value, Number)
    )  # fmt: skip
    return Sample(names, [[text_of(item.get(name)) for name in names] for item in objects], options, texts_only)


def _objects(extract: FilesExtract, text: str, is_cut: bool) -> Iterator[dict[str, Any]]:
    array = JsonArray(iter([text]), SAMPLE_BYTES)
    elements = array.elements() if extract.format == "json" else iter(text.split("\n"))
    try:
        for element, _ in zip(elements, range(MOST_RECORDS), strict=False):
            if not element.strip():
                continue
            value = decoded(element.strip())
            if not isinstance(value, dict):
                raise UnreadableSampleError("its newest file holds what is no JSON object")
            yield value
    except (NoArrayError, RecordTooLongError, ValueError) as error:
        # a sample ends in the middle of an array
        if not is_cut:
            raise UnreadableSampleError("its newest file is no JSON of this form") from error
