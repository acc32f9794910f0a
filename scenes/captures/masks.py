"""Masks: pictures that are white where a photograph is kept, and black where it is left out.

A frame names its mask by nerfstudio's `mask_path`, or `mask_filename` as it was once called; a file that has such a key
outside of its frames names one for them all. instant-ngp's masks have no key: `dynamic_mask_NAME.png` beside a picture
is white where something moved, which is not trained on there. That is not the same as nothing being there, so these
masks are not used here.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

from fieldlens.configs.errors import InputError

from ..pictures.pixels import Pixels, unit_of
from ..pictures.reading import MAX_PIXELS, read_picture
from .named_files import NamedFiles
from .numbers import Remark

KEYS = ("mask_path", "mask_filename")

_UNNAMED = "dynamic_mask_"


def mask_of(
    where: str, files: NamedFiles, content: Mapping[str, Any], entry: Mapping[str, Any]
) -> tuple[Path | None, tuple[Remark, ...]]:
    """The file of a frame's mask, where there is one, and what there is to remark."""
    for source, whose in ((entry, "named by"), (content, "one for all frames,")):
        named = {key: source[key] for key in KEYS if source.get(key) is not None}
        if not named:
            continue
        if len(named) == 2 and named[KEYS[0]] != named[KEYS[1]]:
            raise InputError(f"{where}: {' and '.join(map(repr, KEYS))} name two masks; one is needed")
        key, value = next(iter(named.items()))
        said = () if source is entry and key == KEYS[0] else (Remark(f"the mask is {whose} {key!r}"),)
        return files.find(f"{where}: its mask", value), said
    return None, ()


def read_mask(
    where: str, mask: Path, height: int, width: int, *, upright: bool
) -> tuple[Bool[np.ndarray, "h w"], tuple[str, ...]]:
    """True where a mask keeps a picture of this size, and in words how that was read from it.

    Kept is what is at least half as bright as white, in the brightest of its colours. Where a mask has transparent
    pixels, its alpha channel is what counts, and at least half of opaque is kept.

    Args:
        upright: whether the mask is turned as its own orientation tag says.

    Raises:
        InputError: beginning with `where`, for a mask that cannot be read, is of another size, or keeps nothing.
    """
    try:
        values = read_picture(mask, max_pixels=max(MAX_PIXELS, height * width), upright=upright).pixels
    except InputError as problem:
        raise InputError(f"{where}: its mask: {problem}") from None
    if values.shape[:2] != (height, width):
        raise InputError(
            f"{where}: its mask {str(mask)!r} is {values.shape[1]}x{values.shape[0]} and the picture {width}x{height}; "
            "they have to be of one size"
        )
    unit = unit_of(values.dtype)
    channels, notes = values, []
    if values.shape[2] in (2, 4):
        by_alpha = bool((values[..., -1] < unit).any())
        channels = values[..., -1:] if by_alpha else values[..., :-1]
        notes += ["the alpha channel of its mask counts, not its colours"] if by_alpha else []
    light = channels >= unit / 2
    kept, alike = np.any(light, axis=-1), np.all(light, axis=-1)
    if ((channels > 0) & (channels < unit)).any():
        notes.append("its mask has greys (soft edges, or JPEG): from half of white on they count as kept")
    if (kept != alike).any():
        notes.append("its mask has colours: the brightest of red, green and blue counts")
    if not kept.any():
        raise InputError(
            f"{where}: its mask {str(mask)!r} leaves nothing of the picture: its brightest value is "
            f"{channels.max():g} of {unit:g}, and what is kept has to be at least half of white; leave the frame out, "
            "or its mask"
        )
    return kept, tuple(notes)


def masked(pixels: Pixels, kept: Bool[np.ndarray, "h w"]) -> Shaped[np.ndarray, "h w channels"]:
    """The picture with an alpha channel, and 0 all over where it is not kept."""
    if pixels.shape[2] in (1, 3):
        opaque = np.full_like(pixels[..., :1], unit_of(pixels.dtype))
        pixels = np.concatenate([pixels, opaque], -1)
    return np.where(kept[..., None], pixels, pixels.dtype.type(0))


def unused_masks(folder: Path, files: NamedFiles, pictures: Iterable[Path], *, masked: bool) -> list[str]:
    """What looks like masks beside the pictures and is not read, in words.

    Args:
        masked: whether frames name masks.
    """
    found = []
    for place in sorted({picture.parent for picture in pictures}):
        count = sum(name.startswith(_UNNAMED) for name in files.names(place))
        if count:
            below = place.relative_to(folder).as_posix()
            found.append(f"{count} files {below}/{_UNNAMED}*" if below != "." else f"{count} files {_UNNAMED}*")
    beside = [name for name in files.names(folder) if name.casefold() in ("masks", "mask") and (folder / name).is_dir()]
    return found if masked else [*found, *(f"the folder {name!r}, which no 'mask_path' names" for name in beside)]
