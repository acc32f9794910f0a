"""The one name of all packages, which are links to the folders at the top; the command line; and the door for Python.

    import fieldlens

    run = fieldlens.fit("photo.jpg", encoding="fourier:8", seconds=20)
    run.psnr_db, run.picture(), run.explain()

What the door has is imported when it is first asked for, as the command line and each package need none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .configs.errors import InputError
    from .python.calls import analyze, compare, explain, fit, open
    from .python.networks import NetworkExplained
    from .python.runs import Answered, Comparison, Run
    from .python.sweeps import Sweep

    __version__: str

__all__ = [
    "Answered",
    "Comparison",
    "InputError",
    "NetworkExplained",
    "Run",
    "Sweep",
    "analyze",
    "compare",
    "explain",
    "fit",
    "open",
]

_HOMES = {
    "configs.errors": ("InputError",),
    "python.calls": ("analyze", "compare", "explain", "fit", "open"),
    "python.networks": ("NetworkExplained",),
    "python.runs": ("Answered", "Comparison", "Run"),
    "python.sweeps": ("Sweep",),
}
"""By module, what of it the door has."""


def __getattr__(name: str) -> Any:
    """What the door has of that name; Python asks here for what the module does not have yet (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("fieldlens")  # the installation has it from pyproject.toml
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"fieldlens.{module}"), name)
    raise AttributeError(f"module 'fieldlens' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
