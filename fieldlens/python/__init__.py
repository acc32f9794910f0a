"""The door for Python: fit, compare, open, analyze and explain, and runs that show themselves in a notebook."""
