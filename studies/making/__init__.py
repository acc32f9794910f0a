"""The fits of a study: handed to whoever makes them, here, in processes or on a cluster, whole or not at all."""
