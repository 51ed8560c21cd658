"""The table: ten ways the columns of a source change, for every kind of source, and what becomes of each.

An outcome says where the rows of the second run are, and what its owner is told: ``stop`` takes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["postgres", "mariadb", "sqlite", "csv", "jsonl", "parquet"]
STOP = "stop"
BOTH = "bronze: 1, 2"
"""A database is read whole again, a file once."""
NEW = "bronze: 2, 3"


@dataclass(frozen=True, slots=True)
class Drift:
    """One change of one kind of source.

    :param then: statements run at the database after the first run, or the content of the second file.
    :param stop: the outcome under ``drift: stop``; ``evolve`` and ``quarantine`` are the same where not given.
    """

    drift: str
    kind: Kind
    then: tuple[str, ...] | str
    stop: str
    evolve: str = ""
    quarantine: str = ""
    first: tuple[str, ...] = field(default=(), kw_only=True)

    def __str__(self) -> str:
        return f"{self.kind}: {self.drift}"

    def outcome(self, policy: str) -> str:
        return {"stop": self.stop, "evolve": self.evolve, "quarantine": self.quarantine}[policy] or self.stop


DRIFTS = (
    "added", "dropped", "renamed", "reordered", "widened", "narrowed", "retyped", "nullability", "case-only", "nested",
)  # fmt: skip

_ADDED = "insert into orders values (2, 'b', 2, 2.5, 7)"
_ROW = "insert into orders values (2, 'b', 2, 2.5)"
_BASE = "create table orders (id int primary key, note text not null, n int, v numeric(6,2))"
_FIRST = "insert into orders (id, note, n, v) values (1, 'a', 1, 1.5)"
MADE = (_BASE, _FIRST)
_ANEW = "drop table orders"


def _postgres(drift: str, *then: str, stop: str, evolve: str = "", quarantine: str = "") -> Drift:
    return Drift(drift, "postgres", then, stop, evolve, quarantine, first=MADE)


def _mariadb(drift: str, *then: str, stop: str, evolve: str = "", quarantine: str = "") -> Drift:
    return Drift(drift, "mariadb", then, stop, evolve, quarantine, first=MADE)


def _sqlite(drift: str, *then: str, stop: str, evolve: str = "", quarantine: str = "") -> Drift:
    return Drift(drift, "sqlite", then, stop, evolve, quarantine, first=MADE)


def _alter(change: str) -> str:
    return f"alter table orders {change}"


def _made_anew(columns: str) -> tuple[str, ...]:
    return (_ANEW, f"create table orders ({columns})", _FIRST)


_REORDERED = "v numeric(6,2), n int, note text not null, id int primary key"
_IN_ORDER = f"{BOTH}; told: columns come in another order: v, n, note, id"
_NARROW = "column v changed from {0}(6,2) to {0}(5,2); the table keeps decimal(6,{1}2)"

POSTGRES = (
    _postgres("added", _alter("add extra int"), _ADDED, stop=STOP,
              evolve=f"{BOTH}; told: column extra of type integer is taken over",
              quarantine=f"{BOTH}; told: column extra of type integer is left out"),
    _postgres("dropped", _alter("drop n"), stop=STOP),
    _postgres("renamed", _alter("rename n to number"), stop=STOP),
    _postgres("reordered", *_made_anew(_REORDERED), "insert into orders values (2.5, 2, 'b', 2)", stop=_IN_ORDER),
    _postgres("widened", _alter("alter n type bigint"), "insert into orders values (2, 'b', 3000000000, 2.5)",
              stop=STOP, evolve=f"{BOTH}; told: column n is widened to long",
              quarantine="bronze: 1; aside: untypable:n; "
              "told: column n is bigint now: values that are no int are set aside"),
    _postgres("narrowed", _alter("alter v type numeric(5,2)"), _ROW,
              stop=f"{BOTH}; told: {_NARROW.format('numeric', '')}"),
    _postgres("retyped", _alter("alter n type text"), "insert into orders values (2, 'b', 'two', 2.5)", stop=STOP,
              quarantine="bronze: 1; aside: untypable:n; "
              "told: column n is text now: values that are no int are set aside"),
    _postgres("nullability", _alter("alter note drop not null"), "insert into orders values (2, null, 2, 2.5)",
              stop=f"{BOTH}; told: column note may be NULL now"),
    _postgres("case-only", _alter('rename note to "NOTE"'), _ROW, stop=STOP),
    Drift("nested", "postgres", ("alter type address add attribute zip text",
                                 "insert into orders values (2, ('b', '1'))"),
          f"{BOTH}; told: column home changed from address (street text) to address (street text, zip text); "
          "it is string in the table as before",
          first=("create type address as (street text)",
                 "create table orders (id int primary key, home address)",
                 "insert into orders values (1, row('a'))")),
)  # fmt: skip

MARIADB = (
    _mariadb("added", _alter("add extra int unsigned"), _ADDED, stop=STOP,
             evolve=f"{BOTH}; told: column extra of type int(10) unsigned is taken over",
             quarantine=f"{BOTH}; told: column extra of type int(10) unsigned is left out"),
    _mariadb("dropped", _alter("drop n"), stop=STOP),
    _mariadb("renamed", _alter("rename column n to number"), stop=STOP),
    _mariadb("reordered", *_made_anew(_REORDERED), "insert into orders values (2.5, 2, 'b', 2)", stop=_IN_ORDER),
    _mariadb("widened", _alter("modify n int unsigned"), "insert into orders values (2, 'b', 3000000000, 2.5)",
             stop=STOP, evolve=f"{BOTH}; told: column n is widened to long",
             quarantine="bronze: 1; aside: untypable:n; "
             "told: column n is int(10) unsigned now: values that are no int are set aside"),
    _mariadb("narrowed", _alter("modify v numeric(5,2)"), _ROW,
             stop=f"{BOTH}; told: {_NARROW.format('decimal', '')}"),
    _mariadb("retyped", _alter("modify n text"), "insert into orders values (2, 'b', 'two', 2.5)", stop=STOP,
             quarantine="bronze: 1; aside: untypable:n; "
             "told: column n is text now: values that are no int are set aside"),
    _mariadb("nullability", _alter("modify note text null"), "insert into orders values (2, null, 2, 2.5)",
             stop=f"{BOTH}; told: column note may be NULL now"),
    _mariadb("case-only", _alter("change note NOTE text not null"), _ROW, stop=STOP),
    _mariadb("nested", """insert into orders values (2, '{"street": "b", "zip": "1"}', 2, 2.5)""", stop=BOTH),
)  # fmt: skip

SQLITE = (
    _sqlite("added", _alter("add extra int"), _ADDED, stop=STOP,
            evolve=f"{BOTH}; told: column extra of type INT is taken over",
            quarantine=f"{BOTH}; told: column extra of type INT is left out"),
    _sqlite("dropped", _alter("drop n"), stop=STOP),
    _sqlite("renamed", _alter("rename n to number"), stop=STOP),
    _sqlite("reordered", *_made_anew(_REORDERED), "insert into orders values (2.5, 2, 'b', 2)", stop=_IN_ORDER),
    _sqlite("widened", *_made_anew("id int primary key, note text not null, n int, v numeric(9,2)"),
            "insert into orders values (2, 'b', 2, 1234567.25)", stop=STOP,
            evolve=f"{BOTH}; told: column v is widened to decimal(9,2)",
            quarantine="bronze: 1; aside: untypable:v; "
            "told: column v is numeric(9,2) now: values that are no decimal(6,2) are set aside"),
    _sqlite("narrowed", *_made_anew("id int primary key, note text not null, n int, v numeric(5,2)"), _ROW,
            stop=f"{BOTH}; told: {_NARROW.format('numeric', '')}"),
    _sqlite("retyped", *_made_anew("id int primary key, note text not null, n text, v numeric(6,2)"),
            "insert into orders values (2, 'b', 'two', 2.5)", stop=STOP,
            quarantine="bronze: 1; aside: untypable:n; "
            "told: column n is TEXT now: values that are no long are set aside"),
    _sqlite("nullability", *_made_anew("id int primary key, note text, n int, v numeric(6,2)"),
            "insert into orders values (2, null, 2, 2.5)", stop=f"{BOTH}; told: column note may be NULL now"),
    _sqlite("case-only", _alter('rename note to "NOTE"'), _ROW, stop=STOP),
    _sqlite("nested", """insert into orders values (2, '{"street": "b", "zip": "1"}', 2, 2.5)""", stop=BOTH),
)  # fmt: skip


def _csv(drift: str, then: str, *, stop: str, quarantine: str = "") -> Drift:
    return Drift(drift, "csv", then, stop, quarantine=quarantine)


_ASIDE = "bronze: 3; aside: untypable:n"
_LEFT_OUT = f"{NEW}; told: field extra is left out (first in in/2.{{}})"

CSV = (
    _csv("added", "id,note,n,extra\n2,b,2,7\n3,c,3,8\n", stop=STOP, quarantine=_LEFT_OUT.format("csv")),
    _csv("dropped", "id,note\n2,b\n3,c\n", stop=STOP),
    _csv("renamed", "id,note,number\n2,b,2\n3,c,3\n", stop=STOP),
    _csv("reordered", "n,id,note\n2,2,b\n3,3,c\n", stop=NEW),
    _csv("widened", "id,note,n\n2,b,3000000000\n3,c,3\n", stop=_ASIDE),
    _csv("narrowed", "id,note,n\n2,b,0\n3,c,1\n", stop=NEW),
    _csv("retyped", "id,note,n\n2,b,two\n3,c,3\n", stop=_ASIDE),
    _csv("nullability", "id,note,n\n2,,2\n3,,3\n", stop=NEW),
    _csv("case-only", "id,NOTE,n\n2,b,2\n3,c,3\n", stop=STOP),
    _csv("nested", 'id,note,n\n2,"{""street"": ""b""}",2\n3,c,3\n', stop=NEW),
)  # fmt: skip


def _jsonl(drift: str, *records: str, stop: str, quarantine: str = "") -> Drift:
    return Drift(drift, "jsonl", "\n".join(records), stop, quarantine=quarantine)


_THIRD = '{"id": 3, "note": "c", "n": 3}'

JSONL = (
    _jsonl("added", '{"id": 2, "note": "b", "n": 2, "extra": 7}', _THIRD, stop=STOP,
           quarantine=_LEFT_OUT.format("jsonl")),
    _jsonl("dropped", '{"id": 2, "note": "b"}', '{"id": 3, "note": "c"}', stop=STOP),
    _jsonl("renamed", '{"id": 2, "note": "b", "number": 2}', stop=STOP),
    _jsonl("reordered", '{"n": 2, "note": "b", "id": 2}', _THIRD, stop=NEW),
    _jsonl("widened", '{"id": 2, "note": "b", "n": 3000000000}', _THIRD, stop=_ASIDE),
    _jsonl("narrowed", '{"id": 2, "note": "b", "n": 0}', _THIRD, stop=NEW),
    _jsonl("retyped", '{"id": 2, "note": "b", "n": "two"}', _THIRD, stop=_ASIDE),
    _jsonl("nullability", '{"id": 2, "note": null, "n": 2}', _THIRD, stop=NEW),
    _jsonl("case-only", '{"id": 2, "NOTE": "b", "n": 2}', stop=STOP),
    _jsonl("nested", '{"id": 2, "note": {"street": "b", "zip": 1}, "n": 2}', _THIRD, stop=NEW),
)  # fmt: skip


def _parquet(drift: str, select: str, *, stop: str, quarantine: str = "") -> Drift:
    """The second file holds what DuckDB's SELECT gives over two rows ``i`` of 2 and 3."""
    return Drift(drift, "parquet", select, stop, quarantine=quarantine)


PARQUET = (
    _parquet("added", "i AS id, 'b' AS note, i AS n, 7 AS extra", stop=STOP, quarantine=_LEFT_OUT.format("parquet")),
    _parquet("dropped", "i AS id, 'b' AS note", stop=STOP),
    _parquet("renamed", "i AS id, 'b' AS note, i AS number", stop=STOP),
    _parquet("reordered", "i AS n, i AS id, 'b' AS note", stop=NEW),
    _parquet("widened", "i AS id, 'b' AS note, if(i = 2, 3000000000, 3)::BIGINT AS n", stop=_ASIDE),
    _parquet("narrowed", "i AS id, 'b' AS note, i::SMALLINT AS n", stop=NEW),
    _parquet("retyped", "i AS id, 'b' AS note, if(i = 2, 'two', '3') AS n", stop=STOP,
             quarantine=f"{_ASIDE}; told: column n is VARCHAR: values that are no int are set aside "
             "(first in in/2.parquet)"),
    _parquet("nullability", "i AS id, NULL::VARCHAR AS note, i AS n", stop=NEW),
    _parquet("case-only", "i AS id, 'b' AS \"NOTE\", i AS n", stop=STOP),
    _parquet("nested", "i AS id, {'street': 'b', 'zip': 1} AS note, i AS n", stop=NEW),
)  # fmt: skip

TABLE = (*POSTGRES, *MARIADB, *SQLITE, *CSV, *JSONL, *PARQUET)
