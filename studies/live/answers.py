"""What a field gives to those who look at it, where it stands: of a fit that goes on, and of one that is over."""

from collections.abc import Callable, Collection
from typing import assert_never

import numpy as np

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.fitting import Plan, TrainingState
from fieldlens.render.colour import error_rgb
from fieldlens.report import encoded_map
from fieldlens.studies.subjects.choice import is_spatial
from fieldlens.studies.subjects.found import Image, Observation
from fieldlens.studies.subjects.picture import PictureSubject
from fieldlens.studies.subjects.points import PointsSubject
from fieldlens.studies.subjects.raster import WindowMotion
from fieldlens.studies.subjects.subject import Eye, Subject

from .asked import Look, Map, Motion, Photograph, Place, View
from .hub import Answer
from .orbit import Orbit
from .place import how_it_moves, target_like, what_is_at

ERROR = "error"
"""The map that every kind of scene has but signals, whose picture is a curve."""


class Answers:
    """Answers whatever changes nothing about the fit of one subject."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.orbit = Orbit(subject) if is_spatial(subject) else None
        """Of a 3D scene."""
        self._eye: tuple[int, Eye] | None = None
        """What sees the field as it is at a step."""
        self._motion: tuple[tuple[int, float], WindowMotion | None] | None = None
        """What was last measured of windows, with the step and the rate's factor that it follows from."""

    @property
    def map_names(self) -> list[str]:
        """The maps that can be asked for."""
        return [*self.subject.map_looks, *([] if self.subject.kind == "signal" else [ERROR])]

    def to(self, look: Look, state: TrainingState, plan: Plan, observe: Callable[[], Observation]) -> Answer:
        """The answer to a question.

        Args:
            observe: draws the state's field.

        Raises:
            InputError: for what this scene or this field does not have.
        """
        match look:
            case Motion():
                motion = self._motion_of(state, plan)
                return {} if motion is None else how_it_moves(look, motion)
            case Place():
                return what_is_at(look, self.subject, state.field, observe()) | {"At step": f"{state.step:,}"}
            case Map(name=name):
                if name not in self.map_names:
                    raise InputError(f"there is no map {name!r}{did_you_mean(name, self.map_names)}")
                drawn = self.maps([name], state, plan, observe)
                if name not in drawn:
                    raise InputError(f"this field has no map of {name}")
                return encoded_map(drawn[name])
            case View():
                return encoded_map(self._orbit.picture(self._eye_of(state), look))
            case Photograph():
                return encoded_map(self._orbit.photograph(self._eye_of(state), look))
            case _:
                assert_never(look)

    def maps(
        self, names: Collection[str], state: TrainingState, plan: Plan, observe: Callable[[], Observation]
    ) -> dict[str, Image]:
        """At least the named ones among the maps of a moment that there are of it."""
        drawn: dict[str, Image] = {}
        if ERROR in names:
            seen = observe()
            target = target_like(self.subject, seen).astype(np.float32) / 255
            drawn[ERROR] = error_rgb(target, seen.picture.astype(np.float32) / 255)
        if set(names) - {ERROR}:
            drawn |= self.subject.maps(state, plan)
        return drawn

    @property
    def _orbit(self) -> Orbit:
        if self.orbit is None:
            raise InputError("a camera can only be moved around a 3D scene")
        return self.orbit

    def _eye_of(self, state: TrainingState) -> Eye:
        """Kept for as long as the field stays as it is: a fine picture comes in strips, one question each."""
        assert is_spatial(self.subject), "there is an orbit of it"
        if self._eye is None or self._eye[0] != state.step:
            self._eye = state.step, self.subject.eye(state.field)
        return self._eye[1]

    def _motion_of(self, state: TrainingState, plan: Plan) -> WindowMotion | None:
        """How detail moves, measured once a step: it takes as long as maps do."""
        if not isinstance(self.subject, PictureSubject | PointsSubject):
            return None
        follows_from = state.step, state.rate_factor
        if self._motion is None or self._motion[0] != follows_from:
            self._motion = follows_from, self.subject.raster.windows(state, plan)
        return self._motion[1]
