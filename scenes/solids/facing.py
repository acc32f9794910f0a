"""Which way the triangles of a closed mesh face: made to agree where they do not, and outwards but for hollows.

Triangles that share an edge agree if they run it in opposite directions. A shell is a part of a mesh that is closed by
itself.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from .edges import Edges, groups_of, joined, parts_of, same_rows
from .mesh import Mesh
from .winding import Winding, Without

HOLLOW_POINTS = 15
"""Points of a shell that faces inwards, most of which lie within other shells if it bounds a hollow of these."""

ROUNDING = 1e-9
"""The share of a volume that is no volume."""


@dataclass(frozen=True, eq=False)
class Facing:
    """A closed mesh whose triangles agree, as far as they can be made to."""

    mesh: Mesh
    agrees: bool
    """Whether every edge is run as often one way as the other: only then has a point a winding number."""
    notes: tuple[str, ...]
    """What was turned, in words."""


def facing(mesh: Mesh) -> Facing:
    """The mesh with triangles turned round that face otherwise than their neighbours, and shells that face inwards.

    A shell that faces inwards within another is a hollow of that one, and stays; but where the whole mesh is inside out
    all of it is turned first.
    """
    notes = []
    if mesh.edges.runs.max() > 3 and (backs := _backs(mesh.edges)).any():
        mesh = replace(mesh, triangles=mesh.triangles[~backs])
        notes.append(f"{np.count_nonzero(backs):,} triangles are the backs of others, and left out")
    if mesh.edges.balance.any():
        against = _against_neighbours(mesh)
        mesh = _turned(mesh, against)
        if mesh.edges.balance.any():
            notes.append("its triangles cannot all face outwards: inside is where a way out meets an odd number")
            return Facing(mesh, False, tuple(notes))
        notes.append(f"{np.count_nonzero(against):,} triangles turned round to face as their neighbours do")
    shells = _shells(mesh.edges)
    volumes = _volumes(mesh, shells)
    if volumes.sum() < -ROUNDING * np.abs(volumes).sum():
        mesh, volumes = _turned(mesh, np.ones(len(shells), bool)), -volumes
        notes.append("its triangles face inwards, and are all turned round")
    if (volumes < 0).any():
        hollow = _hollow(mesh, shells, np.flatnonzero(volumes < 0))
        wrong = np.setdiff1d(np.flatnonzero(volumes < 0), hollow)
        mesh = _turned(mesh, np.isin(shells, wrong))
        if len(wrong):
            notes.append(f"{_parts(len(wrong))} face inwards, and are turned round")
        if len(hollow):
            notes.append(f"{_parts(len(hollow))} within others face inwards, and are taken for hollows")
    return Facing(mesh, True, tuple(notes))


def _parts(count: int) -> str:
    return f"{count:,} of its parts"


def _turned(mesh: Mesh, which: Bool[np.ndarray, " triangles"]) -> Mesh:
    triangles = np.where(which[:, None], mesh.triangles[:, ::-1], mesh.triangles)
    return replace(mesh, triangles=triangles) if which.any() else mesh


def _backs(edges: Edges) -> Bool[np.ndarray, " triangles"]:
    """One of every two triangles that face opposite sides in one place, where a part of the mesh has no others.

    Programs write such meshes so that both sides are drawn. Two solids that touch at a whole triangle have other
    triangles besides, and keep both.
    """
    places = edges.directed[:, 0].reshape(-1, 3)
    ordered = np.sort(places, axis=1)
    groups = same_rows(ordered)
    # of the six orders of three corners, those three are turns of the sorted one in which the least but one follows
    after_least = np.take_along_axis(places, (places.argmin(1)[:, None] + 1) % 3, axis=1)[:, 0]
    way = np.where(after_least == ordered[:, 1], 1, -1)
    paired = (np.bincount(groups, way) == 0)[groups]
    parts = parts_of(edges, across_all=True)
    alone = np.bincount(parts, ~paired) == 0
    return alone[parts] & (way < 0)


def _against_neighbours(mesh: Mesh) -> Bool[np.ndarray, " triangles"]:
    """Triangles to turn so that all agree with their neighbours across edges of two, the smaller area of each part.

    Every triangle is there twice, as it is and turned, and joined to those of its neighbours that it agrees with: a
    part and its turned image are two groups, or one where it has a single side, as a Moebius strip has.
    """
    count, edges = len(mesh.triangles), mesh.edges
    pairs = edges.order[edges.runs[edges.which[edges.order]] == 2]
    one, other = edges.triangles[pairs].reshape(-1, 2).T
    agree = edges.balance[edges.which[pairs[::2]]] == 0
    groups = groups_of(
        np.concatenate([one, one + count]),
        np.concatenate([np.where(agree, other, other + count), np.where(agree, other + count, other)]),
        2 * count,
    )
    as_it_is, turned = groups[:count], groups[count:]
    areas = mesh.areas
    least = np.minimum(as_it_is, turned)  # stands for both groups of a part
    in_least = as_it_is == least
    # the area that would be turned if the part were as its first group has it
    difference = np.bincount(least, np.where(in_least, areas, -areas), int(groups.max()) + 1)
    return np.where(difference[least] >= 0, ~in_least, in_least) & (as_it_is != turned)


def _shells(edges: Edges) -> Int64[np.ndarray, " triangles"]:
    """The shells of a mesh whose triangles agree: joined across edges of two triangles, and of more where need be."""
    parts = parts_of(edges)
    many = edges.order[edges.runs[edges.which[edges.order]] != 2]
    if not len(many):
        return parts
    # at an edge of more, a part that does not run it as often both ways goes on in others that do not
    count = int(parts.max()) + 1
    found, index = np.unique(edges.which[many] * count + parts[edges.triangles[many]], return_inverse=True)
    upwards = np.where(edges.directed[many, 0] < edges.directed[many, 1], 1, -1)
    edge, part = np.divmod(found[np.bincount(index, upwards, len(found)) != 0], count)
    return joined(part, edge, count)[parts]


def _volumes(mesh: Mesh, shells: Int64[np.ndarray, " triangles"]) -> Float64[np.ndarray, " shells"]:
    """Of each shell, by the divergence theorem; negative where it faces inwards."""
    a, b, c = (mesh.corners - mesh.vertices.mean(0)).swapaxes(0, 1)
    return np.bincount(shells, (a * np.cross(b, c)).sum(1) / 6)


def _hollow(
    mesh: Mesh, shells: Int64[np.ndarray, " triangles"], inwards: Int64[np.ndarray, " some"]
) -> Int64[np.ndarray, " fewer"]:
    """Those of some shells that lie within others, by most of a few points of each."""
    order = np.argsort(shells, kind="stable")
    starts = np.searchsorted(shells[order], inwards)
    ends = np.searchsorted(shells[order], inwards, side="right")
    spread = np.linspace(0, 1, HOLLOW_POINTS, endpoint=False)
    chosen = order[(starts[:, None] + (ends - starts)[:, None] * spread).astype(np.int64)]
    middles = mesh.corners[chosen.reshape(-1)].mean(1)
    within = Winding(mesh)(middles.astype(np.float32), Without(shells, np.repeat(inwards, HOLLOW_POINTS))) > 0
    return inwards[within.reshape(chosen.shape).mean(1) > 0.5]
