"""What a page asks that is no W2 curve: one file each."""
