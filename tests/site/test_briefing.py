"""A briefing has two pages, whatever it has to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from sources.errors import PulseError
from tests.site import small_warehouse as small
from warehouse.connection import reading
from warehouse.writers import briefing
from warehouse.writers.read import read_model

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("letters", "sizes", "fits"),
    [
        (0, briefing.SIZES[:1], True),
        (6_000, briefing.SIZES[:1], False),
        (6_000, briefing.SIZES, True),
        (40_000, briefing.SIZES, False),
    ],
)
def test_a_long_text_takes_a_smaller_size_or_is_refused(
    letters: int,
    sizes: tuple[float, ...],
    fits: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with reading(small.build(tmp_path / "pulse.duckdb")) as connection:
        model = read_model(connection)
    data = briefing.briefing_data(model, model.lead, "release 1")
    monkeypatch.setattr(briefing, "SIZES", sizes)
    monkeypatch.setattr(
        briefing, "briefing_data", lambda *_: data | {"changed": ["Word " * (letters // 5)]}
    )
    path = tmp_path / "briefing.pdf"
    if fits:
        assert briefing.write_briefing(model, model.lead, path, release="r").stat().st_size > 1000
        return
    with pytest.raises(PulseError) as refused:
        briefing.write_briefing(model, model.lead, path, release="r")
    assert refused.value.code == "too_long"
    assert not path.exists()
