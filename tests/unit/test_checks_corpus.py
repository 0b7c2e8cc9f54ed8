"""Done when 5: our verdict on a labelled corpus of charts and values against Helm's, every disagreement listed.

Helm's answers are kept beside the corpus; tests/cluster/test_corpus_answers.py asks Helm again for a sample.
"""

from __future__ import annotations

import pytest
from corpus.cases import CASES, RIGHT
from corpus.verdicts import answers, local_errors

LEAST = 0.95

# Cases in which what files alone tell differs from `helm template`, and why. A new one fails the test below.
ONLY_RENDERED = "only the rendered text shows it: the verdict with helm template has it"
DISAGREEMENTS = {
    "Chart.yaml: no api version": "Helm renders it; we refuse it, as helm lint does",
    "Chart.yaml: dependency missing": "by design: we fetch what is missing into a private copy",
    "Chart.yaml: kube version too new": "left to helm template",
    "set: unclosed index": "Helm 4 takes it for an index of no list, Helm 3 refuses it",
    "chart: template not utf-8": ONLY_RENDERED,
    "template: output is no yaml": ONLY_RENDERED,
    "template: output tab": ONLY_RENDERED,
    "template: value breaks the yaml": ONLY_RENDERED,
    "template: block text breaks the yaml": ONLY_RENDERED,
    "template: list output": ONLY_RENDERED,
}
# Cases in which the two Helms differ from each other, so that the label can fit one only.
HELMS_DIFFER = {"plain: yaml 1.1 directive", "set: unclosed index"}


@pytest.fixture(scope="module")
def kept():
    return answers()


def test_the_corpus_is_large_and_every_case_has_a_name_of_its_own():
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)
    wrong = sum(case.label != RIGHT for case in CASES)
    assert wrong >= 80 and len(CASES) - wrong >= 80


def test_the_labels_are_what_both_helms_say(kept):
    assert sorted(kept) == ["3.22.0", "4.3.1"]
    odd = {
        case.name
        for case in CASES
        for said in kept.values()
        if said[case.name]["template"] is not (case.label == RIGHT)
    }
    assert odd == HELMS_DIFFER


@pytest.mark.parametrize("version", ["3.22.0", "4.3.1"])
def test_the_local_verdict_agrees_with_helm(kept, version, tmp_path, capsys):
    found = {}
    for number, case in enumerate(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        errors = local_errors(case, folder, int(version[0]))
        if (not errors) is not kept[version][case.name]["template"]:
            found[case.name] = errors
    agreement = 1 - len(found) / len(CASES)
    with capsys.disabled():
        print(f"\nHelm {version}: {agreement:.1%} of {len(CASES)} verdicts agree; the others:")
        for name in found:
            print(f"  {name}: {DISAGREEMENTS.get(name, 'NEW')}")
    assert agreement > LEAST
    assert set(found) <= set(DISAGREEMENTS)


def test_every_error_names_a_field_and_says_what_to_do(tmp_path):
    for number, case in enumerate(CASES[::3]):
        folder = tmp_path / str(number)
        folder.mkdir()
        for problem in local_errors(case, folder, 4):
            assert problem.field.startswith("k8s_config."), case.name
            assert str(problem.hint), case.name
