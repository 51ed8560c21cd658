"""The passwords of Postgres' logins in step with its values."""

from __future__ import annotations

from tests.unit.deploy.manifests import of_kind
from tests.unit.helm_values.values import composed


def test_the_operator_is_told_to_take_a_renewed_password_at_once() -> None:
    """Without the label it was seen to let a minute pass and more, until something else made it look."""
    logins = composed("postgres", "prod")["cluster"]["roles"]
    targets = {item["metadata"]["name"]: item["spec"]["target"] for item in of_kind("ExternalSecret")}
    assert len(logins) > 4
    for login in logins:
        template = targets[login["passwordSecret"]["name"]]["template"]
        assert template["metadata"]["labels"] == {"cnpg.io/reload": "true"}
        assert template["type"] == "kubernetes.io/basic-auth"
