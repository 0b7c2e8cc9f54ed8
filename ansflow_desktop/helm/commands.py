"""helm's command lines, for Helm 3 and Helm 4 (failure-modes.md, "Helm 3 and Helm 4"): data only, nothing runs here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from ansflow_desktop.helm.find import ChartRef, absolute
from ansflow_desktop.models.command import Command, KubeTarget, Tool
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import HelmDeploy
from ansflow_desktop.tools import version_numbers

GRACE_S = 60.0  # a cancelled helm takes up to 44 s to record its state while the API does not answer (row 3)
AFTER_HELM_S = 60.0  # outer deadline beyond helm's own timeout (row 23)
FETCH_TIMEOUT_S = 300.0
TEMPLATE_TIMEOUT_S = 60.0

SECRET_KEY = re.compile(r"passw|passphrase|pwd|secret|token|credential|key", re.IGNORECASE)

_OVERRIDDEN = (
    "HELM_KUBEAPISERVER",
    "HELM_KUBEASGROUPS",
    "HELM_KUBEASUSER",
    "HELM_KUBECAFILE",
    "HELM_KUBECONTEXT",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
    "HELM_KUBETLS_SERVER_NAME",
    "HELM_KUBETOKEN",
    "HELM_NAMESPACE",
    "HELM_DRIVER",
    "HELM_DEBUG",
    "KUBECONFIG",
)


def environment(extra: Mapping[str, str | None] | None = None) -> dict[str, str | None]:
    """Return the environment of every helm call: no inherited cluster (row 5), no kuberc, no plugins, no debug output.

    HELM_DRIVER goes too: the release's state is read from Secrets afterwards. `extra` is laid over it.
    """
    inherited = [name for name in os.environ if name.startswith("HELM_KUBE")]
    removed: dict[str, str | None] = dict.fromkeys((*_OVERRIDDEN, *inherited))
    return {**removed, "KUBERC": "off", "HELM_NO_PLUGINS": "1", **(extra or {})}


def overridden(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables of `environ` that helm would obey and that a run overrides, to be shown (conventions, 3)."""
    return tuple(sorted(name for name in environ if name in _OVERRIDDEN or name.startswith("HELM_KUBE")))


def upgrade(
    helm: Tool,
    ref: ChartRef,
    config: HelmDeploy,
    target: KubeTarget,
    namespace: str,
    *,
    release: str,
    working_directory: str,
) -> Command:
    """Return `helm upgrade --install` (or `helm install`) of `ref`; relative values files are made absolute.

    Raises UserError naming `timeout` where that is no duration.
    """
    seconds = parse_duration(config.timeout)
    verb = ("upgrade", "--install") if config.upgrade else ("install",)
    head = [helm.path, *verb, release, ref.argument, "--namespace", namespace]
    flags = [*_create(config), *_wait(config), *_rollback(helm, config), *_dry_run(helm, config), *_source(ref)]
    values = values_flags(config, working_directory, reset=config.upgrade)
    argv = [*head, *flags, *values, "--kubeconfig", target.kubeconfig, "--kube-context", target.context]
    return Command(
        argv=tuple(argv),
        cwd=ref.cwd,
        env=environment(),
        stdin=config.custom_values or None,
        timeout=seconds + AFTER_HELM_S,
        masked=secret_indexes(argv),
        purpose="deploy",
        grace=GRACE_S,
    )


def template(
    helm: Tool,
    ref: ChartRef,
    config: HelmDeploy,
    namespace: str,
    *,
    release: str,
    directory: str,
    kube_version: str = "",
) -> Command:
    """Return `helm template` of the same chart and values; no cluster is contacted.

    `kube_version` is the Kubernetes to render for: a helm built without one takes itself for 1.20.
    """
    head = [helm.path, "template", release, ref.argument, "--namespace", namespace, "--include-crds", *_source(ref)]
    version = [f"--kube-version={kube_version}"] if kube_version else []
    argv = [*head, *version, *values_flags(config, directory, reset=False)]
    return Command(
        argv=tuple(argv),
        cwd=ref.cwd,
        env=environment({"KUBECONFIG": os.devnull}),
        stdin=config.custom_values or None,
        timeout=TEMPLATE_TIMEOUT_S,
        masked=secret_indexes(argv),
        purpose="template",
        grace=1.0,
    )


def dependency(helm: Tool, folder: str, verb: str, private: Mapping[str, str], *, refresh: bool) -> Command:
    """Return `helm dependency build|update` in `folder`, with a private repository list and cache (`private`)."""
    argv = (helm.path, "dependency", verb, ".", *(() if refresh else ("--skip-refresh",)))
    env = environment({**private, "KUBECONFIG": os.devnull})
    return Command(argv=argv, cwd=folder, env=env, timeout=FETCH_TIMEOUT_S, purpose="dependencies")


def repo_add(helm: Tool, folder: str, name: str, url: str, private: Mapping[str, str]) -> Command:
    """Return `helm repo add` into the private repository list."""
    env = environment({**private, "KUBECONFIG": os.devnull})
    argv = (helm.path, "repo", "add", name, url)
    return Command(argv=argv, cwd=folder, env=env, timeout=FETCH_TIMEOUT_S, purpose="repository")


def values_flags(config: HelmDeploy, working_directory: str, *, reset: bool) -> list[str]:
    """Return the flags that give values, in Helm's order of rank: files, then the typed YAML (by stdin), then --set."""
    flags = ["--reset-values"] if config.reset_values and reset else []
    flags += [f"--values={_listed(absolute(path, working_directory))}" for path in config.values_files]
    flags += ["--values=-"] if config.custom_values else []
    return [*flags, *(f"--set={text}" for text in config.set_values)]


def secret_indexes(argv: Sequence[str]) -> tuple[int, ...]:
    """Return the indexes of `--set=K=V` whose keys look like a password, a token or a key."""
    return tuple(index for index, arg in enumerate(argv) if arg.startswith("--set=") and _names_secret(arg[6:]))


def _names_secret(text: str) -> bool:
    keys = [part.partition("=")[0] for part in text.split(",")]
    return any(SECRET_KEY.search(key) for key in keys)


def _listed(path: str) -> str:
    """Helm reads --values as a list parted by commas, with CSV's quotes: quote a path that holds either."""
    if "," not in path and '"' not in path:
        return path
    quoted = path.replace('"', '""')
    return f'"{quoted}"'


def _create(config: HelmDeploy) -> list[str]:
    return ["--create-namespace"] if config.create_namespace else []


def _wait(config: HelmDeploy) -> list[str]:
    return [*(["--wait"] if config.wait else []), "--timeout", config.timeout]


def _rollback(helm: Tool, config: HelmDeploy) -> list[str]:
    if not config.atomic:
        return []
    return ["--rollback-on-failure"] if helm.major >= 4 else ["--atomic"]


def _dry_run(helm: Tool, config: HelmDeploy) -> list[str]:
    if not config.dry_run:
        return []
    version = version_numbers(helm.version)
    flag = "--dry-run=server" if version >= (3, 13, 0) else "--dry-run"
    return [flag, *(["--hide-secret"] if version >= (3, 15, 0) else [])]


def _source(ref: ChartRef) -> list[str]:
    flags = [f"--repo={ref.repo}"] if ref.repo else []
    return [*flags, *([f"--version={ref.version}"] if ref.version else [])]
