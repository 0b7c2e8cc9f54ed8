"""Trust in imported documents: by what they say, asked again after any change of it."""

from __future__ import annotations

import json
import stat
import threading

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.store.trust import Trust, digest

DOCUMENT = """\
name: build   # a comment
type: shell
command: |
  make all
env: {A: "1", B: two}
"""


@pytest.fixture
def trust(tmp_path):
    return Trust(tmp_path / "data" / "trusted.json")


def test_nothing_is_trusted_until_it_was_shown(trust):
    assert not trust.trusted(DOCUMENT)
    trust.trust(DOCUMENT)
    assert trust.trusted(DOCUMENT)
    assert not trust.trusted("")


def test_it_is_remembered_by_its_hash_alone_in_a_private_file(trust, tmp_path):
    trust.trust(DOCUMENT)
    file = tmp_path / "data" / "trusted.json"
    assert Trust(file).trusted(DOCUMENT)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(json.loads(file.read_text())) == [digest(DOCUMENT)]
    assert "make" not in file.read_text()


@pytest.mark.parametrize(
    "same",
    [
        DOCUMENT.replace("   # a comment", ""),
        f"# first\n\n{DOCUMENT}",
        DOCUMENT.replace('{A: "1", B: two}', "\n  A: '1'\n  B: \"two\""),
        DOCUMENT.replace("\n", "\r\n"),
        f"---\n{DOCUMENT}",
    ],
)
def test_comments_and_layout_do_not_count(trust, same):
    trust.trust(DOCUMENT)
    assert trust.trusted(same)


@pytest.mark.parametrize(
    "changed",
    [
        DOCUMENT.replace("make all", "make  all"),
        DOCUMENT.replace("command: |", "command: |-"),
        DOCUMENT.replace('"1"', "1"),
        DOCUMENT.replace('A: "1", B: two', 'B: two, A: "1"'),
        f"{DOCUMENT}extra: 1\n",
        f"{DOCUMENT}---\ncommand: more\n",
        DOCUMENT.replace("type: shell\n", ""),
    ],
)
def test_any_change_of_what_it_says_is_asked_again(trust, changed):
    trust.trust(DOCUMENT)
    assert not trust.trusted(changed)


@pytest.mark.parametrize(
    ("one", "other"), [("a: 8", "a: 010"), ("a: yes", "a: true"), ("a: 1.10", "a: 1.1"), ("a:", "a: ''")]
)
def test_values_that_only_look_alike_are_apart(one, other):
    assert digest(one) != digest(other)


def test_what_is_no_yaml_is_trusted_as_it_stands(trust):
    bomb = "a: &a [x]\n" + "".join(f"a{n}: &a{n} [{'*a, ' * 9}*a]\n" for n in range(200))
    texts = ["a: [", "\udcff", "\0", "a: [ ", bomb, "[" * 5000, "!!python/object:os.system x"]
    for text in texts:
        assert not trust.trusted(text)
        trust.trust(text)
    assert all(map(trust.trusted, texts))
    assert not trust.trusted("\udcfe")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_file_trusts_nothing_and_is_made_anew(trust, tmp_path, content):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "trusted.json").write_bytes(content)
    assert not trust.trusted(DOCUMENT)
    trust.trust(DOCUMENT)
    assert trust.trusted(DOCUMENT)


def test_a_file_that_cannot_be_written_is_an_error_by_name(tmp_path):
    (tmp_path / "data").write_text("a file")
    trust = Trust(tmp_path / "data" / "trusted.json")
    assert not trust.trusted(DOCUMENT)
    with pytest.raises(UserError) as caught:
        trust.trust(DOCUMENT)
    assert str(tmp_path / "data" / "trusted.json") in str(caught.value.title)


def test_many_threads_lose_no_trust(trust):
    documents = [f"command: {number}" for number in range(12)]
    threads = [threading.Thread(target=trust.trust, args=(document,)) for document in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(trust.trusted, documents))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(PLAIN, PLAIN)
@settings(deadline=None, max_examples=80, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_two_ways_to_write_the_same_are_one_and_two_contents_are_two(one, other):
    flow, block = (yaml.safe_dump(one, default_flow_style=style, sort_keys=False) for style in (True, False))
    assert digest(flow) == digest(block)
    if json.dumps(one) != json.dumps(other):
        assert digest(flow) != digest(yaml.safe_dump(other, sort_keys=False))
