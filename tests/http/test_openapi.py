"""The OpenAPI document: complete, and true of every answer that a fuzzer gets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from ledger.domain.catalogue import COMMAND_BY_VERB, COMMANDS
from services.api import live, reading
from tests.http.town import Town, served

DOCUMENT = "/api/v1/openapi.json"


def known_error(ctx: Any, response: Any, case: Any) -> None:
    """A problem that has a name; 500 is one that nobody thought of."""
    assert response.status_code != 500


EXAMPLES = 12
CHECKS = [
    known_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    ignored_auth,
]

QUESTIONS = "/api/v1/questions"
AREA = "/api/v1/areas/{area}"
QUESTION = f"{QUESTIONS}/{{question}}"
POLICY = "/api/v1/policies/{policy}"
ORGANISATION = "/api/v1/organisations/{organisation}"
ME = "/api/v1/citizens/me"
READS = (
    "/api/v1/areas",
    AREA,
    *(
        f"{AREA}/{one}"
        for one in ("questions", "mandates", "decisions", "promises", "days", "live")
    ),
    QUESTIONS,
    QUESTION,
    *(f"{QUESTION}/{one}" for one in ("tally", "tallies", "history", "decision", "live")),
    "/api/v1/policies",
    POLICY,
    *(f"{POLICY}/{one}" for one in ("areas", "mandates", "decisions", "promises")),
    "/api/v1/organisations",
    ORGANISATION,
    *(f"{ORGANISATION}/{one}" for one in ("mandates", "duties", "promises")),
    "/api/v1/tallies.json",
    "/api/v1/tallies.csv",
    "/api/v1/digests",
    "/api/v1/citizens",
    ME,
    f"{ME}/timeline",
)
RECEIPTS = [("GET", f"{QUESTION}/choice/{one}") for one in ("receipt", "receipt.json")]
PERSONAL = [*(("GET", path) for path in READS[-3:]), *RECEIPTS]
OPERATIONS = [
    *(("POST", f"/api/v1/commands/{verb}") for verb in COMMAND_BY_VERB),
    *(("GET", path) for path in READS),
    *((method, f"{QUESTIONS}/{{question}}/choice") for method in ("PUT", "DELETE")),
    *RECEIPTS,
]


@pytest.fixture(scope="module")
def document(town: Town) -> dict[str, Any]:
    found: dict[str, Any] = town.client.get(DOCUMENT).json()
    return found


def test_every_command_is_documented(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for family, kinds in COMMANDS.items():
        for kind in kinds:
            told = document["paths"][f"/api/v1/commands/{kind.verb}"]["post"]
            assert told["operationId"] == kind.verb
            assert told["tags"] == [family]
            assert told["description"] == kind.__doc__
            assert told["security"] == [{"bearer": []}]
            assert {"200", "201", "401", "403", "413", "415", "422"} <= told["responses"].keys()


def test_no_body_names_a_citizen(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for kind in COMMAND_BY_VERB.values():
        body = schemas[f"{kind.__name__}Body"]
        assert "citizen" not in body["properties"]
        assert ("identity" in body["properties"]) == ("citizen" in kind.model_fields)
        assert body["additionalProperties"] is False


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"].keys()
    for name in re.findall(r'"#/components/schemas/([^"]+)"', str(document).replace("'", '"')):
        assert name in names


def test_public_reads_need_no_token_in_the_document_either(document: dict[str, Any]) -> None:
    needing = {
        path
        for path, methods in document["paths"].items()
        if "get" in methods and methods["get"].get("security")
    }
    assert needing == {path for _, path in PERSONAL}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own, which the fuzzer may change."""
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    with pytest.MonkeyPatch.context() as patch, served(folder, max_body_bytes=10**6) as found:
        patch.setattr(reading, "PATIENCE", 0.02)  # the fuzzer likes to wait for what never comes
        patch.setattr(live, "LASTS", 0.02)
        yield found


@pytest.fixture(scope="module")
def api(fuzzed: Town) -> Any:
    return schemathesis.openapi.from_asgi(DOCUMENT, fuzzed.app)


def test_the_fuzzer_is_given_every_operation(document: dict[str, Any]) -> None:
    told = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert told == set(OPERATIONS)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_fuzzer_finds_nothing_undocumented(
    api: Any, fuzzed: Town, method: str, path: str, mode: GenerationMode
) -> None:
    operation = api[path][method]
    own = path.startswith(ME) or (method, path) in RECEIPTS
    headers = fuzzed.bearer("ada" if own else "operator")
    checks = list(CHECKS)
    if (method, path) in PERSONAL:  # a left-out token counts as wrong data, and is put back by us
        checks.remove(negative_data_rejection)

    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=checks)

    ask()
