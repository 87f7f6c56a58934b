"""Recovery on real servers."""
