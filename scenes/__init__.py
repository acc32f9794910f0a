"""What is fitted: pictures, signals, points, solids, photographs; batches to train on and views to score by."""

from .builtin import BUILTINS, Builtin
from .holdout import HOLDOUTS, Holdout
from .load import load, thumbnail_sheet
from .picture import Picture
from .pictures.reading import MAX_PIXELS, Reading, read_picture
from .scene import Batch, Scene, View
from .shape import Shape, shape_of
from .signal import Signal
from .solids.mesh import Mesh
from .solids.reading import read_mesh
from .solids.writing import write_mesh
