"""A command as data: what will run, where, with what, before anything runs."""

from __future__ import annotations

import shlex

import msgspec


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A program found on this machine: `name` (helm, kubectl), absolute `path`, `version` without the leading v."""

    name: str
    path: str
    version: str

    @property
    def major(self) -> int:
        """The major version; 0 when it is not known."""
        head = self.version.split(".", 1)[0]
        return int(head) if head.isdigit() else 0


class ToolSet(msgspec.Struct, frozen=True, kw_only=True):
    """The tools that a plan may use; None where one was not found."""

    helm: Tool | None = None
    kubectl: Tool | None = None


class KubeTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Which cluster a command talks to: `kubeconfig` (one absolute path, or several joined by `:`) and `context`."""

    kubeconfig: str
    context: str


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One child process: `argv` (the program by absolute path), `cwd` (absolute), `env` over the parent's environment.

    A value of None in `env` removes that variable. `stdin` is sent as text and never shown where `secret_stdin` is
    True. `timeout` is the outer deadline in seconds, None for none. `masked` are indexes of argv whose value is
    replaced in everything that is stored or shown. `purpose` is a short English word for logs (`deploy`, `apply`).
    `grace` is how long (seconds) a cancelled process may take after SIGINT before SIGTERM: helm needs up to 44 s to
    record its state while the API server does not answer (failure-modes.md, row 3).
    """

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str | None] = {}
    stdin: str | None = None
    timeout: float | None = None
    masked: tuple[int, ...] = ()
    purpose: str = ""
    grace: float = 5.0

    def shown_argv(self) -> tuple[str, ...]:
        """Return argv with masked values replaced: `--set=db.password=x` becomes `--set=db.password=***`."""
        return tuple(_mask(arg) if index in self.masked else arg for index, arg in enumerate(self.argv))

    def shown(self) -> str:
        """Return one shell line of the command, masked, the program by its bare name: for people to read."""
        program, *rest = self.shown_argv()
        return shlex.join([program.rsplit("/", 1)[-1], *rest])


def _mask(arg: str) -> str:
    """Keep the flag and the first key, hide the rest: a value may hold `=` and further keys behind commas."""
    flag, _, rest = arg.partition("=")
    key, separator, _ = rest.partition("=")
    return f"{flag}={key}=***" if separator else f"{flag}=***"
