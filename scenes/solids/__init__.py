"""Meshes and surfaces: read, checked, photographed and written."""
