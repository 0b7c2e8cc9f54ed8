"""The corpus' charts, as files by path: a plain one, one with a schema, and variants of both with one thing changed."""

from __future__ import annotations

import json

Files = dict[str, str | bytes | None]

CHART = "apiVersion: v2\nname: {name}\nversion: 0.1.0\n"
VALUES = """\
replicaCount: 1
image: {repository: nginx, tag: "1.27"}
service: {type: ClusterIP, port: 80}
ingress: {enabled: false, hosts: []}
resources: {}
env: {}
nodeSelector: {}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicaCount }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      {{- with .Values.nodeSelector }}
      nodeSelector: {{ toJson . }}
      {{- end }}
      containers:
      - name: main
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
        resources: {{ toJson .Values.resources }}
        env:
        {{- range $name, $value := .Values.env }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  type: {{ .Values.service.type }}
  selector: {app: {{ .Release.Name }}}
  ports: [{port: {{ .Values.service.port }}}]
"""
INGRESS = """\
{{- if .Values.ingress.enabled }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: {{ .Release.Name }}}
spec:
  rules:
  {{- range .Values.ingress.hosts }}
  - host: {{ .host | quote }}
  {{- end }}
{{- end }}
"""
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["replicaCount", "image"],
    "properties": {
        "replicaCount": {"type": "integer", "minimum": 0, "maximum": 10},
        "image": {
            "type": "object",
            "additionalProperties": False,
            "required": ["repository"],
            "properties": {
                "repository": {"type": "string", "minLength": 1},
                "tag": {"type": "string", "pattern": "^[a-z0-9.]+$"},
            },
        },
        "service": {
            "type": "object",
            "properties": {
                "type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            },
        },
        "ingress": {
            "type": "object",
            "properties": {
                "enabled": {"type": "boolean"},
                "hosts": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {"type": "object", "required": ["host"], "properties": {"host": {"type": "string"}}},
                },
            },
        },
        "resources": {"type": "object"},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "contact": {"type": "string", "format": "email"},
        "mode": {"oneOf": [{"const": "fast"}, {"const": "safe"}]},
        "limits": {"anyOf": [{"type": "string"}, {"type": "number", "multipleOf": 5}]},
        "ratio": {"type": "number", "exclusiveMinimum": 0},
    },
}


def chart(name: str = "web", **changes: str | bytes | None) -> Files:
    """Return the plain chart with some files replaced: `Chart_yaml`, `t_x` for templates/x.yaml; None takes one out."""
    files: Files = {
        "Chart.yaml": CHART.format(name=name),
        "values.yaml": VALUES,
        "templates/deployment.yaml": DEPLOYMENT,
        "templates/service.yaml": SERVICE,
        "templates/ingress.yaml": INGRESS,
    }
    for key, content in changes.items():
        files[_path(key)] = content
    return {path: content for path, content in files.items() if content is not None}


def _path(key: str) -> str:
    named = {
        "Chart_yaml": "Chart.yaml",
        "values": "values.yaml",
        "schema": "values.schema.json",
        "notes": "templates/NOTES.txt",
    }
    return named.get(key) or (f"templates/{key[2:]}.yaml" if key.startswith("t_") else key)


def bare(template: str | bytes = "", values: str | None = "", **changes: str | bytes | None) -> Files:
    """Return a chart with one template `main` (an object around `template` where it is none) and `values`."""
    text = template
    if isinstance(template, str) and not template.startswith("!"):
        text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  a: " + template + "\n"
    if isinstance(text, str):
        text = text.removeprefix("!")
    files: Files = {"Chart.yaml": CHART.format(name="bare"), "templates/main.yaml": text}
    if values is not None:
        files["values.yaml"] = values
    for key, content in changes.items():
        files[_path(key)] = content
    return {path: content for path, content in files.items() if content is not None}


def with_schema(**schema: object) -> Files:
    """Return the plain chart with a schema of these properties alone."""
    return chart(schema=json.dumps({"type": "object", **schema}))


def parent(
    condition: str = "", *, schema: str | None = None, sub_schema: str | None = None, **changes: str | None
) -> Files:
    """Return a chart with the subchart `db` in charts/."""
    entry = "{name: db, version: 0.1.0" + (f", condition: {condition}" if condition else "") + "}"
    files = chart("shop", **changes)
    files.setdefault("schema", None)
    files["Chart.yaml"] = CHART.format(name="shop") + f"dependencies: [{entry}]\n"
    files["charts/db/Chart.yaml"] = CHART.format(name="db")
    files["charts/db/values.yaml"] = "port: 5432\nauth: {user: app}\n"
    files["charts/db/templates/main.yaml"] = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\n"
        "data: {port: {{ .Values.port | quote }}, user: {{ .Values.auth.user | quote }}}\n"
    )
    if schema is not None:
        files["values.schema.json"] = schema
    if sub_schema is not None:
        files["charts/db/values.schema.json"] = sub_schema
    return {path: content for path, content in files.items() if content is not None}
