"""Everything in this folder drives real widgets, offscreen, without a cluster."""

from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, reads, services, window

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left", "reads", "services", "window"]
