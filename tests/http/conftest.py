"""One town for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.http.town import Town, served


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with served(tmp_path_factory.mktemp("town")) as found:
        yield found
