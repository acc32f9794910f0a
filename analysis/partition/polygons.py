"""What convex polygons measure, compiled: areas, centroids, and the largest circles in them.

Polygon p has the corners `corners[offsets[p]:offsets[p + 1]]`, rows of `points`, anticlockwise. The functions
carry `no_type_check`, as those of `arrangement` do.
"""

from typing import no_type_check

import numpy as np

from .compiled import compiled


@compiled
@no_type_check
def areas_and_centroids(offsets, corners, points):
    """Area and centroid of each polygon, by triangles from its first corner."""
    count = len(offsets) - 1
    areas, centroids = np.empty(count), np.empty((count, 2))
    for polygon in range(count):
        first, last = offsets[polygon], offsets[polygon + 1]
        o = points[corners[first]]
        twice, mx, my = 0.0, 0.0, 0.0
        for side in range(first + 1, last - 1):
            a, b = points[corners[side]], points[corners[side + 1]]
            ax, ay, bx, by = a[0] - o[0], a[1] - o[1], b[0] - o[0], b[1] - o[1]
            triangle = ax * by - ay * bx
            twice += triangle
            mx += triangle * (ax + bx)
            my += triangle * (ay + by)
        areas[polygon] = twice / 2
        if twice > 0:
            centroids[polygon, 0], centroids[polygon, 1] = o[0] + mx / (3 * twice), o[1] + my / (3 * twice)
        else:
            centroids[polygon, 0], centroids[polygon, 1] = o[0], o[1]
    return areas, centroids


@compiled
@no_type_check
def inscribed(offsets, corners, points, chosen):
    """Centre and radius of the largest circle in each chosen polygon (Chebyshev centre).

    The linear program max r with n_s . x + r <= c_s for all sides s has three unknowns, so its optimum is at a corner
    where three sides hold with equality: polygons have few sides, and all triples are tried.
    """
    centres, radii = np.empty((len(chosen), 2)), np.zeros(len(chosen))
    sides = np.empty((64, 3))
    for index in range(len(chosen)):
        first, last = offsets[chosen[index]], offsets[chosen[index] + 1]
        count = last - first
        if count > len(sides):
            sides = np.empty((count, 3))
        o = points[corners[first]]
        scale = 0.0
        for side in range(first, last):
            scale = max(scale, abs(points[corners[side], 0] - o[0]), abs(points[corners[side], 1] - o[1]))
        scale = max(scale, 1e-300)
        kept = 0
        for side in range(first, last):
            a, b = points[corners[side]], points[corners[side + 1 if side + 1 < last else first]]
            dx, dy = b[0] - a[0], b[1] - a[1]
            length = np.sqrt(dx * dx + dy * dy)
            if length > 0:
                nx, ny = dy / length, -dx / length  # outward: corners go round anticlockwise
                sides[kept, 0], sides[kept, 1] = nx, ny
                sides[kept, 2] = (nx * (a[0] - o[0]) + ny * (a[1] - o[1])) / scale
                kept += 1
        x, y, radius = 0.0, 0.0, 0.0
        for i in range(kept):
            for j in range(i + 1, kept):
                for k in range(j + 1, kept):
                    ux, uy, uc = sides[j, 0] - sides[i, 0], sides[j, 1] - sides[i, 1], sides[j, 2] - sides[i, 2]
                    vx, vy, vc = sides[k, 0] - sides[i, 0], sides[k, 1] - sides[i, 1], sides[k, 2] - sides[i, 2]
                    across = ux * vy - uy * vx
                    if across == 0:
                        continue
                    cx, cy = (uc * vy - uy * vc) / across, (ux * vc - uc * vx) / across
                    r = sides[i, 2] - sides[i, 0] * cx - sides[i, 1] * cy
                    if r <= radius:
                        continue
                    inside = True
                    for m in range(kept):
                        if sides[m, 0] * cx + sides[m, 1] * cy + r > sides[m, 2] + 1e-9 * (1e-3 + r):
                            inside = False
                            break
                    if inside:
                        x, y, radius = cx, cy, r
        centres[index, 0], centres[index, 1] = o[0] + scale * x, o[1] + scale * y
        radii[index] = scale * radius
    return centres, radii
