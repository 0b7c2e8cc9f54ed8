"""What ends during a run is said before it; a read-only cluster is said before anything is pressed."""

from __future__ import annotations

import datetime

import jwt
import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.expiry import ending_problems, read_only_problems
from ansflow_desktop.executors.services import Options, build
from ansflow_desktop.models.cluster import ClusterMarks
from ansflow_desktop.models.problem import Severity


def token(seconds):
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return jwt.encode({"exp": end, "sub": "system:serviceaccount:fe:deployer"}, "k" * 32, algorithm="HS256")


@pytest.fixture
def services(tmp_path):
    made = build(Options(data_dir=str(tmp_path / "data"), kubeconfig=str(write(tmp_path, 120))))
    yield made
    made.close()


def write(folder, seconds):
    file = folder / "config"
    file.write_text(f"""
contexts: [{{name: dev, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "https://192.0.2.1:6443"}}}}]
users: [{{name: u, user: {{token: {token(seconds)}}}}}]
""")
    return file


def test_a_token_that_ends_before_the_run_does_is_said_and_no_error(services):
    (problem,) = ending_problems(services.credentials, ["dev"], 300, "cluster")
    assert problem.severity is Severity.WARNING and problem.field == "cluster"
    assert "ends during this run" in str(problem.title) and "u @ dev" in str(problem.title)
    assert ending_problems(services.credentials, ["dev"], 60, "cluster") == ()


def test_one_that_has_ended_is_said_so(services, tmp_path):
    write(tmp_path, -5)
    (problem,) = ending_problems(services.credentials, ["dev"], 10, "cluster")
    assert "has ended" in str(problem.title)


def test_an_unknown_cluster_says_nothing_here(services):
    assert ending_problems(services.credentials, ["none"], 300, "cluster") == ()


class Notes:
    def __init__(self, answer):
        self.answer = answer

    def marks(self, name):
        if isinstance(self.answer, UserError):
            raise self.answer
        return self.answer


def test_a_read_only_cluster_stands_in_the_way():
    assert read_only_problems(Notes(ClusterMarks()), "dev", "cluster") == ()
    (problem,) = read_only_problems(Notes(ClusterMarks(read_only=True)), "dev", "cluster")
    assert problem.severity is Severity.ERROR
    (unread,) = read_only_problems(Notes(UserError("cannot be read")), "dev", "cluster")
    assert unread.severity is Severity.ERROR
