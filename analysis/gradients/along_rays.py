"""Gradients through the volume renderer: the speed of detail that a camera sees, and how far a step moves its pixels.

The colour of a ray is a sum over samples, of colours by weights that follow from the densities (`render.volume`):

    c  =  sum of w_s c_s  +  (1 - sum of w_s) background,        w and c of the field's parameters

so the gradient J of its luma by all parameters is one backward pass, and a step moves the ray by J step. Samples stay
where they are, and those behind what is opaque are left out, as in the renderer's own gradient. By the samples a ray's
gradient is no single outer product, as a point's is (`point_gradients`). Therefore the sum of y_i J_i over a window is
a backward pass over its rays; windows do not overlap, so that all together cost one over the picture.

A step is followed forwards: to the samples' values by `movement_at`, which knows tables of hash grids, and from there
on by the gradient of a gradient: J' u is linear in u, and J t is the gradient of t . J' u by u.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.fields.radiance import RadianceField, density_of
from fieldlens.render.camera import Camera, Rays
from fieldlens.render.volume import Samples, accumulate, render_rays, weights_from_density

from ..detail.octaves import Detail
from ..networks.sampling import image_points
from .kernel import channel_directions
from .speed import Speed
from .steps import Step, looked_up, movement_at

RAYS_AT_ONCE = 1024
"""In fog a ray has as many samples as it has steps, and a backward pass keeps what each layer makes of them."""


def screen_speed(field: RadianceField, camera: Camera, step_length: float, shown_over: float, detail: Detail) -> Speed:
    """How fast the field could move the detail of each window of a view: `detail_speed` through the renderer.

    Parts of the push are those of the position network (its table first, where it has one), then of what is learnt of
    directions, then of the colour layers. All windows together cost a pass forward and back.

    Args:
        camera: in coordinates of the field's unit cube, of the detail's size.
        step_length: between samples of a ray, in sides of the cube, as the field is rendered with.
        shown_over: brightness of the grey behind the volume.
        detail: of the view's luma.

    Raises:
        InputError: when a gradient is not finite, as those of a fit that has diverged are not.
    """
    windows = detail.windows
    names, parameters = zip(*field.named_parameters(), strict=True)
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    layer_of = [layers.index(name.rpartition(".")[0]) for name in names]
    luma = torch.from_numpy(channel_directions("luma", 3)[0]).to(field.device, torch.float32)
    by_layer = np.full((len(layers), *windows.shape), np.nan)
    for row, column in zip(*np.nonzero(detail.asked), strict=True):
        top, bottom = windows.row_edges[row : row + 2].tolist()
        left, right = windows.column_edges[column : column + 2].tolist()
        y = torch.from_numpy(detail.values[top:bottom, left:right].ravel()).to(field.device, torch.float32)
        down, across = torch.arange(top, bottom).double() + 0.5, torch.arange(left, right).double() + 0.5
        rays = camera.rays(image_points(down, across, 1, torch.device("cpu")))
        total = [torch.zeros_like(parameter, requires_grad=False) for parameter in parameters]
        for first in range(0, len(y), RAYS_AT_ONCE):
            here = slice(first, first + RAYS_AT_ONCE)
            some = rays.part(here).to(field.device)
            with torch.enable_grad():
                seen = render_rays(field.radiance, some, field.occupied, step_length)
                moved = y[here] @ (seen.over(seen.colour.new_full((3,), shown_over)) @ luma)
            gradients = torch.autograd.grad(moved, parameters, allow_unused=True, materialize_grads=True)
            torch._foreach_add_(total, gradients)  # type: ignore[reportPrivateImportUsage]  # torch.optim calls it too
        squares = [float(torch.linalg.vector_norm(part)) ** 2 for part in total]
        by_layer[:, row, column] = np.bincount(layer_of, squares)
    if not np.isfinite(by_layer[:, detail.asked]).all():
        raise InputError("the field's gradients are not all finite, so that nothing can be foretold; the fit diverged")
    return Speed(detail, by_layer.sum(0), detail.energy, by_layer)


@torch.no_grad()
def screen_movement(
    field: RadianceField, camera: Camera, step_length: float, shown_over: float, step: Mapping[str, Tensor]
) -> Float[np.ndarray, "h w 3"]:
    """How far a step of the parameters moves what a camera sees of a field, to first order: J step, channel by channel.

    Costs several times what drawing the view does.

    Args:
        camera: in coordinates of the field's unit cube.
        step_length: between samples of a ray, in sides of the cube, as the field is rendered with.
        shown_over: brightness of the grey behind the volume.
        step: the change of each parameter, under the name that `named_parameters` has.

    Raises:
        InputError: when the step is not of this field, or moves it by what is no number.
    """
    known = dict(field.named_parameters())
    if {name: change.shape for name, change in step.items()} != {name: p.shape for name, p in known.items()}:
        raise InputError("the step is not of this field: its parameters have other names or shapes")
    rays, moved = camera.rays(), torch.empty(camera.height * camera.width, 3)
    for first in range(0, len(moved), RAYS_AT_ONCE):
        here = slice(first, first + RAYS_AT_ONCE)
        some = rays.part(here).to(field.device)
        seen = render_rays(field.radiance, some, field.occupied, step_length)
        moved[here] = _moved(field, some, seen.samples, shown_over, step).cpu()
    if not bool(moved.isfinite().all()):
        raise InputError("the field or the step is not finite, so that nothing can be foretold; the fit diverged")
    return moved.numpy().reshape(camera.height, camera.width, 3)


def _moved(
    field: RadianceField, rays: Rays, samples: Samples, shown_over: float, step: Mapping[str, Tensor]
) -> Float[Tensor, "n 3"]:
    """How far rays' colours move, given the samples that they are seen at."""
    points, directions = samples.points(rays), rays.directions[samples.ray]
    position_step = Step.of_named(field.position, _part(step, "position"))
    encoded, encoded_moved = _encoded_directions(field, directions, step)
    moved = movement_at(field.position, points, position_step), encoded_moved, *_part(step, "colour").values()
    with torch.enable_grad():
        values, encoded = field.position(points).detach().requires_grad_(), encoded.detach().requires_grad_()
        colour = field.colour(torch.cat([values[:, 1:], encoded], 1), field.position.hidden_dtype)
        weights = weights_from_density(density_of(values[:, 0]), samples.ray, samples.step_length)
        stopped = accumulate(weights, weights.new_ones(len(weights), 1), samples.ray, len(rays.origins))
        seen = accumulate(weights, colour, samples.ray, len(rays.origins)) + (1 - stopped) * shown_over
        u = torch.zeros_like(seen, requires_grad=True)
        back = torch.autograd.grad(seen, (values, encoded, *field.colour.parameters()), u, create_graph=True)
        along = torch.stack([torch.sum(part * change) for part, change in zip(back, moved, strict=True)]).sum()
        return torch.autograd.grad(along, u)[0]


def _encoded_directions(
    field: RadianceField, directions: Float[Tensor, "m 3"], step: Mapping[str, Tensor]
) -> tuple[Float[Tensor, "m e"], Float[Tensor, "m e"]]:
    """What the colour layers are told of directions, and how far a step moves that."""
    if field.direction is None:
        return directions[:, :0], directions[:, :0]
    x = (directions + 1) / 2  # encodings take [0, 1]
    table = field.direction.learnt_table()
    if table is None:
        encoded = field.direction(x)
        return encoded, torch.zeros_like(encoded)
    (change,) = _part(step, "direction").values()
    return looked_up(table, torch.cat([table.values, change], 1), x)


def _part(step: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The changes of one part of a field, by its own names."""
    return {key.removeprefix(f"{name}."): change for key, change in step.items() if key.startswith(f"{name}.")}
