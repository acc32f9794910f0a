"""What tests of several kinds of scene share."""

import pytest

from fieldlens.studies.runs import compare
from fieldlens.studies.subjects import film


@pytest.fixture
def few_pictures_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw a scene from fewer places around it, which takes most of the time of small fits; test_film.py has all."""
    for module in (film, compare):
        monkeypatch.setattr(module, "AROUND", 3)
