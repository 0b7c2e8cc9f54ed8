"""credentials/pull_secrets.py: who is asked for what, how often, and that nothing but claims is kept."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json

import jwt
import pytest

from ansflow_desktop.credentials import pull_secrets
from ansflow_desktop.credentials.pull_secrets import MOST_NAMESPACES, PullSecrets, Wanted
from ansflow_desktop.errors import ExitCode
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.models.credential import CredentialKind

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
END = int(NOW.timestamp()) + 12 * 3600
TOKEN = jwt.encode({"exp": END}, b"k" * 32, "HS256")
SERVER = "https://one.example:6443"


def packed(text):
    return base64.b64encode(text.encode()).decode()


def secret(namespace, password):
    content = json.dumps({"auths": {"registry.example": {"auth": packed(f"AWS:{password}")}}})
    return {
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"namespace": namespace, "name": "pull"},
        "data": {".dockerconfigjson": packed(content)},
    }


@pytest.fixture
def asked(monkeypatch):
    """Every path and selector that a server was asked for; `answers` says what it answers to which namespace."""

    class Client:
        def __init__(self, document, timeout):
            pass

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

        async def get(self, path, params):
            Client.paths.append((path, params["fieldSelector"]))
            namespace = path.split("/")[4]
            found = Client.answers.get(namespace, [])
            if isinstance(found, Exception):
                raise found
            return json.dumps(
                {"items": [one for one in found if f"type={one['type']}" == params["fieldSelector"]]}
            ).encode()

    Client.paths, Client.answers = [], {}
    monkeypatch.setattr(pull_secrets, "ClusterClient", Client)
    return Client


def wanted(*namespaces):
    return Wanted(cluster="lab", document={"clusters": [{"cluster": {"server": SERVER}}]}, namespaces=namespaces)


def read(made, *namespaces, fresh=False):
    asyncio.run(made.read([wanted(*namespaces)], 300, 5, fresh=fresh))
    return made.known(["lab"])


def test_two_types_in_the_named_namespaces_and_their_ends_are_known(asked):
    amazons = packed(json.dumps({"payload": "x", "expiration": END}))
    asked.answers = {"web": [secret("web", TOKEN)], "shop": [secret("shop", amazons)]}
    found = read(PullSecrets(lambda: NOW), "web", "shop", "web", "Not a name")
    assert [path.split("/")[4:] for path, _ in asked.paths] == [["web", "secrets"]] * 2 + [["shop", "secrets"]] * 2
    assert {selector for _, selector in asked.paths} == {
        "type=kubernetes.io/dockerconfigjson",
        "type=kubernetes.io/dockercfg",
    }
    assert [(one.kind, one.namespace) for one in found] == [
        (CredentialKind.IMAGE_PULL, "web"),
        (CredentialKind.IMAGE_PULL, "shop"),
    ]
    assert {one.claims.expires_at for one in found} == {datetime.datetime.fromtimestamp(END, datetime.UTC)}
    assert not any(each in repr(found) for each in (TOKEN, amazons, TOKEN.split(".")[2]))


def test_never_more_than_a_few_namespaces_are_asked(asked):
    read(PullSecrets(lambda: NOW), *(f"n{number}" for number in range(40)))
    assert len({path for path, _ in asked.paths}) == MOST_NAMESPACES


def test_a_refusal_is_no_error_and_hides_no_other_namespace(asked):
    forbidden = KubeError("no", "secrets is forbidden", code=ExitCode.FORBIDDEN, status=403)
    asked.answers = {"web": forbidden, "shop": [secret("shop", TOKEN)]}
    assert [one.namespace for one in read(PullSecrets(lambda: NOW), "web", "shop")] == ["shop"]
    assert len(asked.paths) == 3, "a refused namespace is asked once"


def test_answers_are_kept_and_a_silent_server_loses_nothing(asked):
    now = [NOW]
    made = PullSecrets(lambda: now[0])
    asked.answers = {"web": [secret("web", TOKEN)]}
    assert len(read(made, "web")) == len(read(made, "web")) == 1
    assert len(asked.paths) == 2
    asked.answers = {"web": KubeError("gone", "no answer", code=ExitCode.UNREACHABLE)}
    assert (len(read(made, "web", fresh=True)), len(asked.paths)) == (1, 3)
    now[0] += datetime.timedelta(seconds=301)
    asked.answers = {"web": []}
    assert read(made, "web") == ()
