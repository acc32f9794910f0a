"""What a sweep fits: folders of pictures, and digests that say what is in a scene."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.run import CompareConfig
from fieldlens.studies.sweeps.pictures import digest_of, named_scenes
from tests.support.runs import small_picture


def test_a_folder_of_pictures_is_all_of_them_by_name_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", ".hidden.png", "notes.txt", "c.webp"):
        (tmp_path / name).touch()
    named = named_scenes(CompareConfig(scene="astronaut", more_scenes=(str(tmp_path), "coffee")))
    assert named.scenes == ("astronaut", *(str(tmp_path / name) for name in ("a.JPG", "b.png", "c.webp")), "coffee")


def test_a_folder_with_cameras_a_run_or_no_picture_stays_what_it_was(tmp_path: Path) -> None:
    for name in ("transforms.json", "transforms_train.json", "config.yaml", "sweep.yaml", "notes.txt"):
        folder = tmp_path / name.replace(".", "_")
        folder.mkdir()
        (folder / name).touch()
        if name != "notes.txt":
            small_picture(folder / "picture.png")
        config = CompareConfig(scene=str(folder))
        assert named_scenes(config) == config


def test_one_picture_in_a_folder_is_no_sweep(tmp_path: Path) -> None:
    small_picture(tmp_path / "picture.png")
    named = named_scenes(CompareConfig(scene=str(tmp_path)))
    assert not named.is_sweep
    assert replace(named, seeds=2).is_sweep


@given(st.integers(0, 7), st.sampled_from(["value", "type", "shape", "name"]))
def test_arrays_that_differ_in_anything_have_another_digest(at: int, part: str) -> None:
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 4)
    other = {"pixels": pixels.copy(), "name": np.array("cat")}
    same = {"name": np.array("cat"), "pixels": np.asfortranarray(pixels)}
    assert digest_of(same) == digest_of(other)
    match part:
        case "value":
            other["pixels"].flat[at] += 1
        case "type":
            other["pixels"] = other["pixels"].view(np.int8)
        case "shape":
            other["pixels"] = other["pixels"].reshape(4, 2)
        case "name":
            other["picture"] = other.pop("pixels")
    assert digest_of(same) != digest_of(other)
