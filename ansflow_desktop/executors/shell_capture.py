"""Learns where a shell script ended and what it exported, without changing the script (recipes.md, "Shell step").

bash reads the file that BASH_ENV names before the script. Ours puts the person's own BASH_ENV back, reports on exit to
a private file, and wraps `trap` so that an EXIT trap of the script still runs, after ours. Not captured: `exec prog`,
and what an EXIT trap does in posix mode. Only builtins are used, so PATH may be anything.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import msgspec

_END = b"ansflow-end"

# What the script may do to us: set any option, IFS, noclobber, functions named like commands, close descriptors.
# The handler is one line, so that `trap -p` can tell it from the script's own. $? is kept for the script's EXIT trap.
_PRELUDE = r"""
__ansflow_user_exit=
__ansflow_handler='if __ansflow_end; then builtin eval "$__ansflow_user_exit"'
__ansflow_handler+='; else builtin eval "$__ansflow_user_exit"; fi'
__ansflow_end() {
  { builtin local "__ansflow_rc=$?"; } 2>/dev/null
  { [[ $__ansflow_rc != 0 || $BASH_SUBSHELL != 0 ]] || __ansflow_report >/dev/null; } 2>/dev/null
  { builtin return "$__ansflow_rc"; } 2>/dev/null
}
__ansflow_calm() { builtin trap - DEBUG RETURN ERR; builtin set +axvuef; }
__ansflow_report() { ( __ansflow_calm; __ansflow_dump >| @FILE@ ) }
__ansflow_dump() {
  builtin local IFS __ansflow_name; IFS=$' \t\n'
  builtin pwd -P || builtin printf '\n'
  builtin printf '\0'
  while IFS= builtin read -r __ansflow_name; do
    __ansflow_is_array "$__ansflow_name" || builtin printf '%s=%s\0' "$__ansflow_name" "${!__ansflow_name}"
  done < <(builtin compgen -e)
  builtin printf '%s\0' @END@
}
__ansflow_is_array() {
  if (( BASH_VERSINFO[0] > 4 )); then [[ ${!1@a} == *[aA]* ]]
  else [[ $(builtin declare -p "$1") == "declare -a"* ]]; fi
}
__ansflow_print() {
  builtin local __ansflow_line __ansflow_all
  __ansflow_all=$(builtin trap "$@") || builtin return
  if [[ -z $__ansflow_all ]]; then builtin return 0; fi
  while IFS= builtin read -r __ansflow_line; do
    if [[ $__ansflow_line == "trap -- 'builtin exit 130' SIGINT" ]]; then builtin continue
    elif [[ $__ansflow_line != "trap -- 'if __ansflow_end;"* ]]; then builtin printf '%s\n' "$__ansflow_line"
    elif [[ -n $__ansflow_user_exit ]]; then builtin printf 'trap -- %q EXIT\n' "$__ansflow_user_exit"; fi
  done <<< "$__ansflow_all"
}
__ansflow_is_exit() {
  case $1 in 0 | [Ee][Xx][Ii][Tt] | [Ss][Ii][Gg][Ee][Xx][Ii][Tt]) builtin return 0 ;; esac
  builtin return 1
}
trap() {
  if [[ $# == 0 || $1 == -p ]]; then __ansflow_print -p "${@:2}"; builtin return; fi
  if [[ $BASH_SUBSHELL != 0 || $1 == -l ]]; then builtin trap "$@"; builtin return; fi
  if [[ $1 == -- ]]; then builtin shift; fi
  builtin local "__ansflow_action=${1-}" __ansflow_signal
  builtin local __ansflow_others; __ansflow_others=()
  if [[ $# == 1 ]]; then __ansflow_action=-; else builtin shift; fi
  for __ansflow_signal in "$@"; do
    if ! __ansflow_is_exit "$__ansflow_signal"; then __ansflow_others+=("$__ansflow_signal")
    elif [[ $__ansflow_action == - ]]; then __ansflow_user_exit=
    elif [[ $__ansflow_action != "$__ansflow_handler" ]]; then __ansflow_user_exit=$__ansflow_action; fi
  done
  if [[ ${#__ansflow_others[@]} != 0 ]]; then builtin trap -- "$__ansflow_action" "${__ansflow_others[@]}"; fi
}
builtin trap "$__ansflow_handler" EXIT
builtin trap 'builtin exit 130' INT
"""

_NEVER = frozenset({"PWD", "OLDPWD", "SHLVL", "_", "BASH", "BASHOPTS", "BASHPID", "SHELLOPTS", "PPID", "UID", "EUID"})


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """What a script left behind: its final directory (empty: gone) and every exported variable."""

    directory: str
    exported: dict[str, str]


def write_prelude(folder: Path, own_bash_env: str | None) -> tuple[Path, Path]:
    """Write the prelude for one script into the private `folder`; return it and the file that takes the report.

    `own_bash_env` is the BASH_ENV that the script would have had, None or empty for none.
    """
    report = folder / "shell-report"
    prelude = folder / "shell-prelude"
    text = _PRELUDE.replace("@FILE@", shlex.quote(str(report))).replace("@END@", _END.decode())
    _write_private(report, "")
    _write_private(prelude, text + _own(own_bash_env))
    return prelude, report


def _own(bash_env: str | None) -> str:
    """Return the lines that give the script its own BASH_ENV back and read it, as bash would have."""
    if not bash_env:
        return "builtin unset BASH_ENV\n"
    quoted = shlex.quote(bash_env)
    expanded = 'builtin eval "__ansflow_own=\\"$BASH_ENV\\""; [[ ! -r $__ansflow_own ]] || builtin . "$__ansflow_own"'
    return f"builtin export BASH_ENV={quoted}\n{expanded}\n"


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def read_report(report: Path) -> Captured | None:
    """Return what the script left behind, None where it did not report (it ended by `exec`, or not with 0)."""
    try:
        records = report.read_bytes().split(b"\0")
    except OSError:
        return None
    if len(records) < 3 or records[-1] != b"" or records[-2] != _END:
        return None
    directory = os.fsdecode(records[0]).removesuffix("\n")
    pairs = (os.fsdecode(record).partition("=") for record in records[1:-2])
    return Captured(directory=directory, exported={name: value for name, _, value in pairs if _is_kept(name)})


def _is_kept(name: str) -> bool:
    return bool(name) and name not in _NEVER and not name.startswith(("BASH_", "__ansflow"))


def next_variables(known: dict[str, str], start: dict[str, str], exported: dict[str, str]) -> dict[str, str]:
    """Return the variables of the next step.

    `known` are those that this step got, `start` its whole environment at the beginning, `exported` at the end. New and
    changed ones are taken over, unset ones dropped; what only `start` had (the step's own `env`) does not flow on.
    """
    kept = {name: value for name, value in known.items() if exported.get(name) == start.get(name) or not _is_kept(name)}
    changed = {name: value for name, value in exported.items() if start.get(name) != value}
    return {**kept, **changed}
