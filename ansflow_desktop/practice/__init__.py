"""The local practice cluster: find, download or build its tools; start, stop, list and remove clusters.

`PracticeClusters` (cluster.py) is the way in; `ensure` and `tool_path` (tools.py) are its tools.
"""
