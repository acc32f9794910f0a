"""Arrays in files: read when all of them has been checked, and refused by their headers when they cost too much."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.render.files import read_npz, write_npz


def header(shape: tuple[int, ...], dtype: str) -> bytes:
    """An array's header without the array."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def zipped(path, members: dict[str, bytes], **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_arrays_come_back_as_they_were_written(tmp_path) -> None:
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "words": np.array(["one", "three"]),
        "none": np.zeros((0, 2), np.uint8),
    }
    write_npz(tmp_path / "a.npz", **arrays)
    np.savez(tmp_path / "b.npz", **arrays)
    for name in ("a.npz", "b.npz"):
        back = read_npz(tmp_path / name, 1000)
        assert back.keys() == arrays.keys()
        for key, array in arrays.items():
            np.testing.assert_array_equal(back[key], array)


def test_what_arrays_take_is_known_before_they_are_inflated(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("numpy.lib.format.read_array", lambda *_, **__: pytest.fail("read"))
    path = zipped(tmp_path / "bomb.npz", {"a.npy": header((5_000_000_000,), "|u1"), "b.npy": header((2,), "<f8")})
    with pytest.raises(InputError, match="its arrays take 5,000,000,016 bytes, more than the 1,000,000 "):
        read_npz(path, 1_000_000)
    with pytest.raises(InputError, match="more than"):  # characters of no length are many all the same
        read_npz(zipped(path, {"a.npy": header((1 << 40,), "<U0")}), 1_000_000)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (header((3,), "|O") + pickle.dumps([1, 2, 3]), "holds no numbers"),
        (header((-1,), "<f8"), "holds no numbers"),
        (header((2,), "<f8") + bytes(17), "goes on after its end"),
        (header((2,), "<f8") + bytes(15), ""),
        (b"no array", ""),
    ],
)
def test_members_that_are_no_arrays_of_numbers_are_damaged(tmp_path, content, said) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_npz(zipped(tmp_path / "odd.npz", {"a.npy": content}), 1000)
    assert not isinstance(caught.value, InputError)


def test_a_file_of_many_members_is_not_listed(tmp_path) -> None:
    for count in (65, 2_000):
        path = zipped(tmp_path / "many.npz", {f"{number}.npy": b"" for number in range(count)})
        with pytest.raises(ValueError, match="too many arrays"):
            read_npz(path, 1000)


def test_packings_that_inflate_without_a_limit_are_refused(tmp_path) -> None:
    path = tmp_path / "packed.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", header((1000,), "|u1") + bytes(1000))
    with pytest.raises(ValueError, match="another way than numpy"):
        read_npz(path, 10_000)


def test_no_byte_of_an_array_can_be_changed_unseen(tmp_path) -> None:
    values = np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8)
    np.savez(path := tmp_path / "a.npz", a=values)
    content = path.read_bytes()
    start = content.index(values.tobytes()[:16])
    for place in range(start, start + len(values), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ValueError, match="CRC"):
            read_npz(path, 10_000)
