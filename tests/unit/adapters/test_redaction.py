"""No form of a known secret survives, and what stands where secrets stand is masked unseen (fault 36)."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.redaction import Redactor

secrets = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=6, max_size=40).filter(
    lambda text: text.strip() == text and "*" not in text
)


@given(secrets, st.sampled_from(["", "user:", "ab", "x"]))
def test_no_form_of_a_secret_survives(secret: str, before: str) -> None:
    forms = [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret),
        repr(secret.encode()),
        base64.b64encode(secret.encode()).decode(),
        base64.b64encode((before + secret).encode()).decode(),
        base64.urlsafe_b64encode((before + secret).encode()).decode(),
    ]
    redact = Redactor([secret])
    for form in forms:
        clean = redact(f"before {form} after")
        assert secret not in clean
        assert form not in clean
        assert clean.startswith("before ")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgresql+psycopg://app:s3cr3t@db:5432/x", "postgresql+psycopg://app:***@db:5432/x"),
        ("postgresql://app:p@ss@db/x", "postgresql://app:***@db/x"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("AIRFLOW_CONN_FLIGHTS_DB=postgres://u:p@h/d", "AIRFLOW_CONN_FLIGHTS_DB=***"),
        ("AIRFLOW_CONN_X='postgres://u:p w@h/d' next", "AIRFLOW_CONN_X=*** next"),
        ("host=db password=s3cr3t user=app", "host=db password=*** user=app"),
        ("{'password': 's3 cr3t', 'user': 'app'}", "{'password': ***, 'user': 'app'}"),
        ("https://hooks.slack.com/services/T0/B0/xyz failed", "https://hooks.slack.com/services/*** failed"),
    ],
)
def test_what_stands_where_secrets_stand_is_masked(text: str, clean: str) -> None:
    assert Redactor()(text) == clean


@pytest.mark.parametrize(
    "text", ["42 rows of silver.flights.flights break the rule", "https://airflow.example:8080/dags/flights", ""]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Redactor(["hunter2secret", "abc", ""])(text) == text
