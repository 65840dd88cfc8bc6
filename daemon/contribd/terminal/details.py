"""A row told whole: what does not fit into the columns of a terminal. Pure."""

from contribd.terminal.cells import Row
from contribd.terminal.picture import Table


def listed(table: Table, row: Row) -> str:
    """Each column by its title, a line each."""
    width = max(len(column.title) for column in table.columns)
    return "\n".join(
        f"{column.title:<{width}}  {column.show(value)}"
        for column, value in zip(table.columns, row.values, strict=True)
    )
