"""Credentials: what each says of itself, what the server says of it, and what to do before it ends."""
