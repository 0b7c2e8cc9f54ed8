"""executors/known_texts.py: what a rendering's Secrets hold is found in values, commands and other objects."""

from __future__ import annotations

import base64

import pytest

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.known_texts import known_in, without
from ansflow_desktop.executors.live_diff_masks import as_yaml, masked_object, masked_values
from ansflow_desktop.executors.plan import copy_text
from ansflow_desktop.executors.rendered import read
from ansflow_desktop.models.command import Command

HIDDEN = "blue-Horse,12"
CODED = base64.b64encode(HIDDEN.encode()).decode()
SECRET = f"kind: Secret\nmetadata: {{name: web}}\nstringData: {{custom: '{HIDDEN}', host: web}}\n"


def known(text):
    return known_in(safe_yaml.compose(text))


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"kind: Secret\ndata:\n  custom: {CODED}\n",
        f"kind: List\nitems:\n- kind: Secret\n  stringData: {{custom: '{HIDDEN}'}}\n",
        f"kind: SecretList\nitems:\n- data: {{custom: {CODED}}}\n",
        f"kind: ConfigMap\nmetadata: {{name: x}}\n---\nkind: Secret\nstringData:\n  custom: |\n    {HIDDEN}\n",
    ],
)
def test_the_texts_of_secrets_are_known_plain_and_coded(text):
    assert {HIDDEN, CODED} <= known(text)


def test_short_words_numbers_and_names_of_objects_are_no_secrets():
    assert known("kind: Secret\nstringData: {a: short, b: '54321678', c: yes}\ndata: {d: c2hvcnQ=}\n") == frozenset()
    text = "kind: Secret\nmetadata: {name: postgres, namespace: default}\nstringData: {user: postgres, at: default}\n"
    assert not known(text) & {"postgres", "default"}
    assert known("kind: ConfigMap\ndata: {custom: something-long}\n") == frozenset()


def test_a_manifest_shows_it_nowhere_and_the_rest_as_it_stands():
    other = f"kind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  a: '{HIDDEN}'\n  b: [{CODED}, web]\n  # c\n  d: blue\n"
    found = read(f"{SECRET}---\n{other}")
    assert HIDDEN not in found.text and CODED not in found.text
    assert found.text.endswith('data:\n  a: "***"\n  b: ["***", web]\n  # c\n  d: blue\n')
    assert HIDDEN not in repr(found)


def test_a_block_of_several_lines_keeps_the_shape_of_the_text():
    lines = "first line\nsecond line"
    text = "kind: Secret\nstringData:\n  k: |\n    first line\n    second line\n---\n"
    found = read(text + "kind: ConfigMap\ndata:\n  k: |\n    first line\n    second line\n  l: end\n")
    assert lines.splitlines()[1] not in found.text and found.text.endswith('data:\n  k: "***"\n  l: end\n')


@pytest.mark.parametrize(
    "word",
    [
        "--set=custom=blue-Horse\\,12",
        "--set=replicas=2,deep.list[0]=blue-Horse\\,12",
        "--set-literal=custom=blue-Horse,12",
    ],
)
def test_a_command_shows_no_known_value(word):
    command = Command(argv=("/bin/helm", "upgrade", word, "--set=mode=blue"), cwd="/")
    shown = without(command, {HIDDEN}).shown()
    assert "Horse" not in shown and "--set=mode=blue" in shown and "***" in shown
    assert without(command, frozenset()).shown() == command.shown()


def test_typed_values_get_placeholders_that_can_be_pasted():
    typed = f"mode: blue # note\ncustom: {HIDDEN}\ndeep:\n  - '{HIDDEN}'\ntext: about {HIDDEN} only\n"
    command = Command(argv=("/bin/helm", "--values=-"), cwd="/", stdin=typed)
    text = copy_text(without(command, {HIDDEN}))
    assert 'mode: blue # note\ncustom: "<CUSTOM>"\ndeep:\n  - "<DEEP>"\n' in text
    assert safe_yaml.load(without(command, {HIDDEN}).stdin)["deep"] == ["<DEEP>"]


def test_the_difference_masks_them_with_marks_that_tell_a_change():
    one, other = ({"data": {"a": text, "b": "blue"}} for text in (HIDDEN, "green-Horse"))
    texts = {HIDDEN, "green-Horse"}
    before, after = masked_object(one, texts), masked_object(other, texts)
    assert HIDDEN not in as_yaml(before) and before["data"]["b"] == "blue" and before != after
    assert masked_values({"n": 12345678901, "on": True}, {"12345678901", "True"})["on"] is True
    assert "12345678901" not in as_yaml(masked_values({"n": 12345678901}, {"12345678901"}))
