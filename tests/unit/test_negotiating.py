"""Which format a request prefers (RFC 9110, section 12.5.1)."""

import pytest

from services.api.negotiating import BOTH, CSV, JSON, preferred
from services.errors import Fault, RequestFault


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV", CSV),
        ("text/*", CSV),
        ("text/csv;header=present", CSV),
        ("application/json;q=0.5, text/csv", CSV),
        ("text/csv;q=0.5, application/json;q=0.6", JSON),
        ("text/csv, application/json", JSON),
        ("*/*;q=0.1, text/csv;q=0.2", CSV),
        ("application/*, text/csv;q=0.9", JSON),
        ("application/json;q=0, */*", CSV),
        ("text/csv;q=0, */*;q=0.001", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        ("text/csv ; q=1.000 , application/json ; q=0.999", CSV),
        ("nonsense, text/csv", CSV),
        ("application/json;q=often, text/csv;q=0.1", CSV),
    ],
)
def test_the_format_that_is_preferred(accept: str, expected: str) -> None:
    assert preferred(accept, BOTH) == expected


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "image/*",
        "text/csv;q=0, application/json;q=0",
        "*/*;q=0",
        "application/json;q=2",
        "application/json;q=0.0000001",
        "json",
        ",",
    ],
)
def test_where_none_is_wanted(accept: str) -> None:
    with pytest.raises(RequestFault) as refused:
        preferred(accept, BOTH)
    assert refused.value.fault is Fault.NOT_ACCEPTABLE
