"""Credentials: what each says of itself, what its server says, what to do first, renewal and reminders."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Signal

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text
from ansflow_desktop.models.credential import CredentialReport, GeneratedFile
from ansflow_desktop.presenters.base import Presenter, unexpected
from ansflow_desktop.presenters.credentials_state import (
    CredentialsState,
    Group,
    RenewalForm,
    RenewalState,
    cluster_names,
    counts,
    form_of,
    matching,
)
from ansflow_desktop.presenters.credentials_work import CredentialsWork, Reading, is_locked

if TYPE_CHECKING:
    from pathlib import Path

    from ansflow_desktop.credentials.reminders import Reminder

_AGAIN_S = 1800.0
_FIRST_S = 3.0
_DAYS = (1, 365)
_MOST_DAYS = 10


class CredentialsPresenter(Presenter):
    """Emits `due(reminders)`, `renewal_changed()`, `files_made(files)`, `saved(paths)`, `locked(error)`.

    `confirmation_needed(cluster, error)` comes where a production cluster's name is to be typed. What is read by itself
    never opens a question: `locked` comes only for what a person asked for.
    """

    due = Signal(tuple)
    renewal_changed = Signal()
    form_ready = Signal(object)
    form_failed = Signal(object)
    confirmation_needed = Signal(str, object)
    files_made = Signal(tuple)
    files_failed = Signal(object)
    saved = Signal(tuple)
    locked = Signal(object)

    def __init__(self, services: Any, work: CredentialsWork | None = None) -> None:
        """Keep the services; nothing is read before `load` or `watch`."""
        super().__init__()
        self._services = services
        self._work = work or CredentialsWork(services)
        self.renewal = RenewalState()
        settings = services.settings
        self.state = CredentialsState(warn_days=settings.warn_days, reminder_days=settings.reminder_days)

    # Reading

    def load(self) -> None:
        """Read every credential, then ask the servers; answers that are not old are taken as they are."""
        self._start("read", self._read(asked_for=False))

    def check_all(self) -> None:
        """Read every credential and ask every server anew: a person wants to know now."""
        self._start("read", self._read(asked_for=True))

    def watch(self, after: float = _FIRST_S) -> None:
        """Read every half hour without asking any server, first `after` seconds, and emit `due` with what is told."""
        self._start("watch", self._watch(after))

    async def _watch(self, after: float) -> None:
        await asyncio.sleep(after)
        while True:
            if not self.state.asking:
                await self._read_claims()
            await self._remind()
            await asyncio.sleep(_AGAIN_S)

    async def _read(self, *, asked_for: bool) -> None:
        self._publish(asking=True, error=None)
        try:
            if self.state.loading:
                self._take(await self._work.read(ask=False), asked=False)
            self._take(await self._work.read(ask=True, anew=asked_for), asked=True)
        except UserError as error:
            self._not_read(error, told=asked_for)
        except Exception as error:
            self._not_read(unexpected(error), told=asked_for)
            raise
        finally:
            self._publish(asking=False, loading=False)

    async def _read_claims(self) -> None:
        try:
            self._take(await self._work.read(ask=False), asked=False)
        except UserError as error:
            self._not_read(error, told=False)

    def _not_read(self, error: UserError, *, told: bool) -> None:
        locked = is_locked(error)
        self._publish(error=error, locked=locked)
        if locked and told:
            self.locked.emit(error)

    def _take(self, reading: Reading, *, asked: bool) -> None:
        now, reports = time.time(), reading.reports
        chosen = self.state.chosen
        if not any(one.credential.id == chosen for one in reports):
            chosen = ""
        self._publish(
            reports=reports,
            rows=matching(reports, self.state.text, self.state.group),
            actions=reading.actions,
            counts=counts(reports),
            clusters=len(cluster_names(reports)),
            chosen=chosen,
            read_at=now,
            asked_at=now if asked else self.state.asked_at,
            loading=False,
            error=None,
            unread=reading.unread,
            locked=reading.locked,
        )

    # What is shown

    def filter(self, text: str) -> None:
        """Show only credentials in which every word of `text` occurs."""
        self._publish(text=text, rows=matching(self.state.reports, text, self.state.group))

    def show_group(self, group: Group | None) -> None:
        """Show only the credentials of one of the four numbers; the same once more, or None, shows all."""
        group = None if group == self.state.group else group
        self._publish(group=group, rows=matching(self.state.reports, self.state.text, group))

    def choose(self, credential: str) -> None:
        """Show the details of the credential with this id."""
        self._publish(chosen=credential)

    # Renewal

    def form(self, report: CredentialReport) -> RenewalForm | None:
        """Return what can be chosen to renew this credential, None where it cannot be renewed from here."""
        return form_of(report)

    def complete(self, form: RenewalForm) -> None:
        """Find out what else can be chosen for `form`; `form_ready(form)` comes, or `form_failed(error)`."""
        self._start("form", self._complete(form))

    async def _complete(self, form: RenewalForm) -> None:
        try:
            self.form_ready.emit(await self._work.complete(form))
        except UserError as error:
            self.form_failed.emit(error)
            if is_locked(error):
                self.locked.emit(error)

    def renew(self, form: RenewalForm) -> None:
        """Get a new credential, try it, and only then put it in the place of the old one."""
        if not self.renewal.doing:
            self._start("renew", self._renew(form))

    async def _renew(self, form: RenewalForm) -> None:
        self._renewal(RenewalState(credential=form.credential, doing=self._work.doing(form)))
        try:
            done = await self._work.renew(form, self._tell)
        except UserError as error:
            self._renewal(RenewalState(credential=form.credential, error=error))
            if is_locked(error):
                self.locked.emit(error)
            return
        except Exception as error:
            self._renewal(RenewalState(credential=form.credential, error=unexpected(error)))
            raise
        self._renewal(done)
        self.check_all()

    def _tell(self, doing: Text) -> None:
        self._renewal(msgspec.structs.replace(self.renewal, doing=doing))

    def remove_old_secret(self, confirmed: tuple[str, ...] = ()) -> None:
        """Delete the Secret of the token that was just replaced; `confirmed` are the cluster names that were typed."""
        if self.renewal.old_secret is not None and not self.renewal.removing:
            self._start("remove", self._remove_old_secret(confirmed))

    async def _remove_old_secret(self, confirmed: tuple[str, ...]) -> None:
        before = msgspec.structs.replace(self.renewal, kept=None)
        if before.old_secret is None:
            return
        self._renewal(msgspec.structs.replace(before, removing=True))
        try:
            await self._work.remove_old_secret(before.cluster, before.old_secret, confirmed)
        except UserError as error:
            needed = type(error).__name__ == "ConfirmationNeeded"
            self._renewal(msgspec.structs.replace(before, kept=None if needed else error))
            if needed:
                self.confirmation_needed.emit(before.cluster, error)
            return
        self._renewal(msgspec.structs.replace(before, removed=True))

    def forget_renewal(self) -> None:
        """Give up a renewal that is under way, and forget how the last one went; the old credential stays."""
        self._stop("renew")
        self._stop("remove")
        self._renewal(RenewalState())

    def _renewal(self, state: RenewalState) -> None:
        self.renewal = state
        self.renewal_changed.emit()

    # Automation

    def generate(self, kind: str, form: RenewalForm) -> None:
        """Make the files of one automation; `files_made` or `files_failed` comes."""
        self._start("files", self._generate(kind, form))

    async def _generate(self, kind: str, form: RenewalForm) -> None:
        try:
            self.files_made.emit(await self._work.files(kind, form))
        except UserError as error:
            self.files_failed.emit(error)

    def save_files(self, files: tuple[GeneratedFile, ...], folder: Path, *, replace: bool = False) -> None:
        """Write generated files into `folder`; `saved(paths)` comes, or `files_failed` where one exists already."""
        self._start("save", self._save_files(files, folder, replace=replace))

    async def _save_files(self, files: tuple[GeneratedFile, ...], folder: Path, *, replace: bool) -> None:
        try:
            self.saved.emit(await self._work.save(files, folder, replace=replace))
        except UserError as error:
            self.files_failed.emit(error)

    # Reminders

    async def _remind(self) -> None:
        try:
            found = await self._work.due(self.state.reports, self.state.reminder_days)
        except UserError as error:
            self.failed.emit(error)
            return
        if found:
            self.due.emit(found)

    def told(self, due: tuple[Reminder, ...]) -> None:
        """Remember what was told, so that nobody is told twice of the same day."""
        self._start("told", self._work.told(due, self.state.reports))

    def choose_days(self, warn: int, reminders: tuple[int, ...]) -> None:
        """Say "soon" for what ends within `warn` days, and remind on these days before an end (none: never)."""
        days = tuple(sorted({max(_DAYS[0], min(_DAYS[1], day)) for day in reminders}, reverse=True))[:_MOST_DAYS]
        warn = max(1, min(_DAYS[1], warn))
        settings = msgspec.structs.replace(self._services.settings, warn_days=warn, reminder_days=days)
        try:
            self._services.save_settings(settings)
        except UserError as error:
            self.failed.emit(error)
            return
        self._publish(warn_days=warn, reminder_days=days)
        self.load()

    def _publish(self, **changed: Any) -> None:
        state = msgspec.structs.replace(self.state, **changed)
        if state != self.state:
            self.state = state
            self.state_changed.emit()
