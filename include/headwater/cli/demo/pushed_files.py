"""What the demo pushes, as data: a source with its contracts, a change of it, and two pushes that must not pass."""

from __future__ import annotations

from pathlib import Path

LOOPS = ("sources.py", "products.py", "refused.py")
"""The thin files of ``dags/``; ``operations.py`` and ``maintenance.py`` are served once, here from the local folder."""
BROKEN = "dags/sources/broken.yaml"
WRONG_KEY = "shedule"
REQUIRES = ">=99"

_SOURCE = """description: {description}
owner: {{team: aviation-data, email: [aviation-data@example.com]}}
schedule: manual
connection: flights_db
extract: {{kind: sql, mode: snapshot}}
tables:
  airlines:
    description: Carriers by their two-letter code.
    key: [carrier]
    silver: {{mode: upsert}}
"""
_GOLD = """gold:
  initials:
    description: How many carriers begin with a letter.
    mode: rebuild
    grain: [initial]
"""
_SQL = """SELECT substring(name, 1, 1) AS initial, count(*) AS carriers
FROM silver.{name}.airlines
GROUP BY substring(name, 1, 1)
"""
_FIXTURE = """- name: carriers share the first letter of their names
  given:
    silver.{name}.airlines:
      - {{carrier: AA, name: American Airlines Inc.}}
      - {{carrier: AS, name: Alaska Airlines Inc.}}
      - {{carrier: B6, name: JetBlue Airways}}
  expect:
    - {{initial: A, carriers: 2}}
    - {{initial: J, carriers: 1}}
"""
_CONTRACT = """dataset: lake/{layer}/{name}__{table}
checks:
  - row_count: {{threshold: {{must_be_greater_than: 0}}}}
columns:
  - {{name: {column}, checks: [{{missing: {{}}}}, {{duplicate: {{}}}}]}}
"""


def loops(repository: Path, requires: str | None = None) -> dict[str, str]:
    """The thin DAG files as the served repository has them.

    :param requires: the range of Headwater versions to write into ``sources.py`` instead of its own.
    """
    texts = {f"dags/{name}": (repository / "dags" / name).read_text() for name in LOOPS}
    if requires is not None:
        head, _, rest = texts["dags/sources.py"].partition('requires="')
        texts["dags/sources.py"] = f'{head}requires="{requires}"{rest[rest.index(chr(34)) + 1 :]}'
    return texts


def source(name: str) -> dict[str, str]:
    """A new source: YAML and the contracts of its two tables."""
    return {
        f"dags/sources/{name}.yaml": _SOURCE.format(description="Carriers, deployed by a push."),
        **_contract(name, "bronze", "airlines", "carrier"),
        **_contract(name, "silver", "airlines", "carrier"),
    }


def with_gold(name: str) -> dict[str, str]:
    """A change of it: a gold table with SQL, contract and test, so that the chain grows by two stages."""
    return {
        f"dags/sources/{name}.yaml": _SOURCE.format(description="Carriers, and how many share an initial.") + _GOLD,
        f"sql/gold/{name}/initials.sql": _SQL.format(name=name),
        f"tests/sources/{name}/initials.yml": _FIXTURE.format(name=name),
        **_contract(name, "gold", "initials", "initial"),
    }


def broken() -> dict[str, str]:
    """A YAML with a typing mistake."""
    return {BROKEN: _SOURCE.format(description="A typing mistake.").replace("schedule:", f"{WRONG_KEY}:")}


def _contract(name: str, layer: str, table: str, column: str) -> dict[str, str]:
    text = _CONTRACT.format(layer=layer, name=name, table=table, column=column)
    return {f"include/contracts/{layer}/{name}/{table}.yml": text}
