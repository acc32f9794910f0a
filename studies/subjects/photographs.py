"""Photographs as a subject: a radiance field scored on rays and whole views, shown and explained in them."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from fieldlens.analysis import (
    ScreenDensity,
    SeenView,
    collapse,
    crease_area_density,
    neuron_states,
    per_diagonal,
    psnr_db,
    relu_network,
    screen_density,
    ssim,
)
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject
from fieldlens.configs.space import Slice
from fieldlens.fields import RadianceField
from fieldlens.fitting import Ending, Plan, TrainingState
from fieldlens.render.camera import Camera
from fieldlens.render.colour import density_rgb, distance_rgb, opacity_legend, opacity_rgb, to_rgb
from fieldlens.render.grid import CUBE_DIAGONAL
from fieldlens.render.panel import Tile
from fieldlens.render.volume import in_occupied
from fieldlens.report import PICTURE_WORDS
from fieldlens.scenes.captures.capture import Bounds, overview
from fieldlens.scenes.load import Working
from fieldlens.scenes.posed import PosedScene, RayBatch
from fieldlens.scenes.posed_view import CHUNK, PosedView, see
from fieldlens.scenes.solids.mesh import Mesh

from ..foresight.foresight import Foresight
from ..foresight.through_rays import ThroughRays
from .creases import blocks, creased, stride_for
from .drawing import CREASE_DENSITY, DENSITY, DrawnMap, frame_of, map_tiles
from .film import AROUND, TURN_MAP_PIXELS, around
from .found import Explained, Files, Finished, Image, Observation, Row, Scores, Statistic, Summary, Values
from .kinds import Kind
from .scoring import band_scores
from .seen_views import SeenField, SeenReasons, explain_seen, reasons_in_views
from .subject import Eye, Level, Progress, Section, Sighting, plane_of

FOLLOWED_RAYS = 1024
"""Training pixels, and as many held-out ones, of which a frame in progress says the PSNR."""
SCORED_RAYS = 16_384
"""Training pixels of which the end of a fit says the PSNR; held-out views are scored whole."""

MAP_PIXELS = 25_000
"""Pixels of all views together, about, in which crease density is measured at the end."""
MOST_STRIDE = 4
"""Between the pixels of those maps: so a window of the explanation has 16 at least."""
SHOWN_PIXELS = 40_000
"""Pixels of the view that is shown, about, in which its map is measured."""
FRAME_MAP_PIXELS = 2500
"""Pixels of a frame in progress, about, in which its map is measured."""

ASKED_PIXELS = 30_000
"""Pixels, about, of all views together in which it is asked why detail is missing: of one view at least."""
ASKED_SIDE = 200
"""Pixels along the longer side, at most, of views as they are looked at for that."""
ASKING_FRAMES = 10
"""Times as long as drawing a view takes it to be asked; therefore frames in progress are not."""

OCCUPIED_POINTS = 65_536
"""Points of the occupied cells at which neurons and crease area are looked at."""

HALVING = 4
"""Steps of a ray in which a density of the default level stops half of the light. At higher levels more of the inside
of solids is hollow and thin wires break, at lower ones wires are thick; docs/benchmarks.md, "export", has distances."""
EMPTIEST = 1e-3
"""Densities below this share of the level, and those of empty cells, are taken for it: logarithms end there."""


class PhotographsSubject:
    """Photographs: a held-out view beside what the field shows there, its error, its distance and its creases."""

    kind: Kind = "photographs"
    trains_on_points = False
    words = replace(PICTURE_WORDS, psnr_of=f"of {FOLLOWED_RAYS:,} training pixels", energy_of="of the view shown")
    frequencies: Sequence[int] = ()
    map_looks = CREASE_DENSITY
    surface_caption = "colour"

    def __init__(self, scene: PosedScene, hidden_dtype: torch.dtype = torch.float32) -> None:
        self.scene, self.hidden_dtype = scene, hidden_dtype
        self.view = scene.views()[0]
        self.every_view: Sequence[PosedView] = scene.every_view
        probes = "training and held-out" if scene.capture.heldout else "training"
        self.notes: Sequence[str] = [
            f"curves are of parts of the photographs: dB are of {FOLLOWED_RAYS:,} {probes} pixels, octaves "
            f"of the view in the frames, {self.view.name}"
        ]
        # the cube as the camera sees it: what distances are drawn on, whatever is in it
        middle = float(np.linalg.norm(self.view.camera.position - 0.5))
        self._range = max(0.0, middle - CUBE_DIAGONAL / 2), middle + CUBE_DIAGONAL / 2

    @property
    def bounds(self) -> Bounds:
        """The cube that is modelled."""
        return self.scene.capture.bounds

    def ending(self, field: RadianceField) -> Ending:  # noqa: ARG002 (the work follows from the views)
        """All views drawn whole, and their creases."""
        views = self.scene.views()
        pixels, shown = sum(view.height * view.width for view in views), math.prod(self.view.preview)
        mapped = pixels / self._map_stride**2 + min(self.view.height * self.view.width, SHOWN_PIXELS)
        asked = len(self._asked) * min(self.view.height * self.view.width, ASKED_SIDE**2)
        return Ending(
            frames=(pixels + ASKING_FRAMES * asked + AROUND * shown) / (shown + 2 * FOLLOWED_RAYS),
            maps=max(len(views), mapped / min(shown, FRAME_MAP_PIXELS)) + AROUND * TURN_MAP_PIXELS / FRAME_MAP_PIXELS,
            grows=True,
        )

    def target(self) -> Image:
        """The photograph of the view that frames show."""
        return to_rgb(self.view.target())

    def target_tile(self) -> Tile:
        """The same as frames show it."""
        return Tile(to_rgb(self._preview), self.view.name)

    def overview(self) -> Image:
        """The photographs' cameras, and the cube that is modelled."""
        return overview(self.scene.capture)

    def prepare(self, working: Working) -> None:
        """Nothing takes long."""

    def observe(self, field: RadianceField) -> Observation:
        """The view that frames show, and scores of rays spread over all photographs."""
        seen = self.view.see(field.in_precision(self.hidden_dtype), *self.view.preview, device=field.device)
        training, heldout = self._followed
        scores = Scores(
            self.psnr_db(field, training, self.hidden_dtype),
            None if heldout is None else self.psnr_db(field, heldout, self.hidden_dtype),
            *band_scores(self._preview, seen.colour),
        )
        return Observation(seen.colour, to_rgb(seen.colour), scores, seen.distance)

    def finish(self, field: RadianceField, progress: Progress) -> Finished:
        """All views whole, in fp32; of the held-out PSNR and SSIM the means over views."""
        views = self.scene.views()
        drawn: list[Values] = []
        psnrs, ssims = [], []
        for number, view in enumerate(views):
            drawn.append(view.draw(field, device=field.device))
            psnrs.append(psnr_db(view.target(), drawn[-1]))
            ssims.append(ssim(view.target(), drawn[-1]))
            progress((number + 1) / (len(views) + 1))
        training = self.psnr_db(field, self.scene.training_probe(SCORED_RAYS), torch.float32)
        progress(1.0)
        heldout = float(np.mean(psnrs)) if self.scene.capture.heldout else None
        scores = Scores(training, heldout, *band_scores(self.view.target(), drawn[0]))
        similarities = [value for value in ssims if value is not None]
        similarity = float(np.mean(similarities)) if len(similarities) == len(views) else None
        return Finished(drawn, to_rgb(drawn[0]), scores, similarity)

    @torch.inference_mode()
    def psnr_db(self, field: RadianceField, probe: RayBatch, precision: torch.dtype) -> float:
        """Of a field over rays, in a precision of the products between hidden layers."""
        function = field.in_precision(precision)
        drawn = [
            self.scene.predict(function, part.to(field.device)).float().cpu() for part in probe.split(FOLLOWED_RAYS)
        ]
        return psnr_db(probe.values.numpy()[None], torch.cat(drawn).numpy()[None])

    def maps(
        self,
        state: TrainingState[RadianceField],
        plan: Plan,  # noqa: ARG002 (creases are of the field alone)
    ) -> Mapping[str, Image]:
        """Crossings per pixel of the view's picture, on the surfaces that it shows."""
        if creased(state.field) is None:
            return {}
        camera = self.view.camera.resized(*self.view.preview)
        return {DENSITY: self._crease_picture(state.field, camera, FRAME_MAP_PIXELS)}

    def frame(
        self,
        observation: Observation,
        title: str,
        maps: Mapping[str, DrawnMap],
        rows: Sequence[Row],  # noqa: ARG002 (the report has the curves)
    ) -> Image:
        """Photograph, reconstruction, error, the distance of what is seen, and maps."""
        drawn, distance = observation.reconstruction, observation.distance
        assert distance is not None  # those of photographs have one
        return frame_of(
            self.target_tile(),
            Tile(observation.picture, "reconstruction"),
            (self._preview, drawn),
            title,
            [Tile(distance_rgb(distance, *self._range), "distance (dark: far)"), *map_tiles(self.map_looks, maps)],
        )

    def explain(
        self, state: TrainingState[RadianceField], plan: Plan, finished: Finished, *, progress: Progress
    ) -> Explained:
        """Crease maps and a sheet of all views, bands, why detail is missing in some of them, and the verdict."""
        field, seed = state.field, plan.seed
        heldout = bool(self.scene.capture.heldout)
        found = explain_seen(
            self.scene.views(),
            self._seen_in_views(field, finished.reconstructions, lambda share: progress(share / 2)),
            kind="held-out views" if heldout else "training views, as none is held out",
            compared="photograph, reconstruction, error",
            seed=seed,
        )
        collapsed = collapse(found.views)
        by_layer = found.crossings_by_layer
        creases = None if by_layer is None else self._creases(field, by_layer)
        missing, goes_with_creases = found.explanation.verdict.sentences
        why = self._why(state, plan, found.views)
        of_why = {"speed": [], "reasons": None} if why is None else why.numbers
        explain = found.explanation.to_json() | {"capacity": None, "creases": creases} | of_why
        files = Files(numbers={"explain": explain})
        if why is not None:
            files |= why.files
        if creases is not None:
            files |= self._density_files(field)
        files |= around(self, field, lambda share: progress((1 + share) / 2))
        return Explained(
            Summary(
                verdict=(
                    *([collapsed] if collapsed else []),
                    missing,
                    *(why.sentences if why is not None and why.sentences else [goes_with_creases]),
                ),
                worst_places=() if collapsed else found.worst_places,
                worst_in=None if collapsed or not found.worst_places else self.view.name,
                explained_band=found.explanation.band,
                crossings_per_pixel=found.crossings_per_pixel,
                dead_neurons=None if creases is None else sum(creases["dead_neurons_by_layer"]),
                primary_statistic=Statistic.against_creases(found.explanation),
                collapsed=collapsed is not None,
            ),
            found.files | files,
        )

    def _why(self, state: TrainingState[RadianceField], plan: Plan, seen: Sequence[SeenView]) -> SeenReasons | None:
        """Why detail is missing in some views."""
        views = self.scene.views()
        return reasons_in_views(
            {Foresight(views[i], ThroughRays(self.scene, views[i])): seen[i] for i in self._asked},
            state,
            plan,
            side=ASKED_SIDE,
            has_creases=creased(state.field) is not None,
            all_views=len(views),
        )

    def _seen_in_views(self, field: RadianceField, drawn: Sequence[Values], progress: Progress) -> Iterator[SeenField]:
        views, creases_exist = self.scene.views(), creased(field) is not None
        stride = self._map_stride
        for number, (view, colour) in enumerate(zip(views, drawn, strict=True), start=1):
            if creases_exist:
                found = screen_density(field, view.camera, self.scene.step_length, stride=stride)
                yield SeenField(colour, found.opacity, found.crossings_per_pixel)
            else:
                yield SeenField(colour, view.see(field, device=field.device).opacity, None)
            progress(number / len(views))

    @property
    def _asked(self) -> list[int]:
        """The numbers of some views, evenly spread; the first is the one in frames."""
        views = len(self.scene.views())
        count = max(1, min(views, ASKED_PIXELS // (self.view.height * self.view.width)))
        return [views * number // count for number in range(count)]

    @property
    def _map_stride(self) -> int:
        """Between the pixels of maps; one for all, as ranks set windows of different views against each other."""
        return min(MOST_STRIDE, stride_for(sum(view.height * view.width for view in self.scene.views()), MAP_PIXELS))

    def _creases(self, field: RadianceField, by_layer: Float32[np.ndarray, " layers"]) -> JsonObject:
        """What was measured of creases: in the pictures, and of neurons at points of the occupied cells."""
        points = _occupied_points(field, OCCUPIED_POINTS)
        states = neuron_states(relu_network(field.position), points)
        area = per_diagonal(crease_area_density(relu_network(field.position), points)).mean(1)
        return {
            "crossings_per_pixel": float(by_layer.sum()),
            "crossings_per_pixel_by_layer": by_layer.tolist(),
            "area_per_volume_by_layer": area.tolist(),
            "dead_neurons_by_layer": states.dead.tolist(),
            "always_on_neurons_by_layer": states.always_on.tolist(),
            "live_neurons_by_layer": states.live.tolist(),
            "units": (
                "crossings per pixel of the views' pictures, where they show the scene; crease area per volume, over "
                "the occupied cells, per diagonal of the scene's cube; neurons there of the network of positions"
            ),
        }

    def _density_files(self, field: RadianceField) -> Files:
        """The creases of the first view, as an array and a picture."""
        stride = stride_for(self.view.height * self.view.width, SHOWN_PIXELS)
        found = screen_density(field, self.view.camera, self.scene.step_length, stride=stride)
        return Files(
            pictures={"density": _density_rgb(found, *self.view.preview)},
            arrays={
                "density": {
                    "crossings": found.crossings_per_pixel,
                    "opacity": found.opacity,
                    "stride": np.array(stride),
                    "units": np.array(
                        "crossings per pixel of the view's picture, mean over directions (layers, rows, columns); one "
                        "row or column for every stride-th pixel"
                    ),
                }
            },
        )

    def cameras(self) -> Sequence[Camera]:
        """Those of the photographs that are trained on."""
        return [photograph.camera for photograph in self.scene.capture.train]

    def eye(self, field: RadianceField) -> Eye:
        """Sees the field over the views' background."""
        return partial(self._seen, field)

    def _seen(
        self, field: RadianceField, camera: Camera, map_pixels: int | None = None, *, least_step: float = 0.0
    ) -> Sighting:
        step_length = max(self.scene.step_length, least_step)
        seen = see(field, camera, step_length, self.view.shown_over, device=field.device)
        measured = map_pixels != 0 and creased(field) is not None
        creases = self._crease_picture(field, camera, map_pixels) if measured else None
        return Sighting(seen.colour, seen.distance, camera.normals(seen.distance), seen.opacity, creases)

    def _crease_picture(self, field: RadianceField, camera: Camera, most: int | None) -> Image:
        """The crossings per pixel that a camera sees, in about `most` of its pixels or in all, at its size."""
        stride = 1 if most is None else stride_for(camera.height * camera.width, most)
        found = screen_density(field, camera, self.scene.step_length, stride=stride)
        return _density_rgb(found, camera.height, camera.width)

    def section(self, field: RadianceField, cut: Slice) -> Section:
        """How much of the light a step of a ray stops."""
        step_length = self.scene.step_length
        return Section(
            plane_of(cut),
            quantity="density",
            units="density per side of the scene's cube, none where a ray finds its grid empty",
            caption="light that a step of a ray stops",
            legend=opacity_legend,
            function=lambda x: volume_density(field, x)[:, None],
            picture=lambda volume: opacity_rgb(_stopped(volume, step_length)),
            solid=partial(_stopped, step_length=step_length),
        )

    def level(self, field: RadianceField, volume_density: float | None = None) -> Level:
        """Where the volume is so dense; by default where `HALVING` steps of a ray stop half of its light."""
        level = math.log(2) / (HALVING * self.scene.step_length) if volume_density is None else volume_density
        if not (math.isfinite(level) and level > 0):
            raise InputError(f"--level is a density per side of the scene's cube, above 0, and got {level:g}")
        return Level(outside_of(field, level), level)

    @torch.inference_mode()
    def colours(self, field: RadianceField, surface: Mesh) -> Float[np.ndarray, "n 3"]:
        """What one sees looking straight at the surface."""
        device = field.device
        points = torch.from_numpy(surface.vertices).float().split(CHUNK)
        inwards = torch.from_numpy(-surface.vertex_normals).float().split(CHUNK)
        colours = [field.radiance(x.to(device), d.to(device))[0].cpu() for x, d in zip(points, inwards, strict=True)]
        return torch.cat(colours).double().numpy().clip(0, 1)

    @cached_property
    def _preview(self) -> Values:
        return self.view.target(*self.view.preview)

    @cached_property
    def _followed(self) -> tuple[RayBatch, RayBatch | None]:
        """Rays of training pixels and of held-out ones."""
        return self.scene.training_probe(FOLLOWED_RAYS), self.scene.heldout_probe(FOLLOWED_RAYS)


def outside_of(field: RadianceField, level: float) -> Callable[[Tensor], Tensor]:
    """Below 0 where the density, as rays meet it, is above the level.

    The logarithm of the density is nearer to a line between two corners of a grid than the density is.
    """

    def function(x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 1"]:
        return -(volume_density(field, x) / level).clamp(min=EMPTIEST).log()[:, None]

    return function


def volume_density(field: RadianceField, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    """The density per side of the cube as rays meet it: none in empty cells."""
    return torch.where(in_occupied(field.occupied, x), field.density(x), 0.0)


def _stopped(volume_density: Float32[np.ndarray, "_ _"], step_length: float) -> Float32[np.ndarray, "_ _"]:
    """The share of the light that a step through a volume of that density stops."""
    return -np.expm1(-volume_density * np.float32(step_length))


def _density_rgb(seen: ScreenDensity, height: int, width: int) -> Image:
    """The map as a picture of that size."""
    return blocks(density_rgb(seen.crossings_per_pixel.sum(0)), height, width)


def _occupied_points(field: RadianceField, count: int) -> Float[Tensor, "n 3"]:
    """Points evenly spread over the occupied cells, in a fixed order."""
    cells = field.occupied.nonzero()
    if not len(cells):  # nothing is left: anywhere is as good
        cells = torch.zeros(1, 3, dtype=torch.long, device=cells.device)
    chosen = cells[torch.linspace(0, len(cells) - 1, count, device=cells.device).long()]
    inside = torch.rand(count, 3, generator=torch.Generator().manual_seed(0)).to(cells.device)
    return (chosen + inside) / field.occupancy.resolution
