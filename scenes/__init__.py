"""What is fitted: pictures, as files or built in, and signals; the batches to train on and the views to score by."""

from .builtin import BUILTINS, Builtin
from .holdout import HOLDOUTS, Holdout
from .load import load, thumbnail_sheet
from .picture import Picture
from .reading import MAX_PIXELS, Reading, read_picture
from .scene import Batch, Scene, View
from .signal import Signal
