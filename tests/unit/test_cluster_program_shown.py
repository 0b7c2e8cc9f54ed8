"""models/cluster.py: what is shown of a credential program before it runs: all but tokens, passwords, secrets, keys."""

from __future__ import annotations

import pytest

from ansflow_desktop.kube.plugins import make_plugin

HIDDEN = "abcdefgh12345"


@pytest.mark.parametrize(
    "name",
    [
        *("--token", "--client-secret", "--password", "--api-key", "--apiKey", "--proxy-password", "--refresh_token"),
        *("--passphrase", "-token", "--private-key", "--clientSecret", "--server-token"),
    ],
)
def test_values_of_tokens_and_passwords_are_masked(name):
    assert make_plugin("p", (name, HIDDEN), ()).shown_args == (name, "***")
    assert make_plugin("p", (f"{name}={HIDDEN}",), ()).shown_args == (f"{name}=***",)
    assert make_plugin("p", (), ((name.strip("-"), HIDDEN),)).shown_env == ((name.strip("-"), "***"),)


@pytest.mark.parametrize(
    "name",
    [
        *("--credential-helper", "--token-helper", "--password-command", "--secret-program", "--token-file"),
        *("--client-key-path", "--token-endpoint", "--credential-process", "--token-cache-dir", "--secret-name"),
        *("--tokenizer", "--monkey", "--secretary", "--credentials", "--privateer", "--token-url", "--key-id"),
        *("--passwordCommand", "--token-exec-v2", "--region", ""),
    ],
)
def test_what_runs_or_where_it_lies_is_always_seen(name):
    plugin = make_plugin("p", (name, "evilprogram", f"{name}=evilprogram"), ((name.strip("-"), "evilprogram"),))
    assert plugin.shown_args == plugin.args and plugin.shown_env == plugin.env


@pytest.mark.parametrize("value", ["./run-me-now", "/opt/run-me-now", "-oProxyCommand", "short", "a b c d e f g h"])
def test_what_is_no_opaque_text_is_seen_whatever_its_name(value):
    assert make_plugin("p", ("--token", value), ()).shown_args == ("--token", value)
