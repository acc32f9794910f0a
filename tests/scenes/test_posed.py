"""Photographed scenes: batches, renderings and saved targets against the photographs and closed forms."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig
from fieldlens.configs.space import Space
from fieldlens.fitting import fit, initial_state
from fieldlens.render.camera import Camera, Rays, looking_at, orbit, perspective
from fieldlens.render.files import write_npz
from fieldlens.render.volume import FIRST_ROUND, cube_interval, march
from fieldlens.scenes.captures.capture import Bounds, Capture, Photograph
from fieldlens.scenes.load import restore
from fieldlens.scenes.posed import PosedScene, RayBatch
from tests.support.small_fits import plan, same_bytes

BOUNDS = Bounds((0.5, -1.0, 2.0), side=4.0)
CENTRE, RADIUS = np.array(BOUNDS.centre) + np.array([0.3, -0.2, 0.4]), 1.1


def photograph(name: str, pose: np.ndarray, side: int = 16, channels: int = 4) -> Photograph:
    """A ball whose colour is where it is seen from, by the closed form for a ray and a sphere."""
    camera = perspective(side, side, 0.9, pose)
    rays = camera.rays()
    to_centre = CENTRE - rays.origins.double().numpy()
    directions = rays.directions.double().numpy()
    along = (to_centre * directions).sum(1)
    met = np.linalg.norm(to_centre - along[:, None] * directions, axis=1) < RADIUS
    rgba = np.concatenate([np.tile([0.9, 0.2, 0.1], (len(met), 1)), np.ones((len(met), 1))], 1) * met[:, None]
    if channels == 3:
        rgba = rgba[:, :3] + 1 - rgba[:, 3:]
    return Photograph(name, camera, np.round(255 * rgba).astype(np.uint8).reshape(side, side, channels))


def capture(channels: int = 4, count: int = 8, heldout: int = 2) -> Capture:
    poses = orbit(count + heldout, BOUNDS.centre, 6.0, 0.4)
    shots = [photograph(f"r_{number}", pose, channels=channels) for number, pose in enumerate(poses)]
    return Capture("ball", shots[heldout:], shots[:heldout], BOUNDS, ("a ball",))


class Ball:
    """The ball as a radiance, in the unit cube."""

    occupied: Bool[Tensor, "r r r"] = torch.ones(2, 2, 2, dtype=torch.bool)

    def radiance(
        self, x: Float[Tensor, "m 3"], directions: Float[Tensor, "m 3"]
    ) -> tuple[Float[Tensor, "m 3"], Float[Tensor, " m"]]:
        centre = torch.from_numpy(BOUNDS.to_unit(CENTRE[None])[0]).float()
        inside = (x - centre).norm(dim=1) < RADIUS / BOUNDS.side
        return torch.tensor([0.9, 0.2, 0.1]).expand(len(x), 3), 1e5 * inside.float()


class Fog:
    """Thin everywhere, so that rays are followed to their ends; counts the samples that it is asked for."""

    occupied = torch.ones(8, 8, 8, dtype=torch.bool)
    samples = 0

    def radiance(
        self, x: Float[Tensor, "m 3"], directions: Float[Tensor, "m 3"]
    ) -> tuple[Float[Tensor, "m 3"], Float[Tensor, " m"]]:
        self.samples += len(x)
        return torch.zeros(len(x), 3), 0.1 * torch.ones(len(x))


def looked_through() -> Camera:
    """A camera that sees the unit cube."""
    return perspective(40, 40, 0.6, looking_at((2.1, 1.4, 0.9), (0.5, 0.5, 0.5)))


@pytest.mark.parametrize("background", ["white", "black"])
def test_the_true_volume_is_drawn_as_it_was_photographed(background: str) -> None:
    scene = PosedScene(capture(), Space(background=background, samples=256))  # type: ignore[arg-type]
    for view in scene.views():
        off = np.abs(view.draw(Ball()) - view.target()).max(-1) > 0.02
        assert off.mean() < 0.01  # rays that graze the ball


def test_the_true_volume_has_next_to_no_loss_and_any_other_has_more() -> None:
    scene = PosedScene(capture(), Space(samples=256))
    batch = scene.batch(torch.Generator().manual_seed(0), 500)
    right = scene.loss(scene.predict(Ball(), batch), batch)
    field = scene.build(FitConfig(encoding=Raw(), network=Network(8, 1)), torch.Generator().manual_seed(0))
    assert right.item() < 2e-3 < scene.loss(scene.predict(field, batch), batch).item()


def test_training_begins_with_few_samples_of_a_ray_and_comes_to_those_of_views() -> None:
    scene = PosedScene(capture(channels=3), Space(samples=64, grid=8))  # nothing is carved away
    batch = scene.batch(torch.Generator().manual_seed(0), 400)
    enter, leave = cube_interval(batch.rays, torch.zeros(3), torch.ones(3))
    crossed = (leave - enter).clamp(min=0).sum().item()
    fog = Fog()
    counts = {}
    for step in (0, 100, 300, 1500, None):
        fog.samples = 0
        scene.predict(fog, batch, step)
        counts[step] = fog.samples / crossed
    assert counts[1500] == counts[None] == pytest.approx(64, rel=0.01)
    assert [counts[step] for step in (0, 100, 300)] == pytest.approx([4, 8, 16], rel=0.05)


def test_a_step_has_as_many_rays_as_have_the_samples_that_are_asked_for() -> None:
    # by the lengths of rays in the cube, of which a grid that has not looked yet leaves nothing out
    scene = PosedScene(capture(channels=3), Space(samples=64, grid=8))
    field = scene.build(FitConfig(encoding=Raw(), network=Network(8, 1)), torch.Generator().manual_seed(0))
    rays = scene.training_probe(scene.training_samples).rays
    enter, leave = cube_interval(rays, torch.zeros(3), torch.ones(3))
    crossed = (leave - enter).clamp(min=0).mean().item()
    for step, per_side in ((0, 4), (304, 16.16), (1504, 64)):
        assert scene.rays_for(10_000, field, step) == pytest.approx(10_000 / (crossed * per_side), rel=0.05)
    assert scene.rays_for(10_000, field, 300) == scene.rays_for(10_000, field, 288)
    field.occupancy.density.fill_(1e6)  # the first sample of a ray stops it, which ends after the first round
    field.occupancy.occupied.copy_(field.occupancy.occupied)
    met = (leave > enter).float().mean().item()
    assert scene.rays_for(10_000, field, 1504) == pytest.approx(10_000 / (met * FIRST_ROUND), rel=0.05)


@pytest.mark.parametrize(("through", "seen_by"), [(0.02, (1, 1)), (0.005, (0, 1)), (0.0005, (0, 0))])
def test_a_ray_ends_at_a_hundredth_of_the_light_in_training_and_at_a_thousandth_in_views(
    through: float, seen_by: tuple[int, int]
) -> None:
    # a black slab as thick as the first round of samples, a white wall far behind it, over black
    scene = PosedScene(capture(channels=3), Space(samples=64, background="black"))
    slab = FIRST_ROUND / 64

    class SlabAndWall:
        occupied = torch.ones(1, 1, 1, dtype=torch.bool)

        def radiance(
            self, x: Float[Tensor, "m 3"], directions: Float[Tensor, "m 3"]
        ) -> tuple[Float[Tensor, "m 3"], Float[Tensor, " m"]]:
            wall = x[:, 0] > 0.5
            density = torch.where(x[:, 0] < slab, -math.log(through) / slab, 0.0) + 1e5 * wall
            return wall[:, None].float().expand(-1, 3), density

    rays = Rays(torch.tensor([[-1.0, 0.5, 0.5]]), torch.tensor([[1.0, 0.0, 0.0]]))
    batch = RayBatch(rays, torch.tensor([0.5]), torch.zeros(1, 3), torch.zeros(1, 3))
    for step, seen in zip((10_000, None), seen_by, strict=True):
        colour = scene.predict(SlabAndWall(), batch, step)
        torch.testing.assert_close(colour, torch.full((1, 3), seen * through), rtol=1e-3, atol=1e-7)


def test_the_distance_of_a_ball_is_that_of_its_near_side() -> None:
    scene = PosedScene(capture(), Space(samples=512))
    view = scene.views()[0]
    seen = view.see(Ball())
    to_centre = np.linalg.norm(BOUNDS.to_unit(CENTRE[None])[0] - view.camera.position)
    nearest = np.nanmin(seen.distance)
    assert nearest == pytest.approx(to_centre - RADIUS / BOUNDS.side, abs=8e-3)
    assert np.isnan(seen.distance[0, 0])
    assert seen.opacity[0, 0] == 0


def test_a_batch_holds_every_pixel_of_every_training_photograph_and_none_held_out() -> None:
    scene = PosedScene(capture(), Space())
    n = scene.training_samples
    assert n == 8 * 16 * 16
    batch = scene.batch(torch.Generator().manual_seed(1), n)  # one draw in each stratum: all pixels, once each
    origins = batch.rays.origins.double().numpy()
    trained = np.stack([BOUNDS.to_unit(shot.camera.position[None])[0] for shot in scene.capture.train])
    nearest = np.linalg.norm(origins[:, None] - trained, axis=2).argmin(1)
    assert np.bincount(nearest, minlength=8).tolist() == [256] * 8
    np.testing.assert_allclose(origins, trained[nearest], atol=1e-6)
    pixels = np.concatenate([shot.pixels.reshape(-1, 4) for shot in scene.capture.train]) / 255
    np.testing.assert_allclose(batch.values.numpy(), pixels[:, :3] + 1 - pixels[:, 3:], atol=1e-6)


@pytest.mark.parametrize("background", ["white", "random"])
def test_some_of_a_batch_are_rays_of_the_whole_and_random_numbers_go_on_alike(background: str) -> None:
    scene = PosedScene(capture(), Space(background=background))  # type: ignore[arg-type]
    generators = {used: torch.Generator().manual_seed(3) for used in (1, 130, 300)}
    some = {used: scene.some_of_batch(generator, 300, used) for used, generator in generators.items()}
    whole = scene.batch(torch.Generator().manual_seed(3), 300)
    names = whole.offsets.tolist()  # all differ
    assert some[300].offsets.tolist() == names
    for used, part in some.items():
        where = torch.tensor([names.index(name) for name in part.offsets.tolist()])
        assert len(where) == used
        assert used == 1 or set(where.diff().tolist()) <= {300 // used, -(-300 // used)}
        for rays in (part, whole):
            assert len(rays.values) == len(rays.rays.origins) == len(rays)
        assert torch.equal(part.values, whole.values[where])
        assert torch.equal(part.background, whole.background[where])
        assert all(torch.equal(a, b[where]) for a, b in zip(part.rays, whole.rays, strict=True))
    states = [generator.get_state() for generator in generators.values()]
    assert all(torch.equal(state, states[0]) for state in states)


def test_every_ray_of_a_batch_is_as_likely_to_be_among_those_that_are_used() -> None:
    scene, generator = PosedScene(capture(), Space()), torch.Generator().manual_seed(0)
    size, used, times = 12, 5, 3000
    counts = torch.zeros(size)
    for _ in range(times):
        before = torch.Generator().set_state(generator.get_state())
        names = scene.batch(before, size).offsets.tolist()
        for name in scene.some_of_batch(generator, size, used).offsets.tolist():
            counts[names.index(name)] += 1
    share = used / size
    spread = np.sqrt(times * share * (1 - share))
    assert counts.sum() == times * used
    assert (counts - times * share).abs().max() < 4 * spread


def test_fields_that_need_fewer_rays_or_more_are_given_them_out_of_the_same() -> None:
    scene = PosedScene(capture(), Space(grid=8, samples=32))
    chosen = replace(plan(1e-2, steps=40, batch_size=1024), samples=400)
    states = [
        initial_state(FitConfig(encoding=encoding, network=Network(16, 2)), scene) for encoding in (Raw(), Fourier(3))
    ]
    for state in states:
        for _ in fit(state, scene, chosen, []):
            pass
    first, second = states
    assert first.seen != second.seen
    assert torch.equal(first.generator.get_state(), second.generator.get_state())


def test_a_random_background_shows_through_what_is_transparent_and_nothing_else() -> None:
    scene = PosedScene(capture(), Space(background="random"))
    batch = scene.batch(torch.Generator().manual_seed(1), scene.training_samples)
    background = batch.background
    alpha = np.concatenate([shot.pixels.reshape(-1, 4) for shot in scene.capture.train])[:, 3]
    assert torch.equal(batch.values[torch.from_numpy(alpha == 0)], background[torch.from_numpy(alpha == 0)])
    assert len(background.unique(dim=0)) == len(background)
    solid = batch.values[torch.from_numpy(alpha == 255)]
    torch.testing.assert_close(solid, torch.tensor([230, 51, 26]).div(255).expand_as(solid), atol=1e-6, rtol=0)


def test_silhouettes_carve_the_grid_and_pictures_without_alpha_do_not() -> None:
    config = FitConfig(encoding=Raw(), network=Network(8, 1))
    carved, whole = (
        PosedScene(capture(channels), Space(grid=16)).build(config, torch.Generator().manual_seed(0))
        for channels in (4, 3)
    )
    share = carved.occupied.float().mean().item()
    ball = 4 / 3 * np.pi * (RADIUS / BOUNDS.side) ** 3
    assert ball < share < 6 * ball
    assert whole.occupied.all()


def test_photographs_of_several_sizes_and_with_and_without_alpha_go_together() -> None:
    pose = looking_at((0.5, -7.0, 2.0), BOUNDS.centre)
    other = orbit(1, BOUNDS.centre, 6.0, 0.2)[0]
    mixed = Capture("mixed", [photograph("a", pose, 8), photograph("b", other, 12, channels=3)], [], BOUNDS)
    scene = PosedScene(mixed, Space())
    batch = scene.batch(torch.Generator().manual_seed(0), scene.training_samples)
    expected = [shot.pixels.reshape(-1, shot.pixels.shape[2]) / 255 for shot in mixed.train]
    expected[0] = expected[0][:, :3] + 1 - expected[0][:, 3:]
    np.testing.assert_allclose(batch.values.numpy(), np.concatenate(expected), atol=1e-6)
    assert [view.heldout for view in scene.views()] == [None, None]


def test_of_many_large_views_some_are_drawn_reduced_if_need_be_and_the_notes_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("fieldlens.scenes.posed.MOST_PIXELS", 16 * 16 * 16)
    scene = PosedScene(capture(count=3, heldout=32), Space())
    every = [view.name for view in scene.every_view]
    assert sorted(every) == sorted(shot.name for shot in scene.capture.heldout)
    assert [view.name for view in scene.views()] == every[::2]
    assert scene.notes == ("a ball", "16 of 32 views, spread evenly, are drawn, scored and explained")
    monkeypatch.setattr("fieldlens.scenes.posed.MOST_PIXELS", 16 * 8 * 8)
    reduced = PosedScene(capture(count=3, heldout=32), Space())
    assert [(view.name, view.height, view.width) for view in reduced.views()] == [(name, 8, 8) for name in every[::2]]
    assert reduced.notes[-1].endswith("explained, reduced to 8 px at most")
    write_npz(tmp_path / "target.npz", **reduced.to_npz_arrays())
    assert restore(tmp_path / "target.npz", Space()).notes == reduced.notes
    np.testing.assert_allclose(reduced.views()[0].target(), scene.views()[0].target(8, 8), atol=2 / 255)
    assert PosedScene(capture(count=3, heldout=3), Space()).notes == ("a ball",)


def test_no_sample_of_a_long_step_lies_beyond_the_cube() -> None:
    rays = Rays(*(part[::7] for part in looked_through().rays()))
    samples = march(rays, torch.ones(4, 4, 4, dtype=torch.bool), 1 / 8, torch.full((len(rays.origins),), 0.97))
    points = samples.points(rays)
    assert len(points) > 500
    assert points.min() > -1e-5
    assert points.max() < 1 + 1e-5


def test_a_saved_target_gives_the_same_scene(tmp_path: Path) -> None:
    scene = PosedScene(capture(), Space(grid=8))
    write_npz(tmp_path / "target.npz", **scene.to_npz_arrays())
    again = restore(tmp_path / "target.npz", Space(grid=8))
    assert isinstance(again, PosedScene)
    batches = (each.batch(torch.Generator().manual_seed(3), 99) for each in (scene, again))
    first, second = batches
    assert all(torch.equal(*parts) for parts in zip(first.rays, second.rays, strict=True))
    assert torch.equal(first.offsets, second.offsets)
    assert torch.equal(first.background, second.background)
    assert torch.equal(first.values, second.values)
    assert (again.name, again.notes) == (scene.name, scene.notes)
    np.testing.assert_array_equal(again.views()[1].target(), scene.views()[1].target())
    (tmp_path / "target.npz").write_bytes((tmp_path / "target.npz").read_bytes()[:-100])
    with pytest.raises(InputError, match=r"target\.npz"):
        restore(tmp_path / "target.npz", Space())


def test_a_fit_that_was_stopped_and_resumed_has_the_bytes_of_one_that_was_not() -> None:
    # through two looks of the grid, which is a part of the state and says how many rays a step has
    scene = PosedScene(capture(), Space(grid=8, samples=32))
    config = FitConfig(encoding=Fourier(3), network=Network(16, 2))
    sizes = set[int]()

    def states(*stops: int) -> dict[str, Tensor]:
        state = initial_state(config, scene)
        for stop in stops:
            other = initial_state(config, scene)
            other.restore(state.tensors(), state.step, 0.0)
            state = other
            chosen = replace(plan(1e-2, steps=stop, batch_size=1024), samples=400)
            for _ in fit(state, scene, chosen, []):
                pass
            sizes.add(len(chosen.batch_of_step(scene, state.field, state.step, torch.Generator())))
        return state.tensors()

    whole = states(40)
    assert same_bytes(whole, states(7, 23, 40))
    assert len(sizes) > 1
    assert not torch.equal(whole["field.occupancy.density"], states(7)["field.occupancy.density"])


def test_a_fit_learns_the_ball() -> None:
    scene = PosedScene(capture(), Space(grid=16, samples=64))
    config = FitConfig(encoding=Fourier(3), network=Network(32, 2))
    state = initial_state(config, scene)
    for _ in fit(state, scene, plan(1e-2, steps=200, batch_size=256), []):
        pass
    views = scene.views()
    error = np.mean([np.square(view.draw(state.field).clip(0, 1) - view.target()).mean() for view in views])
    flat = np.mean([np.square(view.target().mean((0, 1)) - view.target()).mean() for view in views])
    assert error < flat / 5
