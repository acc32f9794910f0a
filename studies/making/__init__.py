"""The fits of a study: each whole or not there at all, as many at once as there are threads."""
