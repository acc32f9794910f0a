"""A fit while it goes on, shown and steered in browsers of this machine."""
