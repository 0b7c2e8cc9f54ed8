"""Pipelines for other engines: bash, Jenkins, Argo Workflows. Nothing is run and no cluster is asked."""
