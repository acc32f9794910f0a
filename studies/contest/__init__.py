"""The contest: what says where detail will be missing? Fits measured window by window, scored, and summed up."""
