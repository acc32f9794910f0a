"""Photographs from known places as a scene: rays of the unit cube in, colours out, by volume rendering."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from fieldlens.configs.run import FitConfig
from fieldlens.configs.space import Space
from fieldlens.fields.radiance import RadianceField, build_radiance
from fieldlens.render.camera import Camera, Rays, rays_through
from fieldlens.render.volume import OPAQUE, render_rays

from .captures.capture import Bounds, Capture, Photograph
from .captures.hull import visual_hull
from .posed_view import PosedView, Radiance
from .scene import Pace, stratified

GRID_EVERY = 16
"""Training steps between two looks of the occupancy grid at the field's density."""
GRID_SHARE = 1 / 8
"""The share of the occupancy grid's cells, among those that may hold something, that one look asks."""
LEAST_STOPPED = 0.01
"""A cell counts as empty where a step of a view's ray in it stops a smaller share of the light than this."""
FIRST_LOOK = 64
"""The training step before which no cell counts as empty, where there are no silhouettes: a field knows nothing yet."""
OPAQUE_ENOUGH = 1e-2
"""In training a ray is followed no further once it lets no more than this share of the light through. In views, which
people look at, it is a tenth of that."""
PROBED_RAYS, LEAST_RAYS = 512, 128
"""Rays, evenly spread, by which it is told how many samples a ray has; and the least that a step is given."""
COARSEST, FINER_EVERY = 16, 100
"""Training begins with steps along rays that are 16 times as long as in views, so with a 16th of the samples; with
every 100 training steps there are as many samples more."""
MOST_PIXELS = 1_000_000
"""The most pixels of all views together that are drawn whole, which takes about a minute."""
LEAST_VIEWS = 16
"""Views that are drawn where there are so many, since an explanation takes as many; large ones are reduced."""


@dataclass(frozen=True)
class RayBatch:
    """Rays that a step is trained on, and what the scene is there; all float32."""

    rays: Rays
    offsets: Float[Tensor, " n"]
    """Where the samples of a ray stand in its steps, from 0 (their near ends) to 1."""
    background: Float[Tensor, "n 3"]
    """What shows where nothing is."""
    values: Float[Tensor, "n 3"]

    def __len__(self) -> int:
        return len(self.values)

    def part(self, which: slice) -> "RayBatch":
        """Some of them."""
        return RayBatch(self.rays.part(which), self.offsets[which], self.background[which], self.values[which])

    def split(self, size: int) -> Iterator["RayBatch"]:
        """All of them, at most so many at a time."""
        return (self.part(slice(start, start + size)) for start in range(0, len(self), size))

    def to(self, device: torch.device) -> "RayBatch":
        """The same on a device."""
        offsets, background, values = (part.to(device) for part in (self.offsets, self.background, self.values))
        return RayBatch(self.rays.to(device), offsets, background, values)


class PosedScene:
    """A capture to be fitted as a radiance field. Cameras and distances are those of the unit cube."""

    pace = Pace(
        batch_size=1024,  # rays, at most
        samples=4096,  # without alpha, 1024 rays have up to three times as many in the first 64 steps
        seconds=30.0,  # views take time to be drawn and explained as well
        least_steps=1000,  # before the fog has gone, nothing is gained for a hundred steps and more
        open_frames=(0, 1.15),  # about 43 in 1000 steps: drawing a view takes as long as some of them
        rate_factor=2.0,  # found on `demo:teapot`, where it learns the first detail in half the steps
    )

    def __init__(self, capture: Capture, space: Space) -> None:
        self.capture, self.space = capture, space
        self.step_length = 1 / space.samples
        self._training = _Pixels(capture.train, capture.bounds)
        self._heldout = _Pixels(capture.heldout, capture.bounds) if capture.heldout else None
        self._samples_per_ray = WeakKeyDictionary[RadianceField, tuple[tuple[int, int], float]]()
        shown = capture.heldout or capture.train
        # captures often begin and end at odd places, such as a pole: the one in the middle stands for all
        middle = len(shown) // 2
        shown = (shown[middle], *shown[:middle], *shown[middle + 1 :])
        self.every_view = tuple(self._view(photograph) for photograph in shown)
        """The photographs that are held out, or those trained on where none is; the one in their middle first."""
        sizes = [view.height * view.width for view in self.every_view]
        count = min(len(sizes), max(LEAST_VIEWS, math.floor(MOST_PIXELS / (sum(sizes) / len(sizes)))))
        side = math.isqrt(MOST_PIXELS // count)
        chosen = [len(sizes) * number // count for number in range(count)]
        large = sum(sizes[index] for index in chosen) > MOST_PIXELS
        self._views = tuple(
            self._view(shown[index].reduced(side)) if large else self.every_view[index] for index in chosen
        )

    @property
    def name(self) -> str:
        return self.capture.name

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the photographs, and which are shown, in words."""
        drawn, every = len(self._views), len(self.every_view)
        longest = max(max(view.height, view.width) for view in self._views)
        small = longest == max(max(view.height, view.width) for view in self.every_view)
        which = f"{drawn} of {every} views, spread evenly," if drawn < every else f"all {every} views"
        size = "" if small else f", reduced to {longest} px at most"
        if drawn == every and small:
            return self.capture.notes
        return (*self.capture.notes, f"{which} are drawn, scored and explained{size}")

    def _view(self, photograph: Photograph) -> "PosedView":
        background = self.space.background
        return PosedView(
            photograph, self.capture.bounds, self.step_length, background, heldout=bool(self.capture.heldout)
        )

    @property
    def resolution(self) -> None:
        """Rays meet surfaces anywhere."""

    @property
    def training_samples(self) -> int:
        """How many rays are trained on: one epoch."""
        return len(self._training)

    def build(self, config: FitConfig, generator: torch.Generator) -> RadianceField:
        """The field before training. What the photographs' silhouettes leave empty, its grid knows from the start."""
        possible = visual_hull(self.capture.train, self.capture.bounds, self.space.grid)
        return build_radiance(
            config.encoding,
            self.space.direction,
            config.network,
            self.space.grid,
            generator,
            None if possible is None else torch.from_numpy(possible),
        )

    def refresh(self, field: RadianceField, step: int, generator: torch.Generator) -> None:
        """Before a step of training: every few steps the field's grid looks where there is something."""
        if step == 0 or step % GRID_EVERY:
            return
        carved = not bool(field.occupancy.possible.all())
        if carved or step >= FIRST_LOOK:
            field.occupancy.look(field.density, LEAST_STOPPED / self.step_length, generator, GRID_SHARE)

    def rays_for(self, samples: int, field: RadianceField, step: int) -> int:
        """How many rays have about so many samples that are seen, by what the field's grid knows of the density.

        It changes where the grid may look anew, so that it need not be counted in each step.
        """
        begin = step - step % GRID_EVERY
        key, counted = self._samples_per_ray.get(field, (None, 0.0))
        # as often as the mask was written to: a field may be restored from a checkpoint
        if key != (begin, field.occupied._version):
            key = begin, field.occupied._version
            rays, grid = self._probed.to(field.device), field.occupancy
            seen = render_rays(
                lambda x, _: (x.new_zeros(len(x), 1), grid.density_at(x)),
                rays,
                grid.occupied,
                self.training_step_length(begin),
                opaque=OPAQUE_ENOUGH,
            )
            counted = len(seen.weights) / len(rays.origins)
            self._samples_per_ray[field] = key, counted
        return max(LEAST_RAYS, round(samples / max(counted, 1e-6)))

    @cached_property
    def _probed(self) -> Rays:
        return self.training_probe(PROBED_RAYS).rays

    def training_step_length(self, step: int) -> float:
        """Length of the steps along rays in training, after so many steps of it."""
        return max(1.0, COARSEST / (1 + step / FINER_EVERY)) * self.step_length

    def batch(self, generator: torch.Generator, size: int) -> RayBatch:
        """`size` training rays, `stratified` over all pixels of all photographs."""
        return self._training.seen(*self._drawn(generator, size))

    def some_of_batch(self, generator: torch.Generator, size: int, used: int) -> RayBatch:
        """`used` rays of `size` that are drawn as `batch` draws them: every (size / used)-th, from a random one on.

        They are spread as evenly as all are, and each of all is as likely to be one of them. Random numbers are drawn
        for all, so that fields of which one needs fewer rays choose from the same ones, in this step and in all later.
        """
        drawn = self._drawn(generator, size)
        start = torch.rand((), generator=generator, dtype=torch.float64)
        which = ((torch.arange(used) + start) * (size / used)).long().clamp_(max=size - 1)
        return self._training.seen(*(part[which] for part in drawn))

    def _drawn(self, generator: torch.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Numbers of pixels, offsets of samples in their steps, and backgrounds."""
        index = stratified(generator, size, len(self._training))
        offsets = torch.rand(size, generator=generator)
        if self.space.background == "random":
            return index, offsets, torch.rand(size, 3, generator=generator)
        return index, offsets, torch.full((size, 3), self.every_view[0].shown_over)

    def training_probe(self, count: int) -> RayBatch:
        """Rays through that many training pixels, or all if there are fewer, evenly spread over all photographs.

        Samples stand in the middles of their steps, and the background is that of views.
        """
        return self._probe(self._training, count)

    def heldout_probe(self, count: int) -> RayBatch | None:
        """The same of pixels that are held out; None where no photograph is."""
        return None if self._heldout is None else self._probe(self._heldout, count)

    def _probe(self, pixels: "_Pixels", count: int) -> RayBatch:
        index = torch.linspace(0, len(pixels) - 1, min(count, len(pixels)), dtype=torch.float64).long()
        background = torch.full((len(index), 3), self.every_view[0].shown_over)
        return pixels.seen(index, torch.full((len(index),), 0.5), background)

    def predict(self, field: Radiance, batch: RayBatch, step: int | None = None) -> Float[Tensor, "n 3"]:
        """The rays' colours by volume rendering.

        Views are drawn in steps of `self.step_length` along a ray; training begins with longer ones. What is coarse is
        learnt as well from few samples of many rays, each at a random place, and first of all the fog goes that hides
        the rest (`python -m benchmarks.radiance` has what is gained).
        """
        length = self.step_length if step is None else self.training_step_length(step)
        opaque = OPAQUE if step is None else OPAQUE_ENOUGH
        seen = render_rays(field.radiance, batch.rays, field.occupied, length, batch.offsets, opaque)
        return seen.over(batch.background)

    def loss(self, prediction: Float[Tensor, "n 3"], batch: RayBatch) -> Float[Tensor, ""]:
        """The mean squared error."""
        return torch.nn.functional.mse_loss(prediction, batch.values)

    def views(self) -> Sequence["PosedView"]:
        """Of `every_view` those that are drawn whole, scored and explained: of large ones some, spread evenly."""
        return self._views

    def to_npz_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for `numpy.savez`, of which none needs pickle: pixels as trained, cameras, bounds."""
        photographs = [*self.capture.train, *self.capture.heldout]
        cameras = [photograph.camera for photograph in photographs]
        return {
            "scene": np.array("photographs"),
            "name": np.array(self.name),
            "notes": np.array(self.capture.notes, dtype=str),  # those on views follow from the photographs
            "photographs": np.array([photograph.name for photograph in photographs], dtype=str),
            "heldout": np.arange(len(photographs)) >= len(self.capture.train),
            "sizes": np.array([photograph.pixels.shape for photograph in photographs]),
            "pixels": np.concatenate([photograph.pixels.ravel() for photograph in photographs]),
            "intrinsics": np.array([[*camera.focal, *camera.centre] for camera in cameras]),
            "poses": np.stack([camera.pose for camera in cameras]),
            "bounds": np.array([*self.capture.bounds.centre, self.capture.bounds.side]),
        }

    @classmethod
    def from_npz_arrays(cls, arrays: dict[str, np.ndarray], space: Space) -> "PosedScene":
        """The inverse of `to_npz_arrays`."""
        ends = np.cumsum(arrays["sizes"].prod(1))
        photographs = []
        for number, (height, width, channels) in enumerate(arrays["sizes"].tolist()):
            fx, fy, cx, cy = arrays["intrinsics"][number].tolist()
            camera = Camera(height, width, (fx, fy), (cx, cy), arrays["poses"][number])
            pixels = arrays["pixels"][ends[number] - height * width * channels : ends[number]]
            name = str(arrays["photographs"][number])
            photographs.append(Photograph(name, camera, pixels.reshape(height, width, channels)))
        train = [photograph for photograph, out in zip(photographs, arrays["heldout"], strict=True) if not out]
        heldout = [photograph for photograph, out in zip(photographs, arrays["heldout"], strict=True) if out]
        x, y, z, side = arrays["bounds"].tolist()
        notes = tuple(arrays["notes"].tolist())
        return cls(Capture(str(arrays["name"]), train, heldout, Bounds((x, y, z), side), notes), space)


class _Pixels:
    """The pixels of photographs in a row, and their rays in the unit cube."""

    def __init__(self, photographs: Sequence[Photograph], bounds: Bounds) -> None:
        cameras = [bounds.camera_to_unit(photograph.camera) for photograph in photographs]
        self.channels = max(photograph.pixels.shape[2] for photograph in photographs)
        self.values = np.concatenate([_with_channels(p.pixels, self.channels) for p in photographs])
        self.ends = torch.tensor([camera.height * camera.width for camera in cameras]).cumsum(0)
        self.widths = torch.tensor([camera.width for camera in cameras])
        self.focal = torch.tensor([camera.focal for camera in cameras], dtype=torch.float64)
        self.centre = torch.tensor([camera.centre for camera in cameras], dtype=torch.float64)
        self.poses = torch.from_numpy(np.stack([camera.pose for camera in cameras]))

    def __len__(self) -> int:
        return len(self.values)

    def seen(
        self, index: Int64[Tensor, " n"], offsets: Float[Tensor, " n"], background: Float[Tensor, "n 3"]
    ) -> RayBatch:
        """Rays through the centres of pixels, and the pixels' values in [0, 1] over a background."""
        which = torch.searchsorted(self.ends, index, right=True)
        width = self.widths[which]
        inside = index - torch.where(which > 0, self.ends[which - 1], 0)
        xy = torch.stack([inside % width, inside // width], 1).double() + 0.5
        rays = rays_through(xy, self.focal[which], self.centre[which], self.poses[which])
        values = torch.from_numpy(self.values.take(index.numpy(), axis=0).astype(np.float32) / 255)
        if self.channels == 4:
            values = values[:, :3] + (1 - values[:, 3:]) * background
        return RayBatch(rays, offsets, background, values)


def _with_channels(pixels: UInt8[np.ndarray, "h w c"], channels: int) -> UInt8[np.ndarray, "n channels"]:
    """A row of pixels; those without alpha are opaque where others have it."""
    rows = pixels.reshape(-1, pixels.shape[2])
    return rows if rows.shape[1] == channels else np.pad(rows, ((0, 0), (0, 1)), constant_values=255)
