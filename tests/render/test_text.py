"""Small text: whatever a person's file is called, one line that fits."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldlens.render.text import BACKGROUND, INK, LINE, draw_text, fit_text, text_width

ANY_TEXT = st.text(st.characters(), max_size=30)  # lone surrogates included


def ground(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), BACKGROUND, np.uint8)


def inked(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns that differ from the ground."""
    touched = (image != BACKGROUND).any(axis=-1)
    return np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))


@pytest.mark.parametrize("height", [11, 13, 24])
def test_ink_stays_in_the_line_and_in_the_width_that_is_stated(height):
    image, text = ground(80, 400), "fourier:8 (gjpq|) 26.41 dB"
    draw_text(image, text, (10, 20), height)
    rows, columns = inked(image)
    assert rows[0] >= 20
    assert rows[-1] < 20 + round(LINE * height)
    assert columns[0] >= 10
    assert columns[-1] <= 10 + text_width(text, height)
    assert len(columns) > 0.6 * text_width(text, height)


def test_ink_reaches_its_full_colour_so_that_it_can_be_read():
    image = ground(40, 300)
    draw_text(image, "step 1200", (4, 4), 13, INK)
    assert np.abs(image.astype(int) - INK).max(axis=-1).min() < 24


def test_figures_are_of_one_width_so_that_a_running_count_does_not_jitter():
    assert len({text_width(4 * figure, 13) for figure in "0123456789"}) == 1


@given(ANY_TEXT)
@example("photo\udcff.jpg")
@example("a\nb\tc\x00d\u2028e")
@example("שלום عالم 像 😀 e\u0301")
def test_any_text_is_drawn_on_one_line(text):
    image = ground(60, 600)
    draw_text(image, text, (20, 20), 13)
    rows, _ = inked(image)
    # Accents and scripts that are taller than Latin may reach past the line, a second line may not be begun.
    assert all(10 <= row < 20 + 2 * 13 for row in rows)


@given(ANY_TEXT, st.integers(0, 200))
def test_fitted_text_fits_and_is_a_beginning_of_the_text(text, room):
    fitted = fit_text(text, 13, room)
    assert fitted == "" or text_width(fitted, 13) <= room
    assert fitted == text or fitted == "" or text.startswith(fitted.removesuffix("...").rstrip())


def test_fitted_text_is_as_long_as_can_be():
    text = "a caption that goes on for longer than it has room"
    fitted = fit_text(text, 13, 150)
    kept = len(fitted) - len("...")
    assert fitted == text[:kept] + "..."
    assert text_width(text[: kept + 2].rstrip() + "...", 13) > 150


def test_text_with_room_is_left_alone():
    assert fit_text("error", 13, text_width("error", 13)) == "error"


def test_text_beyond_its_room_leaves_the_rest_of_the_picture_untouched():
    image = ground(40, 300)
    draw_text(image, "a caption far too long for so little room", (10, 5), 13, max_width=90)
    _, columns = inked(image)
    assert columns[-1] < 100
