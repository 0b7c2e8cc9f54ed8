"""AnsFlow's own JSON for pipelines and atomic steps: import and export (ansflow-compat.md). Nothing is ever run."""

from ansflow_desktop.pipelines.ansflow.documents import Imported, export_pipeline, export_steps, import_document

__all__ = ["Imported", "export_pipeline", "export_steps", "import_document"]
