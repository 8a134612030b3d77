"""Strict readers of foreign files: each turns one format into frozen data, and no more."""
