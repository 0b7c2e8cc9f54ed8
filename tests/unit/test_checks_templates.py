"""helm/template_*.py: templates read without helm; the corpus compares the verdicts with Helm's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansflow_desktop.helm.chart_files import ChartFiles, chart_files
from ansflow_desktop.helm.template_check import template_problems
from ansflow_desktop.helm.template_lex import TemplateError
from ansflow_desktop.helm.template_parse import parse
from ansflow_desktop.helm.values_merge import coalesce

EXAMPLE = Path(__file__).parents[2] / "examples" / "fe-app"


def problems(values, **templates):
    files = {f"templates/{name}": text for name, text in templates.items()}
    chart = ChartFiles(name="web", path="/web", templates=files)
    return template_problems(chart, values)


@pytest.mark.parametrize(
    "text",
    [
        "no action }} at all",
        "{{- /* a comment */ -}}",
        "{{/* one\nover lines */}}",
        '{{ $x := dict "a" 1 }}{{ $x.a }}{{ $x = dict }}',
        "{{ range $i, $v := .Values.l }}{{ $i }}{{ $v.name }}{{ else }}{{ end }}",
        "{{ with $x := .Values.a }}{{ $x.b }}{{ else with .Values.c }}{{ . }}{{ end }}",
        "{{ if (and .a (or .b .c)) }}{{ else if not .d }}{{ else }}{{ end }}",
        '{{ block "a" . }}x{{ end }}{{ template "a" }}',
        '{{ (index .Values.list 0).name | default "x" | quote }}',
        "{{ `raw }} text` | trim }}{{ 'c' }}{{ -1.5e3 }}{{ 0x1F }}",
        "{{ .Values.a.b.c }}{{ $.Values.x }}{{ .  }}{{ nil | quote }}",
        "{{\n  .Values.a\n  | quote\n}}",
        '{{ printf "%s" (tpl .Values.a $) }}',
        "{{ range .l }}{{ if . }}{{ continue }}{{ end }}{{ break }}{{ end }}",
        "{{.Values.a}}{{-\t.b -}}",
    ],
)
def test_what_helm_parses(text):
    parse(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n{{ .x", 2),
        ("{{ if .x }}\n{{ range .y }}\n{{ end }}", 1),
        ("{{ end }}", 1),
        ("{{ $x }}", 1),
        ("{{ if .a }}{{ $x := 1 }}{{ end }}{{ $x }}", 1),
        ('{{ "a }}', 1),
        ("{{ nofunction }}", 1),
        ("{{ .a | 5 }}", 1),
        ("{{ .a.b-c }}", 1),
        ("{{ else }}", 1),
        ("{{ define a }}{{ end }}", 1),
        ("{{ (1 }}", 1),
        ("{{ . | }}", 1),
        ("{{ with }}{{ end }}", 1),
        ("{{ 1a }}", 1),
        ('{{ "a"quote }}', 1),
    ],
)
def test_what_helm_refuses_names_its_line(text, line):
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert caught.value.line == line


def test_a_problem_names_file_line_and_way_out():
    [problem] = problems({"db": {}}, **{"a.yaml": "a: 1\nb: {{ .Values.db.host.name }}\n"})
    assert str(problem.title) == "The template web/templates/a.yaml cannot be rendered"
    assert str(problem.message).startswith("Line 2:") and "name" in str(problem.message)
    assert problem.field == "chart_path" and str(problem.hint)


@pytest.mark.parametrize(
    "text",
    [
        '{{ set .Values "db" dict }}{{ .Values.db.host }}',
        '{{ .Chart.Annotations.x.y }}{{ .Capabilities.APIVersions.Has "x" }}',
        '{{ $x := include "h" . | fromYaml }}{{ $x.a.b }}',
        "{{ if .Release.IsUpgrade }}{{ .Values.db.host }}{{ end }}",
        "{{ range untilStep 0 3 1 }}{{ .x.y }}{{ end }}",
        '{{ with (lookup "v1" "Secret" "a" "b") }}{{ .data.x }}{{ end }}',
        '{{ if eq (toString .Values.db) "x" }}{{ .Values.db.host }}{{ end }}',
        "{{ $db := .Values.db | default dict }}{{ $db.host }}",
        '{{ include "self" . }}{{ define "self" }}{{ include "self" . }}{{ end }}',
    ],
)
def test_nothing_is_claimed_where_something_is_not_known(text):
    helper = '{{ define "h" }}a: {b: 1}{{ end }}'
    assert problems({}, **{"a.yaml": text, "_h.tpl": helper}) == ()


def test_templates_of_templates_are_walked():
    helper = '{{ define "h" }}{{ .Values.db.host }}{{ end }}'
    assert problems({"db": {"host": 1}}, **{"a.yaml": '{{ include "h" . }}', "_h.tpl": helper}) == ()
    assert len(problems({}, **{"a.yaml": '{{ include "h" . }}', "_h.tpl": helper})) == 1


def test_the_example_has_no_problem():
    chart = chart_files(str(EXAMPLE))
    assert template_problems(chart, coalesce(chart, {})) == ()
