"""Files of meshes, format by format: what each says, and its polygons as triangles."""
