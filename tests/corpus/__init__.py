"""Hostile and damaged files, small, made by these modules: `python -m tests.corpus FOLDER` writes them all.

Each ends in a right result, or in one sentence that names what was given: see `test_corpus.py`.
"""

from .arrays import POINTS, TARGETS
from .captures import CAPTURES, PATHS
from .configurations import CONFIGURATIONS
from .meshes import MESHES
from .pictures import PICTURES
from .runs import RUNS, STATES

KINDS = {kind.name: kind for kind in (PICTURES, MESHES, CAPTURES, PATHS, POINTS, TARGETS, CONFIGURATIONS, RUNS, STATES)}
"""By its name, every kind of what is given."""
