"""What is asked of a finished run: cells, slices, confusion, the kernel, all of its checkpoints, exports and films."""
