"""A fit while it goes on, or once it is over, in browsers of this machine."""
