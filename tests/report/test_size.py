"""How large a page is, and what it goes without where it would be too large."""

from dataclasses import replace

import numpy as np
import pytest

from fieldlens.fields.plain import PlainField, PlainFormulas
from fieldlens.report import Around, Exhibit, Film, Frame, KeptNetwork, Report, report_html, size
from fieldlens.report.images import encoded_earlier, encoded_frame, encoded_map, encoded_still
from fieldlens.studies.runs.answers import DRAWN
from fieldlens.studies.runs.learnt import MOST_BYTES as MOST_NETWORKS_BYTES
from fieldlens.studies.runs.report import MOST_FILM, MOST_FRAMES, OVERLAYS
from tests.support import report_examples as examples

BASE64 = 4 / 3


def noise(side: int) -> np.ndarray:
    """No picture takes more room."""
    return np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)


def network(neurons: int = 64) -> PlainField:
    """Of plain coordinates."""
    weights = np.zeros((neurons, 2), np.float32), np.zeros((3, neurons), np.float32)
    biases = np.zeros(neurons, np.float32), np.zeros(3, np.float32)
    raw = PlainFormulas(np.eye(2), np.zeros(2), np.zeros((0, 2)), np.zeros(0))
    return PlainField(raw, weights, biases, "relu", 0.0, "linear")


def large(frames: int = 40) -> Report:
    """Films, networks, frames, pictures and a scene from all around of half a megabyte or so each."""
    target = noise(128)
    steps = [Frame(step, step / 10, 20.0, noise(64)) for step in range(frames)]
    run = replace(
        examples.run("it", target, end_sigma_px=1.0, frame_count=3),
        frames=steps,
        final=target,
        networks=[KeptNetwork(step, network(20_000)) for step in range(3)],
        around=Around(4, 2, 200, 200, {"colour": noise(400)}, (0.5, -1.0, 0.5), (0.0, 0.0, 1.0), 0.7),
        views=Exhibit("Views", noise(400), "all of them"),
    )
    films = [Film("Small", "small.mp4", bytes(200_000)), Film("Large", "large.mp4", bytes(400_000))]
    return replace(examples.report_of([run], target), films=films)


def left_of(report: Report) -> tuple[int, int, int, int, int]:
    """What a report of one run still has: films, networks, frames, what is seen from all around; and its side."""
    (run,) = report.runs
    films = sum(film.data is not None for film in report.films)
    return films, len(run.networks), len(run.frames), int(run.around is not None), report.largest_side


def test_what_is_missed_least_goes_first():
    assert [left_of(smaller) for smaller in size.ever_smaller(large())] == [
        (2, 3, 40, 1, 2048),
        (1, 3, 40, 1, 2048),
        (0, 3, 40, 1, 2048),
        (0, 1, 40, 1, 2048),
        (0, 1, 21, 1, 2048),
        (0, 1, 11, 1, 2048),
        (0, 1, 6, 1, 2048),
        (0, 0, 6, 1, 2048),
        (0, 0, 6, 0, 2048),
        *((0, 0, 6, 0, side) for side in size.SMALLER_SIDES),
    ]


def test_a_page_has_no_less_than_it_must_and_says_what_is_gone(monkeypatch: pytest.MonkeyPatch):
    report = large()
    smaller = list(size.ever_smaller(report))
    assert "too large" not in report_html(report)
    for of in (smaller[4], smaller[-1]):
        page = report_html(of)
        monkeypatch.setattr(size, "MOST_BYTES", len(page))
        assert report_html(report) == page
        assert "too large" in page


def test_the_largest_film_is_the_first_to_be_a_link():
    _, first, second, *_ = size.ever_smaller(large())
    assert [film.data is None for film in first.films] == [False, True]
    assert [film.data is None for film in second.films] == [True, True]


def test_a_scrubber_is_thinned_to_its_first_and_last_step_and_maps_go_with_their_steps():
    run = large(41).runs[0]
    mapped = replace(run.overlays[0], earlier=[(step, noise(8)) for step in range(0, 40, 3)])
    parts = [
        smaller.runs[0] for smaller in size.ever_smaller(replace(large(41), runs=[replace(run, overlays=[mapped])]))
    ]
    for part in parts:
        steps = [frame.step for frame in part.frames]
        assert (steps[0], steps[-1]) == (0, 40)
        assert {step for step, _ in part.overlays[0].earlier} == {step for step in range(0, 40, 3) if step in steps}
    assert len(parts[-1].frames) <= size.FEWEST_FRAMES


def test_at_the_last_views_and_drawings_are_reduced_as_all_pictures_are():
    *_, last = size.ever_smaller(large())
    drawn = replace(last.runs[0], pictures=[Exhibit("Cells", noise(401), "some")])
    page = report_html(replace(last, runs=[drawn]))
    side = size.SMALLER_SIDES[-1]
    for of in (400, 401):
        assert encoded_still(noise(of), side).uri in page


@pytest.mark.parametrize("runs", [1, 6])
def test_even_pictures_of_noise_leave_the_smallest_page_of_so_many_runs_under_the_limit(runs: int):
    """By what the last of the ever smaller reports holds: all else of a page is text and curves."""
    side = size.SMALLER_SIDES[-1]
    frame, still = len(encoded_frame(noise(512), side).data), len(encoded_still(noise(2048), side).data)
    maps = len(OVERLAYS) * len(encoded_map(noise(512), side).data)
    earlier = 3 * size.FEWEST_FRAMES * len(encoded_earlier(noise(512)).data)
    views_and_drawings = (1 + len(DRAWN)) * still
    each = size.FEWEST_FRAMES * frame + still + maps + earlier + views_and_drawings
    assert BASE64 * (still + runs * each) < size.MOST_BYTES


def test_a_usual_page_keeps_everything():
    """Of a photograph of the default size, with all steps, a film and the largest network."""
    photograph = examples.photograph(512, 512)
    blurry = examples.blurred(photograph, 2.0)
    frame, still = len(encoded_frame(blurry).data), len(encoded_still(photograph).data)
    maps = len(OVERLAYS) * len(encoded_map(examples.coloured(blurry[..., 0] / 255)).data)
    earlier = 3 * MOST_FRAMES * len(encoded_earlier(examples.coloured(blurry[..., 0] / 255)).data)
    pictures = MOST_FRAMES * frame + 2 * still + maps + earlier
    assert BASE64 * (pictures + MOST_FILM / 3 + MOST_NETWORKS_BYTES) < size.MOST_BYTES
