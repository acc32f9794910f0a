"""Which neurons are on where: patterns packed and compared, distinct ones counted, and what single neurons do."""
