"""Pinned jars: what is there is checked, what is wrong is named, nothing is fetched twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from headwater.adapters.embedded.jars import Jar, ensure_jars, jar_cache, jars_for, locked_jars
from headwater.domain.errors import StackError

CONTENT = b"a jar"


def pinned(sha256: str) -> Jar:
    return Jar("org.example", "thing", "1.0", sha256)


def test_the_lock_names_every_jar_with_its_sha256() -> None:
    jars = locked_jars()
    always = {"iceberg-spark-runtime-4.1_2.13", "postgresql"}
    assert {jar.module for jar in jars} == always | {"iceberg-aws-bundle"}
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert {jar.module for jar in jars_for("/folder")} == always
    assert jars_for("s3://bucket/lake") == jars


def test_a_jar_that_is_there_is_taken_without_a_network(tmp_path: Path) -> None:
    jar = pinned(hashlib.sha256(CONTENT).hexdigest())
    (tmp_path / jar.file_name).write_bytes(CONTENT)
    assert ensure_jars(tmp_path, (jar,)) == (tmp_path / "thing-1.0.jar",)


def test_another_content_is_refused_with_both_checksums(tmp_path: Path) -> None:
    jar = pinned("0" * 64)
    (tmp_path / jar.file_name).write_bytes(CONTENT)
    with pytest.raises(StackError) as raised:
        ensure_jars(tmp_path, (jar,))
    assert hashlib.sha256(CONTENT).hexdigest() in str(raised.value)
    assert "0" * 64 in str(raised.value)


def test_the_cache_is_the_users_own(tmp_path: Path) -> None:
    assert jar_cache({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "headwater" / "jars"
    assert jar_cache({"XDG_CACHE_HOME": "elsewhere", "HEADWATER_JARS": str(tmp_path)}) == tmp_path
