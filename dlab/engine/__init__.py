"""Where work runs and where answers are kept."""
