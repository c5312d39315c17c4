"""Exact laws of a scheme, without sampling."""
