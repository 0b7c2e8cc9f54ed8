"""State of each page without widgets: state in, signals out."""
