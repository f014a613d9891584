"""What is said of a figure: every verdict, every state, and the edges of rounding."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.site.cells import (
    ENGLAND,
    REGION,
    WALSALL,
    WMCA,
    barometer,
    cell,
    change,
    index,
    verdict,
)
from warehouse.writers.site import sentences as s
from warehouse.writers.site.model import Area, Cell, GroupCount

NO_INTERVAL = "No usable interval is published for West Midlands."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0%"),
        (0.2, "under 1%"),
        (0.5, "1%"),
        (1.49, "1%"),
        (24.5, "25%"),
        (85.5, "86%"),
        (99.49, "99%"),
        (99.5, "over 99%"),
        (99.99, "over 99%"),
        (100.0, "100%"),
    ],
)
def test_percents_are_whole_and_halves_go_up(value: float, said: str) -> None:
    assert s.percent(value) == said


@given(st.floats(min_value=0, max_value=100))
def test_a_percent_shown_is_never_further_than_a_half_point(value: float) -> None:
    said = s.percent(value)
    shown = {"under 1%": 0.0, "over 99%": 100.0}.get(said)
    number = float(said.rstrip("%")) if shown is None else shown
    assert abs(number - value) <= 0.5
    assert (said == "0%") == (value == 0)
    assert (said == "100%") == (value == 100)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.004, "0.00"), (-0.004, "0.00"), (-0.005, "−0.01"), (1.235, "1.24"), (-1.935, "−1.94")],
)
def test_z_scores_have_two_decimals_and_no_negative_zero(value: float, said: str) -> None:
    assert s.z_score(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.4, "0 points"),
        (-0.4, "0 points"),
        (0.5, "+1 point"),
        (-1.2, "−1 point"),
        (-8.5, "−9 points"),
    ],
)
def test_differences_are_signed_points(value: float, said: str) -> None:
    assert s.points(value) == said


@pytest.mark.parametrize(
    ("outcome", "polarity", "said"),
    [
        ("better", "high_good", "higher than England"),
        ("worse", "high_good", "lower than England"),
        ("better", "low_good", "lower than England"),
        ("worse", "low_good", "higher than England"),
        ("higher", "none", "higher than England"),
        ("lower", "none", "lower than England"),
        ("similar", "high_good", "similar to England"),
    ],
)
def test_words_follow_the_verdict_and_the_polarity(outcome: str, polarity: str, said: str) -> None:
    assert s.verdict_words(verdict(outcome), polarity) == said


@pytest.mark.parametrize("outcome", ["better", "worse", "similar"])
def test_a_close_call_is_too_close_to_call_whichever_side_it_fell(outcome: str) -> None:
    found = s.verdict_words(verdict(outcome, close=True), "high_good")
    assert found == "too close to call against England"


def test_what_cannot_be_compared_says_why_and_names_the_area() -> None:
    found = s.verdict_words(verdict("cannot_say", reason=NO_INTERVAL), "high_good", WMCA)
    assert found == (
        "cannot be compared with England because no usable interval is published for the West "
        "Midlands Combined Authority area"
    )
    assert s.verdict_words(None, "high_good").endswith("because no reason is recorded")


def test_a_reason_that_opens_with_a_name_keeps_its_capital() -> None:
    assert s.because("Community Life Survey 2024/25 is not held.").startswith("Community")


def test_a_figure_with_everything() -> None:
    walsall = cell(lower=20.4, upper=28.5, verdict=verdict("worse"))
    england = cell(ENGLAND, 25.4)
    said = s.key_sentence(barometer(), walsall, england)
    assert s.plain(said) == (
        "In Walsall, 24% of adults visited a library (95% interval 20% to 29%), lower than "
        "England’s 25% (Participation Survey 2023/24)."
    )
    assert [part.text for part in said if part.cell is walsall] == ["24%"]
    assert [part.text for part in said if part.cell is england] == ["25%"]


@pytest.mark.parametrize(
    ("outcome", "close", "said"),
    [
        ("better", False, ", higher than England’s 25%"),
        ("similar", False, ", similar to England’s 25%"),
        ("worse", True, ", too close to call against England’s 25%"),
    ],
)
def test_every_verdict_in_a_sentence(outcome: str, close: bool, said: str) -> None:
    found = cell(verdict=verdict(outcome, close))
    assert said in s.plain(s.key_sentence(barometer(), found, cell(ENGLAND, 25.0)))


def test_no_interval_is_left_out_and_the_comparison_refused() -> None:
    found = cell(WMCA, 41.0, verdict=verdict("cannot_say", reason=NO_INTERVAL))
    assert s.plain(s.key_sentence(barometer(), found, cell(ENGLAND, 57.0))) == (
        "In the West Midlands Combined Authority area, 41% of adults visited a library; England’s "
        "figure is 57%, and the two cannot be compared because no usable interval is published "
        "for the West Midlands Combined Authority area (Participation Survey 2023/24)."
    )


def test_without_a_figure_for_england_no_comparison_is_worded() -> None:
    text = s.plain(s.key_sentence(barometer(), cell(verdict=verdict("cannot_say")), None))
    assert text == "In Walsall, 24% of adults visited a library (Participation Survey 2023/24)."


def test_england_is_not_compared_with_itself() -> None:
    england = cell(ENGLAND, 25.0)
    assert "England’s" not in s.plain(s.key_sentence(barometer(), england, england))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("not_held", "the publisher’s tables for it are not held here"),
        ("suppressed", "the publisher holds it back"),
        ("not_available", "the publisher has none for this area"),
        ("not_applicable", "it does not exist for this area"),
    ],
)
def test_every_state_without_a_figure(status: str, said: str) -> None:
    text = s.plain(
        s.key_sentence(barometer(), cell(WMCA, None, status=status), cell(ENGLAND, 25.0))
    )
    assert text.startswith("No figure can be given for the share of adults in the West Midlands")
    assert said in text
    assert text.endswith("England’s figure is 25% (Participation Survey 2023/24).")


@pytest.mark.parametrize(("value", "said"), [(0.0, "0%"), (100.0, "100%"), (0.3, "under 1%")])
def test_the_ends_of_the_scale(value: float, said: str) -> None:
    found = cell(value=value, lower=value, upper=value, verdict=verdict("similar"))
    text = s.plain(s.key_sentence(barometer(), found, cell(ENGLAND, 25.0)))
    assert f"In Walsall, {said} of adults" in text
    assert f"(95% interval {said} to {said})" in text


def test_namesakes_are_told_apart() -> None:
    assert WMCA.in_words != REGION.in_words
    assert WMCA.label != REGION.label
    assert Area("E47000010", "North East", "cauth", ended="2023").label == (
        "North East Combined Authority (until 2023)"
    )


def _group(area: Area, number: int | None, label: str | None, **changed: object) -> Cell:
    return cell(
        area,
        -0.5 if number else None,
        unit="z_score",
        group_number=number,
        group_label=label,
        edition_title="State of the Nation 2025",
        **changed,
    )


def test_an_index_is_a_group_and_never_a_percent() -> None:
    text = s.plain(s.key_sentence(index(), _group(WALSALL, 3, "Lower Middling"), None))
    assert text == (
        "On the promising prospects index, Walsall is in group 3, Lower Middling (z-score −0.50), "
        "State of the Nation 2025, years 2023 to 2024."
    )
    assert "%" not in text


def test_an_index_has_no_value_for_a_combined_authority() -> None:
    none = _group(
        WMCA, None, None, status="not_applicable", status_reason="The index is never averaged."
    )
    assert s.plain(s.key_sentence(index(), none, None)).endswith(
        "for the West Midlands Combined Authority area: the index is never averaged."
    )


def test_groups_are_counted_with_each_area_linked() -> None:
    other = Area("E08000031", "Wolverhampton", "lad")
    cells = [_group(WALSALL, 3, "Lower Middling"), _group(other, 4, "Middling")]
    counts = GroupCount(
        WMCA, "2025", date(2024, 12, 31), ((1, "Lower Middling"), (1, "Middling")), 2
    )
    said = s.counts_sentence(index(), counts, cells, "State of the Nation 2025")
    assert "1 in Lower Middling (Walsall); 1 in Middling (Wolverhampton)" in s.plain(said)
    assert [part.cell for part in said if part.cell] == cells


@pytest.mark.parametrize(
    ("outcome", "label"),
    [
        ("better", "Up since the baseline"),
        ("worse", "Down since the baseline"),
        ("similar", "No change beyond the margin of error"),
        ("cannot_say", "Cannot say"),
    ],
)
def test_direction_since_the_baseline(outcome: str, label: str) -> None:
    found = change(outcome, sentence="As the mart says.")
    assert s.direction_label(found, "high_good") == label
    assert s.plain(s.direction_sentence(found)) == "As the mart says."


def test_a_close_change_is_too_close_to_call() -> None:
    found = change("better", close_call=True)
    assert s.direction_label(found, "high_good") == "Too close to call"


def test_without_a_later_figure_there_is_no_direction() -> None:
    assert s.direction_label(None, "high_good") == "Cannot say"
    assert "No later edition" in s.plain(s.direction_sentence(None))


def test_tallies() -> None:
    assert s.tally_sentence(WALSALL, 1, 2, 3, 1, 6) == (
        "Of 6 survey barometers that can be compared with England, Walsall is better on 1, similar "
        "on 2 and worse on 3; 1 of these is too close to call. On 6 nothing can be said yet."
    )
    assert s.tally_sentence(WALSALL, 0, 0, 0, 0, 12).startswith("None of the 12 survey barometers")


@pytest.mark.parametrize(
    ("outcome", "close", "said"),
    [
        ("worse", False, "the West Midlands Combined Authority area is lower than England"),
        ("similar", True, "too close to call between the West Midlands Combined Authority area"),
        ("cannot_say", False, "41% in the West Midlands Combined Authority area, 57% in England"),
    ],
)
def test_titles_state_the_finding(outcome: str, close: bool, said: str) -> None:
    lead = cell(WMCA, 41.0, verdict=verdict(outcome, close))
    assert said in s.title_by_combined_authority(barometer(), lead, cell(ENGLAND, 57.0))


def test_titles_without_figures_say_so() -> None:
    none = cell(WMCA, None)
    assert "no figure for" in s.title_by_combined_authority(barometer(), none, cell(ENGLAND, 57.0))
    assert "no figures" in s.title_by_combined_authority(barometer(), none, None)
    assert "no figures" in s.title_by_authority(barometer(), [cell(value=None)], WMCA)


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (("worse", "similar"), "of 2 authorities, one lower than England and one similar"),
        (("better", "better"), "of 2 authorities, two higher than England"),
        (("similar", "similar"), "of 2 authorities, two similar to England"),
        (
            ("similar", "cannot_say"),
            "of 2 authorities, one similar to England and one not compared",
        ),
    ],
)
def test_titles_count_the_authorities(outcomes: tuple[str, ...], said: str) -> None:
    cells = [cell(verdict=verdict(outcome)) for outcome in outcomes]
    assert s.title_by_authority(barometer(), cells, WMCA) == f"Library visits: {said}"
