"""Documents of AnsFlow as its API gives them, and what a test asks of their import and export."""

from __future__ import annotations

import json

import yaml

from ansflow_desktop.pipelines.ansflow import export_pipeline, import_document

CLUSTERS = {3: "dev", "4": "prod"}


def from_api(number, name, kind, **fields):
    """A step as the detail view of AnsFlow's API gives it: every field of its serializer is there."""
    whole = {
        "id": number,
        "name": name,
        "description": "",
        "status": "pending",
        "step_type": kind,
        "command": "",
        "environment_vars": {},
        "timeout_seconds": 300,
        "order": number,
        "ansible_playbook": None,
        "ansible_playbook_name": None,
        "ansible_parameters": {},
        "k8s_cluster": None,
        "k8s_namespace": "",
        "k8s_resource_name": "",
        "k8s_config": {},
        "dependencies": [],
        "parallel_group": "",
        "conditions": [],
        "approval_required": False,
        "approval_users": [],
        "approval_status": "",
        "retry_policy": {},
        "notification_config": {},
        "output_log": "",
        "exit_code": None,
        "started_at": None,
    }
    return {**whole, **fields}


def pipeline(*steps, **fields):
    return {
        "id": 7,
        "name": "front end",
        "description": "部署",
        "status": "success",
        "is_active": True,
        "config": {},
        "project": 1,
        "project_name": "shop",
        "created_at": "2025-08-14T07:10:44Z",
        "execution_mode": "local",
        "tool_job_config": {},
        "steps": list(steps),
        "atomic_steps": [],
        "runs": [{"id": 1, "run_number": 1, "status": "success", "artifacts": []}],
        **fields,
    }


def k8s(kind, config, number=1, **fields):
    place = {"k8s_cluster": 3, "k8s_cluster_name": "shop-dev", "k8s_namespace": "fe", **fields}
    return from_api(number, kind, kind, k8s_config=config, **place)


def imported(document, clusters=CLUSTERS):
    return import_document(json.dumps(document), clusters)


def steps_of(document, clusters=CLUSTERS):
    """The steps of the one imported pipeline, without what is kept."""
    ((_, text),) = imported(document, clusters).pipelines
    steps = yaml.safe_load(text)["spec"]["steps"]
    return [{name: value for name, value in step.items() if name != "x-ansflow"} for step in steps]


def first(step, clusters=CLUSTERS):
    return steps_of(pipeline(step), clusters)[0]


def said(document):
    return "\n".join(map(str, imported(document).notices))


def edited(document, change):
    """Import, change the document as an editor would, export."""
    ((_, text),) = imported(document).pipelines
    data = yaml.safe_load(text)
    change(data["spec"]["steps"])
    return json.loads(export_pipeline(yaml.safe_dump(data, sort_keys=False, allow_unicode=True)))


def exported(document, clusters=CLUSTERS):
    ((_, text),) = imported(document, clusters).pipelines
    return json.loads(export_pipeline(text))


def plain(text):
    """A pipeline document without what an import keeps."""
    data = yaml.load(text, Loader=yaml.BaseLoader)
    data["spec"].pop("x-ansflow", None)
    for step in data["spec"]["steps"]:
        step.pop("x-ansflow", None)
    return data
