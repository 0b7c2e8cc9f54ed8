"""Frozen data of the program: no I/O, no Qt, nothing but the standard library and msgspec."""
