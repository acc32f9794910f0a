"""Meshes: every format spoilt, counts that lie, names that lead elsewhere, and texts that other programs write."""

import base64
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fieldlens.scenes.shape import shape_of
from fieldlens.scenes.solids.reading import read_mesh

from .case import EITHER, REFUSED, Case, Kind, spoilt

CORNERS = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], np.float32)
TRIANGLES = np.array([(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)])
"""A tetrahedron, the solid of the fewest bytes."""
SOLID = [4, 4]
"""What its reader gives of it."""

HUGE = 10**18
PASSWORDS = "../../../../../../../../etc/passwd"


def read(path: Path) -> Any:
    """How many vertices and triangles there are; a solid is made of them as a fit does."""
    mesh = read_mesh(path)
    shape_of(mesh, "sdf")
    return [len(mesh.vertices), len(mesh.triangles)]


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _ply()
    yield from _obj()
    yield from _stl()
    yield from _off()
    yield from _gltf()
    for ending in ("ply", "obj", "stl", "off", "glb", "gltf"):
        yield Case(f"empty.{ending}", b"")
        yield Case(f"zeros.{ending}", bytes(3000))
        yield Case(f"page_in_place_of_a_download.{ending}", b"<!doctype html>\n<title>404</title>\n")


def ply(vertices: str = "4", faces: str = "4", body: bytes | None = None, kind: str = "ascii", more: str = "") -> bytes:
    """A PLY whose header says what it is told."""
    lines = ["ply", f"format {kind} 1.0", f"element vertex {vertices}", *(f"property float {axis}" for axis in "xyz")]
    lines += [f"element face {faces}", "property list uchar int vertex_indices", *more.splitlines(), "end_header", ""]
    return "\n".join(lines).encode() + (_ascii() if body is None else body)


def _ascii() -> bytes:
    rows = ["{:g} {:g} {:g}".format(*corner) for corner in CORNERS]
    return "\n".join([*rows, *("3 {} {} {}".format(*triangle) for triangle in TRIANGLES), ""]).encode()


def _binary(order: str) -> bytes:
    faces = b"".join(struct.pack(f"{order}B3i", 3, *triangle) for triangle in TRIANGLES.tolist())
    return CORNERS.astype(f"{order}f4").tobytes() + faces


def _ply() -> Iterator[Case]:
    little, big = (
        ply(body=_binary(order), kind=f"binary_{name}_endian") for order, name in (("<", "little"), (">", "big"))
    )
    yield Case("good.ply", ply(), SOLID)
    yield Case("little.ply", little, SOLID)
    yield Case("big.ply", big, SOLID)
    yield from spoilt("text.ply", ply(), EITHER)
    yield from spoilt("binary.ply", little)
    for kind, body in (("ascii", _ascii()), ("binary_little_endian", _binary("<"))):
        for name, count in {"huge": HUGE, "none": 0, "below": -1, "five": 5}.items():
            yield Case(f"vertices_{name}_{kind}.ply", ply(str(count), body=body, kind=kind))
            yield Case(f"faces_{name}_{kind}.ply", ply(faces=str(count), body=body, kind=kind))
    yield Case("count_with_many_digits.ply", ply("9" * 5000))
    yield Case("count_in_words.ply", ply("four"))
    yield Case(
        "polygon_of_255_corners_that_are_not_there.ply",
        ply(body=CORNERS.tobytes() + b"\xff" * 8, kind="binary_little_endian"),
    )
    yield Case("polygon_of_minus_one.ply", ply(body=_ascii().replace(b"3 0 2 1", b"-1 0 2 1")))
    yield Case("corner_beyond.ply", ply(body=_ascii().replace(b"3 0 2 1", b"3 0 2 1999999999")))
    yield Case(
        "corner_too_large_for_64_bits.ply", ply(body=_ascii().replace(b"3 0 2 1", b"3 0 2 99999999999999999999"))
    )
    yield Case("corner_with_a_fraction.ply", ply(body=_ascii().replace(b"3 0 2 1", b"3 0 2 1.5")))
    yield Case("no_number.ply", ply(body=_ascii().replace(b"0 0 1", b"0 nan 1")))
    yield Case("infinite.ply", ply(body=_ascii().replace(b"0 0 1", b"0 1e999 1")))
    yield Case("property_unknown.ply", ply(more="property quaternion q"))
    yield Case("header_without_end.ply", ply().split(b"end_header")[0])
    yield Case("header_of_a_million_comments.ply", b"ply\nformat ascii 1.0\n" + b"comment x\n" * 100_000)
    yield Case("format_9.ply", ply().replace(b"ascii 1.0", b"ascii 9.0"), EITHER)
    yield Case(
        "vertices_twice.ply",
        ply().replace(b"element face", b"element vertex 4\nproperty float x\nelement face"),
        EITHER,
    )
    yield Case(
        "elements_by_the_thousand.ply", ply(more="\n".join(f"element e{n} 1\nproperty int i" for n in range(3000)))
    )
    yield Case("other_ends_of_lines.ply", ply().replace(b"\n", b"\r\n"), SOLID)


def _obj() -> Iterator[Case]:
    points = "".join("v {:g} {:g} {:g}\n".format(*corner) for corner in CORNERS)
    faces = "".join("f {} {} {}\n".format(*(triangle + 1)) for triangle in TRIANGLES)
    good = (points + faces).encode()
    yield Case("good.obj", good, SOLID)
    yield from spoilt("text.obj", good, EITHER)
    yield Case("comment_at_the_end_of_a_line.obj", good.replace(b"v 0 0 0\n", b"v 0 0 0 # first\n"), SOLID)
    yield Case("line_that_goes_on.obj", good.replace(b"f 1 3 2", b"f 1 \\\n3 2"), SOLID)
    yield Case("line_that_goes_on_and_on.obj", good + b"\\\n" * 100_000, EITHER)
    yield Case("line_of_a_megabyte.obj", good + b"# " + b"x" * 1_000_000 + b"\n", SOLID)
    yield Case("number_of_many_digits.obj", good.replace(b"v 0 0 1", b"v 0 0 " + b"1" * 100_000))
    yield Case("corner_of_many_digits.obj", good.replace(b"f 1 3 2", b"f 1 3 " + b"9" * 100_000))
    yield Case("corner_0.obj", good.replace(b"f 1 3 2", b"f 0 3 2"))
    yield Case("corner_before_the_first.obj", good.replace(b"f 1 3 2", b"f -9 3 2"))
    yield Case("two_corners.obj", good.replace(b"f 1 3 2", b"f 1 3"), EITHER)
    yield Case("polygon_of_ten_thousand_corners.obj", points.encode() + b"f" + b" 1 2 3" * 3_400 + b"\n", EITHER)
    yield Case("materials_from_elsewhere.obj", f"mtllib {PASSWORDS}\nusemtl root\n".encode() + good, EITHER)
    yield Case("materials_from_the_net.obj", b"mtllib http://127.0.0.1:9/m.mtl\nusemtl m\n" + good, EITHER)
    yield Case("zeros_between.obj", good.replace(b"\n", b"\0\n"))
    yield Case("wide_letters.obj", good.decode().encode("utf-16"))
    yield Case("points_alone.obj", points.encode())
    yield Case("sheet.obj", points.encode() + b"f 1 2 3\n")
    yield Case("points_in_one_place.obj", b"v 1 1 1\n" * 4 + faces.encode())
    yield Case("farther_than_numbers_go.obj", good.replace(b"1", b"1e37").replace(b"f ", b"f "), REFUSED)


def _stl() -> Iterator[Case]:
    triangles = b"".join(bytes(12) + CORNERS[triangle].tobytes() + bytes(2) for triangle in TRIANGLES)
    good = bytes(80) + struct.pack("<I", 4) + triangles
    facets = "".join(
        "facet normal 0 0 0\nouter loop\n"
        + "".join("vertex {:g} {:g} {:g}\n".format(*CORNERS[c]) for c in triangle)
        + "endloop\nendfacet\n"
        for triangle in TRIANGLES
    )
    text = f"solid t\n{facets}endsolid t\n".encode()
    yield Case("good.stl", good, SOLID)
    yield Case("text.stl", text, SOLID)
    yield from spoilt("binary.stl", good)
    yield from spoilt("in_words.stl", text, EITHER)
    yield Case("binary_that_begins_as_text.stl", b"solid" + good[5:], SOLID)
    yield Case("count_huge.stl", good[:80] + struct.pack("<I", 2**32 - 1) + triangles)
    yield Case("count_0.stl", good[:80] + bytes(4) + triangles)
    yield Case("solid_alone.stl", b"solid ")
    yield Case("no_end.stl", text.replace(b"endsolid t\n", b""), EITHER)
    yield Case("two_corners.stl", text.replace(b"vertex 0 0 0\n", b"", 1))
    yield Case("no_numbers.stl", good[:96] + struct.pack("<f", float("nan")) + good[100:])
    yield Case("no_normals.stl", good[:84] + struct.pack("<fff", *[float("nan")] * 3) + good[96:], SOLID)


def _off() -> Iterator[Case]:
    good = b"OFF\n4 4 6\n" + _ascii()
    yield Case("good.off", good, SOLID)
    yield from spoilt("text.off", good, EITHER)
    yield Case("comment_before_the_counts.off", good.replace(b"OFF\n", b"OFF\n# made by a modeller\n\n"), SOLID)
    yield Case("counts_on_the_first_line.off", good.replace(b"OFF\n", b"OFF "), SOLID)
    yield Case("mark_of_utf8.off", b"\xef\xbb\xbf" + good, EITHER)
    yield Case("vertices_huge.off", good.replace(b"4 4 6", f"{HUGE} 4 6".encode()))
    yield Case("faces_huge.off", good.replace(b"4 4 6", f"4 {HUGE} 6".encode()))
    yield Case("counts_below_0.off", good.replace(b"4 4 6", b"-4 -4 6"))
    yield Case("polygon_huge.off", good.replace(b"3 0 2 1", b"999999999 0 2 1"))
    yield Case("name_alone.off", b"OFF")
    yield Case("comments_alone.off", b"OFF\n" + b"#\n" * 100_000)
    yield Case("in_four_dimensions.off", good.replace(b"OFF", b"4OFF"))
    yield Case("colours_that_are_none.off", good.replace(b"OFF", b"COFF"), EITHER)


def gltf(**changes: Any) -> dict[str, Any]:
    """A tetrahedron as glTF has it, with other values for some of its keys."""
    data = CORNERS.tobytes() + TRIANGLES.astype("<u2").tobytes()
    return {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(data), "uri": f"data:;base64,{base64.b64encode(data).decode()}"}],
        "bufferViews": [{"buffer": 0, "byteLength": 48}, {"buffer": 0, "byteOffset": 48, "byteLength": 24}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"},
        ],
        **changes,
    }


def glb(content: dict[str, Any]) -> bytes:
    """The same in one binary file."""
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text


def _gltf() -> Iterator[Case]:
    good = gltf()
    views, accessors = good["bufferViews"], good["accessors"]
    changes: dict[str, dict[str, Any]] = {
        "buffer_from_elsewhere": {"buffers": [{"byteLength": 72, "uri": PASSWORDS}]},
        "buffer_from_the_root": {"buffers": [{"byteLength": 72, "uri": "/etc/passwd"}]},
        "buffer_from_the_net": {"buffers": [{"byteLength": 72, "uri": "http://127.0.0.1:9/b.bin"}]},
        "buffer_by_an_address_of_a_file": {"buffers": [{"byteLength": 72, "uri": "file:///etc/passwd"}]},
        "buffer_escaped": {"buffers": [{"byteLength": 72, "uri": "%2e%2e/%2e%2e/etc/passwd"}]},
        "buffer_that_is_not_there": {"buffers": [{"byteLength": 72, "uri": "none.bin"}]},
        "buffer_of_no_base64": {"buffers": [{"byteLength": 72, "uri": "data:;base64,????"}]},
        "buffer_huge": {"buffers": [{"byteLength": HUGE, "uri": good["buffers"][0]["uri"]}]},
        "buffer_a_number": {"buffers": [{"byteLength": 72, "uri": 5}]},
        "view_beyond": {"bufferViews": [{**views[0], "byteOffset": HUGE}, views[1]]},
        "view_before": {"bufferViews": [{**views[0], "byteOffset": -48}, views[1]]},
        "view_of_no_buffer": {"bufferViews": [{**views[0], "buffer": 9}, views[1]]},
        "view_with_stride_0": {"bufferViews": [{**views[0], "byteStride": -4}, views[1]]},
        "count_huge": {"accessors": [{**accessors[0], "count": HUGE}, accessors[1]]},
        "count_below_0": {"accessors": [{**accessors[0], "count": -4}, accessors[1]]},
        "count_with_a_fraction": {"accessors": [{**accessors[0], "count": 3.5}, accessors[1]]},
        "component_unknown": {"accessors": [{**accessors[0], "componentType": 5}, accessors[1]]},
        "type_unknown": {"accessors": [{**accessors[0], "type": "VEC9"}, accessors[1]]},
        "sparse_huge": {"accessors": [{**accessors[0], "sparse": {"count": HUGE}}, accessors[1]]},
        "no_accessors": {"accessors": []},
        "node_within_itself": {"nodes": [{"mesh": 0, "children": [0]}]},
        "nodes_within_each_other": {"nodes": [{"children": [1]}, {"children": [0], "mesh": 0}]},
        "node_that_is_not_there": {"scenes": [{"nodes": [7]}]},
        "node_of_words": {"nodes": [{"mesh": "first"}]},
        "nowhere": {"nodes": [{"mesh": 0, "matrix": [float("nan")] * 16}]},
        "flattened": {"nodes": [{"mesh": 0, "scale": [0, 0, 0]}]},
        "no_meshes": {"meshes": []},
        "no_primitives": {"meshes": [{"primitives": []}]},
        "packed_by_draco": {"extensionsRequired": ["KHR_draco_mesh_compression"]},
        "of_version_1": {"asset": {"version": "1.0"}},
        "no_version": {"asset": None},
    }
    yield Case("good.gltf", json.dumps(good).encode(), SOLID)
    yield Case("good.glb", glb(good), SOLID)
    yield from spoilt("text.gltf", json.dumps(good).encode())
    yield from spoilt("binary.glb", glb(good))
    for name, change in changes.items():
        ends = EITHER if name in ("no_version", "count_with_a_fraction", "sparse_huge") else REFUSED
        yield Case(f"{name}.gltf", json.dumps(gltf(**change)).encode(), ends)
    deep: dict[str, Any] = {"nodes": [*({"children": [n + 1]} for n in range(5000)), {"mesh": 0}]}
    yield Case("nodes_five_thousand_deep.gltf", json.dumps(gltf(**deep)).encode(), EITHER)
    yield Case("brackets.gltf", b'{"a":' + b"[" * 200_000)
    yield Case("values_by_the_million.gltf", b'{"a":[' + b"0," * 5_000_000 + b"0]}")
    yield Case("a_list.gltf", b"[1, 2]")
    whole = glb(good)
    yield Case("length_that_lies.glb", whole[:8] + struct.pack("<I", 2**32 - 1) + whole[12:], EITHER)
    yield Case("part_longer_than_the_file.glb", whole[:12] + struct.pack("<I", 2**32 - 1) + whole[16:])
    yield Case("version_9.glb", whole[:4] + struct.pack("<I", 9) + whole[8:])


MESHES = Kind("meshes", read, cases)
