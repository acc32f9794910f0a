"""Colours of meshes, in each way that a file gives them: as pictures have them, or a note that they are not used."""

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.color import rgb2xyz, xyz2rgb

from fieldlens.scenes.formats.colours import linear, srgb
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.reading import read_mesh
from fieldlens.scenes.solids.writing import write_mesh
from tests.support.small_meshes import box

VERTICES = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
TRIANGLES = np.array([(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)])
ORANGE = pytest.approx([1, 128 / 255, 0], abs=1e-6)


def ply(path: Path, kind: str, colour: str) -> Mesh:
    header = ["ply", "format ascii 1.0", "comment TextureFile a.png", "element vertex 4"]
    header += [f"property float {name}" for name in "xyz"] + [f"property {kind} {c}" for c in ("red", "green", "blue")]
    header += ["element face 4", "property list uchar int vertex_indices", "end_header"]
    rows = [f"{x} {y} {z} {colour}" for x, y, z in VERTICES] + [f"3 {a} {b} {c}" for a, b, c in TRIANGLES]
    path.write_text("\n".join([*header, *rows, ""]))
    return read_mesh(path)


def obj(path: Path, colours: Sequence[str] = ("",) * 4, head: str = "", materials: Sequence[str] = ("",) * 4) -> Mesh:
    lines = [f"v {x} {y} {z} {colour}" for (x, y, z), colour in zip(VERTICES, colours, strict=True)]
    for (a, b, c), material in zip(TRIANGLES + 1, materials, strict=True):
        lines += [f"usemtl {material}"] * bool(material) + [f"f {a} {b} {c}"]
    path.write_text("\n".join([head, *lines, ""]))
    return read_mesh(path)


@pytest.mark.parametrize(
    ("kind", "colour"),
    [("uchar", "255 128 0"), ("ushort", "65535 32896 0"), ("float", "1 0.501961 0"), ("float", "255 128 0")],
)
def test_colours_of_a_ply_go_by_their_type(tmp_path: Path, kind: str, colour: str) -> None:
    mesh = ply(tmp_path / "a.ply", kind, colour)
    assert mesh.colours is not None
    assert mesh.colours[0].tolist() == ORANGE
    assert "its texture is not used" in mesh.notes
    assert ("colours up to 255 are taken as 0 to 255" in mesh.notes) == (colour == "255 128 0" and kind == "float")


def test_colours_of_an_obj_are_shares_or_bytes(tmp_path: Path) -> None:
    for colour in ("1 0.501961 0", "255 128 0"):
        mesh = obj(tmp_path / "a.obj", (colour,) * 4)
        assert mesh.colours is not None
        assert mesh.colours[0].tolist() == ORANGE
    assert "colours up to 255 are taken as 0 to 255" in mesh.notes


def test_shares_barely_above_1_are_cut_and_not_taken_for_bytes(tmp_path: Path) -> None:
    meshes = ply(tmp_path / "a.ply", "float", "1.0001 0.501961 0"), obj(tmp_path / "a.obj", ("1.5 0.501961 0",) * 4)
    for mesh, largest in zip(meshes, ("1.0001", "1.5"), strict=True):
        assert mesh.colours is not None
        assert mesh.colours[0].tolist() == ORANGE
        assert f"colours up to {largest} are cut to 1" in mesh.notes


def test_names_of_materials_may_have_a_number_sign(tmp_path: Path) -> None:
    names = ("#ff0000", "paint#1", "paint#2", "two words")
    kinds = [f"newmtl {name} # {name}\nKd 0.{number} 0 0\n" for number, name in enumerate(names, 1)]
    (tmp_path / "m#1.mtl").write_text("".join(kinds))
    mesh = obj(tmp_path / "a.obj", head="mtllib m#1.mtl # paints", materials=[f"{name}  # as named" for name in names])
    assert mesh.colours is not None
    assert mesh.colours[mesh.triangles[:, 0], 0].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_vertices_without_a_colour_beside_others_are_grey_and_told(tmp_path: Path) -> None:
    mesh = obj(tmp_path / "a.obj", ("1 0 0", "1 0 0", "1 0 0", ""))
    assert mesh.colours is not None
    assert mesh.colours.tolist() == [[1, 0, 0]] * 3 + [[0.75] * 3]
    assert "1 vertices have no colour and are light grey" in mesh.notes


def test_materials_of_an_obj_colour_their_faces(tmp_path: Path) -> None:
    (tmp_path / "two words.mtl").write_text(
        "newmtl green # leaf\nKd 0.1 0.8 0.1\nnewmtl grey\nKd 0.5\nnewmtl pictured\nKd 0 0 0\nmap_Kd ../t.png\n"
    )
    mesh = obj(tmp_path / "a.obj", head="mtllib two words.mtl", materials=("green", "grey", "pictured", "none"))
    assert mesh.colours is not None
    shown = mesh.colours[mesh.triangles[:, 0]].tolist()
    assert shown == [[0.1, 0.8, 0.1], [0.5] * 3, [0.75] * 3, [0.75] * 3]
    assert "its textures are not used; what has one is light grey" in mesh.notes
    assert "1 of its materials are not in their file; what is of them is light grey" in mesh.notes
    assert mesh.volume == pytest.approx(1 / 6)


@pytest.mark.parametrize("named", ["../m.mtl", "/etc/hostname", "none.mtl"])
def test_materials_outside_of_the_folder_are_not_read_and_missing_ones_told(tmp_path: Path, named: str) -> None:
    (tmp_path / "m.mtl").write_text("newmtl m\nKd 1 0 0\n")
    (tmp_path / "below").mkdir()
    mesh = obj(tmp_path / "below" / "a.obj", head=f"mtllib {named}", materials=("m",) * 4)
    assert mesh.colours is None
    (note,) = (note for note in mesh.notes if "materials" in note)
    assert ("outside of its folder" in note) == (named != "none.mtl")
    assert named in note


def test_materials_give_way_to_colours_of_vertices_which_is_told(tmp_path: Path) -> None:
    mesh = obj(tmp_path / "a.obj", ("1 0 0",) * 4, materials=("m",) * 4)
    assert mesh.colours is not None
    assert "its materials are not used, as its vertices have colours" in mesh.notes


@pytest.mark.parametrize("colour", ["255 128 0", "1.0 0.501961 0.0 1.0"])
def test_colours_of_faces_of_an_off_are_those_of_its_triangles(tmp_path: Path, colour: str) -> None:
    faces = [f"3 {a} {b} {c} " for a, b, c in TRIANGLES]
    rows = [f"{x} {y} {z}" for x, y, z in VERTICES] + [faces[0] + colour, faces[1] + "7", faces[2], faces[3] + colour]
    (tmp_path / "a.off").write_text("\n".join(["OFF", "4 4 6", *rows, ""]))
    mesh = read_mesh(tmp_path / "a.off")
    assert mesh.colours is not None
    shown = mesh.colours[mesh.triangles[:, 0]].tolist()
    assert shown == [ORANGE, [0.75] * 3, [0.75] * 3, ORANGE]
    assert "1 of its faces have a colour by a number in a table, which is not used" in mesh.notes
    assert "2 of its faces have no colour and are light grey" in mesh.notes


def test_attributes_of_an_stl_are_told(tmp_path: Path) -> None:
    facets = b"".join(struct.pack("<12fH", 0, 0, 0, *VERTICES[t].ravel(), 0x801F) for t in TRIANGLES)
    (tmp_path / "a.stl").write_bytes(bytes(80) + struct.pack("<I", 4) + facets)
    assert "its attributes, which may be colours, are not used" in read_mesh(tmp_path / "a.stl").notes


def test_shares_of_light_become_values_of_a_picture_and_back() -> None:
    light = np.linspace(0, 1, 30).reshape(-1, 3)
    np.testing.assert_allclose(srgb(light), xyz2rgb(rgb2xyz(srgb(light))), atol=1e-6)
    np.testing.assert_allclose(srgb(np.array([[0.214041, 0.5, 0.001]])), [[0.5, 0.735357, 0.01292]], atol=1e-5)
    np.testing.assert_allclose(linear(srgb(light)), light, atol=1e-12)


def test_a_glb_is_written_in_shares_of_light_with_y_up(tmp_path: Path) -> None:
    mesh = box((0, 0, 0), (1, 2, 3))
    write_mesh(tmp_path / "a.glb", replace(mesh, colours=np.full((8, 3), 0.5)))
    data = (tmp_path / "a.glb").read_bytes()
    content = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    attributes = content["meshes"][0]["primitives"][0]["attributes"]
    position, colour = (content["accessors"][attributes[name]] for name in ("POSITION", "COLOR_0"))
    assert colour["max"] == pytest.approx([0.214041] * 3, abs=1e-5)
    assert (position["min"], position["max"]) == ([0, 0, -2], [1, 3, 0])
    back = read_mesh(tmp_path / "a.glb")
    assert back.colours is not None
    np.testing.assert_allclose(back.colours, 0.5, atol=1e-6)
