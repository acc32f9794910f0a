"""How each kind of scene is seen and explained: one file a kind, chosen in one `match` (`choice.py`)."""
