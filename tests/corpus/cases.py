"""The labelled corpus: (chart, values) with the verdict that Helm is expected to give; made from compact tables.

`right` renders by `helm template`, `wrong` does not. What Helm 3 and Helm 4 really say is kept in answers.json.
"""

# a table: one case a line

from __future__ import annotations

import json
from typing import NamedTuple

from corpus import charts
from corpus.chart_tables import CHART_YAML, TEMPLATES
from corpus.charts import Files, bare, chart, parent, with_schema
from corpus.values_tables import PLAIN, RIGHT, SCHEMED, SETS, WRONG

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
        Case(
            "chart: template in a folder",
            bare("x", **{"templates/a/b.yaml": "kind: X\napiVersion: v1\nmetadata: {name: b}\n"}),
        ),
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
        Case(
            "schema: default refused", chart(schema='{"properties": {"replicaCount": {"type": "string"}}}'), label=WRONG
        ),
        Case("schema: closed", with_schema(additionalProperties=False, properties={"replicaCount": {}}), label=WRONG),
        Case("schema: missing required", with_schema(required=["host"]), label=WRONG),
        Case("schema: required given", with_schema(required=["host"]), "host: x\n"),
        Case("schema: required by --set", with_schema(required=["host"]), sets=("host=x",)),
        Case(
            "schema: if then",
            with_schema(
                **{"if": {"properties": {"tls": {"const": True}}, "required": ["tls"]}, "then": {"required": ["cert"]}}
            ),
            "tls: true\n",
            label=WRONG,
        ),
        Case(
            "schema: if then holds",
            with_schema(
                **{"if": {"properties": {"tls": {"const": True}}, "required": ["tls"]}, "then": {"required": ["cert"]}}
            ),
            "tls: true\ncert: x\n",
        ),
        Case(
            "schema: format is a remark in 2020-12",
            with_schema(properties={"mail": {"format": "email"}}),
            "mail: nobody\n",
        ),
        Case("schema: dependent required", with_schema(dependentRequired={"a": ["b"]}), "a: 1\n", label=WRONG),
        Case("schema: unique items", with_schema(properties={"l": {"uniqueItems": True}}), "l: [1, 1]\n", label=WRONG),
        Case(
            "schema: pattern properties",
            with_schema(
                properties={"m": {"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}}
            ),
            "m: {y: 1}\n",
            label=WRONG,
        ),
        Case("schema: not", with_schema(properties={"a": {"not": {"const": "x"}}}), "a: x\n", label=WRONG),
        Case("schema: all of", with_schema(allOf=[{"required": ["a"]}, {"required": ["b"]}]), "a: 1\n", label=WRONG),
        Case("schema: property names", with_schema(propertyNames={"pattern": "^[a-zA-Z]+$"}), "a-b: 1\n", label=WRONG),
        Case("schema: length of a text", with_schema(properties={"t": {"maxLength": 2}}), "t: abc\n", label=WRONG),
    ]


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
        Case(
            "subchart: enabled",
            parent("db.enabled", sub_schema=DB_SCHEMA),
            "db: {enabled: true, port: x}\n",
            label=WRONG,
        ),
        Case(
            "subchart: condition not given", parent("db.enabled", sub_schema=DB_SCHEMA), "db: {port: x}\n", label=WRONG
        ),
        Case("subchart: global is no value of its own", parent(sub_schema=strict), label=WRONG),
        Case("subchart: the parent's schema sees it", parent(schema=closed), label=WRONG),
        Case("subchart: global", parent(), "global: {a: b}\n"),
    ]


def _layers() -> list[Case]:
    schemed = chart(schema=SCHEMA)
    return [
        Case("layers: a later file corrects", schemed, "replicaCount: 2\n", more=("replicaCount: x\n",)),
        Case("layers: a later file breaks", schemed, "replicaCount: x\n", more=("replicaCount: 2\n",), label=WRONG),
        Case("layers: --set corrects", schemed, "replicaCount: x\n", sets=("replicaCount=2",)),
        Case("layers: mappings merge", schemed, "image: {tag: b}\n", more=("image: {repository: x}\n",)),
        Case(
            "layers: unknown from below stays", schemed, "image: {tag: b}\n", more=("image: {tga: x}\n",), label=WRONG
        ),
        Case("layers: null from below", schemed, "image: {tag: b}\n", more=("image: null\n",)),
        Case("layers: a text, then a mapping", schemed, "image: {tag: b}\n", more=("image: text\n",)),
        Case("layers: lists replace", schemed, "ingress: {hosts: [{host: a}]}\n", more=("ingress: {hosts: [b]}\n",)),
        Case("layers: broken file below", schemed, "replicaCount: 2\n", more=("a: [\n",), label=WRONG),
    ]


CASES = _all()
