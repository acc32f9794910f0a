"""Charts show all that they are given, and a logarithmic axis has no zero."""

import numpy as np
import pytest

from fieldlens.studies.runs.charts import charts, label_axes
from fieldlens.studies.runs.quantities import QUANTITIES

LOGARITHMIC = next(name for name, quantity in QUANTITIES.items() if quantity.logarithmic)


def test_step_0_is_the_start_of_a_logarithmic_axis() -> None:
    figure, (axis,) = charts(1)
    axis.plot([0, 1, 10, 1000], [1, 2, 3, 4])
    label_axes(axis, LOGARITHMIC)
    figure.draw_without_rendering()
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert {"start", "1", "10", "1,000"} <= set(labels)
    assert "0" not in labels
    places = axis.transData.transform([[step, 1] for step in (0, 1, 10)])[:, 0]
    assert (np.diff(places) > 10).all(), "the start stands apart"


@pytest.mark.parametrize("values", [[0.0, 0.01, 1.0], [0.001, 0.01, 1.0]])
def test_a_value_of_0_is_drawn_where_others_are_by_their_logarithm(values: list[float]) -> None:
    figure, (axis,) = charts(1)
    axis.plot([0, 1, 10], values)
    label_axes(axis, LOGARITHMIC)
    figure.draw_without_rendering()
    low, high = axis.get_ylim()
    assert low <= values[0] < values[-1] <= high
    assert np.isfinite(axis.transData.transform([[1, value] for value in values])).all()
