"""`vault …`: where the secrets of clusters added by hand are kept, and what opens that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.store.passphrase import read_passphrase

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.i18n import Text


def vault_status(session: Session) -> int:
    """Show kind, lock and number of secrets; a locked vault is no failure."""
    vault = session.services.vault
    count: int | None = None
    reason: Text = ""
    try:
        count = len(vault.keys())
    except UserError as error:
        reason = error.message or error.title
    state, (usable, why_not) = vault.state(), vault.keyring_usable()
    if vault.notice:
        session.out.note(vault.notice)
    row: dict[str, object] = {
        "kind": state.kind,
        "locked": count is None,
        "reason": reason or state.reason,
        "secrets": count,
    }
    row |= {"path": str(vault.path), "keyring": usable, "keyring_reason": why_not}
    if not session.out.is_text:
        session.out.document(row)
        return int(ExitCode.DONE)
    for label, value in _lines(row):
        session.out.line(f"{label}: {value}")
    return int(ExitCode.DONE)


def _lines(row: dict[str, object]) -> list[tuple[str, object]]:
    kinds = {
        "none": _("none yet"),
        "keyring": _("keyring"),
        "passphrase": _("passphrase"),
        "session": _("session only"),
    }
    lines: list[tuple[str, object]] = [(_("kind"), kinds[str(row["kind"])]), (_("file"), row["path"])]
    if row["kind"] != "none":
        locked = _("yes") if row["locked"] else _("no")
        lines += [(_("locked"), locked), (_("secrets"), "-" if row["secrets"] is None else row["secrets"])]
    lines += [(_("reason"), _shown(row["reason"]))] if row["reason"] else []
    usable = _("can be used") if row["keyring"] else _shown(row["keyring_reason"])
    return [*lines, (_("keyring of this session"), usable)]


def _shown(text: object) -> str:
    return translate(text)  # type: ignore[arg-type]


def vault_create(session: Session) -> int:
    """Make the vault; one behind a passphrase reads it from `--passphrase-file`. Raises UserError."""
    kind = session.args.kind
    passphrase = _given(session, "passphrase_file") if kind == "passphrase" else ""
    session.services.vault.create(kind, passphrase)
    return _done(session, msg("The vault was made: %(path)s", path=str(session.services.vault.path)))


def vault_passphrase(session: Session) -> int:
    """Change the passphrase from that of `--passphrase-file` to that of `--new-passphrase-file`. Raises UserError."""
    old, new = _given(session, "passphrase_file"), _given(session, "new_passphrase_file")
    session.services.vault.change_passphrase(old, new)
    return _done(session, msg("The passphrase was changed"))


def vault_change(session: Session) -> int:
    """Let keyring or passphrase open the vault from now on, with the same secrets in it. Raises UserError."""
    kind = session.args.kind
    passphrase = _given(session, "new_passphrase_file") if kind == "passphrase" else ""
    session.services.vault.change_kind(kind, passphrase)
    by_passphrase = msg("The vault is opened by its passphrase from now on")
    return _done(
        session, by_passphrase if kind == "passphrase" else msg("The vault is opened by the keyring from now on")
    )


def vault_set_aside(session: Session) -> int:
    """Rename a vault that nobody can open any more, so that a new one can be made. Raises UserError."""
    vault = session.services.vault
    if not vault.exists:
        raise UserError(msg("There is no vault yet"), str(vault.path), msg("Make one with vault create."))
    kept = vault.start_over()
    session.out.note(msg("Its secrets are lost unless somebody can open it; edit each cluster and give them again."))
    return _done(session, msg("The vault is kept as %(file)s; make a new one with vault create", file=str(kept)))


def vault_export(session: Session) -> int:
    """Write all secrets to an encrypted file. Raises UserError."""
    path = paths.expanded(session.args.file)
    count = session.services.vault.export(path, _given(session, "export_passphrase_file"))
    text = msg_n("%(count)s secret was written to %(file)s", "%(count)s secrets were written to %(file)s", count,
                 file=str(path))  # fmt: skip
    return _done(session, text, count)


def vault_import(session: Session) -> int:
    """Take the secrets of an encrypted file. Raises UserError; then nothing has changed."""
    path = paths.expanded(session.args.file)
    count = session.services.vault.import_(path, _given(session, "export_passphrase_file"))
    return _done(session, msg_n("%(count)s secret was imported", "%(count)s secrets were imported", count), count)


def _given(session: Session, name: str) -> str:
    path = getattr(session.args, name)
    if path:
        return read_passphrase(Path(path))
    option = "--" + name.replace("_", "-")
    hint = msg("Name a file whose first line is the passphrase with %(option)s.", option=option)
    raise UserError(msg("No passphrase given"), "", hint, field=name)


def _done(session: Session, text: Text, count: int | None = None) -> int:
    if session.out.is_text:
        session.out.line(text)
    else:
        counted = {} if count is None else {"secrets": count}
        session.out.document({"kind": session.services.vault.state().kind, **counted, "message": text})
    return int(ExitCode.DONE)
