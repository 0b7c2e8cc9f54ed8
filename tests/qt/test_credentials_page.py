"""The Credentials page on reports made by hand: both verdicts, the time line, renewal, automation, reminders."""

import datetime
import re
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.guard import ConfirmationNeeded
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.credential import (
    Advice,
    Claims,
    ClaimVerdict,
    Credential,
    CredentialKind,
    CredentialReport,
    CredentialStatus,
    GeneratedFile,
    OldSecret,
    PriorityAction,
    ServerAnswer,
    ServerVerdict,
    Strategy,
    Use,
)
from ansflow_desktop.presenters.credentials import CredentialsPresenter
from ansflow_desktop.presenters.credentials_reminders import due_now, remember, reminder_banner
from ansflow_desktop.presenters.credentials_state import Group, RenewalState, Unread, form_of, group_of
from ansflow_desktop.presenters.credentials_work import CredentialsWork, Reading
from ansflow_desktop.presenters.loop import run_here
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets.confirm_dialog import ConfirmDialog
from ansflow_desktop.widgets.credentials_automation import AutomationDialog
from ansflow_desktop.widgets.credentials_page import CredentialsPage
from ansflow_desktop.widgets.credentials_renew import RenewDialog
from ansflow_desktop.widgets.credentials_timeline import scale

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
RENEW = Advice(strategy=Strategy.TOKEN_REQUEST, title=msg("Renew it"), automation=("bash", "exec"), immediate=True)


def report(
    name,
    days=None,
    claim=ClaimVerdict.VALID,
    server=ServerVerdict.ACCEPTED,
    status=CredentialStatus.VALID,
    kind=CredentialKind.TOKEN,
    clusters=("dev",),
    **answer,
):
    end = None if days is None else NOW + days * DAY
    claims = Claims(subject="system:serviceaccount:web:bot", issued_at=NOW - 100 * DAY, expires_at=end)
    asked = NOW - datetime.timedelta(minutes=2)
    return CredentialReport(
        credential=Credential(
            id=name,
            name=name,
            kind=kind,
            used_by=tuple(Use(cluster=cluster, place="users/bot") for cluster in clusters),
            claims=claims,
            namespace="web",
            service_account="bot",
        ),
        claim_verdict=claim,
        answer=ServerAnswer(verdict=server, checked_at=asked, **answer),
        status=status,
        status_message=msg("What is said of %(name)s", name=name),
        advice=(RENEW,),
        read_at=NOW,
    )


BROKEN = report("bot @ dev", -4, ClaimVerdict.EXPIRED, ServerVerdict.REFUSED, CredentialStatus.INVALID)
ODD = report("ci @ legacy", -12, ClaimVerdict.EXPIRED, status=CredentialStatus.WARNING, clock_ahead=130.0)
SOON = report("bot @ stage", 3, ClaimVerdict.EXPIRING, status=CredentialStatus.WARNING, clusters=("stage", "prod"))
FINE = report("alice @ far", 200, kind=CredentialKind.CLIENT_CERTIFICATE, clusters=("far",))
ALL = (BROKEN, ODD, SOON, FINE)
ACTIONS = (PriorityAction(number=1, credential=BROKEN.credential.id, advice=RENEW, due=NOW - 4 * DAY),)


def made_file(name, text):
    return GeneratedFile(name=name, text=text, mode=0o700, about="")


class FakeWork(CredentialsWork):
    """Answers as told; counts who was asked."""

    def __init__(self, services) -> None:
        super().__init__(services)
        self.reading = Reading(reports=ALL, actions=ACTIONS)
        self.reads: list[tuple[bool, bool]] = []
        self.error: UserError | None = None
        self.renewed: list = []
        self.renewal_error: UserError | None = None
        self.old_secret: OldSecret | None = None
        self.removed: list = []

    async def read(self, *, ask, anew=False):
        self.reads.append((ask, anew))
        if self.error is not None:
            raise self.error
        return self.reading

    async def complete(self, form):
        return msgspec.structs.replace(form, puts=("copy", "file"), put="copy", vias=("admin",))

    async def renew(self, form, tell):
        self.renewed.append(form)
        if self.renewal_error is not None:
            raise self.renewal_error
        done = {"done": msg("Done"), "expires_at": NOW + 30 * DAY}
        return RenewalState(credential=form.credential, cluster=form.cluster, old_secret=self.old_secret, **done)

    async def remove_old_secret(self, cluster, old, confirmed):
        self.removed.append((cluster, old, confirmed))
        if cluster not in confirmed:
            raise ConfirmationNeeded(cluster, "renew", msg("it deletes the Secret"))

    async def files(self, kind, form):
        if not form.account:
            raise UserError(msg("No account"), field="account")
        return (made_file(f"{kind}.sh", f"# {form.namespace}/{form.account} {form.seconds}"),)


@pytest.fixture
def presenter(loop, services):
    made = CredentialsPresenter(services, FakeWork(services))
    yield made
    run_here(made.close())


@pytest.fixture
def page(presenter, qtbot):
    made = CredentialsPage(presenter)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    qtbot.waitUntil(lambda: presenter.state.asked_at and not presenter.state.asking)
    return made


def texts(widget) -> str:
    return "\n".join(part.text() for part in widget.findChildren(QLabel) if part.isVisibleTo(widget))


def test_claims_are_shown_before_any_server_was_asked(presenter, page):
    assert presenter._work.reads == [(False, False), (True, False)]
    presenter.check_all()
    assert page.table.model().rowCount() == 4


def test_a_person_who_asks_gets_new_answers(presenter, page, qtbot):
    page.reload()
    qtbot.waitUntil(lambda: presenter._work.reads[-1] == (True, True) and not presenter.state.asking)


def test_every_credential_is_counted_once(presenter, page):
    assert [group_of(one) for one in ALL] == [Group.BROKEN, Group.ODD, Group.SOON, Group.FINE]
    assert {group: tile.count for group, tile in page.numbers.tiles.items()} == dict.fromkeys(Group, 1)
    assert presenter.state.soon == 3


def test_both_verdicts_stand_side_by_side_each_with_its_age(page, qtbot):
    page.table.choose(ODD.credential.id)
    qtbot.waitUntil(lambda: page.presenter.state.chosen == ODD.credential.id)
    detail = page.detail
    assert (detail.claim.chip.text, detail.server.chip.text) == ("Expired", "Accepted")
    assert detail.claim.age.text().endswith(("ago", "just now"))
    assert re.fullmatch(r"asked \d+ minutes ago", detail.server.age.text()), detail.server.age.text()
    shown = texts(detail)
    assert "What is said of ci @ legacy" in shown and "130 seconds ahead" in shown


def test_what_breaks_first_is_chosen_first_and_leads_to_its_row(page, qtbot):
    assert page.presenter.state.chosen == BROKEN.credential.id
    page.table.choose(FINE.credential.id)
    page._first.chosen.emit(BROKEN.credential.id)
    assert page.table.chosen_row() == BROKEN


def test_a_number_shows_only_its_credentials_and_once_more_all(page, qtbot):
    tile = page.numbers.tiles[Group.SOON]
    qtbot.mouseClick(tile, Qt.MouseButton.LeftButton)
    assert [page._model.row(number) for number in range(page._model.rowCount())] == [SOON]
    qtbot.mouseClick(tile, Qt.MouseButton.LeftButton)
    assert page._model.rowCount() == 4


def test_the_filter_finds_words_of_any_order_and_escape_clears_it(page, qtbot):
    page._filter.setText("stage bot")
    assert page._model.rowCount() == 1
    page._filter.setText("nothing like it")
    assert page._stack.currentWidget() is page._no_match
    assert page.leave() and page._model.rowCount() == 4


def test_a_click_on_the_time_line_chooses(page, qtbot):
    shown = [one.credential.name for one in page.timeline.shown]
    assert shown[:2] == ["ci @ legacy", "bot @ dev"]
    qtbot.mouseClick(page.timeline, Qt.MouseButton.LeftButton, pos=QPoint(60, 22 + 24 * 2 + 10))
    assert page.presenter.state.chosen == SOON.credential.id


def test_the_time_line_spans_what_is_to_come():
    ends = {0.1: 1, 5: 7, 20: 30, 60: 90, 300: 365, 3000: 365}
    assert {days: scale((report("x", days),)) for days in ends} == ends
    assert scale((report("over", -3),)) == 7 and scale(()) == 7


@pytest.mark.parametrize("width", [560, 760, 1200])
def test_a_column_is_shown_in_full_or_not_at_all(page, width):
    page.table.setMinimumWidth(0)
    page.table.resize(width, 300)
    columns = page._model.columns
    shown = [number for number in range(len(columns)) if not page.table.isColumnHidden(number)]
    assert {0, 1, 3, 4} <= set(shown)
    assert all(page.table.columnWidth(number) >= columns[number].least for number in shown)
    assert sum(page.table.columnWidth(number) for number in shown) <= page.table.viewport().width()


def test_times_of_any_year_can_be_shown():
    last = datetime.datetime.max.replace(tzinfo=datetime.UTC)
    assert said.local(last).startswith(("9999", "10000")) and said.end(last).endswith("years")
    assert said.end(NOW - 3 * DAY) == "3 days ago"
    assert said.expires(report("x", claim=ClaimVerdict.NO_EXPIRY)) == "never"


def test_a_locked_vault_is_said_and_nothing_asks_by_itself(presenter, qtbot):
    unread = (Unread(cluster="edge", why=msg("The vault is locked"), hint=""),)
    presenter._work.reading = Reading(reports=ALL[:1], unread=unread, locked=True)
    asked = []
    presenter.locked.connect(asked.append)
    page = CredentialsPage(presenter)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: presenter.state.locked and not presenter.state.asking)
    assert "edge: The vault is locked." in texts(page.missing) and not asked
    with qtbot.waitSignal(page.unlock_asked):
        qtbot.mouseClick(page._unlock_missing, Qt.MouseButton.LeftButton)


def test_an_error_is_shown_on_the_page_and_what_was_read_stays(presenter, page, qtbot):
    presenter._work.error = UserError(msg("It broke"), "the reason")
    page.reload()
    qtbot.waitUntil(lambda: presenter.state.error is not None)
    assert page._model.rowCount() == 4


def test_nothing_could_be_read_at_all(presenter, qtbot):
    presenter._work.error = UserError(msg("It broke"), "the reason")
    page = CredentialsPage(presenter)
    qtbot.addWidget(page)
    qtbot.waitUntil(lambda: not presenter.state.loading)
    assert page._stack.currentWidget() is page._broken and "the reason" in page._broken_text.text()


def test_only_what_has_a_cluster_and_a_way_can_be_renewed():
    assert form_of(SOON).clusters == ("stage", "prod") and form_of(SOON).how == "token_request"
    assert form_of(FINE).how == "csr"
    assert form_of(report("ca", 3, kind=CredentialKind.CA_CERTIFICATE)) is None
    assert form_of(report("login", kind=CredentialKind.TOKEN, clusters=())) is None


def renewal(page, qtbot, chosen=SOON) -> RenewDialog:
    page.table.choose(chosen.credential.id)
    qtbot.mouseClick(page.detail.renew, Qt.MouseButton.LeftButton)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, RenewDialog)
    qtbot.waitUntil(lambda: dialog.put.count() == 2)
    return dialog


def test_a_renewal_by_clicks(presenter, page, qtbot):
    dialog = renewal(page, qtbot)
    assert dialog.fields.namespace.text() == "web"
    assert dialog.fields.seconds.currentData() == 30 * 86400, "the first that does not end soon again"
    dialog.fields.seconds.setCurrentIndex(dialog.fields.seconds.findData(90 * 86400))
    reads = len(presenter._work.reads)
    qtbot.mouseClick(dialog.renew, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(presenter.renewal.done))
    form = presenter._work.renewed[0]
    assert (form.cluster, form.account, form.seconds, form.put) == ("stage", "bot", 90 * 86400, "copy")
    assert form.copy_name == "stage renewed"
    assert ("Done" in texts(dialog.note) and "30 days" in texts(dialog.note)) or "29 days" in texts(dialog.note)
    qtbot.waitUntil(lambda: len(presenter._work.reads) > reads and not presenter.state.asking)
    qtbot.mouseClick(dialog.renew, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()


def test_a_refused_renewal_stands_at_its_field_and_nothing_typed_is_lost(presenter, page, qtbot):
    presenter._work.renewal_error = UserError(msg("No such account"), "the server's words", field="account")
    dialog = renewal(page, qtbot)
    dialog.fields.account.clear()
    qtbot.keyClicks(dialog.fields.account, "typed")
    qtbot.mouseClick(dialog.renew, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: presenter.renewal.error is not None)
    assert "the server's words" in texts(dialog.fields) and dialog.fields.account.text() == "typed"
    assert dialog.renew.isEnabled() and dialog.fields.isEnabled()
    dialog.reject()
    assert presenter.renewal == RenewalState()


def test_a_certificate_by_clicks_with_user_groups_signer_and_who_asks(presenter, page, qtbot):
    dialog = renewal(page, qtbot)
    fields = dialog.fields
    assert not fields.user.isVisible() and fields.account.isVisible()
    fields.how.setFocus()
    qtbot.keyClick(fields.how, Qt.Key.Key_Down)
    assert fields.how.currentData() == "csr"
    assert fields.user.isVisible() and fields.signer.isVisible() and not fields.account.isVisible()
    for line, text in (
        (fields.user, "jane"),
        (fields.groups, "team-a, team-b,"),
        (fields.signer, "example.com/people"),
    ):
        line.clear()
        qtbot.keyClicks(line, text)
    fields.via.setFocus()
    qtbot.keyClick(fields.via, Qt.Key.Key_Down)
    presenter.form_ready.emit(msgspec.structs.replace(dialog.form(), how="token_request", user="found"))
    assert (fields.how.currentData(), fields.user.text()) == ("csr", "jane"), "what was chosen stays"
    qtbot.mouseClick(dialog.renew, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(presenter.renewal.done))
    form = presenter._work.renewed[0]
    assert (form.how, form.user, form.groups) == ("csr", "jane", ("team-a", "team-b"))
    assert (form.signer, form.via) == ("example.com/people", "admin")
    dialog.accept()


def test_the_secret_of_the_old_token_is_deleted_after_two_questions_in_production(presenter, page, qtbot):
    presenter._work.old_secret = OldSecret(namespace="web", name="bot-token", account_uid="1")
    dialog = renewal(page, qtbot)
    assert not dialog.old.isVisible()
    qtbot.mouseClick(dialog.renew, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.old.isVisible)
    assert "web/bot-token" in texts(dialog.old) and not presenter._work.removed
    qtbot.mouseClick(dialog.old.remove, Qt.MouseButton.LeftButton)
    question = QApplication.activeModalWidget()
    qtbot.mouseClick(question.findChild(QPushButton, "delete_confirm"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), ConfirmDialog))
    confirm = QApplication.activeModalWidget()
    qtbot.keyClicks(confirm.findChild(QLineEdit, "confirm_name"), "stage")
    qtbot.mouseClick(confirm.findChild(QPushButton, "confirm_run"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: presenter.renewal.removed)
    assert [confirmed for *_, confirmed in presenter._work.removed] == [(), ("stage",)]
    assert "was deleted" in texts(dialog.old) and not dialog.old.remove.isVisible()
    dialog.accept()


def test_generated_files_are_shown_copied_and_saved(presenter, page, qtbot, tmp_path):
    page.table.choose(SOON.credential.id)
    qtbot.mouseClick(page.detail.automate, Qt.MouseButton.LeftButton)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, AutomationDialog)
    assert [dialog.kind.itemData(number) for number in range(dialog.kind.count())] == ["bash", "exec"]
    qtbot.waitUntil(lambda: dialog.text.toPlainText() == "# web/bot 86400")
    dialog.folder.setText(str(tmp_path))
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "# web/bot 86400"
    with qtbot.waitSignal(presenter.saved):
        qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    file = tmp_path / "bash.sh"
    assert file.read_text() == "# web/bot 86400" and file.stat().st_mode & 0o777 == 0o700
    with qtbot.waitSignal(presenter.files_failed):  # as it says nowhere that this program made it, it is somebody's
        qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert "was not made by this program" in texts(dialog.note) and dialog.save.isEnabled()
    dialog.fields.account.clear()
    dialog.fields.changed.emit()
    qtbot.waitUntil(lambda: "No account" in texts(dialog.fields))
    assert not dialog.save.isEnabled()
    dialog.reject()


def test_a_file_that_is_there_is_replaced_only_when_told(presenter, qtbot, tmp_path):
    (tmp_path / "a.sh").write_text("# Made by AnsFlow Desktop: old")
    made = (made_file("a.sh", "new"), made_file("../b.sh", "new"))
    with qtbot.waitSignal(presenter.files_failed) as failed:
        presenter.save_files(made, tmp_path)
    assert failed.args[0].field == "exists" and (tmp_path / "a.sh").read_text().endswith("old")
    with qtbot.waitSignal(presenter.saved) as saved:
        presenter.save_files(made, tmp_path, replace=True)
    assert saved.args[0] == (tmp_path / "a.sh", tmp_path / "b.sh") and (tmp_path / "a.sh").read_text() == "new"


def test_one_is_reminded_once_of_each_day(tmp_path):
    file = tmp_path / "reminders.json"
    due = due_now(ALL, (7, 1), file)
    assert [one.report.credential.name for one in due] == ["ci @ legacy", "bot @ dev", "bot @ stage"]
    remember(file, due, ALL)
    assert not due_now(ALL, (7, 1), file)
    file.write_text("damaged")
    assert due_now(ALL, (7, 1), file) == due


def test_a_reminder_names_three_at_most(tmp_path):
    due = due_now(tuple(report(f"n{day}", day) for day in (1, 2, 3, 4)), (7,), Path(tmp_path / "none"))
    banner = reminder_banner(due)
    assert str(banner.title) == "4 credentials need you soon"
    assert "n3 expires in" in str(banner.text) and "n4" not in str(banner.text)


def test_the_days_are_chosen_and_kept(presenter, page, services, qtbot):
    page._on_reminders()
    dialog = QApplication.activeModalWidget()
    assert [day for day, box in dialog.days.items() if box.isChecked()] == [14, 7, 3, 1]
    dialog.days[14].click()
    dialog.warn.setCurrentIndex(dialog.warn.findData(30))
    dialog.findChild(object, "reminders_save").click()
    assert services.settings.reminder_days == (7, 3, 1) and services.settings.warn_days == 30
    assert presenter.state.warn_days == 30
    qtbot.waitUntil(lambda: not presenter.state.asking)


def test_the_window_tells_what_ends_and_leads_to_the_page(window, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr(QApplication, "alert", lambda *_: told.append("alert"))
    monkeypatch.setattr(window.shell, "isActiveWindow", lambda: False)
    monkeypatch.setattr(window.shell, "raise_", lambda: None)
    window.credentials._work = FakeWork(window.services)
    window.credentials.watch(0)
    qtbot.waitUntil(lambda: any(banner.key == "expiring" for banner in window.frame.state.banners))
    assert told == ["alert"]
    assert window.frame.state.expiring == 3
    window._notifier.clicked.emit()
    assert window.shell.current == "credentials"
    qtbot.waitUntil(lambda: (window.services.directories.data / "reminders.json").exists())
    qtbot.waitUntil(lambda: bool(window.credentials.state.asked_at) and not window.credentials.state.asking)
    window.shell.show_page("deploy")
    qtbot.mouseClick(window.shell.top_bar._expiring, Qt.MouseButton.LeftButton)
    assert window.shell.current == "credentials"


def test_the_layers_below_fill_the_form_and_make_the_files(loop, services):
    work, found = CredentialsWork(services), {}
    form = msgspec.structs.replace(form_of(report("bot @ dev", 3)), folder="/opt/renew")

    async def ask():
        found["form"] = await work.complete(form)
        found["files"] = await work.files("systemd", form)
        found["reading"] = await work.read(ask=False)

    run_here(ask())
    assert found["form"].vias == ("stage", "prod")
    assert found["form"].puts == ("copy", "file") and found["form"].put == "copy"
    assert (found["form"].namespace, found["form"].account) == ("web", "bot")
    script, service, timer = found["files"]
    assert script.mode == 0o700 and "/opt/renew/" in service.text and timer.name.endswith(".timer")
    assert "plain @ dev" in [one.credential.name for one in found["reading"].reports]
    assert not found["reading"].locked
