"""Generated files: whatever a name holds stays one value, schedules come round in time, nothing secret is in them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess

import msgspec
import pytest
import yaml
from pygments.lexers import PowerShellLexer
from pygments.token import Token

from ansflow_desktop import paths
from ansflow_desktop.credentials import automation, automation_quote
from ansflow_desktop.credentials import automation_values as values
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.automation import save

NAMES = [
    "plain", "it's", 'say "hi"', "$(touch pwned)", "`touch pwned`", "a\\b", "%h %%", "${HOME}", "; rm -rf x", "-rf",
    "集群 ‘x’ ‚y‛", "a: b # c", "{x}", "&& x", "@@TARGET@@", "\u202eabc", "!x", "*",
]  # fmt: skip
ASKED = automation.AutomationRequest(
    cluster="c", server="https://h:6443", namespace="ns", account="dep", folder="/opt/a"
)


def asked(**fields):
    return msgspec.structs.replace(ASKED, **fields)


def texts(kind, request):
    return {file.name: file.text for file in automation.files(kind, request)}


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_every_name_as_it_is(name, tmp_path) -> None:
    values_of = "printf '%s\\0' " + " ".join(automation_quote.bash(each) for each in (name, name + name))
    said = subprocess.run(["bash", "-c", values_of], capture_output=True, cwd=tmp_path, check=True).stdout.decode()
    assert said.split("\0")[:2] == [name, name * 2] and os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_yaml_reads_every_name_as_it_is(name) -> None:
    (document,) = yaml.safe_load_all(
        texts("exec", asked(cluster=name))[values.script_name(asked(cluster=name), "-exec.yaml")]
    )
    assert document["current-context"] == document["clusters"][0]["name"] == name
    assert document["clusters"][0]["cluster"] == {"server": "https://h:6443"}


@pytest.mark.parametrize("name", NAMES)
def test_the_kubeconfig_around_the_token_is_one(name) -> None:
    head, tail = values.kubeconfig_around_token(asked(cluster=name, ca_data='x"token": ""', proxy_url='"token":""'))
    document = yaml.safe_load(f"{head}abc.def{tail}")
    assert document["current-context"] == name and document["users"][0]["user"] == {"token": "abc.def"}


@pytest.mark.parametrize("kind", automation.KINDS)
@pytest.mark.parametrize("field", ["proxy_url", "server"])
def test_no_password_of_an_address_is_in_a_file(kind, field) -> None:
    with pytest.raises(UserError, match="password"):
        automation.files(kind, asked(**{field: "http://anna:planted@proxy:3128"}))
    assert automation.files(kind, asked(**{field: "http://proxy:3128"}))


def test_letters_beyond_16_bits_are_spelt_as_kubectl_reads_them() -> None:
    """libyaml, as kubectl's own reader, takes no pair of surrogates, which JSON is full of."""
    request = asked(cluster="prod 😀 \\ud83d\\ude00")
    head, tail = values.kubeconfig_around_token(request)
    (stanza,) = [text for name, text in texts("exec", request).items() if name.endswith(".yaml")]
    for text in (f"{head}abc{tail}", stanza):
        assert yaml.load(text, Loader=yaml.CSafeLoader)["current-context"] == request.cluster


@pytest.mark.parametrize("name", NAMES)
def test_bash_takes_every_generated_script(name, tmp_path) -> None:
    for kind in ("bash", "exec"):
        for file, text in texts(kind, asked(cluster=name, source=name, context=name, target=f"/x/{name}")).items():
            if file.endswith(".sh"):
                subprocess.run(["bash", "-n"], input=text.encode(), check=True, capture_output=True)


def powershell_strings(text):
    """Return what PowerShell's verbatim strings in `text` hold, by its own rule: a doubled quote is one."""
    return [re.sub("(['‘’‚‛])['‘’‚‛]", r"\1", found) for found in re.findall(r"= ['](.*)[']\n", text)]


@pytest.mark.parametrize("name", NAMES)
def test_powershell_gets_verbatim_strings_and_balanced_text(name) -> None:
    ((file, text),) = texts("powershell", asked(cluster=name)).items()
    assert file.endswith(".ps1") and name in powershell_strings(text)
    assert text.startswith("\ufeff") == (not name.isascii())
    outside = re.sub("'(?:[^'‘’‚‛]|(['‘’‚‛])['‘’‚‛])*'", "''", text)
    for opening, closing in ("()", "[]", "{}"):
        assert outside.count(opening) == outside.count(closing)


def test_powershell_lexes_without_an_error() -> None:
    (text,) = texts("powershell", ASKED).values()
    assert [value for kind, value in PowerShellLexer().get_tokens(text) if kind in Token.Error] == []


@pytest.mark.parametrize("name", [name for name in NAMES if "/" not in name])
def test_systemd_takes_the_units_whatever_the_folder(name, tmp_path, monkeypatch) -> None:
    verify = shutil.which("systemd-analyze")
    if not verify:
        pytest.skip("there is no systemd-analyze here")
    files = automation.files("systemd", asked(folder=f"/opt/{name}"))
    save(files, str(tmp_path / "units"))
    units = [str(tmp_path / "units" / file.name) for file in files if not file.name.endswith(".sh")]
    env = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run([verify, "--user", "verify", *units], env=env, capture_output=True, text=True, timeout=60)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip("systemd-analyze does not work here")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_unit_names_its_script_by_one_word() -> None:
    assert automation_quote.systemd("/opt/a/b.sh") == "/opt/a/b.sh"
    assert automation_quote.systemd("~/b.sh") == "%h/b.sh"
    assert automation_quote.systemd('/a b/"$x"%h\\') == '"/a b/\\"$$x\\"%%h\\\\"'


@pytest.mark.parametrize(
    ("seconds", "schedule"),
    [(180, "*/3 * * * *"), (200, "*/3 * * * *"), (1200, "*/20 * * * *"), (3599, "*/30 * * * *"),
     (3600, "17 */1 * * *"), (8 * 3600, "17 */8 * * *"), (11 * 3600, "17 */8 * * *"), (90000, "17 3 * * *")],
)  # fmt: skip
def test_a_schedule_comes_round_at_least_as_often(seconds, schedule) -> None:
    assert values.schedule(seconds) == schedule


@pytest.mark.parametrize("seconds", [600, 900, 3600, 86400, 30 * 86400])
def test_two_tries_may_fail_before_a_token_ends(seconds) -> None:
    assert values.every(asked(seconds=seconds)) * 3 <= seconds
    assert f"OnUnitActiveSec={seconds // 3}\n" in next(
        text for name, text in texts("systemd", asked(seconds=seconds)).items() if name.endswith(".timer")
    )


def test_names_of_different_clusters_and_accounts_differ() -> None:
    made = [
        asked(),
        asked(cluster="C"),
        asked(cluster="集"),
        asked(cluster="群"),
        asked(account="x"),
        asked(namespace="n"),
    ]
    assert len({values.label(each) for each in made}) == len(made)
    for each in (*made, asked(account="a" * 253, cluster="b" * 300)):
        for name in (values.renewer_name(each), values.secret_name(each), values.label(each)):
            assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= 52  # a CronJob's limit


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"namespace": "-x"}, "account"), ({"account": "A"}, "account"), ({"account": ""}, "account"),
        ({"account": "a..b"}, "account"), ({"seconds": 599}, "duration"), ({"seconds": 2**33}, "duration"),
        ({"cluster": "a\nb"}, "cluster"), ({"target": "a\0b"}, "target"), ({"source": "x" * 5000}, "source"),
        ({"server": ""}, "server"), ({"image": "a b"}, "image"), ({"image": "--x"}, "image"),
    ],
)  # fmt: skip
def test_what_no_file_can_be_made_of_is_said_by_field(fields, named) -> None:
    with pytest.raises(UserError) as caught:
        automation.files("bash", asked(**fields))
    assert caught.value.field == named


def test_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(UserError) as caught:
        automation.files("perl", ASKED)
    assert caught.value.field == "kind" and "systemd" in str(caught.value)


def test_every_place_of_every_template_is_known() -> None:
    known = set(values.filled(ASKED))
    for template in (paths.resources() / "automation").iterdir():
        assert {found[1] for found in re.finditer("@@=?([A-Z_]+)@@", template.read_text())} <= known, template.name


def test_nothing_of_the_user_goes_into_a_file() -> None:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://h", "certificate-authority-data": "Q0E="}}],
        "users": [{"name": "u", "user": {"token": "very-secret-token", "password": "very-secret-word"}}],
    }
    request = values.request_of(document, "c", "ns", "dep", 900)
    for kind in automation.KINDS:
        for text in texts(kind, request).values():
            assert "very-secret" not in text
    assert "Q0E=" in next(iter(texts("bash", request).values()))


def test_files_are_written_with_their_modes_and_replaced_only_where_ours(tmp_path) -> None:
    made = automation.files("systemd", asked(folder=str(tmp_path)))
    script, service, _timer = written = save(made, str(tmp_path))
    assert stat.S_IMODE(script.stat().st_mode) == 0o700 and stat.S_IMODE(service.stat().st_mode) == 0o600
    assert save(made, str(tmp_path)) == written
    service.write_text("[Unit]\n")
    script.write_text("# Made by AnsFlow Desktop, an old one\n")
    with pytest.raises(UserError) as caught:
        save(made, str(tmp_path))
    assert caught.value.field == "out" and service.read_text() == "[Unit]\n"
    assert script.read_text() == "# Made by AnsFlow Desktop, an old one\n", "nothing is written by halves"
    with pytest.raises(UserError):
        save(made, str(service))
