"""glTF: where nodes put triangles, what colours they have, and which files are read."""

import base64
import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.scenes.formats.colours import srgb
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.reading import read_mesh

VERTICES = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], np.float32)
TRIANGLES = np.array([(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)], np.uint16)
GREEN = np.array([0.1, 0.8, 0.1])


def content(colours: np.ndarray | None = None, **changes: Any) -> dict[str, Any]:
    """A tetrahedron, its bytes within the file."""
    kinds = {np.dtype("f4"): 5126, np.dtype("u1"): 5121, np.dtype("u2"): 5123}
    data, views, accessors = b"", [], []
    for array in (VERTICES, TRIANGLES.ravel(), *([] if colours is None else [colours])):
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": array.nbytes})
        data += array.tobytes() + bytes(-array.nbytes % 4)
        accessors.append(
            {
                "bufferView": len(views) - 1,
                "componentType": kinds[array.dtype],
                "count": len(array),
                "type": "SCALAR" if array.ndim == 1 else f"VEC{array.shape[-1]}",
            }
        )
    attributes = {"POSITION": 0}
    if colours is not None:
        attributes["COLOR_0"] = 2
        accessors[2]["normalized"] = colours.dtype.kind == "u"
    uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    return {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 1}]}],
        "buffers": [{"byteLength": len(data), "uri": uri}],
        "bufferViews": views,
        "accessors": accessors,
        **changes,
    }


def read(path: Path, file: dict[str, Any]) -> Mesh:
    path.write_text(json.dumps(file))
    return read_mesh(path)


@pytest.mark.parametrize(("kind", "most"), [("f4", 1), ("u1", 255), ("u2", 65535)])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_vertices_are_shares_of_light(tmp_path: Path, kind: str, most: int, channels: int) -> None:
    light = np.array([[1, 0.2, 0, 0.5]] * 4)[:, :channels]
    mesh = read(tmp_path / "a.gltf", content((light * most).round(6).astype(kind)))
    assert mesh.colours is not None
    np.testing.assert_allclose(mesh.colours[0], srgb(light[:1, :3])[0], atol=1e-5)
    assert mesh.up == (0, 1, 0)


def test_colours_of_materials_are_theirs_and_multiply_those_of_vertices(tmp_path: Path) -> None:
    for colours, expected in ((None, GREEN), (np.full((4, 3), 0.5, np.float32), GREEN / 2)):
        file = content(colours, materials=[{"pbrMetallicRoughness": {"baseColorFactor": [*GREEN, 1]}}])
        file["meshes"][0]["primitives"][0]["material"] = 0
        mesh = read(tmp_path / "a.gltf", file)
        assert mesh.colours is not None
        np.testing.assert_allclose(mesh.colours[0], srgb(expected[None])[0], atol=1e-6)


def test_materials_of_the_older_extension_have_their_colours_too(tmp_path: Path) -> None:
    for older, expected in (({"diffuseFactor": [*GREEN, 1]}, GREEN), ({"diffuseTexture": {"index": 0}}, None)):
        file = content(materials=[{"extensions": {"KHR_materials_pbrSpecularGlossiness": older}}])
        file["meshes"][0]["primitives"][0]["material"] = 0
        mesh = read(tmp_path / "a.gltf", file)
        if expected is None:
            assert mesh.colours is None
            assert "its textures are not used; what has no other colour is light grey" in mesh.notes
        else:
            assert mesh.colours is not None
            np.testing.assert_allclose(mesh.colours[0], srgb(expected[None])[0])


def test_an_extension_that_may_change_the_triangles_and_is_not_needed_is_told(tmp_path: Path) -> None:
    mesh = read(tmp_path / "a.gltf", content(extensionsUsed=["EXT_mesh_gpu_instancing", "KHR_materials_unlit"]))
    assert [note for note in mesh.notes if "extension" in note] == [
        "its extension 'EXT_mesh_gpu_instancing' is not used"
    ]


def test_a_texture_is_told_and_what_has_no_colour_beside_what_has_one_is_grey(tmp_path: Path) -> None:
    file = content(np.full((4, 3), 0.5, np.float32), materials=[{"pbrMetallicRoughness": {"baseColorTexture": {}}}])
    (coloured,) = file["meshes"][0]["primitives"]
    file["meshes"].append({"primitives": [{**coloured, "attributes": {"POSITION": 0}, "material": 0}]})
    file["nodes"] = [{"children": [1, 2]}, {"mesh": 0}, {"mesh": 1, "translation": [5, 0, 0]}]
    mesh = read(tmp_path / "a.gltf", file)
    assert mesh.colours is not None
    far = mesh.vertices[:, 0] > 4
    np.testing.assert_allclose(mesh.colours[far], 0.75)
    np.testing.assert_allclose(mesh.colours[~far], 0.735357, atol=1e-5)
    assert "its textures are not used; what has no other colour is light grey" in mesh.notes
    assert "1 of its 2 parts have no colour and are light grey" in mesh.notes
    file["nodes"] = [{"mesh": 1}]
    assert read(tmp_path / "a.gltf", file).colours is None


def test_nodes_put_meshes_where_they_say(tmp_path: Path) -> None:
    half = 2**-0.5
    turned = {"mesh": 0, "rotation": [0, 0, half, half], "scale": [2, 1, 1]}  # x to y, twice as long
    file = content(nodes=[{"children": [1], "translation": [10, 0, 0]}, turned])
    mesh = read(tmp_path / "a.gltf", file)
    np.testing.assert_allclose(mesh.vertices, [[10, 0, 0], [10, 2, 0], [9, 0, 0], [10, 0, 1]], atol=1e-6)
    matrix = np.array([[0, -1, 0, 10], [2, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    same = read(tmp_path / "a.gltf", content(nodes=[{"mesh": 0, "matrix": matrix.T.ravel().tolist()}]))
    np.testing.assert_allclose(same.vertices, mesh.vertices, atol=1e-6)
    mirrored = read(tmp_path / "a.gltf", content(nodes=[{"mesh": 0, "scale": [-1, 1, 1]}]))
    assert mirrored.volume == pytest.approx(1 / 6)  # still faces outwards


def test_strips_fans_and_triangles_without_indices_are_read_and_points_told(tmp_path: Path) -> None:
    file = content()
    file["bufferViews"].append({"buffer": 0, "byteOffset": 0, "byteLength": 48})
    (whole,) = file["meshes"][0]["primitives"]
    plain = {"attributes": {"POSITION": 0}}
    for mode, count in ((5, 2), (6, 2)):
        file["meshes"][0]["primitives"] = [{**plain, "mode": mode}]
        assert len(read(tmp_path / "a.gltf", file).triangles) == count
    file["meshes"][0]["primitives"] = [{**plain, "mode": 0}, whole]
    mesh = read(tmp_path / "a.gltf", file)
    assert len(mesh.triangles) == 4
    assert "its points and lines are left out" in mesh.notes


def test_a_buffer_beside_the_file_is_read_also_through_a_link_that_a_person_made(tmp_path: Path) -> None:
    file = content()
    data = base64.b64decode(file["buffers"][0]["uri"].partition(",")[2])
    (tmp_path / "elsewhere").write_bytes(data)
    (tmp_path / "here" / "parts").mkdir(parents=True)
    (tmp_path / "here" / "parts" / "a b.bin").symlink_to(tmp_path / "elsewhere")
    file["buffers"][0]["uri"] = "parts/a%20b.bin"
    assert len(read(tmp_path / "here" / "a.gltf", file).triangles) == 4


@pytest.mark.parametrize("uri", ["../outside.bin", "{}/outside.bin", "%2e%2e/outside.bin", "a/../../outside.bin"])
def test_a_buffer_outside_of_the_folder_is_refused(tmp_path: Path, uri: str) -> None:
    file = content()
    (tmp_path / "outside.bin").write_bytes(base64.b64decode(file["buffers"][0]["uri"].partition(",")[2]))
    (tmp_path / "here" / "a").mkdir(parents=True)
    file["buffers"][0]["uri"] = uri.format(tmp_path)
    with pytest.raises(InputError, match=r"a\.gltf' names .* lies outside of its folder and is not read"):
        read(tmp_path / "here" / "a.gltf", file)


@pytest.mark.parametrize("uri", ["https://example.org/a.bin", "//example.org/a.bin", "file:///etc/passwd"])
def test_a_buffer_on_the_net_is_refused(tmp_path: Path, uri: str) -> None:
    file = content()
    file["buffers"][0]["uri"] = uri
    with pytest.raises(InputError, match="which is no file beside it; download it first"):
        read(tmp_path / "a.gltf", file)


def test_a_pipe_for_a_buffer_is_refused(tmp_path: Path) -> None:
    file = content()
    os.mkfifo(tmp_path / "a.bin")
    file["buffers"][0]["uri"] = "a.bin"
    with pytest.raises(InputError, match=r"a\.bin': it is a pipe"):
        read(tmp_path / "a.gltf", file)


def zeros(count: int) -> dict[str, Any]:
    return {"componentType": 5126, "count": count, "type": "VEC3"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"asset": {"version": "1.0"}}, "version 1.0 of glTF, and version 2 is read"),
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "needs the extension 'KHR_draco_mesh_compression'"),
        ({"nodes": [{"children": [0]}]}, "its node 0 is in two places"),
        ({"nodes": [{"mesh": -1}]}, "it has no number -1 of 1"),
        ({"accessors": [zeros(10**12)]}, "list of 1,000,000,000,000 vertices or numbers, more than are read"),
        ({"accessors": [{**zeros(5), "bufferView": 0}]}, "a list of it is longer than its buffer"),
        ({"bufferViews": [{"buffer": 0, "byteOffset": 90, "byteLength": 48}]}, "a part of its buffer is not there"),
        ({"buffers": [{"byteLength": 9**9, "uri": "data:;base64,AAAA"}]}, "its buffer is shorter than it says"),
        ({"buffers": [{"byteLength": 100}]}, "it names no file for its buffer"),
        ({"meshes": {}}, "what it describes does not fit together|it has no number 0 of 0"),
        ({"accessors": None}, "does not fit together"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        read(tmp_path / "a.gltf", content(**changes))
    assert "a.gltf" in str(refusal.value)


def test_a_glb_that_is_cut_off_or_of_another_version_is_refused(tmp_path: Path) -> None:
    text = json.dumps(content()).encode()
    whole = b"glTF" + struct.pack("<II", 2, 20 + len(text)) + struct.pack("<I4s", len(text), b"JSON") + text
    path = tmp_path / "a.glb"
    path.write_bytes(whole)
    assert len(read_mesh(path).triangles) == 4
    for broken, message in (
        (whole[:-9], "ends before all"),
        (whole[:4] + b"\1" + whole[5:], "of version 1 of glTF"),
        (whole[:12], "ends before all|does not fit"),
        (b"glTF", "does not fit together"),
    ):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=message):
            read_mesh(path)
