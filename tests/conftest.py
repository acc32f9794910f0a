"""What every test runs under: checked shapes and types, one torch thread, and the same examples each time."""

import os

# Every test runs on one thread, whatever the machine: sums then come out in one order and the bytes repeat. It is also
# the faster way: the tests are many and small, so ./check spends the cores on worker processes (pytest -n) instead.
# The variable is for the commands that tests start; it has to be set before torch is first imported.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import torch
from jaxtyping import install_import_hook

from tests.support import runtime_types

# From here on the annotations of our functions (shapes, dtypes, classes) are checked at every call, in tests only.
install_import_hook("fieldlens", f"{runtime_types.__name__}.check")

torch.set_num_threads(1)

# Derandomised, as a run of the tests has to say something about the code, not about luck. The machine may be busy, so
# no example has a deadline.
hypothesis.settings.register_profile("fieldlens", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("fieldlens")
