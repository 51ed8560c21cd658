"""Grain expressions are written again from their tree: they must mean what they meant (rule 38)."""

from __future__ import annotations

from typing import Any

from headwater.model.sql.groups import group_queries
from headwater_spark.transforms.pinned_sql import pin_tables

ROWS = """
SELECT 7 AS i, -3 AS j, CAST(2.50 AS DECIMAL(9,2)) AS d, 1.5D AS f, 'aB-12\\\\n' AS s, CAST(NULL AS STRING) AS z,
  TIMESTAMP '2026-03-29 23:30:15.123456Z' AS t, DATE '2026-02-28' AS e, array(3, 1, 2) AS xs, true AS b,
  named_struct('city', 'Oslo', 'no', 4) AS p, map('k', 'v') AS m
UNION ALL SELECT 0, 12, CAST(-0.01 AS DECIMAL(9,2)), CAST('NaN' AS DOUBLE), '', 'x', TIMESTAMP '1999-12-31 00:00:00Z',
  DATE '2024-02-29', array(5), false, named_struct('city', NULL, 'no', 0), map()
UNION ALL SELECT NULL, 1, NULL, -0.0D, 'ÅÄ ''q'' "w"', NULL, NULL, NULL, NULL, NULL, NULL, NULL
"""
EXPRESSIONS = """
year(t) | month(e) | day(t) | hour(t) | minute(t) | dayofweek(e) | dayofyear(e) | weekofyear(e) | quarter(e)
date(t) | to_date(t) | CAST(t AS DATE) | t::date | date_trunc('week', t) | date_trunc('MONTH', t) | trunc(e, 'MM')
make_date(year(e), month(e), 1) | last_day(e) | next_day(e, 'Mon') | add_months(e, 1) | date_add(e, 3)
date_sub(e, 3) | datediff(e, DATE '2026-01-01') | months_between(e, DATE '2026-01-01') | e + INTERVAL 1 DAY
t - INTERVAL 90 MINUTES | date_format(t, 'yyyy-MM') | from_utc_timestamp(t, 'Europe/Oslo')
to_utc_timestamp(t, 'Europe/Oslo') | unix_timestamp(t) | to_timestamp(date_format(t, 'yyyy-MM-dd'), 'yyyy-MM-dd')
timestamp_seconds(i) | unix_micros(t) | extract(YEAR FROM t) | date_part('DOW', e) | i / 2 | i DIV 2 | i % 3 | -i
j * 2 | abs(j) | pmod(j, 5) | j & 3 | j | 3 | j ^ 1 | ~j | shiftleft(i, 2) | mod(i, 4) | round(d, 1) | bround(d, 1)
ceil(f) | floor(d) | sign(j) | CAST(d AS INT) | TRY_CAST(s AS INT) | d + 1 | sqrt(i) | upper(s) | lower(s) | trim(s)
ltrim(s) | substring(s, 2, 3) | substr(s, -2) | left(s, 2) | right(s, 2) | length(s) | concat(s, '-', z)
concat_ws('/', s, z) | s || 'x' | split(s, '-')[0] | regexp_extract(s, '([a-z]+)', 1) | s LIKE 'a%'
regexp_replace(s, '\\\\d', '#') | s RLIKE '\\\\d+' | replace(s, 'a', 'b') | instr(s, 'B') | locate('B', s)
lpad(s, 9, '*') | initcap(s) | reverse(s) | repeat(s, 2) | translate(s, 'a', 'z') | md5(s) | sha2(s, 256) | crc32(s)
hash(i, s) | xxhash64(s) | ascii(s) | base64(CAST(s AS BINARY)) | levenshtein(s, 'aB') | soundex(s)
s IN ('', 'aB') | s ILIKE 'AB%' | coalesce(z, s) | nvl(z, 'n') | ifnull(z, 'n') | nullif(s, '') | nvl2(z, 1, 2)
if(b, 1, 0) | z IS NULL | b AND i > 1 | CASE WHEN i > 3 THEN 'big' WHEN i IS NULL THEN 'none' ELSE 'small' END
CASE i WHEN 7 THEN 1 END | decode(i, 7, 'a', 'b') | i <=> j | i <> 7 | i BETWEEN 1 AND 8 | NOT b | greatest(i, j)
least(i, j) | isnan(f) | nanvl(f, 0) | xs[0] | element_at(xs, 1) | size(xs) | array_contains(xs, 2) | sort_array(xs)
array_max(xs) | transform(xs, x -> x + 1) | filter(xs, x -> x > 1) | aggregate(xs, 0, (a, x) -> a + x)
exists(xs, x -> x = 2) | p.city | p.no + 1 | m['k'] | slice(xs, 1, 2) | to_json(p)
get_json_object(to_json(p), '$.city') | struct(i, s) | array(i, j) | CAST(i AS STRING) | bin(i) | hex(i)
conv('ff', 16, 10) | date_sub(e, i + 1) | mod(i + 1, j + 13) | instr(concat(s, 'B'), 'B') | datediff(e + 1, e - i)
get(xs, i) | -(i - j) | (i + j) * 2 | i - (j - 1) | NOT (b OR i > 1) | s LIKE '%\\\\%%' | nvl(z, s || 'n')
"""


def test_expressions_written_again_give_the_same_values(lake: Any) -> None:
    known = [text.strip() for line in EXPRESSIONS.strip().splitlines() for text in split(line)]
    lake.spark.sql(ROWS).createOrReplaceTempView("sample")
    written = []
    for text in known:
        found = group_queries(f"SELECT {text} AS g, f.i FROM silver.s.f AS f", ("g",))
        assert not found.why_not, text
        written.append(pin_tables(found.queries["silver.s.f"][0], {"changed.silver__s__f": "sample"}))
    wrong = []
    for first in range(0, len(known), 25):
        parts = list(zip(known, written, strict=True))[first : first + 25]
        sets = [
            f"(SELECT sort_array(collect_set(to_json(struct(g)))) FROM ({query})) AS {name}{index}"
            for index, (text, again) in enumerate(parts)
            for name, query in (("meant", f"SELECT {text} AS g FROM sample"), ("again", again))
        ]
        row = lake.spark.sql(f"SELECT {', '.join(sets)}").collect()[0]
        wrong += [text for index, (text, _) in enumerate(parts) if row[f"meant{index}"] != row[f"again{index}"]]
    assert wrong == []


def split(line: str) -> list[str]:
    """The expressions of a line; `` | `` stands between two, and ``j | 3`` is one."""
    return line.replace("j | 3", "j ¦ 3").replace(" | ", "\n").replace("¦", "|").splitlines()
