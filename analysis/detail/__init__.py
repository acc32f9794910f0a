"""What a picture lacks, by arrays alone: bands, windows, statistics, and the verdict on a density that is handed in."""
