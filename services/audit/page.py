"""The report as a page: one file that needs no other, for people who did not build the ledger."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from services.audit.report import Report

LISTED = 500
"""Questions that the page lists; the JSON report has them all."""


def page(report: Report) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("services.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(number=_number, moment=_moment, words=_words)
    return templates.get_template("report.html").render(
        report=report,
        numbers=report.numbers,
        statement=report.statement,
        findings=report.findings.listed(),
        counts=report.findings.counts,
        total=report.findings.counts.total(),
        questions=report.questions[:LISTED],
        left_out=max(0, len(report.questions) - LISTED),
        place=_place(report.place),
    )


def _place(place: str) -> str:
    """The address without a password that may stand in it; of a folder its last name."""
    if "://" not in place:
        return place.rstrip("/").rpartition("/")[2] or place
    parts = urlsplit(place)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _number(value: int) -> str:
    return f"{value:,}"


def _moment(text: str) -> str:
    found = datetime.fromisoformat(text).astimezone(UTC)
    return f"{found.day} {found:%B %Y, %H:%M} UTC"


def _words(name: str) -> str:
    return name.replace("-", " ").replace(".", ": ").capitalize()
