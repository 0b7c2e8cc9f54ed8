"""Qt widgets only: construction, set_state and outgoing signals."""
