"""What the verbs' command lines share: words for encodings, defaults from files, and options for every verb."""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from fieldlens.configs.encoding import Encoding, parse_encoding
from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.network import Network, parse_network
from fieldlens.configs.optimizer import Optimizer, parse_optimizer
from fieldlens.configs.records import to_json
from fieldlens.configs.run import CompareConfig, FitConfig, Output
from fieldlens.configs.space import Slice, parse_slice
from fieldlens.configs.storage import read_config

from ..terminal.streams import printable
from .refusals import refused_in_a_sentence

Arguments = TypeVar("Arguments")
Config = TypeVar("Config", FitConfig, CompareConfig)

PRESETS = Path(__file__).parent.parent / "configs" / "presets"
"""A folder of them for each verb that takes one."""

Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""An option that is on where it is named, such as `--json`, and has no `--no-json` beside it."""


@dataclass(frozen=True)
class Beginning:
    """What must be known before the others' defaults are."""

    resume: str | None = None
    config: Path | None = None
    preset: str | None = None
    output_dir: Path = Output().output_dir


def parse(kind: type[Arguments], verb: str, description: str, words: Sequence[str], default: Any = None) -> Arguments:
    """Read a verb's command line; `--help` prints and leaves.

    Raises:
        InputError: when it cannot be read; with the nearest right option where one comes near.
    """
    instead = None
    if kind_of_networks(kind) and _sets_one_network(words):
        instead = f"{verb} takes networks as words, such as --networks 4x64 2x128,sine, and not option by option"
    extra = {} if default is None else {"default": default}
    with refused_in_a_sentence(verb, instead), _words(networks=kind_of_networks(kind)):
        return tyro.cli(kind, prog=f"fieldlens {verb}", description=description, args=list(words), **extra)


def typed_options(words: Sequence[str]) -> set[str]:
    """The names of the options that a person typed, whatever their values.

    >>> sorted(typed_options(["photo.jpg", "--max-side=64", "--network.width", "8"]))
    ['max_side', 'network.width']
    """
    return {word.partition("=")[0][2:].replace("-", "_") for word in words if word.startswith("--")}


def check_output_dir(word: str, typed: Collection[str]) -> None:
    """See that it is not said where the latest folder is to be looked for when another is named.

    Raises:
        InputError: when it is.
    """
    if "output_dir" in typed and word != "latest":
        raise InputError(f"--output-dir is where the latest run is looked for, and {word!r} is named; leave it out")


def _sets_one_network(words: Sequence[str]) -> bool:
    """Whether there is an option of `fit` for one network, or its last part alone, as in --width."""
    parts = {key.name for key in dataclasses.fields(Network)}
    return any(option.startswith(("network.", "networks.")) or option in parts for option in typed_options(words))


def option_of(name: str) -> str:
    """The option of a setting.

    >>> option_of("target_psnr")
    '--target-psnr'
    """
    return f"--{name.replace('_', '-')}"


def kind_of_networks(kind: type) -> bool:
    """Whether networks are listed as words (several of them) or set option by option (one)."""
    return any(key.name == "networks" for key in dataclasses.fields(kind))


def beginning(verb: str, words: Sequence[str]) -> Beginning:
    """Where a fit or comparison begins; all other words are left to `parse`.

    >>> beginning("fit", ["photo.jpg", "--preset=authors", "--seed", "7"]).preset
    'authors'

    Raises:
        InputError: when one of these options has no value.
    """
    with refused_in_a_sentence(verb), _words(networks=False):
        begins, _others = tyro.cli(
            Beginning, prog=f"fieldlens {verb}", args=list(words), return_unknown_args=True, add_help=False
        )
    return begins


def starting_config(kind: type[Config], verb: str, begins: Beginning) -> Config:
    """The configuration that options are changes to: that of `--config FILE`, of `--preset NAME`, or the defaults.

    Raises:
        InputError: when the file is not there or is no configuration, or both are given.
    """
    if begins.config is not None and begins.preset is not None:
        raise InputError("a fit or comparison starts from one set of choices: leave out --config or --preset")
    if begins.preset is not None:
        return read_config(_preset(begins.preset, verb), kind)
    return kind() if begins.config is None else read_config(begins.config, kind)


def _preset(name: str, verb: str) -> Path:
    known = {path.stem: path for path in sorted((PRESETS / verb).glob("*.yaml"))}
    if name not in known:
        there_are = ", ".join(known)
        raise InputError(f"{verb} has no preset {name!r} (there are: {there_are}){did_you_mean(name, known)}")
    return known[name]


def folder_to_resume(verb: str, begins: Beginning, typed: Collection[str]) -> tuple[str, Path] | None:
    """The word after `--resume` and where to look for the latest one; None for a new run.

    Raises:
        InputError: when other choices to start from are given as well.
    """
    if begins.resume is None:
        return None
    for option in ("config", "preset"):
        if getattr(begins, option) is not None:
            raise InputError(f"{verb} --resume goes on with the choices in the folder: leave out --{option}")
    check_output_dir(begins.resume, typed)
    return begins.resume, begins.output_dir


def check_unchanged(before: Config, now: Config, what: str, *, free: Collection[str], hint: str) -> None:
    """What goes on keeps its choices, but for the settings that are `free` to change.

    Raises:
        InputError: when another differs.
    """
    new = _settings(now)
    for name, value in _settings(before).items():
        if name not in free and new[name] != value:
            raise InputError(f"{what} keeps its {option_of(name).removeprefix('--')}; {hint}")


def _settings(config: FitConfig | CompareConfig) -> dict[str, Any]:
    """All settings by their own name, out of their groups."""
    plain = to_json(config)
    training, target, output = (plain.pop(group) for group in ("training", "target", "output"))
    return plain | training | target | output


def config_in(arguments: Any, kind: type[Config]) -> Config:
    """The part of a verb's arguments that is a configuration."""
    return kind(**{key.name: getattr(arguments, key.name) for key in dataclasses.fields(kind)})


def arguments_from(kind: type[Arguments], config: FitConfig | CompareConfig) -> Arguments:
    """A verb's arguments with a configuration as defaults."""
    return kind(**{key.name: getattr(config, key.name) for key in dataclasses.fields(config)})


def _words(networks: bool) -> ConstructorRegistry:
    """Rules by which tyro reads encodings, and networks where several are listed, from one word each."""
    rules = ConstructorRegistry()
    specs: list[tuple[Any, PrimitiveConstructorSpec[Any]]] = [
        *[(kind, _plain(kind, optional=False)) for kind in (int, float, str, Path)],
        *[(kind | None, _plain(kind, optional=True)) for kind in (int, float, str, Path)],
        (Encoding, _word("ENCODING", parse_encoding, Encoding)),
        (Encoding | None, _word("ENCODING", _or_none(parse_encoding), Encoding | None)),
        (Optimizer | None, _word("OPTIMIZER", _or_none(parse_optimizer), Optimizer | None)),
        (Slice | None, _word("AXIS=POSITION", _or_none(parse_slice), Slice | None)),
        (tuple[Encoding, ...], _list_of_words("ENCODING", parse_encoding)),
        (tuple[Optimizer, ...], _list_of_words("OPTIMIZER", parse_optimizer)),
        (tuple[str, Path] | None, _SCENE_AND_FOLDER),
    ]
    if networks:
        specs.append((tuple[Network, ...], _list_of_words("DEPTHxWIDTH", parse_network)))

    @rules.primitive_rule
    def _known(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        return next((spec for kind, spec in specs if info.type == kind), None)

    return rules


def _word(metavar: str, read: Callable[[str], Any], kind: Any) -> PrimitiveConstructorSpec[Any]:
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda words: read(words[0]),
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


_SCENE_AND_FOLDER: PrimitiveConstructorSpec[Any] = PrimitiveConstructorSpec(
    nargs=2,
    metavar="SCENE FOLDER",
    instance_from_str=lambda words: (words[0], Path(words[1])),
    is_instance=lambda value: value is None or isinstance(value, tuple),
    str_from_instance=lambda value: ["none", "none"] if value is None else [str(part) for part in value],
)
"""What is written, and where to: two words."""


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda word: None if word.lower() == "none" else read(word)


def _plain(kind: type, optional: bool) -> PrimitiveConstructorSpec[Any]:
    # tyro reads these by itself, but its messages and its help for optional ones are about Python's types
    def read(words: list[str]) -> Any:
        if optional and words[0].lower() == "none":
            return None
        try:
            return kind(words[0])
        except ValueError:
            raise ValueError(f"{words[0]!r} is no {'whole ' if kind is int else ''}number") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar={int: "INT", float: "NUMBER", str: "TEXT", Path: "PATH"}[kind],
        instance_from_str=read,
        is_instance=lambda value: (value is None and optional) or isinstance(value, kind),
        str_from_instance=lambda value: [printable(str(value))],  # in help alone
    )


def _list_of_words(metavar: str, read: Callable[[str], Any]) -> PrimitiveConstructorSpec[Any]:
    # read here and not item by item by tyro, whose message would not say what is wrong with which word
    return PrimitiveConstructorSpec(
        nargs="*",
        metavar=f"[{metavar} ...]",
        instance_from_str=lambda words: tuple(read(word) for word in words),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [str(item) for item in value],
    )
