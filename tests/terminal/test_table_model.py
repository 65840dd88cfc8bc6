"""Order, filter and cursor of a table, without a terminal."""

from contribd.terminal.cells import Column, Row, Value
from contribd.terminal.table_model import TableModel

COLUMNS = (Column("ric", "RIC", 10), Column("count", "Count", 8, right=True))


def rows(*given: tuple[str, Value]) -> list[Row]:
    return [Row(name, (name, count)) for name, count in given]


def model(*given: tuple[str, Value]) -> TableModel:
    made = TableModel(COLUMNS)
    made.set_rows(rows(*given))
    return made


def keys(table: TableModel) -> list[str]:
    return [row.key for row in table.rows]


def test_rows_stand_as_they_are_given_until_they_are_sorted() -> None:
    table = model(("b", 2), ("a", 10), ("c", None))
    assert keys(table) == ["b", "a", "c"]
    table.reverse()
    assert keys(table) == ["c", "a", "b"]


def test_numbers_are_sorted_as_numbers_and_what_is_not_known_is_last_either_way() -> None:
    table = model(("b", 2), ("c", None), ("a", 10))
    table.sort_by(1)
    assert keys(table) == ["b", "a", "c"]
    table.sort_by(1)
    assert (keys(table), table.descending) == (["a", "b", "c"], True)


def test_texts_are_sorted_in_either_case() -> None:
    table = model(("b", 1), ("C", 1), ("A", 1))
    table.sort_by(0)
    assert keys(table) == ["A", "b", "C"]


def test_the_next_column_after_the_last_is_the_order_as_given() -> None:
    table = model(("b", 1), ("a", 2))
    places = [table.sorted_by]
    for _ in range(3):
        table.sort_next(1)
        places.append(table.sorted_by)
    assert places == [None, 0, 1, None]
    table.sort_next(-1)
    assert table.sorted_by == 1


def test_a_filter_wants_all_of_its_words_and_none_of_those_that_it_denies() -> None:
    table = model(("EUR=", 1_000), ("EURUSD=", 2), ("GBP=", 3))
    table.filter("eur !usd")
    assert (keys(table), table.hidden) == (["EUR="], 2)
    table.filter("1,000")
    assert keys(table) == ["EUR="]
    table.filter("")
    assert len(keys(table)) == 3


def test_a_filter_that_nothing_passes_selects_nothing() -> None:
    table = model(("EUR=", 1))
    table.filter("nothing")
    assert (keys(table), table.selected) == ([], None)
    table.move(1)
    assert table.cursor == 0


def test_the_cursor_stays_on_its_row_while_rows_come_and_change_places() -> None:
    table = model(("b", 1), ("a", 2), ("c", 3))
    table.move(1)
    table.set_rows(rows(("new", 9), ("c", 3), ("b", 1), ("a", 2)))
    assert table.selected is not None
    assert (table.selected.key, table.cursor) == ("a", 3)


def test_the_cursor_on_the_first_row_stays_there_so_that_the_newest_is_seen() -> None:
    table = model(("b", 1), ("a", 2))
    table.set_rows(rows(("new", 9), ("b", 1)))
    assert table.selected is not None
    assert table.selected.key == "new"


def test_the_cursor_goes_no_further_than_there_are_rows() -> None:
    table = model(("b", 1), ("a", 2))
    table.move(100)
    assert table.cursor == 1
    table.set_rows(rows(("b", 1)))
    assert table.cursor == 0
    table.move(-100)
    assert table.cursor == 0
