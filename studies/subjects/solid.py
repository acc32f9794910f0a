"""A solid as a subject: its field's surface beside the mesh, how far apart they are, and the creases on it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property, partial

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from fieldlens.analysis import ReluNetwork, footprint_density, ssim
from fieldlens.analysis.creases.surface import compare_surfaces, extract_surface, iou
from fieldlens.analysis.detail.verdicts import percent
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject
from fieldlens.configs.records import to_json
from fieldlens.configs.space import Slice
from fieldlens.fields import Field
from fieldlens.fitting import Ending, Plan, TrainingState
from fieldlens.render.camera import Camera
from fieldlens.render.colour import density_rgb, level_legend, level_rgb, to_rgb
from fieldlens.render.lines import lines_over, zero_lines
from fieldlens.render.panel import Tile
from fieldlens.render.surface import SEARCH_CELLS, STEPS_PER_CELL, cells_near_surface
from fieldlens.report import PICTURE_WORDS
from fieldlens.scenes.captures.capture import Bounds
from fieldlens.scenes.load import Working
from fieldlens.scenes.scene import Function
from fieldlens.scenes.shape import CLAMP, Shape, ShapeView
from fieldlens.scenes.shape import Seen as Traced
from fieldlens.scenes.solids.mesh import Mesh

from .creases import creased
from .drawing import CREASE_DENSITY, DENSITY, DrawnMap, frame_of, map_tiles
from .film import AROUND, around
from .found import Explained, Files, Finished, Image, Observation, Row, SolidAgreement, Statistic, Summary, Values
from .kinds import Kind
from .scoring import score
from .seen_views import SeenField, explain_seen
from .subject import Eye, Level, Progress, Section, Sighting, plane_of

SURFACE_CELLS = 96
"""Along a side of the cube, in which the field's surface is extracted to be compared with the mesh."""
TRACING, TURNING = 0.4, 0.45
"""Of the time that an explanation takes: drawing views, about, and going around; the rest is comparing surfaces."""
SHOWN_TRIANGLES = 30_000
"""Of the surface that a report shows."""
COMPARING_FRAMES = 4
"""Frames in progress that take as long as drawing the first view and comparing surfaces."""
COMPARED = 50_000
"""Points on either surface that are compared, and points of the cube that are inside or not."""
LOGITS = 5.0
"""An occupancy is drawn up to this: 99.3 % sure."""


class SolidSubject:
    """A solid: the mesh, the field's surface shaded alike, its error and its crease density, from one side."""

    kind: Kind = "solid"
    trains_on_points = True
    words = replace(PICTURE_WORDS, psnr_of="of the shaded view", energy_of="of the shaded view")
    notes: Sequence[str] = ()
    frequencies: Sequence[int] = ()
    map_looks = CREASE_DENSITY
    surface_caption = "surface"

    def __init__(self, shape: Shape, hidden_dtype: torch.dtype = torch.float32) -> None:
        self.shape, self.hidden_dtype = shape, hidden_dtype
        self.every_view: Sequence[ShapeView] = shape.views()
        self.view = self.every_view[0]

    @property
    def bounds(self) -> Bounds:
        """The cube around the mesh."""
        return self.shape.bounds

    def ending(self, field: Field) -> Ending:  # noqa: ARG002 (the work follows from the views)
        """The surface from all sides, with its creases, and how far it is from the mesh."""
        return Ending(COMPARING_FRAMES, len(self.every_view) + AROUND, grows=True)

    def target(self) -> Image:
        """The mesh."""
        return to_rgb(self._target)

    def target_tile(self) -> Tile:
        """The mesh, as frames show it."""
        return Tile(self.target(), "mesh")

    def overview(self) -> None:
        """Nothing is drawn before training."""

    def prepare(self, working: Working) -> None:
        """Ask the mesh at the points to train on: of a million triangles that takes ten seconds."""
        self.shape.prepare(partial(working, "asking the mesh at points"))

    def observe(self, field: Field) -> Observation:
        """The surface in the first view."""
        return self._observed(field.in_precision(self.hidden_dtype), field.device)

    def finish(self, field: Field, progress: Progress) -> Finished:
        """The first view, in fp32."""
        found = self._observed(field, field.device, progress)
        similarity = ssim(self._target, found.reconstruction)
        return Finished([found.reconstruction], found.picture, found.scores, similarity)

    def _observed(self, function: Function, device: torch.device, progress: Progress | None = None) -> Observation:
        drawn = self.view.draw(function, device=device, progress=progress)
        return Observation(drawn, to_rgb(drawn), score(self.view, self._target, drawn))

    def maps(
        self,
        state: TrainingState[Field],
        plan: Plan,  # noqa: ARG002 (creases are of the field alone)
    ) -> Mapping[str, Image]:
        """Crossings per pixel on the field's surface; 0 beside it."""
        field = state.field
        network = creased(field)
        if network is None:
            return {}
        traced = self.view.field_seen(field, device=field.device)
        return {DENSITY: density_rgb(surface_crossings(network, self.view.camera, traced).sum(0))}

    def frame(
        self,
        observation: Observation,
        title: str,
        maps: Mapping[str, DrawnMap],
        rows: Sequence[Row],  # noqa: ARG002 (the report has the curves)
    ) -> Image:
        """The mesh, the field's surface, its error and maps."""
        drawn = Tile(observation.picture, "surface of the field")
        error = self._target, observation.reconstruction
        return frame_of(self.target_tile(), drawn, error, title, map_tiles(self.map_looks, maps))

    def explain(
        self,
        state: TrainingState[Field],
        plan: Plan,
        finished: Finished,  # noqa: ARG002 (views are traced anew, for the points that they show)
        *,
        progress: Progress,
    ) -> Explained:
        """Creases on the surface, bands of the shaded views, the verdict, and how far the surface is from the mesh."""
        field, seed = state.field, plan.seed
        seen = list(self._seen_in_views(field, lambda share: progress(TRACING * share)))
        found = explain_seen(
            self.every_view, seen, kind="views", compared="mesh, surface of the field, error", seed=seed
        )
        surface = extract_surface(
            self.shape.level(field),
            SURFACE_CELLS,
            lambda share: progress(TRACING + (1 - TRACING - TURNING) * share),
            device=field.device,
        )
        agreement = self._agreement(field, surface, seed)
        turned = around(self, field, lambda share: progress(1 - TURNING + TURNING * share))
        creases: JsonObject | None = None
        if found.crossings_by_layer is not None:
            creases = {
                "crossings_per_pixel": found.crossings_per_pixel,
                "crossings_per_pixel_by_layer": found.crossings_by_layer.tolist(),
                "units": "crossings per pixel of the views' pictures, on the surface of the field",
            }
        explain = found.explanation.to_json() | {"capacity": None, "creases": creases, "surface": to_json(agreement)}
        crossings = seen[0].crossings
        files = Files(
            pictures={} if crossings is None else {"density": density_rgb(crossings.sum(0))},
            numbers={"explain": explain},
        )
        no_surface = agreement.chamfer is None  # then no view shows anything of which detail could be missing
        return Explained(
            Summary(
                verdict=(
                    *_agreement_sentences(agreement),
                    *(() if no_surface else found.explanation.verdict.sentences),
                ),
                worst_places=() if no_surface else found.worst_places,
                worst_in=None if no_surface or not found.worst_places else self.view.name,
                explained_band=found.explanation.band,
                crossings_per_pixel=found.crossings_per_pixel,
                dead_neurons=None,
                primary_statistic=Statistic.against_creases(found.explanation),
                agreement=agreement,
            ),
            found.files | files | turned | self._surface_files(field, surface),
        )

    def _seen_in_views(self, field: Field, progress: Progress) -> Iterator[SeenField]:
        network = creased(field)
        near_surface = cells_near_surface(self.shape.level(field), device=field.device)
        for number, view in enumerate(self.every_view, start=1):
            traced = view.field_seen(field, near_surface=near_surface, device=field.device)
            crossings = None if network is None else surface_crossings(network, view.camera, traced)
            yield SeenField(traced.colour, traced.met.astype(np.float32), crossings)
            progress(number / len(self.every_view))

    def _agreement(self, field: Field, surface: Mesh, seed: int) -> SolidAgreement:
        overlap = iou(self.shape.level(field), self.shape.unit_mesh, COMPARED, seed, device=field.device)
        if not len(surface.triangles):
            return SolidAgreement.of(overlap, None)
        return SolidAgreement.of(overlap, compare_surfaces(surface, self.shape.surface, COMPARED, seed))

    def _surface_files(self, field: Field, surface: Mesh) -> Files:
        """The surface of the field with fewer triangles, and the creases that a pixel of the first view would cross
        there if it looked straight at it from as far as it is from the middle."""
        if not len(surface.triangles):
            return Files()
        shown, network = surface.reduced(SHOWN_TRIANGLES), creased(field)
        arrays = {"vertices": shown.vertices.astype(np.float32), "triangles": shown.triangles.astype(np.int32)}
        if network is not None:
            camera = self.view.camera
            pixel = np.linalg.norm(camera.position - 0.5) / camera.focal[0]
            across, down = (torch.from_numpy(pixel * side).float() for side in tangents(shown.vertex_normals))
            points = torch.from_numpy(shown.vertices).float()
            arrays["crossings"] = footprint_density(network, points, across, down).sum(0).cpu().numpy()
        units = "unit cube; crossings per pixel of the views, looking straight at the surface from the views' distance"
        return Files(arrays={"surface": arrays | {"units": np.array(units)}})

    def cameras(self) -> Sequence[Camera]:
        """Those that see it from above."""
        up = np.asarray(self.shape.mesh.up)
        cameras = (view.camera for view in self.every_view)
        return [self.bounds.camera_to_world(camera) for camera in cameras if (camera.position - 0.5) @ up > 0]

    def eye(self, field: Field) -> Eye:
        """Sees the field's surface, shaded; where it is looked for is found once for each fineness."""
        level = self.shape.level(field)
        return partial(
            self._seen, field, cache(lambda cells: cells_near_surface(level, cells=cells, device=field.device))
        )

    def _seen(
        self,
        field: Field,
        near_surface: Callable[[int], Tensor],
        camera: Camera,
        map_pixels: int | None = None,
        *,
        least_step: float = 0.0,
    ) -> Sighting:
        cells = min(SEARCH_CELLS, math.ceil(1 / max(STEPS_PER_CELL * least_step, 1 / SEARCH_CELLS)))
        view = ShapeView("film", self.shape, camera)
        traced = view.field_seen(field, near_surface=near_surface(cells), device=field.device)
        network = None if map_pixels == 0 else creased(field)
        creases = None if network is None else density_rgb(surface_crossings(network, camera, traced).sum(0))
        opacity = traced.met.astype(np.float32)
        return Sighting(traced.colour, traced.distance(camera), traced.normals, opacity, creases)

    def section(self, field: Field, cut: Slice) -> Section:
        """Signed distances, or logits, around the line where the surface is."""
        distance = self.shape.kind == "sdf"
        reach = CLAMP if distance else LOGITS
        what = "signed distance" if distance else "logit of being outside"
        units = f"{what} in sides of the scene's cube" if distance else what
        return Section(
            plane_of(cut),
            quantity="level",
            units=f"{units}, negative inside",
            caption=f"{what}; white: the surface",
            legend=partial(level_legend, reach=reach, unit="sides" if distance else "logit"),
            function=self.shape.level(field),
            picture=lambda level: lines_over(level_rgb(level, reach), zero_lines(level), opacity=1.0),
            solid=lambda level: (level < 0).astype(np.float32),
        )

    def level(self, field: Field, volume_density: float | None = None) -> Level:
        """The zero level."""
        if volume_density is not None:
            raise InputError("--level is for radiance fields; the surface of a shape is where it is zero")
        return Level(self.shape.level(field))

    def colours(self, field: Field, surface: Mesh) -> None:
        """A solid has none."""

    @cached_property
    def _target(self) -> Values:
        return self.view.target()


def surface_crossings(network: ReluNetwork, camera: Camera, traced: Traced) -> Float32[np.ndarray, "layers h w"]:
    """Creases per pixel on a surface as a camera in the unit cube's coordinates sees it, by layer; 0 beside it."""
    rays, met = camera.rays(), torch.from_numpy(traced.met.ravel())
    distance = torch.from_numpy(traced.distance(camera).ravel())[met, None]
    points = rays.origins[met] + distance * rays.directions[met]
    footprint = camera.footprint(points, torch.from_numpy(traced.normals[traced.met]))
    found = footprint_density(network, points, footprint.across, footprint.down)
    crossings = np.zeros((len(found), *traced.met.shape), np.float32)
    crossings[:, traced.met] = found.cpu().numpy()
    return crossings


def tangents(
    normals: Float64[np.ndarray, "n 3"],
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """Two directions of length 1 across each normal, and across each other; whatever they are where a normal is 0."""
    least = np.eye(3)[np.argmin(np.abs(normals), axis=1)]
    across = np.cross(normals, least)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), np.finfo(float).tiny)
    return across, np.cross(normals, across)


def _agreement_sentences(agreement: SolidAgreement) -> list[str]:
    if agreement.chamfer is None:
        return ["What was learnt has no surface yet: more steps, or another learning rate, may give it one."]
    return [
        f"The shape that was learnt and the mesh overlap by {percent(agreement.iou)} (IoU). Their surfaces are "
        f"{100 * agreement.chamfer:.2g} % of the cube's diagonal apart on average (Chamfer distance), and face the "
        f"same way to {agreement.normal_consistency:.3f}, where 1 is everywhere (normal consistency)."
    ]
