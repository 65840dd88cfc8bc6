"""The settings of a field that say how ``as`` reads: what they come to, and what is wrong with them."""

from collections.abc import Iterator

from contribd.mapping.codes import Code
from contribd.mapping.conversions import OF_TIMES, As, Reading
from contribd.mapping.date_forms import DateForm, FormError, date_form
from contribd.mapping.epochs import Unit
from contribd.mapping.field_problem import FieldProblem
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.fraction_prices import TREASURIES
from contribd.mapping.times import PLAIN, DateReading
from contribd.mapping.zones import Fold, Gap, NoZone, Zone, zone_info

DATE_SETTINGS = ("zone", "fold", "gap", "format", "unit")
"""They go with an ``as`` of dates or times."""


def reading_of(spec: FieldSpec) -> Reading:
    """What the settings come to. Those that are wrong are left out: they have a problem each."""
    notation = TREASURIES if spec.fraction is None else spec.fraction.notation
    if not any(spec.has(key) for key in DATE_SETTINGS):
        return Reading(spec.to, notation)
    zone = form = None
    if spec.zone is not None and not [*_zone_problems(spec)]:
        zone = Zone(zone_info(spec.zone), Fold(spec.fold), Gap(spec.gap))
    if spec.format is not None and not [*_form_problems(spec)]:
        form = date_form(spec.format)
    unit = None if spec.unit is None else Unit(spec.unit)
    return Reading(spec.to, notation, DateReading(zone, form, unit) if zone or form or unit else PLAIN)


def reading_problems(spec: FieldSpec) -> Iterator[FieldProblem]:
    """Settings that say how ``as`` reads where it does not read so, or that cannot be used."""
    if spec.fraction is not None:
        yield from _fraction_problems(spec)
    if spec.to not in OF_TIMES:
        for key in (key for key in DATE_SETTINGS if spec.has(key)):
            yield FieldProblem(
                key, f"{key} goes with as: date, time or datetime", cure=f"Add as: date, or take {key} away"
            )
        return
    yield from _zone_problems(spec)
    yield from _form_problems(spec)
    yield from _together(spec)


def _fraction_problems(spec: FieldSpec) -> Iterator[FieldProblem]:
    if spec.to is not As.FRACTION:
        yield FieldProblem(
            "fraction", "fraction goes with as: fraction", cure="Add as: fraction, or take fraction away"
        )
    elif spec.fraction is not None and spec.fraction.has("third_digit") and spec.fraction.of != TREASURIES.of:
        text = f"third_digit goes with 32nds; of is {spec.fraction.of} here"
        yield FieldProblem("fraction", text, cure="Take third_digit away")


def _zone_problems(spec: FieldSpec) -> Iterator[FieldProblem]:
    if spec.zone is None:
        for key in (key for key in ("fold", "gap") if spec.has(key)):
            yield FieldProblem(key, f"{key} goes with zone; there is none", cure=f"Add zone, or take {key} away")
        return
    try:
        zone_info(spec.zone)
    except NoZone as problem:
        yield FieldProblem("zone", str(problem), Code.ZONE, problem.cure)


def _form_problems(spec: FieldSpec) -> Iterator[FieldProblem]:
    if spec.format is None:
        return
    try:
        form = date_form(spec.format)
    except FormError as problem:
        yield FieldProblem("format", problem.text, Code.DATE_FORM, problem.cure, problem.at)
        return
    lacks = [
        what for what, has in (("date", form.has_date), ("time", form.has_time)) if spec.to in _NEEDS[what] and not has
    ]
    if lacks:
        text = f"as: {spec.to} needs a {' and a '.join(lacks)}, which this form does not say"
        yield FieldProblem("format", text, Code.DATE_FORM, 'Write all of it, as in "DD.MM.YYYY HH:mm:ss"')
    elif spec.to is As.TIME and spec.zone is not None and not form.has_date and not form.has_offset:
        text = f"a time of day in {spec.zone} is no moment without its date, which this form does not say"
        yield FieldProblem("format", text, Code.DATE_FORM, "Join the date with the time in from, and write both here")


_NEEDS = {"date": {As.DATE, As.DATETIME}, "time": {As.TIME, As.DATETIME}}


def _together(spec: FieldSpec) -> Iterator[FieldProblem]:
    if spec.unit is not None and spec.format is not None:
        yield FieldProblem(
            "unit", "unit is for numbers and format for text; a field has one of them", cure="Take one away"
        )
    if spec.unit == "days" and spec.to is not As.DATE:
        yield FieldProblem("unit", f"days have no time of day, which as: {spec.to} needs", cure="Write as: date")
    if spec.zone is not None and spec.to is not As.DATE and (why := _instant(spec)):
        text = f"zone changes nothing: {why}, and times are posted in UTC"
        yield FieldProblem("zone", text, Code.WITHOUT_EFFECT, "Take zone away")


def _instant(spec: FieldSpec) -> str:
    """Why what is read says its own zone; empty where it does not."""
    if spec.unit is not None:
        return "an epoch is in UTC"
    form = _form(spec)
    return "the form has its offset" if form is not None and form.has_offset else ""


def _form(spec: FieldSpec) -> DateForm | None:
    try:
        return None if spec.format is None else date_form(spec.format)
    except FormError:
        return None
