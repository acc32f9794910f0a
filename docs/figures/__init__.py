"""The pictures of docs/explain.md, docs/analysis.md and docs/scenes.md, each by the functions that it explains.

They stand beside the text and not in a package of the program: what draws an example of a quantity knows the example.
"""
