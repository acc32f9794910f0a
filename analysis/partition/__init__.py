"""The input cut into cells: exactly, by an interpolated encoding, tile by tile; and bounds on the creases in a tile."""
