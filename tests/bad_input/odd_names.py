"""Names at the source: a name never becomes a path or a statement; what Iceberg cannot tell apart is refused."""

from __future__ import annotations

from tests.bad_input.bad_input import WrongData
from tests.bad_input.wrong_data import HEADER, LANDING, carried, refused

EVIL, ODD, TWINS, RESERVED = (
    "names such as `../evil`",
    "column names with quotes, dots, spaces",
    "column names equal but for case",
    "reserved names",
)
TO_GOLD = "tests/spark/test_odd_names.py::test_odd_column_names_travel_to_gold"


def with_column(name: str) -> tuple[str, str]:
    """One row, whose second column has the name."""
    quoted = '"' + name.replace('"', '""') + '"'
    return f"create table orders (id int primary key, {quoted} int)", "insert into orders values (1, 2)"


ODD_NAMES: tuple[WrongData, ...] = (
    carried(EVIL, "relation", "1", 'create table "../evil" (id int primary key)', 'insert into "../evil" values (1)',
            extract="{mode: snapshot, relation: public.../evil}"),
    carried(EVIL, "column", "1", *with_column("../evil")),
    carried(EVIL, "landed file", "1", extract=LANDING, landed={"evil..'\"; --.csv": HEADER + b"1,1,2013-01-01,x\n"}),
    *(carried(ODD, f"column {name}", "1", *with_column(name), also=TO_GOLD)
      for name in ('a "quoted" one', "it's", "a.b", "a b", " ", "`", "{x} %s \\n", "SELECT", "é")),
    refused(TWINS, "id and ID", "schema_drift", *with_column("ID")),
    refused(TWINS, "id and ID in a file's header", "schema_drift", extract=LANDING,
            landed={"a.csv": b"id,ID,fare,day,note\n"}),
    refused(RESERVED, "column _hw_batch", "schema_drift", *with_column("_hw_batch")),
    refused(RESERVED, "column _HW_x", "schema_drift", *with_column("_HW_x")),
    refused(RESERVED, "column _deleted", "schema_drift", *with_column("_deleted")),
    *(refused(RESERVED, f"column {name} of an scd2 table", "schema_drift", *with_column(name), silver="{mode: scd2}")
      for name in ("valid_from", "Valid_To", "is_current", "batch_in", "batch_out")),
    carried(RESERVED, "column valid_from where silver is no scd2", "1", *with_column("valid_from")),
)  # fmt: skip
