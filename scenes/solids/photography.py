"""Photographs of surfaces by ray casting, with the exact distances and normals behind every pixel.

Light does not depend on the view: surfaces are matt (Lambertian), lit by a lamp far away, by a sky above and by a
little light from everywhere. A point whose normal n has length 1 shows its albedo times

    0.48 + 0.2 (1 + n . up) / 2 + 0.34 max(0, n . lamp),

the middle term being what a uniform half-sphere of sky gives. Nothing casts a shadow. Both sides of a surface are seen
and lit, so an open mesh has no holes; on the back the normal is turned round. Values are those of the picture, without
a tone curve.

Open3D, which finds the triangles, takes seconds to import: import this module inside the function that needs it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import open3d
import torch
from jaxtyping import Bool, Float32, Float64, Int64
from numpy.typing import DTypeLike

from fieldlens.render.camera import Camera, Rays

from .surfaces import Surface

_UP = np.array([0.0, 0.0, 1.0])
_LAMP = np.array([0.48, -0.6, 0.64])
_EVERYWHERE, _SKY, _KEY = 0.48, 0.2, 0.34
_RAYS_AT_ONCE = 1 << 18  # what is known of each, about 200 bytes, then stays small beside the picture


class GroundTruth(NamedTuple):
    """What a camera sees along the rays through its pixels' centres."""

    distance: Float64[np.ndarray, "h w"]
    """Distance along the ray, in the world's lengths; infinite where it hits nothing."""
    normals: Float64[np.ndarray, "h w 3"]
    """Normals in the world's axes, of length 1, on the side that is seen; 0 where nothing is hit."""
    mask: Bool[np.ndarray, "h w"]
    """Where something is hit."""


class _Hits(NamedTuple):
    """What rays meet first; all but the mask and the distance are of the `k` rays that meet something."""

    mask: Bool[np.ndarray, " n"]
    distance: Float64[np.ndarray, " n"]
    points: Float64[np.ndarray, "k 3"]
    surfaces: Int64[np.ndarray, " k"]
    triangles: Int64[np.ndarray, " k"]
    normals: Float64[np.ndarray, "k 3"]


class Studio:
    """Surfaces in a form in which rays find them quickly, to be photographed from any number of places."""

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        self._surfaces = surfaces
        self._scene = open3d.t.geometry.RaycastingScene()
        for surface in surfaces:
            self._scene.add_triangles(_tensor(surface.vertices, np.float32), _tensor(surface.triangles, np.uint32))

    def photograph(self, camera: Camera, samples: int = 4) -> Float32[np.ndarray, "h w 4"]:
        """A picture with colours premultiplied by alpha, the share of the pixel that is covered; values in [0, 1].

        Every pixel is the mean over `samples` x `samples` rays, evenly spaced within it.
        """
        offsets = (np.arange(samples) + 0.5) / samples
        rows = max(1, _RAYS_AT_ONCE // (camera.width * samples**2))
        picture = np.empty((camera.height, camera.width, 4), np.float32)
        for top in range(0, camera.height, rows):
            strip = picture[top : top + rows]
            y, x, down, across = np.meshgrid(
                np.arange(len(strip)) + float(top), np.arange(camera.width), offsets, offsets, indexing="ij"
            )
            xy = np.stack([x + across, y + down], -1).reshape(-1, 2)
            colours = self._seen(camera.rays(torch.from_numpy(xy)))
            strip[:] = colours.reshape(*strip.shape[:2], samples**2, 4).mean(2)
        return picture

    def ground_truth(self, camera: Camera) -> GroundTruth:
        """Distances, normals and mask at the pixels' centres."""
        hits = self._hits(camera.rays())
        normals = np.zeros((len(hits.mask), 3))
        normals[hits.mask] = hits.normals
        size = camera.height, camera.width
        return GroundTruth(hits.distance.reshape(size), normals.reshape(*size, 3), hits.mask.reshape(size))

    def _seen(self, rays: Rays) -> Float64[np.ndarray, "n 4"]:
        """Colour and coverage (0 or 1) along each ray."""
        hits = self._hits(rays)
        albedo = np.empty_like(hits.points)
        for number, surface in enumerate(self._surfaces):
            here = hits.surfaces == number
            if here.any():
                albedo[here] = surface.colour(hits.points[here], hits.triangles[here])
        colours = np.zeros((len(hits.mask), 4))
        colours[hits.mask, :3] = albedo * _light(hits.normals)[:, None]
        colours[hits.mask, 3] = 1.0
        return colours

    def _hits(self, rays: Rays) -> _Hits:
        found = self._scene.cast_rays(_tensor(torch.cat(rays, 1).numpy(), np.float32))
        distance = found["t_hit"].numpy().astype(np.float64)
        mask = np.isfinite(distance)
        origins, directions = rays.origins.numpy()[mask], rays.directions.numpy()[mask].astype(np.float64)
        surfaces = found["geometry_ids"].numpy()[mask].astype(np.int64)
        triangles = found["primitive_ids"].numpy()[mask].astype(np.int64)
        flat = found["primitive_normals"].numpy()[mask].astype(np.float64)
        normals = self._interpolated(flat, surfaces, triangles, found["primitive_uvs"].numpy()[mask])
        # The triangle's own normal says which side is seen: an interpolated one may lean over the edge of the visible.
        normals[np.einsum("kc,kc->k", flat, directions) > 0] *= -1
        points = origins + distance[mask, None] * directions
        return _Hits(mask, distance, points, surfaces, triangles, normals)

    def _interpolated(
        self,
        flat: Float64[np.ndarray, "k 3"],
        surfaces: Int64[np.ndarray, " k"],
        triangles: Int64[np.ndarray, " k"],
        uv: Float32[np.ndarray, "k 2"],
    ) -> Float64[np.ndarray, "k 3"]:
        """Normals at points given by barycentric coordinates, those of vertices 1 and 2; `flat` on flat triangles."""
        normals = flat.copy()
        weights = np.stack([1 - uv.sum(1), uv[:, 0], uv[:, 1]], 1)
        for number, surface in enumerate(self._surfaces):
            here = surfaces == number
            if surface.normals is not None and here.any():
                corners = surface.normals[surface.triangles[triangles[here]]]
                normals[here] = np.einsum("kv,kvc->kc", weights[here], corners)
        return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _light(normals: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, " k"]:
    """The share of white that a white surface shows, in [0, 1]."""
    return _EVERYWHERE + _SKY * (1 + normals @ _UP) / 2 + _KEY * np.maximum(0, normals @ _LAMP)


def _tensor(values: np.ndarray, dtype: DTypeLike) -> open3d.core.Tensor:
    return open3d.core.Tensor.from_numpy(np.ascontiguousarray(values, dtype))
