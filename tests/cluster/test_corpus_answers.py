"""The corpus against the real Helm 3 and Helm 4: a sample of the kept answers, and our whole verdict."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from corpus.cases import CASES
from corpus.verdicts import answers, ask, whole_errors

STEP = 12


@pytest.fixture(scope="module")
def sample():
    return CASES[::STEP]


def test_helm_still_says_what_is_kept(helm, sample):
    kept = answers()[helm.version]
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda case: ask(helm, case), sample))
    odd = [
        case.name
        for case, answer in zip(sample, said, strict=True)
        if (answer["template"], answer["lint"]) != (kept[case.name]["template"], kept[case.name]["lint"])
    ]
    assert odd == []


def test_the_whole_verdict_agrees_with_helms(helm, sample, tmp_path):
    """What the window shows in the end: an error where helm template fails, none elsewhere."""
    kept, odd = answers()[helm.version], []
    for number, case in enumerate(sample[:: 2 if helm.major == 3 else 1]):
        folder = tmp_path / str(number)
        folder.mkdir()
        errors = whole_errors(case, folder, helm)
        odd += [case.name] if (not errors) is not kept[case.name]["template"] else []
    assert len(odd) <= len(sample) * 0.05, odd
