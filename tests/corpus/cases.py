"""The labelled corpus: (chart, values) with the verdict that Helm is expected to give; made from compact tables.

`right` renders by `helm template`, `wrong` does not. What Helm 3 and Helm 4 really say is kept in answers.json.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from corpus import charts
from corpus.charts import Files, bare, chart, parent, with_schema

RIGHT, WRONG = "right", "wrong"
DB_SCHEMA = json.dumps({"properties": {"port": {"type": "integer"}, "auth": {"required": ["user"]}}})
SCHEMA = json.dumps(charts.SCHEMA)


class Case(NamedTuple):
    """One case: where it comes from, a chart, values (typed ones, or files), --set, and the label."""

    name: str
    files: Files
    values: str | bytes = ""
    sets: tuple[str, ...] = ()
    label: str = RIGHT
    more: tuple[str, ...] = ()
    """Values files laid below `values`, in their order."""


# Values for the plain chart, which takes anything that its templates can use.
PLAIN = {
    RIGHT: {
        "nothing": "",
        "comment only": "# nothing here\n",
        "null": "null\n",
        "tilde": "~\n",
        "empty mapping": "{}\n",
        "two documents": "replicaCount: 2\n---\nreplicaCount: 3\n",
        "document end": "replicaCount: 2\n...\n",
        "no for a text": "env: {DEBUG: no}\n",
        "on and off": "env: {A: on, B: off}\n",
        "octal": "replicaCount: 010\n",
        "octal with o": "replicaCount: 0o17\n",
        "exponent": "replicaCount: 1e0\n",
        "hex": "env: {A: 0x1F}\n",
        "underscore": "service: {port: 8_080}\n",
        "sexagesimal": "env: {TIME: 12:30:45}\n",
        "date": "env: {DAY: 2024-01-31}\n",
        "huge integer": "env: {BIG: 123456789012345678901234567890}\n",
        "int64": "env: {BIG: 9223372036854775807}\n",
        "duplicate keys": "replicaCount: 1\nreplicaCount: 2\n",
        "duplicate nested": "image: {tag: a, tag: b}\n",
        "anchors": "a: &x {repository: nginx, tag: t}\nimage: *x\n",
        "merge key": "base: &b {repository: nginx}\nimage: {<<: *b, tag: t}\n",
        "merge list": "a: &a {repository: x}\nb: &b {tag: y}\nimage: {<<: [*a, *b]}\n",
        "block text": "env:\n  A: |\n    one\n    two\n",
        "folded text": "env:\n  A: >-\n    one\n    two\n",
        "quoted key": "'replicaCount': 2\n",
        "explicit key": "? replicaCount\n: 2\n",
        "explicit tag": "replicaCount: !!int '2'\n",
        "text tag": "env: {A: !!str 5}\n",
        "own tag": "env: {A: !mine 5}\n",
        "unknown key": "nonsense: {deep: [1, 2]}\n",
        "number key": "1: one\n",
        "boolean key": "yes: 1\n",
        "y as a key": "y: 1\n",
        "unicode": "env: {GREETING: 你好}\n",
        "emoji": 'env: {A: "🚀"}\n',
        "escape": 'env: {A: "\\u00e9\\n"}\n',
        "byte order mark": "\ufeffreplicaCount: 2\n",
        "crlf": "replicaCount: 2\r\nimage:\r\n  tag: x\r\n",
        "deep": "a: {b: {c: {d: {e: {f: 1}}}}}\n",
        "flow over lines": "image: {\n  tag: x,\n  repository: y,\n}\n",
        "null deletes": "resources: null\n",
        "yaml 1.1 directive": "%YAML 1.1\n---\nreplicaCount: 2\n",
        "resources": "resources: {limits: {cpu: 100m, memory: 1Gi}}\n",
        "hosts": "ingress: {enabled: true, hosts: [{host: a.example}]}\n",
        "indented by four": "image:\n    tag: x\n",
        "list not indented": "ingress:\n  enabled: true\n  hosts:\n  - host: a\n",
        "trailing spaces": "replicaCount: 2   \n",
        "tab after value": "replicaCount: 2\t\n",
        "tag null": "image: {tag: null}\n",
        "percent text": "env: {A: 50%}\n",
        "colon in text": "env: {A: 'a: b'}\n",
        "long key": f"env: {{{'A' * 200}: x}}\n",
        "node selector": "nodeSelector: {disk: ssd}\n",
        "true as text": "env: {A: 'true'}\n",
        "no line end": "replicaCount: 2",
        "replicas as text": "replicaCount: many\n",
        "resources a text": "resources: none\n",
    },
    WRONG: {
        "tab indent": "image:\n\ttag: x\n",
        "unclosed brace": "image: {tag: x\n",
        "unclosed bracket": "ingress: {hosts: [a, b}\n",
        "unclosed quote": 'image: {tag: "x}\n',
        "single quote": "env: {A: 'x}\n",
        "list": "- a\n- b\n",
        "text": "just a text\n",
        "number": "42\n",
        "bad indent": "image:\n  tag: x\n repository: y\n",
        "two colons": "replicaCount: 1: 2\n",
        "unknown alias": "image: *nowhere\n",
        "at sign": "env: {A: @x}\n",
        "backtick": "env: {A: `x`}\n",
        "percent start": "env: {A: %x}\n",
        "control character": "env: {A: \x01}\n",
        "list key": "? [a, b]\n: 1\n",
        "mapping key": "? {a: b}\n: 1\n",
        "null key": "~: 1\n",
        "infinity": "env: {A: .inf}\n",
        "not a number": "env: {A: .nan}\n",
        "yaml 1.2 directive": "%YAML 1.2\n---\nreplicaCount: 2\n",
        "merge of a text": "image: {<<: x}\n",
        "bad escape": 'env: {A: "\\q"}\n',
        "not utf-8": b"env: {A: \xff\xfe}\n",
        "latin-1": "env: {A: é}\n".encode("latin-1"),
        "image is a text": "image: nginx\n",
        "image is a list": "image: [nginx]\n",
        "service is a number": "service: 80\n",
        "ingress is a text": "ingress: yes please\n",
        "hosts of texts": "ingress: {enabled: true, hosts: [a.example]}\n",
        "env is a text": "env: DEBUG\n",
        "image null": "image: null\n",
        "service null": "service: ~\n",
        "bad anchor": "a: &\n",
        "tag of nothing": "a: !<\n",
        "mapping after list": "ingress:\n  - a\n  enabled: true\n",
        "no space after colon": "image:\n  tag:x\n  repository: y\n",
    },
}

# Values for the chart with a schema.
SCHEMED = {
    RIGHT: {
        "as it is": "",
        "replicas": "replicaCount: 3\n",
        "whole fraction": "replicaCount: 3.0\n",
        "octal": "replicaCount: 007\n",
        "tag": "image: {tag: '2'}\n",
        "tag taken out": "image: {tag: null}\n",
        "node port": "service: {type: NodePort, port: 30000}\n",
        "hosts": "ingress: {enabled: true, hosts: [{host: a}, {host: b}]}\n",
        "yes is true": "ingress: {enabled: yes}\n",
        "env texts": "env: {A: b, C: 'd'}\n",
        "unknown at the top": "extra: 1\n",
        "email": "contact: a@b.example\n",
        "mode known": "mode: fast\n",
        "limits text": "limits: many\n",
        "limits number": "limits: 15\n",
        "ratio": "ratio: 0.5\n",
        "two files": "replicaCount: 2\n",
        "exponent": "replicaCount: 1e1\n",
    },
    WRONG: {
        "replicas text": "replicaCount: two\n",
        "replicas quoted": "replicaCount: '2'\n",
        "replicas fraction": "replicaCount: 1.5\n",
        "replicas negative": "replicaCount: -1\n",
        "replicas too many": "replicaCount: 11\n",
        "replicas octal too many": "replicaCount: 013\n",
        "replicas huge": "replicaCount: 123456789012345678901234567890\n",
        "replicas taken out": "replicaCount: null\n",
        "replicas boolean": "replicaCount: true\n",
        "image taken out": "image: null\n",
        "image text": "image: nginx\n",
        "repository taken out": "image: {repository: null}\n",
        "repository empty": "image: {repository: ''}\n",
        "repository number": "image: {repository: 5}\n",
        "tag number": "image: {tag: 1.27}\n",
        "tag octal": "image: {tag: 010}\n",
        "tag exponent": "image: {tag: 1e3}\n",
        "tag pattern": "image: {tag: V1}\n",
        "tag boolean": "image: {tag: on}\n",
        "image unknown": "image: {tga: '1'}\n",
        "service type": "service: {type: clusterip}\n",
        "service port text": "service: {port: '80'}\n",
        "service port zero": "service: {port: 0}\n",
        "service port big": "service: {port: 70000}\n",
        "service a list": "service: []\n",
        "enabled text": "ingress: {enabled: 'yes'}\n",
        "enabled number": "ingress: {enabled: 1}\n",
        "hosts mapping": "ingress: {hosts: {host: a}}\n",
        "hosts of texts": "ingress: {hosts: [a]}\n",
        "host missing": "ingress: {hosts: [{name: a}]}\n",
        "host number": "ingress: {hosts: [{host: 1}]}\n",
        "too many hosts": "ingress: {hosts: [{host: a}, {host: b}, {host: c}, {host: d}]}\n",
        "env number": "env: {A: 1}\n",
        "env no": "env: {DEBUG: no}\n",
        "env null": "env: {A: null}\n",
        "env list": "env: [A=b]\n",
        "not an email": "contact: nobody\n",
        "mode": "mode: slow\n",
        "limits": "limits: 7\n",
        "limits boolean": "limits: true\n",
        "ratio zero": "ratio: 0\n",
        "resources text": "resources: none\n",
        "duplicate, the last is wrong": "replicaCount: 1\nreplicaCount: x\n",
        "by an anchor": "a: &x five\nreplicaCount: *x\n",
        "by a merge": "b: &b {tag: 5}\nimage: {<<: *b}\n",
        "text block": "replicaCount: |\n  5\n",
        "two wrong": "replicaCount: x\nservice: {port: y}\n",
    },
}

# --set on the chart with a schema.
SETS = {
    RIGHT: {
        "replicas": ("replicaCount=3",),
        "nested": ("image.tag=x,service.port=81",),
        "two": ("image.tag=x", "image.tag=y"),
        "list": ("ingress.hosts[0].host=a",),
        "env": ("env.A=b",),
        "escaped dot": (r"nodeSelector.a\.b/c=d",),
        "null": ("image.tag=null",),
        "braces": ("more={a,b}",),
        "escaped comma": (r"env.A=a\,b",),
        "empty value": ("env.A=",),
    },
    WRONG: {
        "text": ("replicaCount=two",),
        "leading zero stays a text": ("replicaCount=03",),
        "fraction stays a text": ("ratio=0.5",),
        "number for a text": ("image.tag=5",),
        "boolean for a text": ("env.A=true",),
        "unknown": ("image.tga=x",),
        "no value": ("replicaCount",),
        "unclosed index": ("ingress.hosts[0.host=a",),
        "null takes the default out": ("image=null",),
    },
}

# One thing about a chart itself; values are none.
CHART_YAML = {
    RIGHT: {
        "v1": "apiVersion: v1\nname: web\nversion: 0.1.0\n",
        "v1 with a description": "apiVersion: v1\nname: web\nversion: 1.2.3\ndescription: d\nappVersion: 1.0\n",
        "pre-release": "apiVersion: v2\nname: web\nversion: 1.0.0-rc.1+build.5\n",
        "v in front": "apiVersion: v2\nname: web\nversion: v1.0.0\n",
        "short version": "apiVersion: v2\nname: web\nversion: 1.2\n",
        "number version": "apiVersion: v2\nname: web\nversion: 1\n",
        "app version number": "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: 1.16\n",
        "unknown field": "apiVersion: v2\nname: web\nversion: 0.1.0\nfoo: bar\n",
        "kube version": "apiVersion: v2\nname: web\nversion: 0.1.0\nkubeVersion: '>=1.20.0-0'\n",
        "application": "apiVersion: v2\nname: web\nversion: 0.1.0\ntype: application\n",
        "dots in the name": "apiVersion: v2\nname: my.web\nversion: 0.1.0\n",
        "crlf": "apiVersion: v2\r\nname: web\r\nversion: 0.1.0\r\n",
        "no dependencies": "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: []\n",
        "no api version": "name: web\nversion: 0.1.0\n",
        "maintainers": "apiVersion: v2\nname: web\nversion: 0.1.0\nmaintainers: [{name: a}]\n",
        "byte order mark": "\ufeffapiVersion: v2\nname: web\nversion: 0.1.0\n",
        "capital name": "apiVersion: v2\nname: Web\nversion: 0.1.0\n",
    },
    WRONG: {
        "missing": None,
        "empty": "",
        "no name": "apiVersion: v2\nversion: 0.1.0\n",
        "no version": "apiVersion: v2\nname: web\n",
        "empty name": "apiVersion: v2\nname: ''\nversion: 0.1.0\n",
        "bad version": "apiVersion: v2\nname: web\nversion: latest\n",
        "four numbers": "apiVersion: v2\nname: web\nversion: 1.2.3.4\n",
        "bad yaml": "apiVersion: v2\nname: [web\n",
        "tab": "apiVersion: v2\n\tname: web\n",
        "a list": "- apiVersion: v2\n",
        "a text": "apiVersion v2\n",
        "slash in the name": "apiVersion: v2\nname: my/web\nversion: 0.1.0\n",
        "library": "apiVersion: v2\nname: web\nversion: 0.1.0\ntype: library\n",
        "kube version too new": "apiVersion: v2\nname: web\nversion: 0.1.0\nkubeVersion: '>=9.0.0'\n",
        "dependency missing": "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: db, version: 1.0.0, repository: 'https://example.invalid'}]\n",
        "dependencies a text": "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: db\n",
        "unknown type": "apiVersion: v2\nname: web\nversion: 0.1.0\ntype: thing\n",
        "not utf-8": b"apiVersion: v2\nname: w\xffb\nversion: 0.1.0\n",
    },
}

# Templates of a chart with one ConfigMap; the second text are its values.
TEMPLATES: dict[str, dict[str, tuple[str | bytes, str]]] = {
    RIGHT: {
        "plain": ("x", ""),
        "value": ("{{ .Values.a }}", "a: b"),
        "missing at the top": ('"{{ .Values.gone }}"', ""),
        "default": ('{{ .Values.gone | default "x" }}', ""),
        "default of a parent": ("{{ (.Values.gone | default dict).deep }}", ""),
        "parentheses guard": ("{{ ((.Values.gone).deep) }}", ""),
        "if guard": ("{{ if .Values.db }}{{ .Values.db.host }}{{ end }}x", ""),
        "with guard": ("{{ with .Values.db }}{{ .host }}{{ end }}x", ""),
        "and guard": ("{{ if and .Values.db .Values.db.host }}y{{ end }}x", ""),
        "required given": ('{{ required "need it" .Values.a }}', "a: 1"),
        "include": ('{{ include "x" . }}!{{ define "x" }}y{{ end }}'.replace("!", ""), ""),
        "range": ("x{{ range .Values.l }}{{ . }}{{ end }}", "l: [1, 2]"),
        "range of nothing": ("x{{ range .Values.l }}{{ .a.b }}{{ end }}", ""),
        "range else": ("{{ range .Values.l }}{{ . }}{{ else }}none{{ end }}", ""),
        "else if": ("{{ if .Values.a }}a{{ else if .Values.b }}b{{ else }}c{{ end }}", ""),
        "variables": ("{{ $x := .Values.a }}{{ $x }}", "a: 1"),
        "printf": ('{{ printf "%s-%d" .Values.a 3 }}', "a: b"),
        "tpl": ("{{ tpl .Values.a . }}", "a: '{{ .Release.Name }}'"),
        "sprig": ('{{ list 1 2 | join "-" | upper | trunc 3 | b64enc }}', ""),
        "comment": ("x{{/* nothing }} here */}}", ""),
        "raw text": ("x{{ `{{ not a template }}` }}", ""),
        "quoted braces": ('{{ "}}" | quote }}', ""),
        "trim marks": ('{{- "x" -}}', ""),
        "lookup": ('{{ (lookup "v1" "Secret" "a" "b") | toJson }}', ""),
        "capabilities": ("{{ .Capabilities.KubeVersion.Major | quote }}", ""),
        "dig": ('{{ dig "a" "b" "none" (deepCopy .Values | merge dict) }}', ""),
        "has key": ('{{ hasKey .Values "a" | quote }}', ""),
        "get": ('{{ get .Values "gone" | quote }}', ""),
        "index": ('{{ index .Values "a" "b" }}', "a: {b: c}"),
        "hyphen key": ('{{ index .Values "my-key" }}', "my-key: 1"),
        "nested define": ('{{ define "a.b" }}{{ .Values.x }}{{ end }}{{ template "a.b" . }}', "x: 1"),
        "break": ("x{{ range .Values.l }}{{ if eq . 2.0 }}{{ break }}{{ end }}{{ . }}{{ end }}", "l: [1, 2]"),
        "ternary": ('{{ ternary "a" "b" .Values.t }}', "t: true"),
        "empty template": ("!", ""),
        "only a comment": ("!# nothing\n", ""),
        "several documents": (
            "!a: {}\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: b}\n",
            "",
        ),
        "files": ('{{ .Files.Get "gone.txt" | quote }}', ""),
        "fail not reached": ('{{ if .Values.bad }}{{ fail "no" }}{{ end }}x', ""),
        "or default": ('{{ or .Values.a .Values.b "x" }}', ""),
        "unused define with a bad value": ('{{ define "u" }}{{ .Values.gone.deep }}{{ end }}x', ""),
    },
    WRONG: {
        "nil pointer": ("{{ .Values.db.host }}", ""),
        "nil pointer deep": ("{{ .Values.db.host.name }}", "db: {port: 1}"),
        "nil pointer in a pipe": ("{{ .Values.db.host | quote }}", ""),
        "nil pointer of null": ("{{ .Values.db.host }}", "db: null"),
        "nil pointer in if": ("{{ if .Values.db.enabled }}x{{ end }}", ""),
        "field of a text": ("{{ .Values.db.host }}", "db: text"),
        "field of a number": ("{{ .Values.db.host }}", "db: 5"),
        "field of a list": ("{{ .Values.db.host }}", "db: [1]"),
        "range over a number": ("{{ range .Values.l.m }}{{ . }}{{ end }}", "l: 3"),
        "required": ('{{ required "need it" .Values.a }}', ""),
        "required null": ('{{ required "need it" .Values.a }}', "a: null"),
        "required empty": ('{{ required "need it" .Values.a }}', "a: ''"),
        "required in a pipe": ('{{ .Values.a | required "need it" }}', ""),
        "fail": ('{{ fail "no" }}', ""),
        "fail in if": ('{{ if not .Values.a }}{{ fail "no" }}{{ end }}', ""),
        "unclosed action": ("{{ .Values.a", ""),
        "unclosed action over lines": ("{{ .Values.a \n  b: c", ""),
        "no end": ("{{ if .Values.a }}x", ""),
        "end without if": ("x{{ end }}", ""),
        "else without if": ("x{{ else }}y", ""),
        "unknown function": ("{{ nosuch .Values.a }}", ""),
        "unknown function in a pipe": ("{{ .Values.a | nosuch }}", "a: 1"),
        "unknown template": ('{{ include "gone" . }}', ""),
        "unknown template by template": ('{{ template "gone" . }}', ""),
        "empty action": ("{{ }}", ""),
        "empty if": ("{{ if }}x{{ end }}", ""),
        "unclosed string": ('{{ "x }}', ""),
        "unclosed parenthesis": ("{{ (.Values.a }}", ""),
        "extra parenthesis": ("{{ .Values.a) }}", ""),
        "unclosed comment": ("{{/* x", ""),
        "bad character": ("{{ .Values.a ; }}", ""),
        "hyphen field": ("{{ .Values.my-key }}", "my-key: 1"),
        "undefined variable": ("{{ $nope }}", ""),
        "too few arguments": ("{{ required }}", ""),
        "env function": ('{{ env "HOME" }}', ""),
        "output is no yaml": ("!a: b: c\n", ""),
        "output tab": ("!a:\n\tb: c\n", ""),
        "value breaks the yaml": ("{{ .Values.a }}", "a: 'b: c: d'"),
        "block text breaks the yaml": ("{{ .Values.a }}", "a: |\n  x\n   y: z\n"),
        "index out of range": ("{{ index .Values.l 3 }}", "l: [1]"),
        "else twice": ("{{ if .Values.a }}a{{ else }}b{{ else }}c{{ end }}", ""),
        "break outside": ("{{ break }}", ""),
        "define without end": ('x{{ define "a" }}', ""),
        "field on a literal": ("{{ 5.x }}", ""),
        "list output": ("!- a\n- b\n", ""),
    },
}


def _all() -> list[Case]:
    plain, schemed = chart(), chart(schema=SCHEMA)
    found: list[Case] = []
    for label, table in PLAIN.items():
        found += [Case(f"plain: {name}", plain, text, label=label) for name, text in table.items()]
    for label, table in SCHEMED.items():
        found += [Case(f"schema: {name}", schemed, text, label=label) for name, text in table.items()]
    for label, sets in SETS.items():
        found += [Case(f"set: {name}", schemed, sets=given, label=label) for name, given in sets.items()]
    for label, charts_ in CHART_YAML.items():
        found += [Case(f"Chart.yaml: {name}", chart(Chart_yaml=text), label=label) for name, text in charts_.items()]
    for label, templates in TEMPLATES.items():
        found += [
            Case(f"template: {name}", bare(text, values), label=label) for name, (text, values) in templates.items()
        ]
    return [*found, *_charts(), *_subcharts(), *_layers()]


def _charts() -> list[Case]:
    draft4 = json.dumps(
        {"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"replicaCount": {"type": "integer"}}}
    )
    ref = {"$defs": {"count": {"type": "integer"}}, "properties": {"replicaCount": {"$ref": "#/$defs/count"}}}
    return [
        Case("chart: no values.yaml", bare("x", None)),
        Case("chart: empty values.yaml", bare("x", "")),
        Case("chart: values.yaml of comments", bare("x", "# a\n")),
        Case("chart: byte order mark in values.yaml", bare("{{ .Values.a }}", "\ufeffa: b\n")),
        Case("chart: no templates", {"Chart.yaml": charts.CHART.format(name="web")}),
        Case("chart: helpers only", bare("!", t_main=None, **{"templates/_h.tpl": '{{ define "x" }}y{{ end }}'})),
        Case("chart: template in a folder", bare("x", **{"templates/a/b.yaml": "kind: X\napiVersion: v1\nmetadata: {name: b}\n"})),
        Case("chart: notes", bare("x", notes="{{ .Release.Name }}")),
        Case("chart: broken notes", bare("x", notes="{{ .Release.Name"), label=WRONG),
        Case("chart: broken helper", bare("x", **{"templates/_h.tpl": '{{ define "x" }}'}), label=WRONG),
        Case("chart: a text file that looks like a template", bare("x", **{"files/a.txt": "{{ if }}"})),
        Case("chart: broken values.yaml", bare("x", "a: [\n"), label=WRONG),
        Case("chart: values.yaml is a list", bare("x", "- a\n"), label=WRONG),
        Case("chart: values.yaml is a text", bare("x", "hello\n"), label=WRONG),
        Case("chart: values.yaml not utf-8", bare("x", **{"values.yaml": b"a: \xff\n"}), label=WRONG),
        Case("chart: template not utf-8", bare(b"apiVersion: v1\nkind: X\nmetadata: {name: \xff}\n"), label=WRONG),
        Case("schema: not json", chart(schema="{not json"), label=WRONG),
        Case("schema: empty", chart(schema=""), label=WRONG),
        Case("schema: a list", chart(schema="[]"), label=WRONG),
        Case("schema: true", chart(schema="true")),
        Case("schema: false", chart(schema="false"), label=WRONG),
        Case("schema: unknown type", chart(schema='{"properties": {"replicaCount": {"type": "int"}}}'), label=WRONG),
        Case("schema: draft 4", chart(schema=draft4), "replicaCount: 2\n"),
        Case("schema: draft 4 refuses", chart(schema=draft4), "replicaCount: x\n", label=WRONG),
        Case("schema: reference", with_schema(**ref), "replicaCount: 2\n"),
        Case("schema: reference refuses", with_schema(**ref), "replicaCount: x\n", label=WRONG),
        Case("schema: default refused", chart(schema='{"properties": {"replicaCount": {"type": "string"}}}'), label=WRONG),
        Case("schema: closed", with_schema(additionalProperties=False, properties={"replicaCount": {}}), label=WRONG),
        Case("schema: missing required", with_schema(required=["host"]), label=WRONG),
        Case("schema: required given", with_schema(required=["host"]), "host: x\n"),
        Case("schema: required by --set", with_schema(required=["host"]), sets=("host=x",)),
        Case("schema: if then", with_schema(**{"if": {"properties": {"tls": {"const": True}}, "required": ["tls"]}, "then": {"required": ["cert"]}}), "tls: true\n", label=WRONG),
        Case("schema: if then holds", with_schema(**{"if": {"properties": {"tls": {"const": True}}, "required": ["tls"]}, "then": {"required": ["cert"]}}), "tls: true\ncert: x\n"),
        Case("schema: format is a remark in 2020-12", with_schema(properties={"mail": {"format": "email"}}), "mail: nobody\n"),
        Case("schema: dependent required", with_schema(dependentRequired={"a": ["b"]}), "a: 1\n", label=WRONG),
        Case("schema: unique items", with_schema(properties={"l": {"uniqueItems": True}}), "l: [1, 1]\n", label=WRONG),
        Case("schema: pattern properties", with_schema(properties={"m": {"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}}), "m: {y: 1}\n", label=WRONG),
        Case("schema: not", with_schema(properties={"a": {"not": {"const": "x"}}}), "a: x\n", label=WRONG),
        Case("schema: all of", with_schema(allOf=[{"required": ["a"]}, {"required": ["b"]}]), "a: 1\n", label=WRONG),
        Case("schema: property names", with_schema(propertyNames={"pattern": "^[a-zA-Z]+$"}), "a-b: 1\n", label=WRONG),
        Case("schema: length of a text", with_schema(properties={"t": {"maxLength": 2}}), "t: abc\n", label=WRONG),
    ]  # fmt: skip


def _subcharts() -> list[Case]:
    strict = json.dumps({"additionalProperties": False, "properties": {"port": {}, "auth": {}}})
    closed = json.dumps({"additionalProperties": False, "properties": {"replicaCount": {}}})
    return [
        Case("subchart: as it is", parent()),
        Case("subchart: value", parent(), "db: {port: 1}\n"),
        Case("subchart: a text in its place", parent(), "db: text\n", label=WRONG),
        Case("subchart: user taken out", parent(), "db: {auth: null}\n", label=WRONG),
        Case("subchart: schema holds", parent(sub_schema=DB_SCHEMA), "db: {port: 1}\n"),
        Case("subchart: schema refuses", parent(sub_schema=DB_SCHEMA), "db: {port: x}\n", label=WRONG),
        Case("subchart: required taken out", parent(sub_schema=DB_SCHEMA), "db: {auth: {user: null}}\n", label=WRONG),
        Case("subchart: disabled", parent("db.enabled", sub_schema=DB_SCHEMA), "db: {enabled: false, port: x}\n"),
        Case("subchart: enabled", parent("db.enabled", sub_schema=DB_SCHEMA), "db: {enabled: true, port: x}\n", label=WRONG),
        Case("subchart: condition not given", parent("db.enabled", sub_schema=DB_SCHEMA), "db: {port: x}\n", label=WRONG),
        Case("subchart: global is no value of its own", parent(sub_schema=strict), label=WRONG),
        Case("subchart: the parent's schema sees it", parent(schema=closed), label=WRONG),
        Case("subchart: global", parent(), "global: {a: b}\n"),
    ]  # fmt: skip


def _layers() -> list[Case]:
    schemed = chart(schema=SCHEMA)
    return [
        Case("layers: a later file corrects", schemed, "replicaCount: 2\n", more=("replicaCount: x\n",)),
        Case("layers: a later file breaks", schemed, "replicaCount: x\n", more=("replicaCount: 2\n",), label=WRONG),
        Case("layers: --set corrects", schemed, "replicaCount: x\n", sets=("replicaCount=2",)),
        Case("layers: mappings merge", schemed, "image: {tag: b}\n", more=("image: {repository: x}\n",)),
        Case("layers: unknown from below stays", schemed, "image: {tag: b}\n", more=("image: {tga: x}\n",), label=WRONG),
        Case("layers: null from below", schemed, "image: {tag: b}\n", more=("image: null\n",)),
        Case("layers: a text, then a mapping", schemed, "image: {tag: b}\n", more=("image: text\n",)),
        Case("layers: lists replace", schemed, "ingress: {hosts: [{host: a}]}\n", more=("ingress: {hosts: [b]}\n",)),
        Case("layers: broken file below", schemed, "replicaCount: 2\n", more=("a: [\n",), label=WRONG),
    ]  # fmt: skip


CASES = _all()
