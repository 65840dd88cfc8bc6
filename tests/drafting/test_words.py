"""What names can mean is known to the simulated ADS: a first mapping that is tried on it is not refused for that."""

from contribd.drafting.words import ABOUT, MEANT, SIZES, Role, meaning
from contribd.simulation.ads.field_values import FIELDS, FieldKind

KINDS = {
    Role.NUMBER: FieldKind.REAL,
    Role.TIME: FieldKind.TIME,
    Role.DATE: FieldKind.DATE,
    Role.CURRENCY: FieldKind.ENUM,
}


def test_the_simulated_ads_has_every_field_that_a_name_can_mean() -> None:
    assert {name: FIELDS.get(name) for name in MEANT} == {name: KINDS[role] for name, role in MEANT.items()}
    assert FIELDS.keys() >= ABOUT | SIZES


def test_what_is_meant_is_listed() -> None:
    found = [meaning((name,)) for name in ("qty", "ccy", "ts", "date", "px")]
    assert {each.acronym: each.role for each in found if each}.items() <= MEANT.items()
    assert None not in found
