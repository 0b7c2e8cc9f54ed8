"""The Kubernetes API: kubeconfig, client, watch, health and access."""
