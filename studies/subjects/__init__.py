"""How each kind of scene is seen and explained: a class and a file for each kind."""
