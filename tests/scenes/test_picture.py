"""A picture as a scene: where its pixels lie, which are drawn, which are held out, and what it keeps of them."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.errors import InputError
from fieldlens.configs.space import Space
from fieldlens.render.grid import pixel_points
from fieldlens.scenes import holdout as protocols
from fieldlens.scenes.load import restore
from fieldlens.scenes.picture import Picture
from fieldlens.scenes.pictures.area import area_average, fitted_size
from fieldlens.scenes.scene import Scene, View

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def numbered(height: int, width: int, holdout: protocols.Holdout = "none") -> Picture:
    """A picture whose pixel (i, j) has the value i * width + j."""
    pixels = np.arange(height * width, dtype=np.float32).reshape(height, width, 1)
    return Picture("numbered", pixels, holdout)


def drawn(picture: Picture, size: int, seed: int = 0) -> np.ndarray:
    """The row-major indices of a batch's pixels in a numbered picture."""
    return picture.batch(torch.Generator().manual_seed(seed), size).values[:, 0].numpy().astype(int)


def test_a_picture_is_a_scene_and_its_own_view() -> None:
    picture = numbered(3, 4)
    scene: Scene = picture
    view: View = picture
    assert list(scene.views()) == [view]
    assert (scene.in_dim, scene.out_dim, view.height, view.width, view.channels) == (2, 1, 3, 4, 1)


@given(SIZES, st.sampled_from(protocols.HOLDOUTS), st.data())
def test_the_kth_training_pixel_by_arithmetic_is_the_kth_of_the_mask(size, holdout, data) -> None:
    height, width = size
    mask = protocols.trained(holdout, height, width)
    expected = np.argwhere(np.ones(size, bool) if mask is None else mask)
    assert protocols.count(holdout, height, width) == len(expected)
    row, column = protocols.locate(holdout, torch.arange(len(expected)), width)
    np.testing.assert_array_equal(torch.stack((row, column), -1), expected)


def test_each_protocol_trains_and_scores_the_pixels_that_it_names() -> None:
    def marks(holdout: protocols.Holdout) -> list[str]:
        trained, heldout = protocols.trained(holdout, 3, 4), protocols.heldout(holdout, 3, 4)
        assert trained is not None
        assert heldout is not None
        return ["".join(row) for row in np.where(trained, "T", np.where(heldout, "h", "."))]

    assert marks("checkerboard") == ["ThTh", "hThT", "ThTh"]
    assert marks("even-odd") == ["T.T.", ".h.h", "T.T."]
    assert marks("even-rest") == ["ThTh", "hhhh", "ThTh"]
    assert protocols.trained("none", 3, 4) is None
    assert protocols.heldout("none", 3, 4) is None


@pytest.mark.parametrize(("holdout", "size"), [("checkerboard", (1, 1)), ("even-odd", (1, 5)), ("even-rest", (1, 1))])
def test_a_protocol_that_would_hold_out_nothing_is_refused(holdout, size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=holdout):
        numbered(*size, holdout)


@given(SIZES, st.sampled_from(protocols.HOLDOUTS), st.integers(1, 200))
def test_a_batch_draws_every_training_pixel_about_equally_often_and_no_other(
    size: tuple[int, int], holdout, count
) -> None:
    try:
        picture = numbered(*size, holdout)
    except InputError:
        return
    indices = drawn(picture, count)
    mask = picture.trained
    allowed = np.arange(size[0] * size[1]) if mask is None else np.flatnonzero(mask)
    assert set(indices) <= set(allowed)
    # A pixel's interval of length size / n touches at most ceil(size / n) + 1 strata, each drawn once.
    times = np.bincount(np.searchsorted(allowed, indices), minlength=len(allowed))
    assert times.max() <= -(-count // len(allowed)) + 1
    assert times.min() >= count // len(allowed) - 1


def test_a_batch_of_the_whole_picture_is_the_picture() -> None:
    np.testing.assert_array_equal(drawn(numbered(7, 5), 35), np.arange(35))


def test_a_batch_has_one_pixel_in_each_stratum() -> None:
    indices = drawn(numbered(16, 16), 32)
    np.testing.assert_array_equal(indices // 8, np.arange(32))


def test_over_many_batches_every_pixel_comes_up_as_often_as_expected() -> None:
    picture = numbered(5, 7)  # 35 pixels in 8 strata: borders of strata cut through pixels
    generator = torch.Generator().manual_seed(1)
    counts = sum(np.bincount(picture.batch(generator, 8).values[:, 0].int(), minlength=35) for _ in range(800))
    expected = 800 * 8 / 35
    assert np.abs(counts / expected - 1).max() < 4 / np.sqrt(expected)


def test_the_generator_is_the_only_state_of_the_batches() -> None:
    picture, generator = numbered(20, 30), torch.Generator().manual_seed(3)
    picture.batch(generator, 50)
    state = generator.get_state()
    first = picture.batch(generator, 50)
    again = numbered(20, 30).batch(torch.Generator().set_state(state), 50)
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.coordinates, again.coordinates)


def test_the_last_pixels_of_a_large_picture_can_be_drawn() -> None:
    pixels = np.broadcast_to(np.uint8(7), (5000, 20000, 1))  # 10^8 pixels, one byte in memory
    assert protocols.count("none", 5000, 20000) == 10**8
    row, column = protocols.locate("none", torch.tensor([10**8 - 1]), 20000)
    assert (row.item(), column.item()) == (4999, 19999)
    assert Picture("large", pixels).batch(torch.Generator(), 4).values.shape == (4, 1)


def test_a_large_picture_is_reduced_and_drawn_from_without_a_copy_of_it() -> None:
    picture = Picture("large", np.full((4096, 4096, 3), 7, np.uint8))
    tracemalloc.start()
    try:
        picture.target(512, 512)
        picture.batch(torch.Generator(), 8192)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    narrow, block = 4096 * 512 * 3 * 4, 1 << 24
    assert peak < narrow + 3 * block  # in float32 the whole picture would be eight times the narrow one


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (6, 1), (3, 5), (300, 451)])
def test_a_batch_lies_where_the_pixels_are_drawn(size: tuple[int, int]) -> None:
    coordinates = numbered(*size).batch(torch.Generator(), size[0] * size[1]).coordinates
    centres = pixel_points(*size).reshape(-1, 2)
    torch.testing.assert_close(coordinates, centres, rtol=0, atol=1e-7)


def test_the_longer_side_spans_the_unit_interval() -> None:
    coordinates = numbered(2, 4).batch(torch.Generator(), 8).coordinates
    assert coordinates[0].tolist() == [0.125, 0.125]
    assert coordinates[-1].tolist() == [0.875, 0.375]


def test_a_field_that_knows_the_values_is_drawn_as_the_target_and_has_no_loss() -> None:
    picture = numbered(6, 8)

    def field(points: torch.Tensor) -> torch.Tensor:
        column, row = (points * 8).long().unbind(-1)
        return (row * 8 + column).float()[:, None]

    np.testing.assert_array_equal(picture.draw(field), picture.target())
    batch = picture.batch(torch.Generator(), 10)
    assert picture.loss(picture.predict(field, batch), batch) == 0
    assert picture.loss(batch.values + 0.5, batch) == 0.25
    assert picture.draw(field, 3, 2, (0.5, 0.25, 0.75, 0.625))[:, :, 0].tolist() == [[20, 21], [28, 29], [36, 37]]


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_stored_integers_become_values_from_0_to_1(dtype, top) -> None:
    picture = Picture("ends", np.array([[[0], [top]]], dtype))
    assert picture.batch(torch.Generator(), 2).values.tolist() == [[0.0], [1.0]]
    assert picture.target().tolist() == [[[0.0], [1.0]]]
    assert picture.target().dtype == np.float32


@given(SIZES, SIZES, st.integers(0, 3))
def test_area_averaging_is_the_product_of_two_matrices_of_shares(old, new, seed) -> None:
    new = min(old[0], new[0]), min(old[1], new[1])
    pixels = np.random.default_rng(seed).random((*old, 3)).astype(np.float32)

    def shares(n: int, m: int) -> np.ndarray:
        """(m, n): the share of new pixel a that old pixel b covers."""
        edges, places = np.arange(m + 1) * n / m, np.arange(n)
        overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
        return np.clip(overlap, 0, None) * m / n

    expected = np.einsum("ai,bj,ijc->abc", shares(old[0], new[0]), shares(old[1], new[1]), pixels)
    np.testing.assert_allclose(area_average(pixels, *new), expected, atol=1e-5)


def test_area_averaging_in_blocks_of_rows_keeps_the_mean(monkeypatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (61, 47, 3), dtype=np.uint8)
    whole = area_average(pixels, 20, 13, 255.0)
    monkeypatch.setattr("fieldlens.scenes.pictures.area._BLOCK", 47 * 3 * 7)
    np.testing.assert_array_equal(area_average(pixels, 20, 13, 255.0), whole)
    assert whole.mean() == pytest.approx(pixels.mean() / 255, abs=1e-6)
    with pytest.raises(ValueError, match="enlarge"):
        area_average(pixels, 62, 47)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 5000))
def test_a_fitted_size_keeps_within_the_side_and_the_proportions(height, width, side) -> None:
    new = fitted_size(height, width, side)
    assert max(new) == min(side, max(height, width))
    scale = max(new) / max(height, width)
    assert abs(new[0] - max(1, height * scale)) <= 0.5
    assert abs(new[1] - max(1, width * scale)) <= 0.5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_saved_picture_comes_back_the_same(tmp_path, dtype) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (4, 5, 3)).astype(dtype)
    notes = ("reduced from 8x10", "naïve <script> 🐈")
    picture = Picture("my 'photo' 🐈", pixels, "checkerboard", notes)
    np.savez(tmp_path / "target.npz", allow_pickle=False, **picture.to_npz_arrays())
    back = restore(tmp_path / "target.npz", Space())
    assert isinstance(back, Picture)
    assert (back.name, back.holdout, back.notes) == (picture.name, picture.holdout, notes)
    assert back.pixels.dtype == dtype
    np.testing.assert_array_equal(back.pixels, pixels)


def test_a_damaged_saved_picture_is_refused_by_name(tmp_path) -> None:
    good = tmp_path / "target.npz"
    np.savez(good, allow_pickle=False, **numbered(8, 8).to_npz_arrays())
    whole = good.read_bytes()
    with pytest.raises(InputError, match=r"no saved target at .*gone\.npz"):
        restore(tmp_path / "gone.npz", Space())
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:200] + b"\xff" * 40 + whole[240:]):
        good.write_bytes(content)
        with pytest.raises(InputError, match=r"target\.npz"):
            restore(good, Space())


def test_a_saved_picture_is_never_unpickled(tmp_path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (pytest.fail, ("unpickled",))

    arrays = numbered(2, 2).to_npz_arrays() | {"name": np.array(Trap(), dtype=object)}
    np.savez(tmp_path / "target.npz", allow_pickle=True, **arrays)
    with pytest.raises(InputError, match="no saved target"):
        restore(tmp_path / "target.npz", Space())


@pytest.mark.parametrize(
    "change",
    [{"pixels": np.zeros((2, 2), np.uint8)}, {"pixels": np.zeros((2, 2, 1), np.int64)}, {"holdout": np.array("half")}],
)
def test_saved_arrays_that_are_no_picture_are_refused(tmp_path, change) -> None:
    arrays = numbered(2, 2).to_npz_arrays() | change
    np.savez(tmp_path / "target.npz", allow_pickle=False, **arrays)
    with pytest.raises(InputError, match="no picture"):
        restore(tmp_path / "target.npz", Space())
