"""Photographs with their cameras: read, straightened, placed in a cube and written."""
