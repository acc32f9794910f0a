"""Cameras and rays: one pinhole type, its conventions, and paths that cameras travel.

World and camera axes are right-handed. A camera has OpenGL's axes, as in Blender's and nerfstudio's
`transforms.json`: x to the right, y up, looking along -z. Poses are camera-to-world matrices. Pixel coordinates are
(x, y) in pixels from the picture's left top corner, x to the right and y down, so the centre of pixel (row i, column j)
is (j + 0.5, i + 0.5). Directions have length 1, so that a distance along a ray is one in the world; the depth of a
point is its distance along the camera's axis. Poses are float64, rays float32.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor

Pose = Float64[np.ndarray, "4 4"]
"""Camera to world: the columns are the camera's right, up and backward directions, and its position."""


Vector = Sequence[float | int] | Float64[np.ndarray, "3"]
"""A point or a direction of the world."""


STEEPEST = 0.1
"""Least cosine between a surface's normal and the line of sight that a footprint on the surface is stretched for."""


class Rays(NamedTuple):
    """Half-lines, `origins` + t `directions` for t >= 0; directions have length 1."""

    origins: Float32[Tensor, "n 3"]
    directions: Float32[Tensor, "n 3"]

    def part(self, which: slice) -> "Rays":
        """Some of them."""
        return Rays(self.origins[which], self.directions[which])

    def to(self, device: torch.device | str) -> "Rays":
        """The same on a device."""
        return Rays(self.origins.to(device), self.directions.to(device))


class Footprint(NamedTuple):
    """How points move when their place in the picture moves by a pixel (ray differentials, Igehy 1999)."""

    across: Float32[Tensor, "n 3"]
    """How the point moves per pixel to the right."""
    down: Float32[Tensor, "n 3"]
    """How the point moves per pixel down."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera: the size of its picture, intrinsics in pixels, and where it stands."""

    height: int
    width: int
    focal: tuple[float, float]
    """Focal lengths along x and y, in pixels."""
    centre: tuple[float, float]
    """Where the axis meets the picture: (x, y) in pixel coordinates."""
    pose: Pose

    @property
    def position(self) -> Float64[np.ndarray, "3"]:
        """Where it stands in the world."""
        return self.pose[:3, 3]

    @property
    def forward(self) -> Float64[np.ndarray, "3"]:
        """The direction it looks in."""
        return -self.pose[:3, 2]

    def rays(self, xy: Float[Tensor, "n 2"] | None = None) -> Rays:
        """Rays through points of the picture in pixel coordinates; by default all pixels' centres, row by row."""
        if xy is None:
            rows, columns = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
            xy = torch.stack([columns, rows], -1).flatten(0, 1) + 0.5
        intrinsics = torch.tensor([self.focal, self.centre], dtype=torch.float64)
        return rays_through(xy.cpu(), intrinsics[:1], intrinsics[1:], torch.from_numpy(self.pose)[None])

    def project(
        self, points: Float64[np.ndarray, "n 3"]
    ) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, "n"]]:
        """Pixel coordinates and depths of points of the world; coordinates mean nothing where the depth is not above 0.

        >>> camera = perspective(10, 20, angle_x=1.0, pose=np.eye(4))
        >>> xy, depth = camera.project(np.array([[0.0, 0.0, -3.0]]))
        >>> xy.tolist(), depth.tolist()
        ([[10.0, 5.0]], [3.0])
        """
        own = (points - self.position) @ self.pose[:3, :3]
        depth = -own[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = own[:, :2] / depth[:, None]
        return scaled * np.array([self.focal[0], -self.focal[1]]) + np.array(self.centre), depth

    def footprint(self, points: Float32[Tensor, "n 3"], normals: Float32[Tensor, "n 3"] | None = None) -> Footprint:
        """How points in front of it move when their pixel coordinates do.

        Their depth stays as it is; or, where there are normals, they stay on the plane through the point that has that
        normal. Such a plane seen from its side moves without bounds: its slant counts up to `STEEPEST`.

        Args:
            normals: of a surface through each point, of any length; where 0, the depth stays.

        >>> camera = perspective(10, 20, angle_x=math.pi / 2, pose=np.eye(4))
        >>> camera.footprint(torch.tensor([[0.0, 0.0, -3.0]])).across
        tensor([[0.3000, 0.0000, 0.0000]])
        """
        right, up, back = torch.from_numpy(self.pose[:3, :3].T.copy()).to(points)
        sight = points - torch.from_numpy(self.position).to(points)
        depth = -(sight @ back)[:, None]
        at_depth = depth * right / self.focal[0], -depth * up / self.focal[1]
        if normals is None:
            return Footprint(*at_depth)
        steepest = STEEPEST * sight.norm(dim=1, keepdim=True) * normals.norm(dim=1, keepdim=True)
        towards = (sight * normals).sum(1, keepdim=True)
        towards = torch.where(towards.abs() > steepest, towards, torch.where(towards > 0, steepest, -steepest))
        lifts = ((step * normals).sum(1, keepdim=True) / towards for step in at_depth)
        return Footprint(*(step - sight * lift.nan_to_num(0.0) for step, lift in zip(at_depth, lifts, strict=True)))

    def normals(self, distance: Float[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 3"]:
        """Unit normals, on the side that is seen, of the surface at these distances along the rays of all pixels.

        By central differences of neighbouring points; 0 where a neighbour has no distance (NaN or infinite).
        """
        if min(distance.shape) < 2:
            return np.zeros((*distance.shape, 3), np.float32)
        directions = self.rays().directions.numpy().reshape(*distance.shape, 3).astype(np.float64)
        points = directions * np.where(np.isfinite(distance), distance, np.nan)[..., None]
        facing = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))  # down x right: to the camera
        length = np.linalg.norm(facing, axis=-1, keepdims=True)
        return np.divide(facing, length, out=np.zeros_like(facing), where=length > 0).astype(np.float32)

    def resized(self, height: int, width: int) -> "Camera":
        """The same camera with another number of pixels: it sees as much as before."""
        down, across = height / self.height, width / self.width
        return Camera(
            height,
            width,
            (self.focal[0] * across, self.focal[1] * down),
            (self.centre[0] * across, self.centre[1] * down),
            self.pose,
        )

    def at(self, pose: Pose) -> "Camera":
        """The same camera elsewhere."""
        return replace(self, pose=pose)


def rays_through(
    xy: Float[Tensor, "n 2"],
    focal: Float64[Tensor, "#n 2"],
    centre: Float64[Tensor, "#n 2"],
    pose: Float64[Tensor, "#n 4 4"],
) -> Rays:
    """Rays through points of pictures in pixel coordinates, all of one camera or each of its own."""
    across, down = ((xy.double() - centre) / focal).unbind(1)
    towards = torch.stack([across, -down, -torch.ones_like(across)], 1)  # in the camera's axes, of depth 1
    towards = (pose[:, :3, :3] @ towards[:, :, None])[..., 0]
    directions = towards / towards.norm(dim=1, keepdim=True)
    return Rays(pose[:, :3, 3].expand_as(directions).float().contiguous(), directions.float())


def perspective(height: int, width: int, angle_x: float, pose: Pose) -> Camera:
    """A camera with square pixels that looks through the middle of its picture.

    Args:
        angle_x: the horizontal field of view in radians, as `camera_angle_x` of Blender's scenes.
    """
    focal = focal_from_angle(angle_x, width)
    return Camera(height, width, (focal, focal), (width / 2, height / 2), pose)


def focal_from_angle(angle: float, pixels: int) -> float:
    """The focal length in pixels with which so many pixels span an angle in radians.

    >>> focal_from_angle(math.pi / 2, 100)
    50.00000000000001
    """
    return pixels / 2 / math.tan(angle / 2)


def angle_from_focal(focal: float, pixels: int) -> float:
    """The angle in radians that so many pixels span; the inverse of `focal_from_angle`."""
    return 2 * math.atan(pixels / 2 / focal)


def turned_to_opencv(pose: Pose) -> Pose:
    """The pose with OpenCV's camera axes (x right, y down, looking along +z), or back: it is its own inverse."""
    return pose * np.array([1.0, -1.0, -1.0, 1.0])


def looking_at(eye: Vector, target: Vector, up: Vector = (0.0, 0.0, 1.0)) -> Pose:
    """The pose of a camera at `eye` that sees `target` in its middle, and `up` upwards.

    Where it looks along `up`, another direction is taken for upwards.

    Raises:
        ValueError: where eye and target are the same point.
    """
    eye = np.asarray(eye, np.float64)
    back = eye - np.asarray(target, np.float64)
    if not np.linalg.norm(back) > 0:
        raise ValueError("looking_at: a camera cannot look at the point where it stands")
    back = back / np.linalg.norm(back)
    right = np.cross(np.asarray(up, np.float64), back)
    if np.linalg.norm(right) < 1e-9:
        right = np.cross(np.eye(3)[np.argmin(np.abs(back))], back)
    right = right / np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.stack([right, np.cross(back, right), back, eye], 1)
    return pose


def upwards(cameras: Sequence[Camera]) -> Float64[np.ndarray, "3"]:
    """The axis of the world, or its opposite, that is nearest to upwards in most cameras."""
    mean = np.mean([camera.pose[:3, 1] for camera in cameras], axis=0)
    axis = int(np.argmax(np.abs(mean)))
    return np.eye(3)[axis] * (1.0 if mean[axis] >= 0 else -1.0)


def orbit(
    count: int,
    centre: Vector = (0.0, 0.0, 0.0),
    radius: float = 1.0,
    elevation: float = math.pi / 6,
    up: Vector = (0.0, 0.0, 1.0),
) -> list[Pose]:
    """Poses on a circle around `centre`, evenly spaced, all looking at it; the first repeats after the last.

    Args:
        elevation: how far above the plane through the centre and across `up`, as an angle in radians.
    """
    middle = np.asarray(centre, np.float64)
    axis = np.asarray(up, np.float64) / np.linalg.norm(np.asarray(up, np.float64))
    first = np.cross(np.eye(3)[np.argmin(np.abs(axis))], axis)
    first = first / np.linalg.norm(first)
    second = np.cross(axis, first)
    poses = []
    for turn in np.arange(count) * (2 * math.pi / count):
        level = math.cos(turn) * first + math.sin(turn) * second
        eye = middle + radius * (math.cos(elevation) * level + math.sin(elevation) * axis)
        poses.append(looking_at(eye, middle, axis))
    return poses


def orbit_among(cameras: Sequence[Camera], centre: Vector, count: int) -> list[Camera]:
    """Cameras on a circle around `centre`, at the median distance, elevation and horizontal field of view of others.

    Upwards is what is so for most of them, and pictures have the size of the first one's.
    """
    middle, up, first = np.asarray(centre, np.float64), upwards(cameras), cameras[0]
    away = np.stack([camera.position for camera in cameras]) - middle
    distances = np.linalg.norm(away, axis=1)
    elevations = np.arcsin(np.clip(away @ up / np.maximum(distances, np.finfo(float).tiny), -1, 1))
    angle = float(np.median([angle_from_focal(camera.focal[0], camera.width) for camera in cameras]))
    poses = orbit(count, middle, float(np.median(distances)), float(np.median(elevations)), up)
    return [perspective(first.height, first.width, angle, pose) for pose in poses]


def interpolated(poses: Sequence[Pose], count: int) -> list[Pose]:
    """`count` poses on a smooth path from the first pose to the last, through all of them, evenly spaced in time.

    Positions follow a cubic spline, rotations one that turns without jumps in angular velocity.

    Raises:
        ValueError: for fewer than two poses.
    """
    if len(poses) < 2:
        raise ValueError("interpolated: a path needs at least two poses")
    knots, times = np.arange(len(poses)), np.linspace(0, len(poses) - 1, count)
    # imported here: it takes a second, and most of what people do has no path
    from scipy.interpolate import CubicSpline
    from scipy.spatial.transform import Rotation, RotationSpline

    positions = CubicSpline(knots, [pose[:3, 3] for pose in poses])(times)
    rotations = RotationSpline(knots, Rotation.from_matrix([pose[:3, :3] for pose in poses]))(times)
    path = np.tile(np.eye(4), (count, 1, 1))
    path[:, :3, :3], path[:, :3, 3] = rotations.as_matrix(), positions
    return list(path)
