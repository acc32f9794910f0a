"""How steps come about in a fit of photographs, and what they move in a view: through the volume renderer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.analysis import Detail, Speed, screen_movement, screen_speed
from fieldlens.fields import RadianceField
from fieldlens.scenes.posed import PosedScene, RayBatch
from fieldlens.scenes.posed_view import PosedView

DESCENT_RAYS = 2048
"""Training pixels, evenly spread over all photographs, that stand for all in the gradient of the loss."""
RAYS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class ThroughRays:
    """A radiance field, of which a view shows what its rays come through."""

    scene: PosedScene
    view: PosedView

    def descent(self, field: RadianceField, target: Float[np.ndarray, "h w c"]) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Whatever the view: it is all photographs that are trained on."""
        names, parameters = zip(*field.named_parameters(), strict=True)
        step = [torch.zeros_like(parameter, requires_grad=False) for parameter in parameters]
        for part in self._training.split(RAYS_AT_ONCE):
            batch = part.to(field.device)
            with torch.enable_grad():
                loss = self.scene.loss(self.scene.predict(field, batch), batch)
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
            for change, gradient in zip(step, gradients, strict=True):
                change.sub_(gradient, alpha=len(part) / len(self._training))
        return dict(zip(names, step, strict=True))

    def movement(
        self, field: RadianceField, height: int, width: int, step: Mapping[str, Tensor]
    ) -> Float[np.ndarray, "h w c"]:
        camera = self.view.camera.resized(height, width)
        return screen_movement(field, camera, self.view.step_length, self.view.shown_over, step)

    def speed(self, field: RadianceField, detail: Detail) -> Speed:
        camera = self.view.camera.resized(*detail.values.shape)
        return screen_speed(field, camera, self.view.step_length, self.view.shown_over, detail)

    @cached_property
    def _training(self) -> RayBatch:
        return self.scene.training_probe(DESCENT_RAYS)
