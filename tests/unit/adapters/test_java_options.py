"""Options of a JVM survive the way Spark splits them (`make demo` works from any folder's name)."""

from __future__ import annotations

import shlex

import pytest

from headwater.adapters.java_options import as_arguments


@pytest.mark.parametrize(
    "folder", ["/plain", "/two words", "/it's", '/a "quoted" one', "/back\\slash", "/dö ner #1 50%"]
)
def test_a_value_stays_one_argument_whatever_the_folder_is_called(folder: str) -> None:
    text = as_arguments({"user.timezone": "UTC", "java.io.tmpdir": folder})
    assert shlex.split(text) == ["-Duser.timezone=UTC", f"-Djava.io.tmpdir={folder}"]


def test_a_plain_value_is_told_as_it_is() -> None:
    assert as_arguments({"a": "b/c.p12"}) == "-Da=b/c.p12"
