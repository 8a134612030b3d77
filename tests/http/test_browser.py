"""The pages in a real browser: at the width of a phone, without a violation that axe can find."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.http.process import serving

PATHS = (
    "/areas",
    "/areas/velmora",
    "/areas/velmora/lindhaven",
    "/questions/lindhaven/improvements",
    "/questions/velmora/quiet-streets",
    "/policies",
    "/policies/07",
    "/organisations",
    "/organisations/commons-alliance",
    "/problems",
    "/receipts",
    "/nowhere",
)
"""Of the sample town: an area at each level, a decided question, a sealed one, an error."""

PHONE, DESK = 390, 1280


LOOKS = [(PHONE, "light"), (PHONE, "dark"), (DESK, "light")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browsed")


@pytest.fixture(scope="module")
def address(chromium: Any, folder: Path) -> Iterator[str]:
    with serving(folder, "--sample-town") as server:
        yield server.address


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible(
    chromium: Any, address: str, path: str, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(address + path)
    for details in page.query_selector_all("summary"):
        details.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
    assert [one for one in complaints if "404" not in one] == []
    page.close()


@pytest.mark.slow
def test_the_levels_can_be_walked_by_keyboard(chromium: Any, address: str) -> None:
    page = chromium.new_page(viewport={"width": PHONE, "height": 844})
    page.goto(address)
    assert page.url.endswith("/areas/velmora")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("link", name="Lindhaven").first.press("Enter")
    page.wait_for_url("**/areas/velmora/lindhaven")
    levels = page.get_by_role("navigation", name="Levels above")
    levels.get_by_role("link", name="Velmora").press("Enter")
    page.wait_for_url("**/areas/velmora")
    page.close()


def a_receipt(address: str, folder: Path) -> str:
    """Of some citizen's choice on the decided question."""
    for one in orjson.loads((folder / "tokens.json").read_bytes())["citizens"]:
        answer = httpx.get(
            f"{address}/api/v1/questions/lindhaven/improvements/choice/receipt",
            headers={"Authorization": f"Bearer {one['token']}"},
        )
        if answer.status_code == 200:
            return answer.text
    raise AssertionError("none of them has chosen")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_receipt_is_checked_on_its_page(
    chromium: Any, address: str, folder: Path, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    receipt = a_receipt(address, folder)
    for text, told in ((receipt, "Proven"), (receipt[:-9], "This receipt proves nothing")):
        page.goto(f"{address}/receipts")
        page.get_by_label("The text of the file").fill(text)
        page.get_by_role("button", name="Check it").click()
        assert told in page.inner_text("main")
        for details in page.query_selector_all("summary"):
            details.click()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
    page.close()
