"""Steps as plain data: load, edit and save change nothing but what was edited, for every type and field."""

from __future__ import annotations

import json

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.pipeline import AtomicStep, PipelineStep, StepType
from ansflow_desktop.pipelines import codec
from ansflow_desktop.pipelines.atomic import (
    CONFIGURATION,
    atomic_document,
    atomic_from,
    to_atomic,
    to_pipeline_step,
)
from ansflow_desktop.pipelines.definitions import definitions
from ansflow_desktop.pipelines.steps_data import FIELDS, step_document, step_from
from ansflow_desktop.pipelines.variables import substitute

QUICK = settings(deadline=None, max_examples=70, database=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
VARIABLE = st.sampled_from(["${x}", "${y}"])
VALUES = {
    bool: st.booleans() | VARIABLE | st.none(),
    int: st.integers(0, 9) | st.sampled_from(["3"]) | VARIABLE,
    str: TEXT | st.integers() | st.booleans() | st.none(),
}
UNKNOWN = st.dictionaries(TEXT.map("new-".__add__), JSON, max_size=3)


def config_names(kind):
    (definition,) = [found for found in definitions().types if found.type == kind]
    return [parameter.key for parameter in definition.parameters if parameter.place == "config"]


def fields_of(kind):
    """Every field of a step with values of its type, every field of its k8s_config with any data."""
    made = PipelineStep(name="", type=StepType.SHELL)
    found = {name: VALUES[type(getattr(made, name))] for name in FIELDS if type(getattr(made, name)) in VALUES}
    names = st.sampled_from([*config_names(kind), "strategy", "of a newer version"])
    return {**found, "env": st.dictionaries(TEXT, TEXT, max_size=2), "k8s_config": st.dictionaries(names, JSON)}


def documents(kind):
    known = st.fixed_dictionaries({"type": st.just(kind.value)}, optional=fields_of(kind))
    return st.tuples(known, UNKNOWN).map(lambda parts: {**parts[0], **parts[1]})


STEPS = st.sampled_from(list(StepType)).flatmap(documents)


def same(one, other):
    """The same JSON, in the same order."""
    return json.dumps(one) == json.dumps(other)


@given(STEPS)
@settings(QUICK, max_examples=150)
def test_a_step_is_saved_as_it_was_loaded(document):
    saved = step_document(step_from(document))
    assert same(saved, document)
    assert same(step_document(step_from(saved)), document)


@given(STEPS, TEXT, st.booleans(), st.dictionaries(TEXT, JSON, max_size=2))
@QUICK
def test_an_edit_changes_its_fields_only(document, description, always, config):
    step = step_from(document)
    changes = {"description": f"x{description}", "always": not always, "k8s_config": {**config, "edited": 1}}
    kept = {name: text for name, text in step.deferred.items() if name != "always"}
    saved = step_document(msgspec.structs.replace(step, **changes, deferred=kept))
    assert (saved["description"], saved["k8s_config"]) == (changes["description"], changes["k8s_config"])
    assert saved.get("always", False) is not always
    assert step_document(step_from(saved)) == saved
    untouched = set(document) - set(changes)
    assert {name: saved[name] for name in untouched} == {name: document[name] for name in untouched}


@given(STEPS)
@QUICK
def test_a_step_of_a_pipeline_becomes_one_of_the_library_and_back(document):
    atomic = to_atomic(document)
    assert to_pipeline_step(atomic) == document
    assert not set(CONFIGURATION) & set(atomic.extra)
    assert atomic.parameters.get("k8s_config") == document.get("k8s_config")
    assert to_pipeline_step(atomic_from(json.loads(json.dumps(atomic_document(atomic))))) == document


LIBRARY = st.tuples(
    st.fixed_dictionaries(
        {},
        optional={
            "name": VALUES[str],
            "type": VALUES[str] | st.sampled_from(list(map(str, StepType))),
            "description": VALUES[str],
            "parameters": st.none() | st.dictionaries(st.sampled_from(CONFIGURATION) | TEXT.map("p-".__add__), JSON),
        },
    ),
    UNKNOWN,
).map(lambda parts: {**parts[1], **parts[0]})


@given(LIBRARY)
@QUICK
def test_a_library_step_is_saved_as_it_was_loaded(document):
    atomic = atomic_from(document)
    assert same(atomic_document(atomic), document)
    edited = atomic_document(msgspec.structs.replace(atomic, parameters={**atomic.parameters, "edited": 1}))
    assert edited == {**document, "parameters": {**(document.get("parameters") or {}), "edited": 1}}
    assert atomic_document(atomic_from(edited)) == edited


@given(LIBRARY)
@QUICK
def test_a_library_step_becomes_one_of_a_pipeline_and_back(document):
    atomic = atomic_from(document)
    back = to_atomic(to_pipeline_step(atomic))
    assert (back.name, back.type, back.description) == (atomic.name, atomic.type, atomic.description)
    assert (back.parameters, back.extra) == (atomic.parameters, atomic.extra)


def test_steps_that_are_not_of_kubernetes_get_nothing_of_it():
    document = {"name": "a", "type": "shell", "command": "make"}
    assert atomic_document(to_atomic(document)) == {"name": "a", "type": "shell", "parameters": {"command": "make"}}
    assert step_document(step_from(document)) == document


@pytest.mark.parametrize("kind", list(StepType))
def test_a_step_made_in_the_program_is_written_without_defaults_and_read_the_same(kind):
    step = PipelineStep(name="a", type=kind, retries=2, env={"A": "1"}, k8s_config={"replicas": 3})
    document = step_document(step)
    assert document == {
        "name": "a",
        "type": kind.value,
        "retries": 2,
        "env": {"A": "1"},
        "k8s_config": {"replicas": 3},
    }
    read = step_from(document)
    assert all(getattr(read, name) == getattr(step, name) for name in FIELDS)
    assert atomic_document(AtomicStep(name="a", type="shell")) == {"name": "a", "type": "shell"}


@pytest.mark.parametrize("definition", definitions().types, ids=lambda definition: definition.type)
def test_the_example_of_every_type_reads_as_the_pipeline_file_does(definition):
    loaded = yaml.safe_load(definition.example)
    document = loaded[0] if isinstance(loaded, list) else loaded
    head = {"apiVersion": "ansflow.dev/v1", "kind": "Pipeline", "metadata": {"name": "p"}}
    text = yaml.safe_dump({**head, "spec": {"variables": {"v": "x"}, "steps": [document]}}, sort_keys=False)
    (expected,) = codec.parse(text, "/work").steps
    step = step_from(document)
    for name in FIELDS:
        if name != "k8s_config":
            assert getattr(step, name) == getattr(expected, name), name
    assert set(step.k8s_config) == set(expected.k8s_config)
    assert step_document(step) == document


def test_what_is_kept_has_no_variables_replaced():
    step = step_from({"name": "a", "type": "shell", "command": "echo ${HOME}", "new": "${undefined}"})
    assert substitute(step, {}).command == "echo ${HOME}"
    assert step_document(substitute(step, {}))["new"] == "${undefined}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "k8s_new"}, "type"),
        ({"type": None}, "type"),
        ({"type": ["shell"]}, "type"),
        ({"enabled": "maybe"}, "enabled"),
        ({"retries": 1.5}, "retries"),
        ({"retries": True}, "retries"),
        ({"retries": "9" * 5000}, "retries"),
        ({"env": [1]}, "env"),
        ({"env": {"A": [1]}}, "env.A"),
        ({"k8s_config": "x"}, "k8s_config"),
        ({"command": ["a"]}, "command"),
        ({"name": {}}, "name"),
    ],
)
def test_a_wrong_type_is_named(change, field):
    with pytest.raises(UserError) as caught:
        step_from({"name": "a", "type": "shell", **change})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("document", "field"), [({"parameters": [1]}, "parameters"), ({"name": []}, "name"), ({"type": {}}, "type")]
)
def test_a_wrong_type_in_a_library_step_is_named(document, field):
    with pytest.raises(UserError) as caught:
        atomic_from(document)
    assert caught.value.field == field


def test_a_field_at_both_places_is_refused_rather_than_lost():
    with pytest.raises(UserError) as caught:
        to_pipeline_step(atomic_from({"name": "a", "type": "shell", "command": "x", "parameters": {"command": "y"}}))
    assert caught.value.field == "command"


@given(st.dictionaries(st.sampled_from([*FIELDS, "parameters", "x"]), JSON))
@QUICK
def test_any_mapping_is_a_step_or_refused_by_name(document):
    for read, save in ((step_from, step_document), (atomic_from, atomic_document)):
        try:
            assert same(save(read(document)), document)
        except UserError as error:
            assert error.field
    try:
        to_pipeline_step(to_atomic(document))
    except UserError as error:
        assert error.field
