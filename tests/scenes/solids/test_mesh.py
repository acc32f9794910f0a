"""Meshes from files and to files: everything that can be wrong with one is said in a sentence that names it."""

import os
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import open3d as o3d
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.scenes.solids.mesh import Mesh, cleaned
from fieldlens.scenes.solids.reading import read_mesh
from fieldlens.scenes.solids.writing import WRITTEN_ENDINGS, write_mesh
from tests.support.small_meshes import box, icosphere

CORNERS = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n"


def ply(path: Path, vertices: str, faces: str, extra: str = "") -> Path:
    """A PLY file in ASCII."""
    lines = vertices.splitlines(), faces.splitlines()
    header = ["ply", "format ascii 1.0", f"element vertex {len(lines[0])}"]
    header += [f"property float {axis}" for axis in "xyz"] + extra.splitlines()
    header += [f"element face {len(lines[1])}", "property list uchar int vertex_indices", "end_header"]
    path.write_text("\n".join([*header, *lines[0], *lines[1], ""]))
    return path


def as_set(mesh: Mesh) -> set[tuple[tuple[float, ...], ...]]:
    """The triangles by their corners' places, whatever the order of vertices and of triangles."""

    def turned(rows: list[tuple[float, ...]]) -> tuple[tuple[float, ...], ...]:
        first = rows.index(min(rows))
        return tuple(rows[first:] + rows[:first])

    return {turned([tuple(corner) for corner in triangle]) for triangle in mesh.corners.round(6).tolist()}


def seen_upright(mesh: Mesh) -> Mesh:
    """The mesh with z up, as it was before it was written where y is up."""
    x, y, z = mesh.vertices.T
    return mesh if mesh.up == (0, 0, 1) else Mesh(np.stack([x, -z, y], -1) + 0.0, mesh.triangles, mesh.colours)


@pytest.mark.parametrize("suffix", WRITTEN_ENDINGS)
def test_what_is_written_is_what_is_read_with_its_colours(tmp_path: Path, suffix: str) -> None:
    mesh = icosphere(halvings=1)
    mesh = Mesh(mesh.vertices, mesh.triangles, (mesh.vertices + 1) / 2)
    path = tmp_path / "new" / f"sphere{suffix}"
    lost = write_mesh(path, mesh)
    back = read_mesh(path)
    if suffix == ".glb":
        assert back.up == (0, 1, 0)
        back = seen_upright(back)
    assert as_set(back) == as_set(mesh)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    if suffix == ".stl":
        assert lost == ("STL has no colours",)
        assert back.colours is None
    else:
        of_up = {".glb": r"y is up in GLB, .* what is at \(x, y, z\) is at \(x, z, -y\)", ".obj": "who takes y for up"}
        assert bool(lost) == (suffix in of_up)
        assert re.search(of_up.get(suffix, ""), " ".join(lost))
        assert back.colours is not None
        np.testing.assert_allclose(back.colours, (back.vertices + 1) / 2, atol=3e-3)  # of 8 bits in PLY


@pytest.mark.parametrize("suffix", WRITTEN_ENDINGS)
def test_open3d_reads_what_is_written(tmp_path: Path, suffix: str) -> None:
    mesh = replace(box((0, 0, 0), (1, 2, 3)), up=(0.0, 1.0, 0.0))
    said = write_mesh(tmp_path / f"box{suffix}", mesh)
    assert bool(said) == (suffix in (".ply", ".stl")), "where z is taken for up"
    read = o3d.t.io.read_triangle_mesh(str(tmp_path / f"box{suffix}"))
    vertices = read.vertex.positions.numpy().astype(np.float64)
    assert as_set(Mesh(vertices, read.triangle.indices.numpy().astype(np.int64))) == as_set(mesh)


@pytest.mark.parametrize("suffix", [".ply", ".obj"])
def test_reading_tells_the_share_that_is_done_and_ends_at_all(tmp_path: Path, suffix: str) -> None:
    write_mesh(tmp_path / f"ball{suffix}", icosphere(halvings=5))  # 30,722 lines of OBJ
    told: list[float] = []
    read_mesh(tmp_path / f"ball{suffix}", told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)
    assert any(0 < share < 1 for share in told)


@pytest.mark.parametrize("suffix", [".off", ".gltf"])
def test_the_formats_that_are_only_read(tmp_path: Path, suffix: str) -> None:
    mesh = box((0, 0, 0), (1, 2, 3))
    path = tmp_path / f"box{suffix}"
    tensors = [o3d.core.Tensor.from_numpy(part) for part in (mesh.vertices.astype(np.float32), mesh.triangles)]
    o3d.t.io.write_triangle_mesh(path, o3d.t.geometry.TriangleMesh(*tensors))
    assert as_set(read_mesh(path)) == as_set(mesh)


def test_an_unknown_ending_is_refused_with_the_nearest_that_is_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'mesh\.plx'; did you mean '\.ply'\?"):
        write_mesh(tmp_path / "mesh.plx", box())
    (tmp_path / "mesh.stll").write_text("solid")
    with pytest.raises(InputError, match=r"mesh\.stll.*did you mean '\.stl'\?"):
        read_mesh(tmp_path / "mesh.stll")


def test_nothing_is_written_of_an_empty_surface_or_into_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no surface to write to .*a\.ply"):
        write_mesh(tmp_path / "a.ply", Mesh(np.empty((0, 3)), np.empty((0, 3), np.int64)))
    (tmp_path / "file").write_text("")
    for suffix in WRITTEN_ENDINGS:
        with pytest.raises(InputError, match="cannot write"):
            write_mesh(tmp_path / "file" / f"a{suffix}", box())
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("suffix", WRITTEN_ENDINGS)
def test_a_write_that_fails_leaves_the_old_file_whole(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"box{suffix}"
    write_mesh(path, box())
    before = path.read_bytes()

    def fail(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left"):
        write_mesh(path, icosphere())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_polygons_negative_numbers_and_numbers_without_a_zero_are_read_from_obj_and_lines_are_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.obj"
    path.write_text(
        "# a square pyramid\nmtllib none.mtl\no one\nv 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 1 1 0 1 0 0\nv 0 1 0 1 0 0\n"
        "vt 0 0\nvn 0 0 1\nl 1 2\nf 4/1/1 3/1/1 2/1/1 1/1/1\nv .5 .5 1 0 0 1\nf 1//1 2//1 -1//1\nf 2 3 5\n"
        "f 3 4 5\nf 4 1 5\n"
    )
    mesh = read_mesh(path)
    assert len(mesh.triangles) == 6
    assert mesh.volume == pytest.approx(1 / 3)
    assert mesh.colours is not None
    assert mesh.colours[-1].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v 0 0\nv 1 0 0\nf 1 2 3\n", "line 1 of .*damaged: 'v 0 0'"),
        ("v 0 0 0\nv 1 0 x\nf 1 2 3\n", "line 2 of .*damaged: 'v 1 0 x'"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "a triangle of vertex 8, counted from 0, and 3 vertices"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "a triangle of vertex -1"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", "3 points and no triangles"),
        ("hello\n", "no triangles, or is damaged"),
    ],
)
def test_a_damaged_obj_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.obj").write_text(text)
    with pytest.raises(InputError, match=message) as refusal:
        read_mesh(tmp_path / "bad.obj")
    assert "bad.obj" in str(refusal.value)


def test_noise_in_an_obj_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.obj").write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(InputError, match=r"bad\.obj"):
        read_mesh(tmp_path / "bad.obj")


def test_missing_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*none\.ply"):
        read_mesh(tmp_path / "none.ply")
    (tmp_path / "folder.ply").mkdir()
    with pytest.raises(InputError, match=r"folder\.ply' is a folder"):
        read_mesh(tmp_path / "folder.ply")
    (tmp_path / "empty.ply").touch()
    with pytest.raises(InputError, match=r"empty\.ply' is empty"):
        read_mesh(tmp_path / "empty.ply")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.glb").write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(InputError, match=r"bad\.glb' is no mesh that can be read, or is damaged"):
        read_mesh(tmp_path / "bad.glb")


def test_a_polygon_of_a_vertex_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = ply(tmp_path / "bad.ply", CORNERS, "4 0 1 2 1999999999\n")
    with pytest.raises(InputError, match=r"bad\.ply' has a triangle of vertex 1999999999, counted from 0, and 4 vert"):
        read_mesh(path)


def test_a_ply_of_points_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cloud\.ply' holds 4 points and no triangles; give a mesh with a surface"):
        read_mesh(ply(tmp_path / "cloud.ply", CORNERS, ""))


@pytest.mark.parametrize(
    ("vertices", "triangles", "message"),
    [
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [], "3 points and no triangles"),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 7]], "a triangle of vertex 7, counted from 0, and 3 vertices"),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, -2]], "a triangle of vertex -2"),
        ([[0, np.nan, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], "1 vertices that are no numbers"),
        ([[0, np.inf, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], "1 vertices that are no numbers"),
        ([[0, 1e35, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], "farther out than 1e30"),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 1], [2, 2, 2]], "have area 0"),
        ([[0, 0, 0], [1, 1, 1], [2, 2, 2]], [[0, 1, 2]], "have area 0"),
    ],
)
def test_triangles_that_make_no_surface_are_refused(vertices: list, triangles: list, message: str) -> None:
    mesh = Mesh(np.array(vertices, np.float64), np.array(triangles, np.int64).reshape(-1, 3))
    with pytest.raises(InputError, match=message) as refusal:
        cleaned(mesh, "bad.ply")
    assert "bad.ply" in str(refusal.value)


def test_repeated_and_unused_vertices_go_as_do_triangles_without_area_and_the_notes_say_so() -> None:
    vertices = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [np.nan, 0, 0]]
    triangles = [[0, 2, 1], [0, 1, 3], [4, 3, 2], [1, 2, 3], [0, 4, 1]]
    mesh = cleaned(Mesh(np.array(vertices, np.float64), np.array(triangles)), "a.ply")
    assert len(mesh.vertices) == 4
    assert mesh.volume == pytest.approx(1 / 6)
    assert mesh.notes == (
        "1 vertices of no triangle dropped",
        "1 repeated vertices merged",
        "1 triangles of area 0 dropped",
        "4 triangles",
    )


def test_vertices_of_different_colours_are_not_merged() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1.0]])
    colours = np.repeat([[1.0, 0, 0], [0, 1.0, 0]], 3, axis=0)
    mesh = cleaned(Mesh(vertices, np.array([[0, 1, 2], [3, 5, 4]]), colours), "a.ply")
    assert len(mesh.vertices) == 6


def test_a_triangle_on_a_line_stays_where_it_closes_a_seam() -> None:
    """A tetrahedron with a vertex in the middle of an edge, on one side only, and a sliver that fills the gap."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 0]])
    sides = [(0, 2, 4), (4, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
    mesh = cleaned(Mesh(vertices, np.array([*sides, (0, 4, 1)])), "a.ply")
    assert len(mesh.triangles) == 6
    assert "1 triangles of area 0 kept, which close seams" in mesh.notes
    assert len(cleaned(Mesh(vertices, np.array([(0, 1, 3), (0, 4, 1)])), "a.ply").triangles) == 1


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6])
def test_bounds_follow_the_units(scale: float) -> None:
    mesh = icosphere(scale, halvings=2, centre=(scale, 0, -2 * scale))
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    bounds = mesh.bounds()
    assert bounds.side == pytest.approx(1.2 * extent)
    unit = mesh.in_unit_cube(bounds).vertices
    assert unit.min() == pytest.approx(0.1 / 1.2)
    assert unit.max() == pytest.approx(1.1 / 1.2)


def test_a_mesh_far_from_the_origin_is_said_to_be_coarse(tmp_path: Path) -> None:
    path = tmp_path / "far.obj"
    write_mesh(path, box((5e6, 0, 0), (5e6 + 1, 1, 1)))
    assert any("far from the origin" in note for note in read_mesh(path).notes)


def test_areas_volume_normals_and_samples_of_a_box_are_those_of_a_box() -> None:
    mesh = box((0, 0, 0), (1, 2, 3))
    assert mesh.areas.sum() == pytest.approx(22)
    assert mesh.volume == pytest.approx(6)
    assert mesh.diagonal == pytest.approx(14**0.5)
    outwards = (mesh.normals * (mesh.corners.mean(1) - [0.5, 1, 1.5])).sum(1)
    assert (outwards > 0).all()
    points, chosen = mesh.surface_points(20_000, np.random.default_rng(0))
    side = np.abs((points[:, None] - [[0.5, 1, 1.5]]) / [0.5, 1, 1.5])[:, 0]
    np.testing.assert_allclose(side.max(1), 1)
    assert (side[:, 2] == 1).mean() == pytest.approx(4 / 22, abs=0.01)
    assert ((points - mesh.corners[chosen, 0]) * mesh.normals[chosen]).sum(1) == pytest.approx(0)


def test_a_binary_stl_of_blender_is_merged_to_a_closed_surface(tmp_path: Path) -> None:
    mesh = box()
    facets = b"".join(struct.pack("<12fH", 0, 0, 0, *corners.ravel(), 0) for corners in mesh.corners)
    (tmp_path / "box.stl").write_bytes(b"\0" * 80 + struct.pack("<I", 12) + facets)
    read = read_mesh(tmp_path / "box.stl")
    assert len(read.vertices) == 8
    assert as_set(read) == as_set(mesh)


def test_a_sphere_of_fewer_triangles_is_still_one_and_faces_outwards() -> None:
    whole = icosphere(halvings=4)
    reduced = whole.reduced(500)
    assert 450 <= len(reduced.triangles) <= 500
    assert reduced.volume == pytest.approx(whole.volume, rel=0.05)
    np.testing.assert_allclose(np.linalg.norm(reduced.vertices, axis=1), 1, atol=0.03)
    assert (reduced.edges.balance == 0).all()  # closed: each edge is run both ways


def test_a_mesh_with_few_triangles_is_left_as_it_is() -> None:
    small = icosphere(halvings=1)
    np.testing.assert_array_equal(small.reduced(10_000).vertices, small.vertices)
