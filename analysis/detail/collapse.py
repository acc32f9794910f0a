"""Has a radiance field learnt a scene at all, or fallen into one of the states it does not come back from?

Volume rendering has two of them: a field that is empty, whose views are all background, and one that is opaque from
the start of every ray, whose views are all of one colour. In both nothing behind can be seen, and so nothing be learnt.
"""

from collections.abc import Sequence

import numpy as np

from .explain import SeenView

LEARNT = 0.9
"""A field whose mean squared error is more than this share of that of the one best colour has learnt nothing."""

EMPTY, OPAQUE = 0.02, 0.98
"""Mean opacity below which a field is empty, and above which it is opaque."""


def collapse(views: Sequence[SeenView]) -> str | None:
    """What is wrong with a field that shows no more of its views than one colour would, and what to try; else None."""
    targets = np.concatenate([view.target.reshape(-1, view.target.shape[2]) for view in views])
    drawn = np.concatenate([view.reconstruction.reshape(-1, view.target.shape[2]) for view in views]).clip(0, 1)
    flat = float(np.square(targets - targets.mean(0)).mean())
    if flat == 0 or not np.isfinite(drawn).all() or np.square(targets - drawn).mean() < LEARNT * flat:
        return None
    opacity = float(np.mean([view.opacity.mean() for view in views]))
    state = "shows no more of its views than one colour would"
    if opacity < EMPTY:
        state = "is empty, and all that it shows is background"
    elif opacity > OPAQUE:
        state = "is opaque everywhere, and what is behind the first of it cannot be learnt"
    return (
        f"The fit has not begun to show the scene, or has collapsed: the field {state} (mean opacity {opacity:.2f}); "
        "more steps, another --seed, a lower --learning-rate or, with transparent pictures, --background random may "
        "help."
    )
