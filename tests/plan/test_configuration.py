"""What differs between configurations as they are written."""

from contribd.plan.configuration import MappingChanges, SettingChange, mapping_changes, value_changes

FX = {"name": "fx", "ric": "{pair}=", "fields": {"BID": "bid", "ASK": "ask"}}
PAGE = {"name": "page", "ric": "PAGE", "fields": {"ROW64_1": "text"}}


def test_mappings_are_added_removed_renamed_changed_and_tried_in_another_order() -> None:
    swapped = {**FX, "fields": {"BID": "ask", "ASK": "ask"}, "checks": ["bid <= ask"]}
    assert mapping_changes([FX, PAGE], [PAGE, swapped], {}, {}) == MappingChanges(
        (), (), (), {"fx": ("fields.BID", "checks")}, reordered=True
    )
    assert mapping_changes(
        [FX, PAGE], [{**FX, "name": "spot"}, {**PAGE, "name": "p", "ric": "P"}], {}, {}
    ) == MappingChanges(("p",), ("page",), (("fx", "spot"),), {}, reordered=False)
    assert not mapping_changes([FX, PAGE], [FX, PAGE], {}, {})
    assert mapping_changes([], [], {"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}).tables == ("b", "c")


def test_settings_are_told_by_their_paths() -> None:
    old = {"ads": {"service": "A", "pack": 20}, "rejects": None}
    new = {"ads": {"service": "B", "pack": 20, "user": "x"}, "rejects": None}
    assert list(value_changes(old, new)) == [
        SettingChange("ads.service", "A", "B"),
        SettingChange("ads.user", None, "x"),
    ]
