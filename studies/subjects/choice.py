"""Which subject goes with a scene, and which subjects can be asked what only some can answer."""

from typing import TypeGuard

import torch

from fieldlens.configs.errors import InputError
from fieldlens.scenes.picture import Picture
from fieldlens.scenes.points import Points
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.scene import Scene
from fieldlens.scenes.shape import Shape
from fieldlens.scenes.signal import Signal

from .kinds import KINDS
from .photographs import PhotographsSubject
from .picture import PictureSubject
from .points import PointsSubject
from .signal import SignalSubject
from .solid import SolidSubject
from .subject import Spatial, Subject


def subject_of(scene: Scene, hidden_dtype: torch.dtype = torch.float32) -> Subject:
    """The subject that goes with a scene.

    Args:
        hidden_dtype: of the products between hidden layers, in which a field is drawn while it trains.

    Raises:
        InputError: for a scene that cannot be drawn.
    """
    match scene:
        case Picture():
            return PictureSubject(scene, hidden_dtype)
        case Signal():
            return SignalSubject(scene, hidden_dtype)
        case PosedScene():
            return PhotographsSubject(scene, hidden_dtype)
        case Shape():
            return SolidSubject(scene, hidden_dtype)
        case Points():
            return PointsSubject(scene, hidden_dtype)
    raise InputError(f"{scene.name} cannot be drawn")


def is_spatial(subject: Subject) -> TypeGuard[Spatial]:
    """Whether a subject is of a 3D scene."""
    return isinstance(subject, Spatial)


def spatial(subject: Subject, asked: str) -> Spatial:
    """The subject as one that a camera can be put into.

    Args:
        asked: what is only for 3D scenes, such as "--orbit is".

    Raises:
        InputError: when it is of no 3D scene.
    """
    if is_spatial(subject):
        return subject
    raise InputError(f"{asked} for 3D scenes, and this run is of {KINDS[subject.kind]}")


def photographed(subject: Subject, asked: str) -> PhotographsSubject:
    """The subject as one of photographs.

    Raises:
        InputError: when it is of anything else.
    """
    if isinstance(subject, PhotographsSubject):
        return subject
    of = "a mesh fitted as a shape" if subject.kind == "solid" else KINDS[subject.kind]
    raise InputError(f"{asked} for photographs, and this run is of {of}")
