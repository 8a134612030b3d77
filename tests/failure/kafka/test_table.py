"""The page of failures says what is tested."""

from tests.failure.kafka.table import PAGE, failures, name, page


def test_the_page_has_the_table_of_the_tests() -> None:
    found = PAGE.read_text(encoding="utf-8")
    assert found == page(found), "write it anew: python -m tests.failure.kafka.table"


def test_each_failure_stands_there_once() -> None:
    names = [name(one) for one in failures()]
    assert len(set(names)) == len(names)
