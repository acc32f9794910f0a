"""What would help against each reason of missing detail: only what a claim of docs/paper.md has changed and measured.

Its fits are of raw coordinates and of octaves of sines and cosines, so that nothing is said of other encodings, such as
hash grids, which have no octaves.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from fieldlens.configs.encoding import Encoding, Fourier, Raw
from fieldlens.configs.optimizer import Muon, Optimizer

Reason: TypeAlias = Literal["on its way", "hindered", "few creases", "slow"]

MORE_STEPS = "More steps would help."
NONE_KNOWN = "No remedy is known that the study of docs/paper.md backs."
UNTRIED = "The study of docs/paper.md has tried no remedy under this encoding."


def remedies(reasons: Iterable[Reason], encoding: Encoding, optimizer: Optimizer) -> str:
    """The sentences for these reasons, each once.

    Args:
        encoding, optimizer: of the fit, which is told of nothing that it has.
    """
    return " ".join(dict.fromkeys(_remedy(reason, encoding, optimizer) for reason in reasons))


def _remedy(reason: Reason, encoding: Encoding, optimizer: Optimizer) -> str:
    if reason == "on its way":
        return MORE_STEPS
    if reason == "hindered":
        return NONE_KNOWN
    of_raw = isinstance(encoding, Raw)
    if not (of_raw or isinstance(encoding, Fourier)):
        return UNTRIED
    waves = f"A positional encoding, such as {Fourier()}, would" if of_raw else "More octaves of the encoding would"
    if reason == "few creases":
        wider = ", and so would a wider interval of the coordinates (A2 and N4" if of_raw else " (A2"
        return f"{waves} make more creases{wider} of docs/paper.md)."
    if isinstance(optimizer, Muon):
        return f"{waves} learn fine detail faster (A2 of docs/paper.md)."
    return f"{waves} learn fine detail faster, and so would Muon in place of Adam (A2 and N8 of docs/paper.md)."
