"""Files of arrays: scattered points, and the targets that run folders keep."""

import io
import pickle
import struct
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fieldlens.configs.space import Space
from fieldlens.scenes.load import load, restore
from tests.support.picture_files import noise, smooth

from .case import EITHER, REFUSED, Case, Kind, spoilt


def npz(**arrays: np.ndarray) -> bytes:
    """A file of these arrays."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _points() -> dict[str, np.ndarray]:
    places = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    return {"coordinates": places, "values": 0.5 + 0.4 * np.sin(places[:, :1]), "heldout": np.arange(40) % 8 == 0}


def _with_header(header: bytes, data: bytes = bytes(64)) -> bytes:
    """A file whose one array has this header."""
    array = b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + data
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("coordinates.npy", array)
        archive.writestr("values.npy", array)
    return file.getvalue()


def _zip(members: Mapping[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


class _Trap:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('it was run')",))


def _hostile(good: bytes) -> Iterator[Case]:
    """What no file of arrays should be, whatever it is to hold."""
    yield Case("empty.npz", b"")
    yield Case("text.npz", b"coordinates")
    yield Case("pickle.npz", pickle.dumps(_Trap()))
    objects = io.BytesIO()
    np.save(objects, np.array([_Trap()], dtype=object), allow_pickle=True)
    yield Case("array_that_runs.npz", _zip({"coordinates.npy": objects.getvalue(), "values.npy": objects.getvalue()}))
    for name, header in {
        "shape_huge": b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 2), }\n",
        "shape_below_0": b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2), }\n",
        "shape_of_words": b"{'descr': '<f8', 'fortran_order': False, 'shape': 'many', }\n",
        "shape_of_many_axes": b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + b"1," * 3000 + b"), }\n",
        "type_of_objects": b"{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }\n",
        "type_of_nothing": b"{'descr': '|V0', 'fortran_order': False, 'shape': (9000000000, 2), }\n",
        "type_unknown": b"{'descr': '<q77', 'fortran_order': False, 'shape': (2, 2), }\n",
        "header_that_is_code": b"__import__('os').system('true')\n",
        "header_deep": b"(" * 9000 + b")" * 9000,
        "header_of_noise": noise(200).tobytes(),
    }.items():
        yield Case(f"{name}.npz", _with_header(header))
    bomb = (
        b"\x93NUMPY\x01\0"
        + struct.pack("<H", 80)
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (400000000, 2), }".ljust(79)
        + b"\n"
    )
    yield Case(
        "array_that_inflates.npz",
        _zip({"coordinates.npy": bomb + bytes(30_000_000), "values.npy": bomb}, zipfile.ZIP_DEFLATED),
    )
    yield Case("packed_by_lzma.npz", _zip({"coordinates.npy": bytes(100)}, zipfile.ZIP_LZMA))
    yield Case("members_by_the_thousand.npz", _zip({f"a{number}.npy": b"" for number in range(3000)}))
    yield Case("named_elsewhere.npz", _zip({"../../coordinates.npy": b"", "/etc/values.npy": b""}))
    end = good.rfind(b"PK\5\6")
    yield Case(
        "directory_nowhere.npz", good[:end] + good[end : end + 16] + struct.pack("<I", 2**32 - 1) + good[end + 20 :]
    )
    yield Case(
        "directory_huge.npz", good[:end] + good[end : end + 12] + struct.pack("<I", 2**32 - 1) + good[end + 16 :]
    )
    yield Case("something_before_it.npz", b"#!/bin/sh\n" + good, EITHER)


def read_points(path: Path) -> Any:
    """How many points are trained on."""
    return load(str(path)).training_samples


def point_cases() -> Iterator[Case]:
    """Of scattered points."""
    good = npz(**_points())
    yield Case("good.npz", good, 35)
    yield from spoilt("points.npz", good)
    yield from _hostile(good)
    points, values, heldout = _points().values()
    infinite = np.full_like(values, np.inf)
    for name, changes in {
        "coordinates_of_one_axis": {"coordinates": points[:, :1]},
        "coordinates_of_words": {"coordinates": points.astype(str)},
        "coordinates_no_numbers": {"coordinates": points * np.nan},
        "coordinates_huge": {"coordinates": np.sign(points) * 1e308},
        "coordinates_in_one_place": {"coordinates": points * 0},
        "coordinates_on_a_line": {"coordinates": points * (1, 0)},
        "values_too_far_apart": {"values": np.where(values > 0.5, 1e308, -1e308)},
        "values_of_two_channels": {"values": np.repeat(values, 2, 1)},
        "values_infinite": {"values": infinite},
        "values_complex": {"values": values * 1j},
        "values_fewer": {"values": values[:-1]},
        "heldout_all": {"heldout": heldout | True},
        "heldout_of_numbers": {"heldout": heldout * 1.0},
        "no_points": {"coordinates": points[:0], "values": values[:0], "heldout": heldout[:0]},
    }.items():
        ends = EITHER if name == "coordinates_on_a_line" else REFUSED
        yield Case(f"{name}.npz", npz(**(_points() | changes)), ends)


POINTS = Kind("points", read_points, point_cases)


def read_target(path: Path) -> Any:
    """What the scene trains on at once."""
    return restore(path, Space()).training_samples


@lru_cache
def targets() -> dict[str, dict[str, np.ndarray]]:
    """By its kind, what a scene keeps."""
    from fieldlens.configs.signal import Sines
    from fieldlens.scenes.picture import Picture
    from fieldlens.scenes.signal import sum_of_sines

    picture = Picture("small", smooth(8, 6), "none")
    return {"picture": picture.to_npz_arrays(), "signal": sum_of_sines(Sines(), 0, "none").to_npz_arrays()}


def target_cases() -> Iterator[Case]:
    """Of the targets of run folders."""
    for kind, arrays in targets().items():
        good = npz(**arrays)
        yield Case(f"good_{kind}.npz", good, {"picture": 48, "signal": int(arrays["pixels"].shape[1])}[kind])
        yield from spoilt(f"{kind}.npz", good)
        for name, wrong in {"notes_of_numbers": np.ones(2), "notes_in_rows": np.array([["a"]])}.items():
            yield Case(f"{kind}_{name}.npz", npz(**{**arrays, "notes": wrong}))
        for name in arrays:
            yield Case(
                f"{kind}_without_{name}.npz",
                npz(**{key: value for key, value in arrays.items() if key != name}),
                EITHER,
            )
            yield Case(f"{kind}_{name}_of_words.npz", npz(**{**arrays, name: np.array(["a", "b"])}), EITHER)
            yield Case(f"{kind}_{name}_of_nothing.npz", npz(**{**arrays, name: np.empty((0, 3))}), EITHER)
            yield Case(
                f"{kind}_{name}_no_number.npz", npz(**{**arrays, name: np.full((4, 4, 3), np.nan, np.float32)}), EITHER
            )
    yield from (Case(f"target_{case.name}", case.content, case.ends) for case in _hostile(npz(**targets()["picture"])))


TARGETS = Kind("targets", read_target, target_cases)
