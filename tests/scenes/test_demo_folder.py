"""Demo scenes in the cache: computed once, never served stale, never half there."""

from functools import partial
from pathlib import Path

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.scenes import demo_folder as module
from fieldlens.scenes.captures.capture import Capture
from fieldlens.scenes.captures.transforms_writing import write_blender
from fieldlens.scenes.demo_folder import CACHE, cache_folder, demo_folder, digest
from fieldlens.scenes.demos import DEMOS, Demo, photographed

SOLIDS = DEMOS["solids"]
small_folder = partial(demo_folder, side=8, train=3, heldout=1)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_scene_is_the_same_bytes_in_any_cache(tmp_path: Path) -> None:
    one, other = (small_folder(SOLIDS, tmp_path / name) for name in ("one", "other"))
    assert content(one) == content(other)
    pictures = {"test/r_0.png", "train/r_0.png", "train/r_1.png", "train/r_2.png"}
    assert set(content(one)) == {*pictures, "transforms_test.json", "transforms_train.json"}


def test_the_second_time_nothing_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    first = small_folder(SOLIDS, tmp_path, progress=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    monkeypatch.setattr(module, "photographed", lambda *args, **kwargs: pytest.fail("computed again"))
    assert small_folder(SOLIDS, tmp_path, progress=shares.append) == first
    assert len(shares) == 4


def test_the_folders_name_changes_with_the_scene_and_each_of_its_numbers() -> None:
    found = [
        digest(DEMOS[name], *numbers)
        for name, numbers in [
            ("solids", (8, 3, 1)),
            ("lattice", (8, 3, 1)),
            ("solids", (9, 3, 1)),
            ("solids", (8, 4, 1)),
            ("solids", (8, 3, 2)),
        ]
    ]
    assert len(set(found)) == len(found)
    assert found[0] == digest(SOLIDS, 8, 3, 1)


def test_the_folders_name_changes_with_the_mesh_the_code_and_open3d(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest(SOLIDS, 8, 3, 1)
    changed = tmp_path / "changed"
    changed.write_bytes(b"changed")
    with monkeypatch.context() as patch:
        patch.setattr(module, "TEAPOT", changed)
        assert digest(SOLIDS, 8, 3, 1) != before
    for drawing in (module.surfaces, module.crane, module.demos, module.camera, module.transforms_writing):
        with monkeypatch.context() as patch:
            patch.setattr(drawing, "__file__", str(changed))
            assert digest(SOLIDS, 8, 3, 1) != before
    with monkeypatch.context() as patch:
        patch.setattr(module.importlib.metadata, "version", lambda name: "0.0.1")
        assert digest(SOLIDS, 8, 3, 1) != before
    assert digest(SOLIDS, 8, 3, 1) == before


def test_of_two_processes_at_once_the_first_ones_folder_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demos" / f"solids-8px-{digest(SOLIDS, 8, 3, 1)}"

    def overtaken(demo: Demo, *numbers) -> Capture:
        capture = photographed(demo, *numbers)
        write_blender(capture, folder)  # by the other process, while this one draws
        (folder / "first").touch()
        return capture

    monkeypatch.setattr(module, "photographed", overtaken)
    assert small_folder(SOLIDS, tmp_path) == folder
    assert (folder / "first").is_file()
    assert list(folder.parent.iterdir()) == [folder]


def test_a_cache_that_cannot_be_written_is_said_with_its_variable_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE, str(tmp_path / "file"))
    monkeypatch.setattr(module, "photographed", lambda *args: pytest.fail("drew before it tried"))
    with pytest.raises(InputError, match=rf"cannot keep demo scenes in '.*file'.*{CACHE}"):
        small_folder(SOLIDS)


def test_a_disk_that_fills_while_writing_is_said_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(capture: Capture, folder: Path) -> None:
        raise InputError(f"cannot write {str(folder)!r}: No space left on device")

    monkeypatch.setattr(module, "write_blender", full)
    with pytest.raises(InputError, match=rf"No space left.*{CACHE}"):
        small_folder(SOLIDS, tmp_path)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({CACHE: "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/fieldlens"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/c"}, "/c/.cache/fieldlens"),
        ({CACHE: "", "XDG_CACHE_HOME": "", "HOME": "/c"}, "/c/.cache/fieldlens"),
    ],
)
def test_the_cache_is_where_its_variables_say(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (CACHE, "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
