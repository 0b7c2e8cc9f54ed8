"""helm/values_read.py, values_merge.py, chart_files.py: values as Helm makes them, seen with helm 3.22 and 4.3."""

from __future__ import annotations

import io
import tarfile

import pytest

from ansflow_desktop.helm.chart_files import chart_files
from ansflow_desktop.helm.values_merge import coalesce, parse_set, sources_of, user_values
from ansflow_desktop.helm.values_read import read_values
from ansflow_desktop.models.pipeline import HelmDeploy
from ansflow_desktop.safe_yaml import YamlProblem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("No", False),
        ("nO", "nO"),
        ("010", 8),
        ("08", 8.0),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("-010", -8),
        ("1e3", 1000.0),
        ("12e03", 12000.0),
        (".5", 0.5),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("=", "="),
        ("+1", 1),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!int '7'", 7),
        ("!mine 3", "3"),
        ("~", None),
        ("", None),
        ("1.2.3", "1.2.3"),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("9223372036854775807", 9223372036854775807),
        ("|\n  5", "5\n"),
    ],
)
def test_a_scalar_is_what_helm_reads(text, value):
    found = read_values(f"a: {text}\n").data["a"]
    assert found == value and type(found) is type(value)


def test_keys_are_read_too():
    assert read_values("y: 1\n2: b\n1.5: c\n'no': d\n").data == {"true": 1, "2": "b", "1.5": "c", "no": "d"}


def test_merge_keys_and_anchors():
    text = "a: &a {x: 1, z: 0}\nb: &b {x: 2, w: 3}\nc: {<<: [*a, *b], z: 9}\nd: *b\n"
    assert read_values(text).data["c"] == {"x": 1, "w": 3, "z": 9}


@pytest.mark.parametrize(
    "text",
    ["- a\n", "text\n", "a: .inf\n", "a: .NaN\n", "? [a]\n: 1\n", "~: 1\n", "a: {<<: 5}\n", "%YAML 1.2\n---\na: 1\n"],
)
def test_what_helm_refuses_names_its_place(text):
    with pytest.raises(YamlProblem) as caught:
        read_values(text)
    assert caught.value.line >= 1


def test_documents_are_helms_way():
    text = "a: 1\n---\na: 2\nb: 3\n"
    assert read_values(text).data == {"a": 1}
    assert read_values(text, merges_documents=True).data == {"a": 2, "b": 3}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1", {"a": 1}),
        ("a=01", {"a": "01"}),
        ("a=0", {"a": 0}),
        ("a=1.5", {"a": "1.5"}),
        ("a=true,b=null", {"a": True, "b": None}),
        ("a.b=c", {"a": {"b": "c"}}),
        (r"a\.b=c", {"a.b": "c"}),
        (r"a=x\,y", {"a": "x,y"}),
        ("a={x,1}", {"a": ["x", 1]}),
        ("a[1].b=c", {"a": [None, {"b": "c"}]}),
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_set_is_read_as_helm_does(text, values):
    assert parse_set(text, {}) == values


@pytest.mark.parametrize("text", ["a", "a.b", "a[99999999]=1"])
def test_set_that_helm_refuses(text):
    with pytest.raises(YamlProblem):
        parse_set(text, {})


def test_sources_in_their_order(tmp_path):
    (tmp_path / "one.yaml").write_text("a: {x: 1, w: 1}\nl: [1, 2]\n")
    config = HelmDeploy(values_files=("one.yaml",), custom_values="a: {w: 2}\nl: [3]\n", set_values=("a.z=3",))
    assert user_values(sources_of(config, str(tmp_path))) == {"a": {"x": 1, "w": 2, "z": 3}, "l": [3]}


@pytest.fixture
def shop(tmp_path):
    """A chart with subcharts `db` (a folder) and `cache` (packed, with an alias), both conditional."""
    (tmp_path / "charts" / "db").mkdir(parents=True)
    (tmp_path / "Chart.yaml").write_text(
        "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n"
        "- {name: db, version: 0.1.0, condition: db.enabled}\n"
        "- {name: cache, version: 0.1.0, alias: fast, tags: [speed]}\n"
    )
    (tmp_path / "values.yaml").write_text("a: 1\nm: {x: 1, w: 2}\n")
    (tmp_path / "charts" / "db" / "Chart.yaml").write_text("apiVersion: v2\nname: db\nversion: 0.1.0\n")
    (tmp_path / "charts" / "db" / "values.yaml").write_text("port: 5432\n")
    files = {"cache/Chart.yaml": "apiVersion: v2\nname: cache\nversion: 0.1.0\n", "cache/values.yaml": "size: 1\n"}
    with tarfile.open(tmp_path / "charts" / "cache-0.1.0.tgz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return tmp_path


def test_defaults_lie_below_and_null_takes_them_out(shop):
    values = coalesce(chart_files(str(shop)), {"m": {"x": None, "z": 3}, "b": None, "tags": {"speed": False}})
    assert values["a"] == 1
    assert values["m"] == {"w": 2, "z": 3}
    assert values["b"] is None


def test_subcharts_take_part_by_condition_tag_and_alias(shop):
    chart = chart_files(str(shop))
    values = coalesce(chart, {"db": {"port": 1}, "global": {"g": 1}})
    assert values["db"] == {"port": 1, "global": {"g": 1}}
    assert values["fast"] == {"size": 1, "global": {"g": 1}}
    without = coalesce(chart, {"db": {"enabled": False}, "tags": {"speed": False}})
    assert without["db"] == {"enabled": False} and "fast" not in without


def test_a_chart_is_read_again_when_a_file_changes(shop):
    first = chart_files(str(shop))
    assert chart_files(str(shop)) is first
    (shop / "values.yaml").write_text("a: longer than before\n")
    assert chart_files(str(shop)).values == "a: longer than before\n"


def test_an_archive_that_is_none_is_left_out(shop):
    (shop / "charts" / "cache-0.1.0.tgz").write_bytes(b"not an archive")
    assert [each.name for each in chart_files(str(shop)).subcharts] == ["db"]
