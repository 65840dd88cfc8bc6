"""What the functions of lists do. Each takes what is to be worked out of an element as a function of that element.

They can stand within each other. How many elements one evaluation may look at goes down with every level: the function
of an element gets as many as its list leaves to each, so that lists within lists never multiply beyond the bound.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from contribd.mapping.mistakes import missing, out_of_range, wrong_type
from contribd.mapping.operators import Value, add, less, shown, truth

MAX_ELEMENTS: Final = 10_000
"""Elements that an evaluation looks at in one list function, those of the lists within it counted too."""

Of: TypeAlias = Callable[[Value, int], Value]
"""What an element comes to, given how many elements a function within may look at."""


def first(elements: Value, holds: Of, most: int) -> Value:
    """The first element for which the condition is true; MISSING where there is none."""
    for element, rest in _each("first", elements, most):
        if truth(holds(element, rest)):
            return element
    raise missing("first: the condition is true for no element of the list")


def filter_(elements: Value, holds: Of, most: int) -> list[Value]:
    """The elements for which the condition is true, in their order."""
    return [element for element, rest in _each("filter", elements, most) if truth(holds(element, rest))]


def count(elements: Value, holds: Of, most: int) -> int:
    """For how many elements the condition is true."""
    return sum(truth(holds(element, rest)) for element, rest in _each("count", elements, most))


def any_(elements: Value, holds: Of, most: int) -> bool:
    """Whether the condition is true for one element at least."""
    return any(truth(holds(element, rest)) for element, rest in _each("any", elements, most))


def all_(elements: Value, holds: Of, most: int) -> bool:
    """Whether the condition is true for each element."""
    return all(truth(holds(element, rest)) for element, rest in _each("all", elements, most))


def total(elements: Value, of: Of, most: int) -> Value:
    """The sum of a number of each element; 0 of an empty list."""
    result: Value = 0
    for element, rest in _each("sum", elements, most):
        result = add(result, of(element, rest))
    return result


def smallest(elements: Value, of: Of, most: int) -> Value:
    """The least of what the elements come to; MISSING of an empty list."""
    return _extreme("smallest", elements, of, most, less)


def largest(elements: Value, of: Of, most: int) -> Value:
    """The greatest of what the elements come to; MISSING of an empty list."""
    return _extreme("largest", elements, of, most, lambda value, best: less(best, value))


def entries(named: Value) -> list[Value]:
    """The keys of an object with their values, as the record has them in order."""
    if type(named) is not dict:
        raise wrong_type(f"entries takes an object, not {shown(named)}")
    return [{"key": key, "value": value} for key, value in named.items()]


def _extreme(function: str, elements: Value, of: Of, most: int, better: Callable[[Value, Value], bool]) -> Value:
    values = [of(element, rest) for element, rest in _each(function, elements, most)]
    if not values:
        raise missing(f"{function}: the list is empty")
    best = values[0]
    for value in values:
        if better(value, best):
            best = value
    return best


def _each(function: str, elements: Value, most: int) -> Iterator[tuple[Value, int]]:
    """Each element with the number of elements that may be looked at for it."""
    if type(elements) is not list:
        raise wrong_type(f"{function} takes a list, not {shown(elements)}")
    if len(elements) > most:
        within = " that a list within a list may have" if most < MAX_ELEMENTS else ""
        raise out_of_range(f"{function}: the list has {len(elements)} elements, more than the {most}{within}")
    rest = most // max(len(elements), 1)
    return ((element, rest) for element in elements)
