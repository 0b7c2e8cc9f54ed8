"""One credential: a sentence, both verdicts each with its age, what it says of itself, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.credential import Advice, CredentialReport, PriorityAction, Strategy
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets.controls import (
    Card,
    Chip,
    ElidedLabel,
    FlowLayout,
    button,
    clear,
    label,
    row,
    rule,
    set_property,
)

_FIRST, _LINK = 3, 190
_WORDS = 4


class _Verdict(QWidget):
    """One verdict: whose it is, its word, and how old it is."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label(title, "field"))
        self.chip = Chip()
        layout.addWidget(self.chip)
        self.age = label("", "muted", wrap=True)
        layout.addWidget(self.age)
        layout.addStretch(1)

    def show_look(self, word: str, icon: str, tone: str, age: str) -> None:
        self.chip.set(word, icon, tone)
        self.age.setText(age)
        self.setAccessibleName(f"{self._title}: {word}. {age}")


class DetailCard(Card):
    """What is known of the chosen credential. Emits `renew_asked`, `automate_asked(kinds)` and `check_asked`."""

    renew_asked = Signal()
    automate_asked = Signal(tuple)

    def __init__(self) -> None:
        """Start with no credential."""
        super().__init__(spacing=10)
        self._shown: CredentialReport | None = None
        self._name = label("", "card_title", wrap=True, selectable=True)
        self._status = Chip()
        self._message = label("", "", wrap=True, selectable=True)
        self._message.setObjectName("status_message")
        for part in (self._name, self._status, self._message):
            self.body.addWidget(part)
        self.body.addLayout(self._verdicts())
        self._words = label("", "muted", wrap=True, selectable=True)
        self.body.addWidget(self._words)
        self.body.addLayout(self._buttons())
        self._advice = QVBoxLayout()
        self._advice.setSpacing(10)
        self.body.addLayout(self._advice)
        self.body.addWidget(rule())
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 100)
        self._bar.setAccessibleName(_("Lifetime used"))
        self.body.addWidget(self._bar)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self.body.addLayout(self._grid)

    def _verdicts(self) -> QGridLayout:
        self.claim, self.server = _Verdict(_("It says")), _Verdict(_("The server says"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        for number, part in enumerate((self.claim, self.server)):
            grid.addWidget(part, 0, number)
            grid.setColumnStretch(number, 1)
        return grid

    def _buttons(self) -> FlowLayout:
        self.renew = button(_("Renew…"), "primary", "")
        self.renew.setObjectName("renew_credential")
        self.renew.clicked.connect(self.renew_asked)
        self.automate = button(_("Automate…"), "", "robot-outline")
        self.automate.setObjectName("automate_credential")
        self.automate.clicked.connect(self._on_automate)
        flow = FlowLayout(8)
        for part in (self.renew, self.automate):
            flow.addWidget(part)
        return flow

    def show_report(self, report: CredentialReport | None, *, can_renew: bool = False) -> None:
        """Show `report`; nothing where it is None."""
        self.setVisible(report is not None)
        if report is None:
            return
        self._show_verdicts(report)
        self.renew.setVisible(can_renew)
        self.automate.setVisible(can_renew and bool(_automation(report)))
        if report == self._shown:
            return
        self._shown = report
        look = said.STATUS[report.status]
        self._name.setText(report.credential.name)
        self._status.set(translate(look.word), look.icon, look.tone)
        self._message.setText(translate(report.status_message))
        self._show_facts(report)
        self._show_advice(report.advice)

    def _show_verdicts(self, report: CredentialReport) -> None:
        look = said.CLAIM[report.claim_verdict]
        read = said.since(report.read_at)
        self.claim.show_look(
            translate(look.word), look.icon, look.tone, translate(msg("read %(ago)s", ago=read)) if read else ""
        )
        look, asked = said.SERVER[report.answer.verdict], said.since(report.answer.checked_at)
        self.server.show_look(
            translate(look.word), look.icon, look.tone, translate(msg("asked %(ago)s", ago=asked)) if asked else ""
        )
        self._words.setText(_server_words(report))
        self._words.setVisible(bool(self._words.text()))

    def _show_facts(self, report: CredentialReport) -> None:
        used = report.lifetime_used
        self._bar.setVisible(used is not None)
        if used is not None:
            self._bar.setValue(round(max(0.0, min(1.0, used)) * 100))
            set_property(self._bar, "tone", said.tone_of(report))
        clear(self._grid)
        for number, (title, text) in enumerate(facts(report)):
            heading = label(title, "muted")
            heading.setContentsMargins(0, 2, 0, 0)
            self._grid.addWidget(heading, number, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(_value(text), number, 1)

    def _show_advice(self, advice: tuple[Advice, ...]) -> None:
        clear(self._advice)
        advice = tuple(one for one in advice if one.strategy is not Strategy.KEEP)
        if advice:
            self._advice.addWidget(rule())
            self._advice.addWidget(label(_("What to do"), "strong"))
        for one in advice:
            self._advice.addWidget(_AdviceLine(one))

    @Slot()
    def _on_automate(self) -> None:
        if self._shown is not None:
            self.automate_asked.emit(_automation(self._shown))


def _value(text: str) -> QLabel:
    """Return a fact as it fits: sentences and lists wrap, a long name is shortened in its middle."""
    wraps = "\n" in text or text.count(" ") > _WORDS
    return label(text, "", wrap=True, selectable=True) if wraps else ElidedLabel(text)


def _automation(report: CredentialReport) -> tuple[str, ...]:
    """Return the kinds of files that any advice names, each once."""
    return tuple(dict.fromkeys(kind for one in report.advice for kind in one.automation))


def _server_words(report: CredentialReport) -> str:
    answer = report.answer
    found = []
    if answer.user:
        found.append(translate(msg("It takes us for %(user)s.", user=answer.user)))
    if answer.message:
        found.append(translate(answer.message))
    if abs(answer.clock_ahead) >= 60:
        found.append(_clock(round(answer.clock_ahead)))
    return "\n".join(found)


def _clock(ahead: int) -> str:
    behind = msg_n("Its clock is %(count)s second behind ours.", "Its clock is %(count)s seconds behind ours.", -ahead)
    before = msg_n(
        "Its clock is %(count)s second ahead of ours.", "Its clock is %(count)s seconds ahead of ours.", ahead
    )
    return translate(before if ahead > 0 else behind)


def facts(report: CredentialReport) -> list[tuple[str, str]]:
    """Return what a credential says of itself and where it is used, as title and text; nothing secret is in it."""
    one, claims = report.credential, report.credential.claims
    when = said.local(claims.expires_at)
    ends = f"{when}  ({said.end(claims.expires_at)})" if when else said.expires(report)
    found = [
        (_("Expires"), ends),
        (_("Issued"), said.local(claims.issued_at)),
        (_("Valid from"), said.local(claims.not_before) if claims.not_before != claims.issued_at else ""),
        (_("Lifetime used"), said.lifetime(report)),
        (_("Kind"), translate(said.KIND[one.kind])),
        (_("Subject"), claims.subject),
        (_("Groups"), "\n".join(claims.groups)),
        (_("Issuer"), claims.issuer),
        (_("Audience"), "\n".join(claims.audience)),
        (_("Algorithm"), claims.algorithm),
        (_("Serial number"), claims.serial),
        (_("Fingerprint"), one.fingerprint),
        (_("Used by"), said.used_by_all(report)),
        (_("Not readable"), translate(claims.problem)),
        *((_("Note"), translate(note)) for note in claims.notes),
    ]
    return [(title, text) for title, text in found if text]


class _AdviceLine(QWidget):
    """One advice: what to do, why, and what breaks otherwise."""

    def __init__(self, advice: Advice) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        title = translate(advice.title)
        text = label(title, "strong", "", wrap=True, selectable=True)
        if advice.immediate:
            now = Chip(_("Now"), "clock-alert-outline", "warn")
            layout.addWidget(now)
        layout.addWidget(text)
        for words in (advice.why, advice.breaks):
            if words:
                layout.addWidget(label(translate(words), "muted", wrap=True, selectable=True))
        self.setAccessibleName(title)


class FirstThings(Card):
    """What to do first, in order; emits `chosen(credential id)`."""

    chosen = Signal(str)

    def __init__(self) -> None:
        """Start with nothing to do."""
        super().__init__(_("First things first"), spacing=6)
        self._shown: tuple[tuple[PriorityAction, ...], int] = ((), 0)
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self.body.addLayout(self._list)
        self._more = label("", "muted")
        self.body.addWidget(self._more)

    def show_actions(self, actions: tuple[PriorityAction, ...], names: dict[str, str], most: int = _FIRST) -> None:
        """Show the first `most` of `actions`; `names` says what a credential's id is called."""
        self.setVisible(bool(actions))
        if (actions, most) == self._shown:
            return
        self._shown = (actions, most)
        clear(self._list)
        for action in actions[:most]:
            self._list.addWidget(self._line(action, names.get(action.credential, action.credential)))
        left = len(actions) - most
        self._more.setText(translate(msg_n("%(count)s more", "%(count)s more", left)) if left > 0 else "")
        self._more.setVisible(left > 0)

    def _line(self, action: PriorityAction, name: str) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        link = button(name, "link", "", translate(msg("Show %(name)s", name=name)))
        link.setProperty("credential", action.credential)
        link.clicked.connect(self._on_link)
        link.setMaximumWidth(_LINK)
        number = label(translate(msg("%(number)s.", number=action.number)), "muted")
        layout.addLayout(row(number, link, label(said.end(action.due), "muted"), 1, spacing=4))
        title = label(translate(action.advice.title), "", "", wrap=True)
        title.setContentsMargins(20, 0, 0, 0)
        layout.addWidget(title)
        return holder

    @Slot()
    def _on_link(self) -> None:
        self.chosen.emit(str(self.sender().property("credential")))
