"""The one name of all packages, which are links to the folders at the top; and the command line."""
