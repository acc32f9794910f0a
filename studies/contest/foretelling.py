"""What the next step of a fit does to the octave that is explained: by plain gradient descent, and by its optimizer."""

from itertools import islice

from jaxtyping import Float
from numpy import ndarray

from fieldlens.analysis.gradients.progress import OctaveProgress, octave_progress
from fieldlens.analysis.gradients.steps import Step, loss_step, movement
from fieldlens.fields import Field
from fieldlens.fitting import Plan, TrainingState, foreseen_step


def plain_progress(
    field: Field, target: Float[ndarray, "h w c"], drawn: Float[ndarray, "h w c"], band: int
) -> OctaveProgress:
    """What a step of plain gradient descent at rate 1 does to an octave of what is missing."""
    return _progress(field, loss_step(field, target), target, drawn, band)


def foreseen_progress(
    state: TrainingState[Field],
    plan: Plan,
    target: Float[ndarray, "h w c"],
    drawn: Float[ndarray, "h w c"],
    band: int,
) -> OctaveProgress:
    """What the step that the fit's own optimizer takes next does to it, were all pixels in the batch."""
    field = state.trained
    gradient = loss_step(field, target).scaled(-1).named(field)
    return _progress(field, Step.of_named(field, foreseen_step(state, plan, gradient)), target, drawn, band)


def _progress(
    field: Field, step: Step, target: Float[ndarray, "h w c"], drawn: Float[ndarray, "h w c"], band: int
) -> OctaveProgress:
    height, width, _ = target.shape
    octaves = octave_progress(target - drawn, movement(field, height, width, step))
    return next(islice(octaves, band, None))
