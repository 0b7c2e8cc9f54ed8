"""The local practice cluster: its tools, its life cycle and its simulated parts."""
