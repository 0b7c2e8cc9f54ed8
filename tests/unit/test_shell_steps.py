"""Shell steps with a real bash: directory and exports flow on, whatever the script does (recipes.md, "Shell step")."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.context import RunScope
from ansflow_desktop.executors.shell import TEXT_LIMIT, ShellStepExecutor
from ansflow_desktop.executors.shell_capture import next_variables
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import CommandStarted, Notice, Output, Phase
from ansflow_desktop.process import Cancel


class Shell:
    """One executor with its own folders; `work` is where steps start."""

    def __init__(self, folder):
        self.work = folder / "work"
        self.private = folder / "private"
        self.work.mkdir()
        self.private.mkdir()
        self.events = []
        self.cancel = Cancel()
        self.redact = str

    def run(self, command, variables=None, directory=None, **fields):
        self.events.clear()
        scope = RunScope(
            run_id="r",
            emit=self.events.append,
            cancel=self.cancel,
            tools=ToolSet(),
            clusters=None,
            folder=self.private,
            redact=self.redact,
        )
        step = PipelineStep(name="s", type=StepType.SHELL, command=command, **fields)
        context = ExecutionContext(working_directory=str(directory or self.work), variables=variables or {})
        return ShellStepExecutor().execute(step, context, scope)

    def text(self, stream="stdout"):
        return "".join(event.text for event in self.events if isinstance(event, Output) and event.stream == stream)


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


NASTY = {
    "plain": ("cd sub; export A=1", "sub", {"A": "1"}, ""),
    "exit 0 in the middle": ("export A=1; cd sub; exit 0; export B=2", "sub", {"A": "1"}, ""),
    "set -u": ("set -u; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "set -x": ("set -x; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "set -v": ("set -v; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "IFS of digits": ("IFS=01; trap 'echo bye' EXIT; cd sub", "sub", {}, "bye\n"),
    "set -f -C and IFS": ("set -f -C; IFS=ab/; cd sub; export A=abcab", "sub", {"A": "abcab"}, ""),
    "pipefail": ("set -euo pipefail; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "own EXIT trap": ("trap 'echo bye $?' EXIT; cd sub; export A=1", "sub", {"A": "1"}, "bye 0\n"),
    "own EXIT trap by number": ("trap 'echo bye' 0; cd sub", "sub", {}, "bye\n"),
    "EXIT and INT together": ("trap 'echo bye' EXIT INT TERM; cd sub", "sub", {}, "bye\n"),
    "EXIT trap with --": ("trap -- 'echo bye' exit; cd sub", "sub", {}, "bye\n"),
    "EXIT trap replaced": ("trap 'echo one' EXIT; trap 'echo two' EXIT; cd sub", "sub", {}, "two\n"),
    "EXIT trap taken back": ("trap 'echo bye' EXIT; trap - EXIT; cd sub", "sub", {}, ""),
    "EXIT trap taken back, short form": ("trap 'echo bye' EXIT; trap EXIT; cd sub", "sub", {}, ""),
    "EXIT trap saved and restored": (
        "trap 'echo bye' EXIT; s=$(trap -p EXIT); trap - EXIT; eval \"$s\"; cd sub",
        "sub",
        {},
        "bye\n",
    ),
    "EXIT trap that goes elsewhere": ("trap 'cd /' EXIT; cd sub", "sub", {}, ""),
    "EXIT trap in a function": ("f() { trap 'echo bye' EXIT; }; f; cd sub", "sub", {}, "bye\n"),
    "EXIT trap in a subshell": ("(trap 'echo inner' EXIT; cd /); cd sub", "sub", {}, "inner\n"),
    "ERR trap": ("trap 'echo err' ERR; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "DEBUG trap": ("trap ':' DEBUG; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "DEBUG trap that prints": (
        "set -T; trap 'echo d >&2' DEBUG; cd sub; export A=1",
        "sub",
        {"A": "1"},
        "",
    ),
    "RETURN trap, inherited": ("set -T; trap 'echo r >&2' RETURN; cd sub", "sub", {}, ""),
    "INT handled": ("trap 'echo int' INT; kill -INT $$; cd sub", "sub", {}, "int\n"),
    "trap -p shows nothing of ours": ("trap -p; trap; cd sub", "sub", {}, ""),
    "subshell": ("(cd /; export B=2); cd sub; export A=1", "sub", {"A": "1"}, ""),
    "command substitution": ("x=$(cd /; export B=2; pwd); cd sub; export A=$x", "sub", {"A": "/"}, ""),
    "pipeline": ("echo x | { read y; cd /; }; cd sub", "sub", {}, ""),
    "function": ("f() { cd sub; export A=1; }; f", "sub", {"A": "1"}, ""),
    "exported function": ("f() { echo f; }; export -f f; bash -c f; cd sub", "sub", {}, "f\n"),
    "functions named like builtins": (
        "pwd() { echo no; }; printf() { echo no; }; read() { :; }; compgen() { :; }; local() { :; }; cd sub",
        "sub",
        {},
        "",
    ),
    "array": ("declare -ax LIST=(1 2); declare -Ax MAP=([a]=b); export A=1; cd sub", "sub", {"A": "1"}, ""),
    "integer and upper case": ("declare -ix N=1+2; declare -ux U=abc; cd sub", "sub", {"N": "3", "U": "ABC"}, ""),
    "readonly": ("readonly R=1; export R; cd sub", "sub", {"R": "1"}, ""),
    "allexport": ("set -a; A=1; B=2; cd sub", "sub", {"A": "1", "B": "2"}, ""),
    "several lines, unicode, quotes": (
        "export A=$'one\\ntwo=2\\n' B='中文 \"x\" $y' C=; cd sub",
        "sub",
        {"A": "one\ntwo=2\n", "B": '中文 "x" $y', "C": ""},
        "",
    ),
    "spaces and Chinese": ("mkdir '我的 文件夹'; cd '我的 文件夹'", "我的 文件夹", {}, ""),
    "a directory with a newline": ("mkdir $'a\\n'; cd $'a\\n'", "a\n", {}, ""),
    "through a link": ("ln -s sub link; cd link", "sub", {}, ""),
    "no PATH": ("cd sub; export A=1; PATH=", "sub", {"A": "1", "PATH": ""}, ""),
    "stdout and stderr closed": ("cd sub; export A=1; exec >&- 2>&-", "sub", {"A": "1"}, ""),
    "background job": ("sleep 0.01 & cd sub; export A=1; wait", "sub", {"A": "1"}, ""),
    "posix mode": ("set -o posix; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "umask": ("umask 777; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "positional parameters": ("set -- a b; cd sub; export A=$2", "sub", {"A": "b"}, ""),
    "extended globs and aliases": ("shopt -s extglob nullglob expand_aliases; cd sub", "sub", {}, ""),
    "sourced file": ("echo 'cd sub; export A=1' > f; . ./f", "sub", {"A": "1"}, ""),
    "failure that is handled": ("false || true; if false; then :; fi; cd sub", "sub", {}, ""),
    "last command of a list fails quietly": ("cd sub; export A=1; ! true || false || true", "sub", {"A": "1"}, ""),
    "heredoc": ("cat <<EOF\n$$x\nEOF\ncd sub", "sub", {}, None),
    "comment at the end": ("cd sub # the end", "sub", {}, ""),
    "dotted directory": ("cd sub/../sub/.", "sub", {}, ""),
    "unset of ours": ("unset BASH_ENV __ansflow_user_exit; cd sub; export A=1", "sub", {"A": "1"}, ""),
    "BASH_ENV set": ("export BASH_ENV=/nowhere; cd sub", "sub", {}, ""),
}


@pytest.mark.parametrize("case", NASTY)
def test_directory_and_exports_flow_on(case, shell):
    script, directory, exported, output = NASTY[case]
    (shell.work / "sub").mkdir()
    result = shell.run(script)
    assert result.phase is Phase.SUCCEEDED, (result.message, shell.text("stderr"))
    assert result.context.working_directory == str(shell.work / directory)
    assert result.context.variables == exported
    if output is not None:
        assert shell.text() == output
    assert not [event for event in shell.events if isinstance(event, Notice)]


FAILING = {
    "exit": ("exit 3", 3),
    "false": ("cd sub; false; cd ..", 1),
    "unset variable": ("set -u; echo $NOPE", 1),
    "pipefail": ("set -o pipefail; false | true", 1),
    "syntax": ("if", 2),
    "no such program": ("no-such-program-anywhere", 127),
    "EXIT trap that fails": ("trap 'exit 9' EXIT; true", 9),
    "EXIT trap keeps the code": ("trap 'true' EXIT; exit 4", 4),
    "signal": ("kill -KILL $$", -9),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_failed_script_passes_nothing_on(case, shell):
    script, code = FAILING[case]
    (shell.work / "sub").mkdir()
    result = shell.run(f"export A=1; {script}", {"KEPT": "1"})
    assert (result.phase, result.exit_code) == (Phase.FAILED, code)
    assert result.context == ExecutionContext(working_directory=str(shell.work), variables={"KEPT": "1"})
    assert str(abs(code)) in str(result.message)


@pytest.mark.parametrize("script", ["exec true", "command trap 'true' EXIT; cd sub; export A=1"])
def test_what_cannot_be_captured_says_so_and_changes_nothing(script, shell):
    (shell.work / "sub").mkdir()
    result = shell.run(script, {"KEPT": "1"})
    assert result.phase is Phase.SUCCEEDED
    assert result.context.working_directory == str(shell.work)
    assert result.context.variables == {"KEPT": "1"}
    (notice,) = [event for event in shell.events if isinstance(event, Notice)]
    assert notice.level == "warning"


class TestVariables:
    def test_they_are_environment_never_text(self, shell):
        hostile = "\"; touch pwned; $(touch pwned) `touch pwned` '\n"
        result = shell.run('printf %s "$V"', {"V": hostile})
        assert shell.text() == hostile
        assert not (shell.work / "pwned").exists()
        assert result.context.variables == {"V": hostile}

    def test_changed_and_unset_ones(self, shell):
        result = shell.run("A=2; unset B; export -n C; export D=4", {"A": "1", "B": "1", "C": "1"})
        assert result.context.variables == {"A": "2", "D": "4"}

    def test_the_steps_own_env_does_not_flow_on_unless_it_is_changed(self, shell):
        result = shell.run('test "$X$Y" = 12; export Y=3', {"X": "0"}, env={"X": "1", "Y": "2"})
        assert result.context.variables == {"X": "0", "Y": "3"}

    def test_the_machines_environment_is_not_taken_over(self, shell, monkeypatch):
        monkeypatch.setenv("ANSFLOW_TEST_INHERITED", "1")
        assert shell.run("test $ANSFLOW_TEST_INHERITED = 1; cd /").context.variables == {}

    def test_bashs_own_do_not_flow_on(self, shell):
        assert shell.run("export SHELLOPTS BASHOPTS; cd /; cd -; export _X=1").context.variables == {"_X": "1"}

    def test_next_variables_keeps_what_is_never_captured(self):
        assert next_variables({"PWD": "x", "A": "1"}, {"PWD": "x", "A": "1"}, {"A": "1"}) == {"PWD": "x", "A": "1"}


class TestOwnBashEnv:
    def test_it_is_read_and_restored(self, shell, monkeypatch):
        own = shell.private / "own env"
        own.write_text("own() { echo own; }; export FROM_OWN=1; trap 'echo own bye' EXIT\n")
        monkeypatch.setenv("BASH_ENV", str(own))
        result = shell.run('own; echo "$BASH_ENV"; bash -c own')
        assert shell.text() == f"own\n{own}\nown\nown bye\nown bye\n"
        assert result.context.variables == {"FROM_OWN": "1"}

    def test_without_one_children_get_none(self, shell):
        shell.run("bash -c 'echo [${BASH_ENV-none}]'; echo [${BASH_ENV-none}]")
        assert shell.text() == "[none]\n[none]\n"


class TestOutput:
    def test_it_becomes_a_variable(self, shell):
        result = shell.run("echo one; echo two; echo err >&2", output="OUT")
        assert result.context.outputs == {"OUT": "one\ntwo"}
        assert result.context.variables == {"OUT": "one\ntwo"}
        assert shell.text() == "one\ntwo\n"

    def test_only_one_newline_is_taken_off(self, shell):
        assert shell.run("printf 'x\\n\\n'", output="OUT").context.outputs == {"OUT": "x\n"}

    def test_one_that_no_program_could_be_given_is_refused(self, shell):
        result = shell.run(f"head -c {TEXT_LIMIT} /dev/zero | tr '\\0' x", output="OUT")
        assert result.phase is Phase.FAILED
        assert "128 KiB" in str(result.message)
        assert result.context.variables == {}

    def test_the_largest_that_fits_can_be_used_by_the_next_step(self, shell):
        size = TEXT_LIMIT - len("OUT=")
        result = shell.run(f"head -c {size} /dev/zero | tr '\\0' x", output="OUT")
        assert result.phase is Phase.SUCCEEDED
        shell.run("/bin/echo ${#OUT}", result.context.variables)
        assert shell.text() == f"{size}\n"

    def test_a_nul_is_refused(self, shell):
        result = shell.run("printf 'a\\0b'", output="OUT")
        assert (result.phase, "NUL" in str(result.message)) == (Phase.FAILED, True)

    def test_an_export_that_is_too_long_is_refused(self, shell):
        result = shell.run("printf -v A '%*s' 200000 ''; export A")
        assert (result.phase, "A is longer" in str(result.message)) == (Phase.FAILED, True)


class TestDirectories:
    def test_working_directory_is_relative_to_the_context(self, shell):
        (shell.work / "a b").mkdir()
        result = shell.run("pwd", working_directory="a b")
        assert shell.text() == f"{shell.work}/a b\n"
        assert result.context.working_directory == f"{shell.work}/a b"

    def test_the_process_itself_stays_where_it_is(self, shell):
        before = Path.cwd()
        shell.run("cd /")
        assert Path.cwd() == before

    def test_a_missing_one_is_named_and_nothing_runs(self, shell):
        with pytest.raises(UserError) as caught:
            shell.run("touch ran", working_directory="nowhere")
        assert caught.value.field == "working_directory"
        assert str(shell.work / "nowhere") in str(caught.value.title)
        assert shell.events == []

    def test_a_final_directory_that_is_gone_fails_the_step(self, shell):
        result = shell.run("mkdir gone; cd gone; rmdir ../gone; true")
        assert result.phase is Phase.FAILED
        assert result.context.working_directory == str(shell.work)


def test_the_command_is_told_before_it_runs_redacted(shell):
    shell.redact = lambda text: text.replace("secret", "***")
    shell.run("echo secret")
    first = shell.events[0]
    assert isinstance(first, CommandStarted)
    assert first.argv[1:] == ("-e", "-c", "echo ***")
    assert first.cwd == str(shell.work)
    assert shell.text() == "***\n"


def test_private_files_are_private(shell):
    shell.run("true")
    assert {path.stat().st_mode & 0o777 for path in shell.private.iterdir()} == {0o600}


def test_no_bash(shell, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UserError, match="bash was not found"):
        shell.run("true")


def test_timeout(shell):
    result = shell.run("sleep 60", timeout="100ms")
    assert (result.phase, "100ms" in str(result.message)) == (Phase.FAILED, True)


@pytest.mark.parametrize("script", ["echo ready; sleep 60; echo on", "echo ready; sleep 60 || true; echo on"])
def test_cancel_does_not_go_on_with_the_next_command(script, shell):
    shell.redact = lambda text: (shell.cancel.request(), text)[1] if "ready" in text and shell.events else text
    result = shell.run(f"export A=1; {script}")
    assert result.phase is Phase.CANCELLED
    assert "on" not in shell.text().split()
    assert result.context.variables == {}


def test_a_variable_that_is_too_long_is_refused_before_anything_runs(shell):
    with pytest.raises(UserError) as caught:
        shell.run("true", {"BIG": "x" * 200_000})
    assert caught.value.field == "BIG"


def test_it_costs_little(shell):
    """Capturing costs 2.5 ms (recipes.md); the limit only notices a wrong way, such as a fork for each variable."""

    def best(work):
        times = []
        for _ in range(7):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return min(times)

    plain = best(lambda: subprocess.run(["bash", "-e", "-c", "true"], check=True, capture_output=True))
    assert best(lambda: shell.run("true")) < plain + 0.1


def test_steps_of_several_runs_at_once_do_not_meet(tmp_path):
    shells = []
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        shells.append(Shell(folder))
    results = {}

    def work(number):
        results[number] = shells[number].run(f"mkdir d{number}; cd d{number}; export N={number}").context

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: os.path.basename(context.working_directory) for number, context in results.items()} == {
        number: f"d{number}" for number in range(8)
    }
    assert all(context.variables == {"N": str(number)} for number, context in results.items())
