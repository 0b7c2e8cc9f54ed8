"""Paths that no file system takes end in an error that names the field, wherever a person can type one."""

import pytest

from ansflow_desktop import cli
from ansflow_desktop.errors import UserError
from ansflow_desktop.helm.charts import read_chart
from ansflow_desktop.helm.find import find_chart
from ansflow_desktop.models.pipeline import HelmDeploy

PATHS = ["x" * 300, "x/" * 3000, "a\0b"]


@pytest.mark.parametrize("path", PATHS)
def test_a_chart_folder(path, tmp_path):
    with pytest.raises(UserError) as caught:
        read_chart(tmp_path / path)
    assert caught.value.field == "chart_path"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("field", ["chart_name", "chart_path"])
@pytest.mark.parametrize("end", ["", ".tgz"])
def test_a_chart_of_a_step(path, field, end, tmp_path):
    with pytest.raises(UserError) as caught:
        find_chart(HelmDeploy(**{field: path + end}), str(tmp_path))
    assert caught.value.field == field


@pytest.mark.parametrize("option", ["chart", "--values", "--kubeconfig", "--data-dir", "--helm"])
@pytest.mark.parametrize("path", PATHS[:2])
def test_the_command_line(option, path, tmp_path, capsys):
    chart = path if option == "chart" else str(tmp_path)
    given = {"--data-dir": str(tmp_path / "data"), **({} if option == "chart" else {option: path})}
    words = ["deploy", chart, "-c", "none", "-n", "fe", *[word for pair in given.items() for word in pair]]
    assert cli.main(words) in (1, 2)
    told = capsys.readouterr().err
    assert told.strip() and "error of its own" not in told and "Traceback" not in told
