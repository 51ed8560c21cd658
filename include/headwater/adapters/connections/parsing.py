"""A connection from its URI or JSON text, part by part as Airflow reads it."""

from __future__ import annotations

import json
import re
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from pydantic import SecretStr

from headwater.ports.connections import ConnectionInfo

_AUTHORITY = re.compile(r"([A-Za-z0-9+.\-]+://(?:[A-Za-z0-9+.\-]+://)?)([^/?#]*)(.*)", re.DOTALL)
_JSON_KEYS = ("conn_type", "description", "login", "password", "host", "port", "schema", "extra")
_EXTRA_KEY = "__extra__"
_LARGEST_PORT = 65_535


def parse_connection(connection_id: str, text: str) -> ConnectionInfo:
    """Read a URI, or a JSON object when the text starts with a brace.

    :raises ValueError: saying what is wrong without quoting the text, which may hold a password.
    """
    if text.lstrip().startswith("{"):
        return _from_json(connection_id, text)
    return _from_uri(connection_id, text)


def with_password(connection_id: str, text: str, password: str) -> str:
    """The same connection with another password, which is percent-encoded where the text is a URI.

    :raises ValueError: when the text is no connection; it is never quoted.
    """
    parse_connection(connection_id, text)
    if text.lstrip().startswith("{"):
        return json.dumps({**json.loads(text), "password": password})
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise ValueError("there is no `<type>://` at its start")
    user, _, place = match[2].rpartition("@")
    return f"{match[1]}{user.partition(':')[0]}:{quote(password, safe='')}@{place}{match[3]}"


def _from_uri(connection_id: str, uri: str) -> ConnectionInfo:
    scheme, separator, rest = uri.partition("://")
    if not separator or not scheme:
        raise ValueError("there is no `<type>://` at its start")
    inner, nested, _ = rest.partition("://")
    if nested and any(sign in inner for sign in "@:?"):
        # one more :// is a protocol in front of the host, as in http://https://host; later it is a raw value
        nested = "" if "?" in inner else nested
        if nested:
            raise ValueError("`://` stands where a host was expected")
    protocol = f"{inner}://" if nested else ""
    parts, port = _split(rest if nested else f"//{rest}")
    host = _host(parts)
    return ConnectionInfo(
        id=connection_id,
        kind=_kind(scheme),
        host=f"{protocol}{host}" if host else "",
        port=port,
        login=unquote(parts.username or ""),
        password=SecretStr(unquote(parts.password or "")),
        schema_=unquote(parts.path[1:]),
        extra=_query(parts.query),
    )


def _split(rest: str) -> tuple[SplitResult, int | None]:
    failure = "a part of host, login or password is not percent-encoded"
    try:
        parts = urlsplit(rest)
        port = parts.port
    except ValueError:
        parts, port, broken = SplitResult("", "", "", "", ""), None, True
    else:
        broken = bool(parts.fragment) or parts.netloc.count("@") > 1
    if broken:
        raise ValueError(failure)
    return parts, port


def _host(parts: SplitResult) -> str:
    """The host; one that holds a percent-encoded path (a socket folder) keeps its case."""
    host = unquote(parts.hostname or "")
    if "/" not in host:
        return host
    return unquote(parts.netloc.rpartition("@")[2].partition(":")[0])


def _query(query: str) -> dict[str, object]:
    values: dict[str, object] = dict(parse_qsl(query, keep_blank_values=True))
    if _EXTRA_KEY in values:
        return _extra(values[_EXTRA_KEY])
    return values


def _from_json(connection_id: str, text: str) -> ConnectionInfo:
    values = _object(text, "it")
    unknown = sorted(set(values) - set(_JSON_KEYS))
    if unknown:
        raise ValueError(f"unknown keys {', '.join(unknown)}; allowed: {', '.join(_JSON_KEYS)}")
    return ConnectionInfo(
        id=connection_id,
        kind=_kind(str(values.get("conn_type") or "")),
        host=str(values.get("host") or ""),
        port=_port(values.get("port")),
        login=str(values.get("login") or ""),
        password=SecretStr(str(values.get("password") or "")),
        schema_=str(values.get("schema") or ""),
        extra=_extra(values.get("extra") or {}),
    )


def _extra(value: object) -> dict[str, object]:
    return _object(value, "extra") if isinstance(value, str) else _mapping(value, "extra")


def _object(text: str, what: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{what} is no JSON at column {error.colno}"
    else:
        return _mapping(value, what)
    raise ValueError(place)


def _mapping(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")  # noqa: TRY004 - one kind of failure for the caller
    return value


def _port(value: object) -> int | None:
    if value is None or value == "":
        return None
    if str(value).isdecimal() and int(str(value)) <= _LARGEST_PORT:
        return int(str(value))
    raise ValueError("its port is no number up to 65535")


def _kind(scheme: str) -> str:
    return "postgres" if scheme == "postgresql" else scheme.replace("-", "_")
