"""A network as all wings above see it: its layers, planes through its input, its weights; and where it is sampled."""
