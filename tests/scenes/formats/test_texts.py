"""Files as other programs write them: comments, lines that go on, odd endings, other bytes than ASCII's."""

import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.scenes.solids.reading import read_mesh

VERTICES = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
TRIANGLES = [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)]
OBJ = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n"
OFF = "OFF\n4 4 6\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 1 2 3\n3 0 3 2\n"
CORNER = ["vertex {} {} {}\n".format(*vertex) for vertex in VERTICES]
LOOPS = [f"outer loop\n{CORNER[a]}{CORNER[b]}{CORNER[c]}endloop\n" for a, b, c in TRIANGLES]
STL = "solid tetra\n" + "".join(f"facet normal 0 0 0\n{loop}endfacet\n" for loop in LOOPS)
BINARY_STL = (
    b"\0" * 80
    + struct.pack("<I", 4)
    + b"".join(struct.pack("<12fH", 0, 0, 0, *np.ravel([VERTICES[i] for i in t]), 0) for t in TRIANGLES)
)


def ply(form: str, order: str) -> bytes:
    """A tetrahedron among comments, normals, a list that nobody needs, an edge and properties of faces."""
    header = (
        f"ply\r\nformat {form} 1.0\r\ncomment made by hand\r\nobj_info none\r\nelement vertex 4\r\n"
        "property double x\r\n"
        "property float nx\r\nproperty double y\r\nproperty double z\r\nproperty list uchar short rings\r\n"
        "element edge 1\r\nproperty int a\r\nelement face 4\r\nproperty uchar flag\r\n"
        "property list int uint vertex_index\r\nend_header\r\n"
    ).encode()
    rings = [(), (7,), (8, 9), ()]
    if not order:
        rows = [
            f"{x} 0.5 {y}\t{z} {len(r)} {' '.join(map(str, r))}" for (x, y, z), r in zip(VERTICES, rings, strict=True)
        ]
        return header + "\r\n".join([*rows, "3", *(f"1 3 {a} {b} {c}" for a, b, c in TRIANGLES), ""]).encode()
    body = b"".join(
        struct.pack(f"{order}dfddB{len(r)}h", x, 0.5, y, z, len(r), *r)
        for (x, y, z), r in zip(VERTICES, rings, strict=True)
    )
    body += struct.pack(f"{order}i", 3)
    return header + body + b"".join(struct.pack(f"{order}Bi3I", 1, 3, *t) for t in TRIANGLES)


GOOD = {
    "comment.obj": OBJ.replace("v 0 0 0", "v 0 0 0 # first").encode(),
    "goes_on.obj": OBJ.replace("f 1 3 2", "f 1 \\\n3 2").encode(),
    "goes_on_crlf.obj": OBJ.replace("f 1 3 2", "f 1 \\\n3 2").replace("\n", "\r\n").encode(),
    "comment_ends_in_backslash.obj": ("# C:\\\n" + OBJ).encode(),
    "old_macintosh.obj": OBJ.replace("\n", "\r").encode(),
    "tabs.obj": OBJ.replace(" ", "\t").encode(),
    "latin_1.obj": "# geh\xe4use\no geh\xe4use\n".encode("latin-1") + OBJ.encode(),
    "mark.obj": b"\xef\xbb\xbf" + OBJ.encode(),
    "negative.obj": OBJ.replace("f 1 3 2", "f -4 -2 -3").encode(),
    "slashes.obj": OBJ.replace("f 1 3 2", "f 1//2 3/1 2/1/1").encode(),
    "comment.off": OFF.replace("OFF\n", "OFF # a\n# made by a modeller\n\n").encode(),
    "counts_beside.off": OFF.replace("OFF\n", "OFF ").encode(),
    "counts_glued.off": OFF.replace("OFF\n", "OFF").encode(),
    "no_word.off": OFF.removeprefix("OFF\n").encode(),
    "two_counts.off": OFF.replace("4 4 6", "4 4").encode(),
    "normals.off": OFF.replace("OFF", "NOFF").replace("0 0 0\n", "0 0 0 1 0 0\n").encode(),
    "all.off": b"STCNOFF\n4 4 0\n"
    + b"".join(b"%d %d %d 0 0 1 255 0 0 255 0.5 0.5\n" % v for v in VERTICES)
    + b"".join(b"3 %d %d %d\n" % t for t in TRIANGLES),
    "text.stl": STL.encode(),
    "upper.stl": STL.replace("\n", "\r\n").upper().encode(),
    "two_solids.stl": (STL.replace("endfacet\nfacet", "endfacet\nendsolid\nsolid b\nfacet", 1) + "endsolid b").encode(),
    "binary.stl": BINARY_STL,
    "binary_called_solid.stl": b"solid made by a program".ljust(80) + BINARY_STL[80:],
    "ascii.ply": ply("ascii", ""),
    "little.ply": ply("binary_little_endian", "<"),
    "big.ply": ply("binary_big_endian", ">"),
    "strips.ply": b"ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    b"element tristrips 1\nproperty list int int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n"
    b"8 1 0 2 3 -1 0 1 3 \n".replace(b"8 1 0 2 3 -1 0 1 3", b"12 1 0 2 3 -1 0 1 3 -1 1 2 3"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_read_as_the_tetrahedron_that_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD[name])
    mesh = read_mesh(tmp_path / name)
    assert (len(mesh.vertices), len(mesh.triangles)) == (4, 4)
    assert mesh.volume == pytest.approx(1 / 6)


def test_bytes_after_the_triangles_of_a_binary_stl_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(BINARY_STL + b"more")
    mesh = read_mesh(tmp_path / "a.stl")
    assert len(mesh.triangles) == 4
    assert "4 bytes after its triangles are passed over" in mesh.notes


BAD = {
    "index.obj": (OBJ.replace("f 1 3 2", "f 1 3 12345678901234567890").encode(), "line 5 of .* is damaged"),
    "short.stl": (BINARY_STL[:-1], "it says that it has 4 triangles, and has 3"),
    "shorter.stl": (b"\0" * 10, "shorter than the header"),
    "text_ends.stl": (STL.encode()[:-40], "vertices in 3 facets"),
    "number.stl": (STL.replace("vertex 1 0 0", "vertex 1 x 0").encode(), "a vertex of it is no number"),
    "ends.ply": (ply("binary_big_endian", ">")[:-1], "ends before all that its header says"),
    "bomb.ply": (ply("ascii", "").replace(b"element vertex 4", b"element vertex 4000000000"), "ends before all"),
    "list.ply": (ply("ascii", "").replace(b"1 3 0 2 1", b"1 -3 0 2 1"), "a list of it has a length|ends before"),
    "word.ply": (ply("ascii", "").replace(b"1 3 0 2 1", b"1 3 0 2 x"), "ply' is no mesh that can be read"),
    "places.ply": (ply("ascii", "").replace(b"double x", b"double u"), "its vertices have no x, y and z"),
    "header.ply": (b"ply\nformat ascii 1.0\nelement vertex four\nend_header\n", "is no mesh that can be read"),
    "endless.ply": (b"ply\n" + b"comment\n" * 9, "it has no header of a PLY"),
    "four.off": (OFF.replace("OFF", "4OFF").encode(), "4OFF is not of three dimensions"),
    "binary.off": (b"OFF BINARY\n\0\0\0\4", "binary OFF is not read; save it as text"),
    "short.off": (OFF.encode()[:-20], "its face 1 is '3 0'"),
    "bomb.off": (OFF.replace("4 4 6", "4000000000 4 6").encode(), "its vertex 8 is ''"),
    "index.off": (OFF.replace("3 0 2 1", "3 0 2 9").encode(), "a triangle of vertex 9, counted from 0, and 4 vertices"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_file_is_refused_in_a_sentence_that_names_it(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as refusal:
        read_mesh(tmp_path / name)
    assert name in str(refusal.value)


@pytest.mark.parametrize("name", ["little.ply", "ascii.ply", "binary.stl", "text.stl", "comment.off", "comment.obj"])
def test_a_file_cut_off_or_changed_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    whole, generator, path = GOOD[name], np.random.default_rng(0), tmp_path / name
    for _ in range(60):
        changed = bytearray(whole[: generator.integers(len(whole))] if generator.random() < 0.5 else whole)
        if changed:
            changed[generator.integers(len(changed))] = generator.integers(256)
        path.write_bytes(changed)
        with suppress(InputError):  # and no other error
            assert read_mesh(path).triangles.size
