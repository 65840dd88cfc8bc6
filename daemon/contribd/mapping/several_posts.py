"""Several posts of one record: each is made by itself, and told from the others by its RIC and service."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from contribd.mapping.compiled import CompiledPart, CompiledRound, CompiledSeveral
from contribd.mapping.expression import Expression
from contribd.mapping.list_functions import MAX_ELEMENTS
from contribd.mapping.mistakes import RAISED, as_evaluation_error, wrong_type
from contribd.mapping.one_post import Record, compute, one_post, refusal
from contribd.mapping.operators import Value, kind_name, truth
from contribd.mapping.outcome import MAX_POSTS, Mapped, RejectCode, Rejected, Several
from contribd.mapping.scope import ELEMENT, INDEX, MEMBERS, MOST
from contribd.mapping.syntax import Path
from contribd.mapping.tape import PartPlace

MOST_TOGETHER: Final = 200_000
"""Elements that one expression looks at in a list function, in all posts of a record together."""

_SHOWN_PLACES: Final = 4
_ONCE: Final = (None,)
_NO_MEMBERS: Final[dict[str, Value]] = {}

Made: TypeAlias = Mapped | Rejected

_Place: TypeAlias = tuple[CompiledRound, CompiledPart, int]
"""Where a part comes from; last the element's position, -1 where ``each`` gives no elements."""


def several_posts(mapping: str, several: CompiledSeveral, record: Record) -> Made | Several:
    """What the record comes to by the mapping of this name."""
    making = _Making(mapping, several, record)
    for each in several.rounds:
        elements = making.elements(each)
        too_large = elements if isinstance(elements, Rejected) else making.round(each, elements)
        if too_large is not None:
            return too_large
    made = making.made
    if len(made) > 1:
        made = _different(made, making.places, several)
    if several.all_or_nothing:
        _keep_back(made)
    if not made:
        return Rejected(
            RejectCode.MISSING_FIELD, f"{_nothing(several, record)}: there is nothing to post", mapping=mapping
        )
    return made[0] if len(made) == 1 else Several(mapping, made)


class _Making:
    """The parts of one record, as they are made."""

    __slots__ = ("_mapping", "_record", "_several", "made", "places")

    def __init__(self, mapping: str, several: CompiledSeveral, record: Record) -> None:
        self._mapping = mapping
        self._several = several
        self._record = record
        self.made: list[Made] = []
        self.places: list[_Place] = []

    def elements(self, each: CompiledRound) -> Sequence[Value] | Rejected:
        """What the posts of a round are made for, one by one.

        Where that cannot be told there is a rejected part instead. The rejection of the whole record is given back.
        """
        if each.each is None:
            return _ONCE
        first, source = each.parts[0], each.each.source
        self._record.pop(MOST, None)
        try:
            found = each.each.run(self._record)
            if type(found) is not list:
                entries = f"; write entries({source})" if type(found) is dict else ""
                raise wrong_type(f"it takes a list, and {source} is {kind_name(found)}{entries}")
        except RAISED as error:
            self._add((each, first, -1), refusal(first, self._record, "each", as_evaluation_error(error)))
            return ()
        if len(found) * len(each.parts) > MAX_ELEMENTS:
            most = MAX_ELEMENTS // len(each.parts)
            return self._too_large(f"{source} has {len(found)} elements; posts are made of at most {most}")
        return found

    def round(self, each: CompiledRound, elements: Sequence[Value]) -> Rejected | None:
        """Makes the posts of a round; gives the rejection of the whole record where they are too many."""
        record, made, places = self._record, self.made, self.places
        plain = Mapped if self._several.noted is None else None
        count = len(elements) * len(each.parts)
        record[MOST] = max(1, min(MAX_ELEMENTS, MOST_TOGETHER // max(1, count * len(self._several.rounds))))
        may_be_too_many = len(made) + count > MAX_POSTS
        for at, element in enumerate(elements):
            record[ELEMENT] = element
            record[MEMBERS] = element if type(element) is dict else _NO_MEMBERS
            record[INDEX] = at
            for part in each.parts:
                outcome = one_post(part, record) if part.when is None else _made(part, part.when, record)
                if type(outcome) is plain:
                    made.append(outcome)
                    places.append((each, part, at))
                else:
                    self._add((each, part, at), outcome)
            if may_be_too_many and len(made) > MAX_POSTS:
                return self._too_large(f"the record makes more than {MAX_POSTS} posts")
        return None

    def _too_large(self, text: str) -> Rejected:
        return Rejected(RejectCode.TOO_LARGE, f"{text}; split it, or leave some out", mapping=self._mapping)

    def _add(self, place: _Place, outcome: Made | None) -> None:
        if type(outcome) is Rejected and (where := _where(self._several, place)):
            outcome.text = f"{where}: {outcome.text}"
        if self._several.noted is not None:
            self._several.noted(PartPlace(_where(self._several, place), place[1].number), outcome)
        if outcome is not None:
            self.made.append(outcome)
            self.places.append(place)


def _made(part: CompiledPart, when: Expression, record: Record) -> Made | None:
    """The post; None where its ``when`` is false."""
    compute(part.before, record)
    try:
        if not truth(when.run(record)):
            return None
    except RAISED as error:
        return refusal(part, record, "when", as_evaluation_error(error))
    return one_post(part, record)


def _where(several: CompiledSeveral, place: _Place) -> str:
    """``points[3]``, ``posts[1]``, ``points[3], posts[1]``; nothing where there is but one place."""
    around, part, at = place
    each, element = around.each, ""
    if each is not None and at >= 0:
        element = f"{each.source}[{at}]" if isinstance(each.node, Path) else f"element {at}"
    all_of_round = at < 0 and len(around.parts) > 1
    post = f"posts[{part.number}]" if several.count > 1 and not all_of_round else ""
    both = (element, post) if len(around.parts) > 1 else (post, element)
    return ", ".join(filter(None, both))


def _different(made: list[Made], places: list[_Place], several: CompiledSeveral) -> list[Made]:
    """The parts, of which those with one RIC and service are one that is rejected."""
    if len({(each.service, each.ric) for each in made}) == len(made):
        return made
    numbers: dict[object, list[int]] = {}
    for number, each in enumerate(made):
        # What has no RIC is what it is by its place.
        numbers.setdefault(number if each.ric is None else (each.service, each.ric), []).append(number)
    return [
        made[same[0]] if len(same) == 1 else _same(made[same[0]], same, [_where(several, places[at]) for at in same])
        for same in numbers.values()
    ]


def _same(first: Made, numbers: list[int], places: list[str]) -> Rejected:
    more = f" and {len(numbers) - _SHOWN_PLACES} more" if len(numbers) > _SHOWN_PLACES else ""
    *others, last = map(str, numbers[:_SHOWN_PLACES])
    which = f"{', '.join(others)}, {last}{more}" if more else f"{', '.join(others)} and {last}"
    shown = "; ".join(places[:_SHOWN_PLACES])
    text = (
        f"posts {which} of the record have the same RIC {first.ric} (service {first.service}): {shown}{more}. "
        "Give each a RIC of its own, or make only one of them, by when"
    )
    return Rejected(RejectCode.BAD_VALUE, text, first.ric, first.service, first.mapping)


def _keep_back(made: list[Made]) -> None:
    """Rejects every part, where one is rejected."""
    bad = next((each for each in made if type(each) is Rejected), None)
    if bad is None:
        return
    text = f"all_or_nothing: another post of the record cannot be mapped: {f'{bad.ric}: ' if bad.ric else ''}{bad.text}"
    for number, each in enumerate(made):
        if type(each) is Mapped:
            made[number] = Rejected(bad.code, text, each.ric, each.service, each.mapping, each.fields)


def _nothing(several: CompiledSeveral, record: Record) -> str:
    """Why there are no parts."""
    if INDEX in record:
        return "the when of no post is true"
    lists = dict.fromkeys(each.each.source for each in several.rounds if each.each is not None)
    return f"{' and '.join(lists)} {'has' if len(lists) == 1 else 'have'} no elements"
