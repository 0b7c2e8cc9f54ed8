"""One set of services for the window and the command line: what each needs is made at its first use.

Nothing heavy is imported here: SQLAlchemy, Alembic, the Kubernetes client and structlog come with the property that
needs them, so that a window can be painted first (performance.md, goal 9). Every property is safe from any thread.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from ansflow_desktop import i18n, paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, msg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansflow_desktop.credentials.service import CredentialService
    from ansflow_desktop.executors.cluster_book import ClusterBook
    from ansflow_desktop.executors.instance import InstanceLock
    from ansflow_desktop.executors.runner import PipelineRunner
    from ansflow_desktop.kube.approvals import Approvals
    from ansflow_desktop.kube.catalog import ClusterCatalog
    from ansflow_desktop.kube.namespace_cache import NamespaceCache
    from ansflow_desktop.models.cluster import ClusterSecret, OwnCluster
    from ansflow_desktop.models.command import ToolSet
    from ansflow_desktop.paths import Directories
    from ansflow_desktop.practice.cluster import PracticeClusters
    from ansflow_desktop.redact import Redactor
    from ansflow_desktop.settings import Settings
    from ansflow_desktop.store.clusters import ClusterShelf
    from ansflow_desktop.store.drafts import Drafts
    from ansflow_desktop.store.journal import Journal
    from ansflow_desktop.store.library import Library
    from ansflow_desktop.store.templates import Templates
    from ansflow_desktop.store.trust import Trust
    from ansflow_desktop.store.vault import Vault

T = TypeVar("T")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The global options of the command line (cli.md); the window is started with the same.

    Paths are as typed, None where not given. `lang` is `en`, `zh_CN` or None (settings, then the system's).
    `log_level` is debug, info, warning or error. The first line of `passphrase_file` opens the vault.
    """

    kubeconfig: str | None = None
    data_dir: str | None = None
    helm: str | None = None
    kubectl: str | None = None
    read_only: bool = False
    lang: str | None = None
    log_level: str = "warning"
    passphrase_file: str | None = None


class Services:
    """What the presenters and the command line work with; made once by `build`, closed by `close`."""

    def __init__(self, options: Options) -> None:
        """Keep the options and work out the directories; no file is read or written."""
        self.options = options
        self.directories: Directories = paths.directories(options.data_dir)
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}
        self._runs: list[contextlib.ExitStack] = []

    def _once(self, name: str, make: Callable[[], T]) -> T:
        made = self._made
        if name in made:  # without the lock: the window must not wait for what another thread is making
            return cast("T", made[name])
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return cast("T", self._made[name])

    @property
    def read_only(self) -> bool:
        """True when this start refuses whatever changes a cluster (`--read-only`)."""
        return self.options.read_only

    @property
    def settings(self) -> Settings:
        """The preferences as last saved or loaded; a damaged file is set aside and named in `settings_notice`."""
        return self._once("settings", self._load_settings)[0]

    @property
    def settings_notice(self) -> Message | None:
        """What happened to a damaged settings file, None when all is well."""
        return self._once("settings", self._load_settings)[1]

    def _load_settings(self) -> tuple[Settings, Message | None]:
        from ansflow_desktop import settings

        return settings.load(self.directories.settings)

    def save_settings(self, changed: Settings) -> None:
        """Write the preferences and use them from now on; raises UserError where they cannot be written."""
        from ansflow_desktop import settings

        with self._lock:
            notice = self.settings_notice
            self._make_data()
            settings.save(self.directories.settings, changed)
            self._made["settings"] = (changed, notice)

    @property
    def tools(self) -> ToolSet:
        """Programs helm and kubectl as found at the first use; `find_tools_again` looks anew."""
        return self._once("tools", self._find_tools)

    def _find_tools(self) -> ToolSet:
        from ansflow_desktop import tools

        helm = self.options.helm or self.settings.helm or None
        kubectl = self.options.kubectl or self.settings.kubectl or None
        return tools.find_tools(helm, kubectl, self.directories.tools)

    def find_tools_again(self) -> ToolSet:
        """Look for helm and kubectl anew (they were installed meanwhile, or the settings changed)."""
        found = self._find_tools()
        with self._lock:
            self._made["tools"] = found
        return found

    @property
    def approvals(self) -> Approvals:
        """Which credential programs of kubeconfigs were shown and approved (failure-modes.md, row 8)."""
        from ansflow_desktop.kube.approvals import Approvals

        return self._once("approvals", lambda: Approvals(self.directories.data / "approved-plugins.json"))

    @property
    def catalog(self) -> ClusterCatalog:
        """Every cluster that can be chosen: the kubeconfig's contexts, added files, and the practice clusters."""
        return self._once("catalog", self._read_catalog)

    def _read_catalog(self) -> ClusterCatalog:
        from ansflow_desktop.kube.catalog import ClusterCatalog
        from ansflow_desktop.kube.kubeconfig import kubeconfig_files
        from ansflow_desktop.redact import secrets_of

        def know(document: dict[str, Any]) -> None:
            self.redactor.add(secrets_of(document))

        files = kubeconfig_files(self.options.kubeconfig, os.environ)
        added = tuple(Path(extra) for extra in self.settings.extra_kubeconfigs)
        practice = self.directories.practice
        return ClusterCatalog(files, self.approvals, practice, added, know, self.shelf, self._secret_of)

    @property
    def namespaces(self) -> NamespaceCache:
        """What is known of each cluster's namespaces, with its age; the window and the command line share it."""
        from ansflow_desktop.kube.namespace_cache import NamespaceCache

        return self._once("namespaces", lambda: NamespaceCache(self.directories.data / "namespaces.json"))

    @property
    def shelf(self) -> ClusterShelf:
        """The clusters that were added by hand, and the notes on all clusters."""
        from ansflow_desktop.store.clusters import ClusterShelf

        return self._once("shelf", lambda: ClusterShelf(self.directories.data / "clusters.json"))

    def notices(self) -> tuple[Message, ...]:
        """Return what became of a damaged list of clusters, as far as it was read; nothing is read for it."""
        shelf: ClusterShelf | None = self._made.get("shelf")
        return (shelf.notice,) if shelf is not None and shelf.notice else ()

    @property
    def vault(self) -> Vault:
        """Where the secrets of clusters added by hand are kept; opened by `--passphrase-file` where that is given."""
        return self._once("vault", self._make_vault)

    def _make_vault(self) -> Vault:
        from ansflow_desktop.store.vault import Vault

        made = Vault(self.directories.data / "vault.json", passphrase=self._passphrase)
        for run in self._runs:
            run.enter_context(made.in_use())
        return made

    @contextlib.contextmanager
    def vault_held(self) -> Iterator[None]:
        """Keep the vault from locking by itself inside the block, also one made meanwhile; it is not made for that."""
        with contextlib.ExitStack() as held:
            with self._lock:
                self._runs.append(held)
                if "vault" in self._made:
                    held.enter_context(self._made["vault"].in_use())
            try:
                yield
            finally:
                with self._lock:
                    self._runs.remove(held)

    def _passphrase(self) -> str | None:
        from ansflow_desktop.store.passphrase import read_passphrase

        given = self.options.passphrase_file
        return read_passphrase(Path(given)) if given else None

    def _secret_of(self, cluster: OwnCluster) -> ClusterSecret | None:
        return self.cluster_book.secret(cluster)

    @property
    def cluster_book(self) -> ClusterBook:
        """Adds, changes and removes clusters."""
        from ansflow_desktop.executors.cluster_book import ClusterBook

        return self._once("cluster_book", lambda: ClusterBook(self.shelf, self.vault, self.catalog))

    def add_kubeconfig(self, file: Path) -> None:
        """Read `file` too, now and after the next start; the file itself is never written.

        Raises UserError when it does not exist or holds no context.
        """
        self.catalog.add_file(file)
        known = tuple(self.settings.extra_kubeconfigs)
        path = str(paths.expanded(file).absolute())
        if path not in known:
            self.save_settings(msgspec.structs.replace(self.settings, extra_kubeconfigs=(*known, path)))

    def forget_kubeconfig(self, file: Path) -> bool:
        """Read the added `file` no more, which may be gone; return whether it was one. The file itself stays.

        Raises UserError where the settings cannot be written.
        """
        path = str(paths.expanded(file).absolute())
        kept = tuple(one for one in self.settings.extra_kubeconfigs if one != path)
        if len(kept) == len(self.settings.extra_kubeconfigs):
            return False
        self.save_settings(msgspec.structs.replace(self.settings, extra_kubeconfigs=kept))
        self.catalog.forget_file(Path(path))
        return True

    @property
    def credentials(self) -> CredentialService:
        """Every credential that any cluster uses, with what it says and what the server says."""
        return self._once("credentials", self._make_credentials)

    def _make_credentials(self) -> CredentialService:
        from datetime import timedelta

        from ansflow_desktop.credentials.answers import Answers
        from ansflow_desktop.credentials.service import CredentialService, CredentialSettings
        from ansflow_desktop.kube.namespace_cache import candidates

        def chosen() -> CredentialSettings:
            return CredentialSettings(
                warn=timedelta(days=self.settings.warn_days),
                home=paths.home(),
                namespaces=lambda entry: candidates(entry, self.settings),
            )

        return CredentialService(self.catalog, Answers(ttl_s=self.settings.answers_s), settings=chosen)

    @property
    def journal(self) -> Journal:
        """The record of runs; a damaged database is set aside and named in the journal's `notice`."""
        return self._once("journal", self._open_journal)

    def _open_journal(self) -> Journal:
        from ansflow_desktop.store.journal import Journal

        self._make_data()
        return Journal(self.directories.database)

    @property
    def library(self) -> Library:
        """The user's steps, pipelines and templates in the journal's database; raises UserError as the journal does."""
        return self._once("library", self._open_library)

    def _open_library(self) -> Library:
        from ansflow_desktop.store.library import Library

        self._make_data()
        return Library(self.directories.database)

    @property
    def drafts(self) -> Drafts:
        """What was typed and not saved yet, one file for each document."""
        from ansflow_desktop.store.drafts import Drafts

        return self._once("drafts", lambda: Drafts(self.directories.data / "drafts"))

    @property
    def trust(self) -> Trust:
        """Which imported documents with commands of their own were shown and trusted (conventions.md, line 13)."""
        from ansflow_desktop.store.trust import Trust

        return self._once("trust", lambda: Trust(self.directories.data / "trusted-documents.json"))

    @property
    def templates(self) -> Templates:
        """The templates of the program and those of the library."""
        from ansflow_desktop.store.templates import Templates

        return self._once("templates", lambda: Templates(lambda: self.library, self.trust))

    def _make_data(self) -> None:
        from ansflow_desktop import files

        try:
            paths.make_private(self.directories.data)
        except OSError as error:
            raise files.cannot_write(self.directories.data, error) from error

    @property
    def practice(self) -> PracticeClusters:
        """The practice clusters of this data directory."""
        from ansflow_desktop.practice.cluster import PracticeClusters

        return self._once("practice", lambda: PracticeClusters(self.directories))

    def start_log(self) -> None:
        """Begin to log at the level that was asked for; raises UserError where the folder cannot be made."""
        from ansflow_desktop import logs

        self._once("log", lambda: logs.configure(self.directories, self.options.log_level, self.redactor))

    @property
    def redactor(self) -> Redactor:
        """Takes the secrets of every cluster whose document was read out of texts; the log passes through it."""
        from ansflow_desktop.redact import Redactor

        return self._once("redactor", Redactor)

    @property
    def instance_lock(self) -> InstanceLock:
        """Tells whether another window uses the same data directory; nothing is locked before `acquire`."""
        from ansflow_desktop.executors.instance import InstanceLock

        return self._once("instance_lock", lambda: InstanceLock(self.directories.data / "instance.lock"))

    def runner(self) -> PipelineRunner:
        """Return the runner of pipelines, wired to this machine's tools and clusters.

        Raises UserError (FORBIDDEN) when this start is read-only: the check stands here, not in the window.
        """
        self.require_writable()
        from ansflow_desktop.executors.kubernetes import KubernetesStepExecutor
        from ansflow_desktop.executors.runner import PipelineRunner
        from ansflow_desktop.executors.shell import ShellStepExecutor
        from ansflow_desktop.models.pipeline import StepType

        kubernetes = KubernetesStepExecutor(document_of=self.catalog.document, guarded=self.catalog)
        return PipelineRunner(
            executors={
                **{kind: kubernetes for kind in StepType if kind is not StepType.SHELL},
                StepType.SHELL: ShellStepExecutor(),
            },
            journal=self.journal,
            tools=self.tools,
            clusters=self.catalog,
            directories=self.directories,
            held=self.vault_held,
        )

    def require_writable(self) -> None:
        """Raise UserError (FORBIDDEN) when this start is read-only (conventions.md, line 10)."""
        if self.read_only:
            raise UserError(
                msg("This start is read-only"),
                "",
                msg("Start without --read-only to change a cluster."),
                code=ExitCode.FORBIDDEN,
            )

    def close(self) -> None:
        """Close what was opened; the practice clusters keep running."""
        with self._lock:
            made, self._made = self._made, {}
        if "log" in made:
            from ansflow_desktop import logs

            logs.shutdown()
        for name in ("journal", "library"):
            if name in made:
                made[name].close()
        if "instance_lock" in made:
            made["instance_lock"].release()


def build(options: Options) -> Services:
    """Return the services for `options`; the language is the option's, else the saved one, else the system's.

    Raises UserError for a kubeconfig file that was named and is not there; one that only KUBECONFIG names is skipped.
    """
    services = Services(options)
    i18n.set_language(options.lang or services.settings.language or None)
    if options.kubeconfig and not os.path.exists(paths.expanded(options.kubeconfig)):  # noqa: PTH110  # as files.is_there
        raise _no_kubeconfig(options.kubeconfig)
    return services


def _no_kubeconfig(given: str) -> UserError:
    return UserError(
        msg("There is no kubeconfig file %(file)s", file=given),
        "",
        msg("Name a file that exists, or leave --kubeconfig out."),
        field="--kubeconfig",
    )
