"""Which fits a sweep is made of, in which order, and what the folder of each is called: by all that determines it."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from fieldlens.configs.encoding import Own
from fieldlens.configs.errors import InputError, shown
from fieldlens.configs.names import folder_name
from fieldlens.configs.records import fields_of, to_json
from fieldlens.configs.run import CompareConfig, FitConfig, named
from fieldlens.fitting import Plan
from fieldlens.studies.runs.compare import completed, fits

T = TypeVar("T")

DIGITS = 16
"""Of a fit's digest, in its folder's name: among a million fits two share them in one of 10^7 cases."""

MACHINE = ("device", "device_name", "precision")
"""What of a plan the machine decides where a person leaves it open: a fit by the same choices that was made on another
machine is not made again."""


@dataclass(frozen=True)
class Method:
    """An encoding, a network and an optimizer: what a sweep compares."""

    label: str
    """What tells it from the others."""
    name: str
    """All three in their words, as they were chosen."""


@dataclass(frozen=True)
class Planned:
    """One fit of a sweep."""

    config: FitConfig
    picture: str
    """What tables call its scene."""
    method: Method
    name: str
    """What its folder is called (`fit_name`)."""

    @property
    def seed(self) -> int:
        """Its seed."""
        return self.config.seed

    @property
    def label(self) -> str:
        """What progress calls it."""
        return f"{self.picture}, {self.method.label}, seed {self.seed}"


@dataclass(frozen=True)
class Grid:
    """The fits of a comparison that was completed: one seed of everything first."""

    config: CompareConfig

    @classmethod
    def of(cls, config: CompareConfig) -> "Grid":
        """That of what a person chose.

        Each fit takes one thread where none is named, so that its bytes do not depend on how many go on at once.

        Raises:
            InputError: as `completed` does.
        """
        whole = completed(config)
        training = replace(whole.training, threads=whole.training.threads or 1)
        return cls(replace(whole, training=training))

    @property
    def seeds(self) -> range:
        """Those that are reported."""
        return range(self.config.seed, self.config.seed + self.config.seeds)

    @cached_property
    def methods(self) -> tuple[Method, ...]:
        """What is compared, in the order in which it was named."""
        return methods_of(self.at(self.config.scene, self.config.seed))

    def at(self, scene: str, seed: int) -> list[FitConfig]:
        """The fits of a scene with a seed, one by each method."""
        return fits(replace(self.config, scene=scene, more_scenes=(), seeds=1, tune=0, seed=seed))

    def fits(self, seeds: Iterable[int] | None = None) -> list[FitConfig]:
        """All fits, or those with some seeds."""
        chosen = self.seeds if seeds is None else seeds
        return [fit for seed in chosen for scene in self.config.scenes for fit in self.at(scene, seed)]

    def method_of(self, config: FitConfig) -> Method:
        """The method of one of the fits."""
        return self._methods[chosen_name(config)]

    @cached_property
    def _methods(self) -> Mapping[str, Method]:
        return {method.name: method for method in self.methods}


def chosen_name(config: FitConfig) -> str:
    """What was chosen of a fit, in its words: an optimizer as it was named, not as it stands by default."""
    return named(config.encoding, config.network, config.training.optimizer or config.optimizer)


def methods_of(configs: Sequence[FitConfig]) -> tuple[Method, ...]:
    """Methods by the words that tell them apart: the encoding, and of the others what not all have."""
    words = [(str(one.encoding), str(one.network), str(one.training.optimizer or one.optimizer)) for one in configs]
    telling = [number for number in range(3) if number == 0 or len({parts[number] for parts in words}) > 1]
    return tuple(
        Method(" ".join(parts[number] for number in telling), chosen_name(one))
        for one, parts in zip(configs, words, strict=True)
    )


@dataclass(frozen=True)
class Part:
    """The share of a sweep's fits that one of several processes makes: every so manieth, from one of them on."""

    first: int
    of: int

    @classmethod
    def of_word(cls, word: str) -> "Part":
        """The share that a word such as 3/8 names.

        Raises:
            InputError: when it is none.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", word.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise InputError(f"--jobs takes a share such as 3/8, every eighth fit from the third on, got {shown(word)}")
        return cls(int(found[1]), int(found[2]))

    def taken(self, fits: Sequence[T]) -> Sequence[T]:
        """Those of some fits.

        >>> Part.of_word("3/4").taken(range(10))
        range(2, 10, 4)
        """
        return fits[self.first - 1 :: self.of]


def fit_name(config: FitConfig, plan: Plan, target: str) -> str:
    """What the folder of a fit is called: a digest of what determines its files, then words for a person.

    That is its plan number by number (but for `MACHINE`, of which it is the choice), its encoding (of one's own: the
    text), network and space, what it leaves behind, and what it is fitted to.

    Args:
        target: the digest of that.
    """
    numbers = {name: value for name, value in fields_of(plan).items() if name not in MACHINE}
    output = {name: value for name, value in fields_of(config.output).items() if name != "output_dir"}
    own = config.encoding.code if isinstance(config.encoding, Own) else None
    said = {
        "plan": numbers,
        "device": config.training.device,
        "precision": config.training.precision,
        "encoding": str(config.encoding),
        "own": None if own is None else hashlib.sha256(own.source).hexdigest(),
        "network": str(config.network),
        "space": to_json(config.space),
        "output": output,
        "target": target,
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:DIGITS]
    return folder_name(f"{digest} {config.scene.rpartition('/')[2]} {chosen_name(config)} seed {config.seed}")


def digest_in(name: str) -> str:
    """The digest that a folder's name begins with."""
    return name[:DIGITS]
