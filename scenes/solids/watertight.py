"""Meshes with an inside: small holes closed, others refused."""

from dataclasses import replace

import numpy as np

from fieldlens.configs.errors import InputError, counted

from .edges import count_edges
from .facing import facing
from .mesh import Mesh

LARGEST_HOLE = 0.25
"""Holes no farther across than this share of the mesh's diagonal are closed."""


def watertight(mesh: Mesh) -> Mesh:
    """The mesh with holes up to `LARGEST_HOLE` closed by fans from their middles, and notes that say what was found.

    Triangles that face the wrong way are turned round.

    Raises:
        InputError: when it stays open; the sentence says at how many edges.
    """
    counts = count_edges(mesh.edges)
    notes = ["watertight"]
    if counts.open:
        mesh, widths = _capped(mesh)
        if count_edges(mesh.edges).open:
            raise InputError(
                f"the mesh {mesh.name!r} is open at {counts.open:,} edges, so it has no inside; close it, or fit it as "
                "it looks with --kind radiance"
            )
        holes = counted(len(widths), "hole")
        notes = [f"{holes} closed ({counts.open:,} open edges), up to {max(widths):.2g} of its diagonal across"]
    if counts.non_manifold:
        notes.append(f"{counts.non_manifold:,} edges of more than two triangles")
    faced = facing(mesh)
    return replace(faced.mesh, notes=(*mesh.notes, *notes, *faced.notes))


def _capped(mesh: Mesh) -> tuple[Mesh, list[float]]:
    """The mesh with its small and simple holes closed, and how far across these are in shares of its diagonal."""
    edges = mesh.edges
    border = edges.directed[edges.runs[edges.which] == 1]
    following = {int(start): int(end) for end, start in border}  # a cap runs against the triangles beside it
    if len(following) < len(border) or set(following) != set(following.values()):
        return mesh, []  # borders that touch, or triangles along one that face opposite sides
    middles, fans, widths = [], [], []
    while following:
        start, after = following.popitem()
        loop = [start]
        while after != start:
            loop.append(after)
            after = following.pop(after)
        corners = mesh.vertices[loop]
        width = float(np.linalg.norm(np.ptp(corners, axis=0))) / mesh.diagonal
        if width > LARGEST_HOLE:
            continue
        middle = len(mesh.vertices) + len(middles)
        middles.append(corners.mean(0))
        fans += [(a, b, middle) for a, b in zip(loop, [*loop[1:], loop[0]], strict=True)]
        widths.append(width)
    if not fans:
        return mesh, []
    colours = mesh.colours
    if colours is not None:
        colours = np.vstack([colours, np.tile(colours.mean(0), (len(middles), 1))])
    vertices, triangles = np.vstack([mesh.vertices, middles]), np.vstack([mesh.triangles, fans])
    return replace(mesh, vertices=vertices, triangles=triangles, colours=colours), widths
