"""AnsFlow Desktop: deploy a chart folder to Kubernetes from a workstation, with or without a window."""

__version__ = "0.1.0"
