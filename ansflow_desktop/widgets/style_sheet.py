"""The style sheet with `$token` placeholders; arrows and check marks are painted in controls.py."""

STYLE_SHEET = """
* { font-size: $px_body; }
QWidget { color: $text; }
QMainWindow, QWidget#page, QWidget#shell { background: $background; }
QToolTip {
    background: $text; color: $background; border: 0; padding: 5px 8px; font-size: $px_small;
}
QLabel { background: transparent; }
QLabel[role="page_title"] { font-size: $px_page_title; font-weight: 600; }
QLabel[role="card_title"] { font-size: $px_card_title; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; font-size: $px_small; }
QLabel[role="context"] { color: $muted; }
QLabel[role="field"] { color: $muted; font-size: $px_small; }
QLabel[role="brand"] { font-size: 16px; font-weight: 600; }
QLabel[tone="ok"] { color: $ok; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="bad"] { color: $bad; }
QLabel[tone="accent"] { color: $accent; }

QFrame[role="card"] { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame[role="plain"] { background: transparent; border: 0; }
QFrame[role="rule"] { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QFrame[role="popup"] { background: $surface; border: 1px solid $line_strong; border-radius: 7px; }
QFrame[role="note"] { border: 0; border-radius: 7px; background: $sunken; }
QFrame[role="note"][tone="ok"] { background: $ok_soft; }
QFrame[role="note"][tone="warn"] { background: $warn_soft; }
QFrame[role="note"][tone="bad"] { background: $bad_soft; }
QFrame[role="note"][tone="accent"] { background: $accent_soft; }
QLabel#toast { background: $text; color: $background; border-radius: 7px; padding: 8px 14px; }
QFrame#rail { background: $surface; border: 0; border-right: 1px solid $line; }
QFrame#top_bar { background: $surface; border: 0; border-bottom: 1px solid $line; }

QPushButton, QToolButton {
    background: $surface; border: 1px solid $line_strong; border-radius: 7px; padding: 0 13px; min-height: 30px;
    color: $text;
}
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $line; }
QPushButton:focus, QToolButton:focus { border: 2px solid $accent; padding: 0 12px; min-height: 28px; }
QPushButton:disabled, QToolButton:disabled { color: $muted; background: $sunken; border-color: $line; }
QPushButton[role="primary"] {
    background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; padding: 0 17px;
}
QPushButton[role="primary"]:hover, QPushButton[role="primary"]:pressed {
    background: $accent_hover; border-color: $accent_hover;
}
QPushButton[role="primary"]:focus { border: 2px solid $text; padding: 0 16px; }
QPushButton[role="primary"]:disabled { background: $line; border-color: $line; color: $muted; }
QPushButton[role="danger"] { color: $bad; }
QPushButton[role="danger"]:hover { background: $bad_soft; border-color: $bad; }
QPushButton[role="danger"]:disabled { color: $muted; }
QPushButton[role="link"] {
    background: transparent; border: 1px solid transparent; color: $accent; padding: 0 5px; min-height: 24px;
    text-align: left;
}
QPushButton[role="link"]:hover { background: $accent_soft; }
QPushButton[role="link"]:focus { border: 2px solid $accent; padding: 0 4px; min-height: 22px; }
QPushButton[role="link"]:disabled { color: $muted; background: transparent; }
QPushButton[role="palette"] {
    background: transparent; border: 1px solid transparent; padding: 0 7px; min-height: 26px; text-align: left;
}
QPushButton[role="palette"]:hover { background: $hover; border-color: $line; }
QPushButton[role="palette"]:checked { background: $accent_soft; color: $accent; font-weight: 600; }
QPushButton[role="palette"]:focus { border: 2px solid $accent; padding: 0 6px; min-height: 24px; }
QToolButton[role="icon"] {
    background: transparent; border: 1px solid transparent; padding: 0; min-height: 26px; min-width: 26px;
    max-height: 26px; max-width: 26px;
}
QToolButton[role="icon"]:hover { background: $hover; }
QToolButton[role="icon"]:focus {
    border: 2px solid $accent; padding: 0; min-height: 24px; min-width: 24px; max-height: 24px; max-width: 24px;
}
QToolButton[role="icon"]:disabled { background: transparent; border-color: transparent; }
QToolButton::menu-indicator { image: none; width: 0; }

QPushButton[role="rail"] {
    background: transparent; border: 2px solid transparent; border-radius: 7px; text-align: left; padding: 0 10px;
    min-height: 32px; color: $text;
}
QPushButton[role="rail"]:hover { background: $hover; }
QPushButton[role="rail"]:checked { background: $accent_soft; color: $accent; font-weight: 600; }
QPushButton[role="rail"]:focus { border-color: $accent; padding: 0 10px; min-height: 32px; }
QPushButton[role="rail"][folded="true"] { padding: 0; text-align: center; }
QPushButton[role="rail"][folded="true"]:focus { padding: 0; }

QLineEdit, QComboBox, QPlainTextEdit {
    background: $surface; border: 1px solid $line_strong; border-radius: 7px; color: $text;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit, QComboBox { padding: 0 9px; min-height: 30px; }
QLineEdit:hover, QComboBox:hover { border-color: $muted; }
QLineEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 0 8px; min-height: 28px; }
QLineEdit[problem="error"], QComboBox[problem="error"], QPlainTextEdit[problem="error"] { border-color: $bad; }
QLineEdit[problem="warning"], QComboBox[problem="warning"], QPlainTextEdit[problem="warning"] { border-color: $warn; }
QLineEdit:disabled, QComboBox:disabled, QPlainTextEdit:disabled { background: $sunken; color: $muted; }
QComboBox { padding-right: 26px; }
QComboBox:focus { padding-right: 25px; }
QComboBox::drop-down { border: 0; width: 24px; }
QComboBox::down-arrow { image: none; }
QComboBox QLineEdit, QComboBox QLineEdit:focus {
    border: 0; padding: 0; background: transparent; min-height: 26px;
}
QComboBox QAbstractItemView, QListView[role="popup"] {
    background: $surface; border: 1px solid $line_strong; border-radius: 7px; outline: 0; padding: 4px;
}
QComboBox QAbstractItemView::item { min-height: 30px; padding: 0 6px; border-radius: 5px; color: $text; }
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover {
    background: $accent_soft; color: $text;
}
QPlainTextEdit { padding: 6px; }
QPlainTextEdit[role="code"] { background: $sunken; border-color: $line; font-family: $mono; font-size: 12px; }
QPlainTextEdit:focus { border: 2px solid $accent; padding: 5px; }
QPlainTextEdit[role="flat"] { border: 0; border-radius: 0; background: transparent; padding: 0; }
QPlainTextEdit[role="flat"]:focus { border: 0; padding: 0; }
QPlainTextEdit[role="editor"], QPlainTextEdit[role="editor"]:focus {
    background: $sunken; font-family: $mono; font-size: 12px; padding: 0;
}

QCheckBox { spacing: 8px; background: transparent; min-height: 24px; }
QCheckBox::indicator {
    width: 14px; height: 14px; border: 1px solid $line_strong; border-radius: 4px; background: $surface; margin: 1px;
}
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QCheckBox::indicator:focus { border: 2px solid $accent; margin: 0; }
QCheckBox::indicator:checked:focus { border-color: $text; }
QCheckBox:disabled { color: $muted; }
QCheckBox::indicator:disabled { background: $line; border-color: $line_strong; }

QRadioButton { spacing: 8px; background: transparent; min-height: 24px; }
QRadioButton::indicator {
    width: 14px; height: 14px; border: 1px solid $line_strong; border-radius: 8px; background: $surface; margin: 1px;
}
QRadioButton::indicator:hover { border-color: $accent; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid $accent; background: $on_accent; }
QRadioButton::indicator:focus { border: 2px solid $accent; margin: 0; }
QRadioButton::indicator:checked:focus { border: 5px solid $text; margin: 1px; }
QRadioButton:disabled { color: $muted; }
QRadioButton::indicator:disabled { background: $line; border-color: $line_strong; }

QTabBar { background: transparent; border: 0; }
QTabBar::tab {
    background: transparent; color: $muted; border: 0; border-bottom: 2px solid transparent; padding: 7px 2px;
    margin: 0 18px 0 0;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $accent; border-bottom-color: $accent; font-weight: 600; }
QTabBar::tab:focus { background: $accent_soft; }

QProgressBar { background: $line; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QProgressBar[tone="ok"]::chunk { background: $ok; }
QProgressBar[tone="warn"]::chunk { background: $warn; }
QProgressBar[tone="bad"]::chunk { background: $bad; }

QScrollArea { background: transparent; border: 0; }
QScrollArea > QWidget > QWidget#scrolled { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; border: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; border: 0; }
QScrollBar::handle { background: $line_strong; border-radius: 2px; margin: 3px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: 0; background: transparent; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: 0; }

QTableView, QTreeView, QListView {
    background: $surface; border: 0; outline: 0; color: $text; gridline-color: $line;
    selection-background-color: $accent_soft; selection-color: $text;
}
QTableView[role="card"], QTreeView[role="card"] { border: 1px solid $line; border-radius: 10px; }
QHeaderView { background: transparent; border: 0; }
QHeaderView::section {
    background: $surface; color: $muted; border: 0; border-bottom: 1px solid $line; padding: 0 12px; font-weight: 400;
    font-size: $px_small; min-height: 32px; text-align: left;
}
QHeaderView::section:hover { color: $text; }
QHeaderView::up-arrow, QHeaderView::down-arrow { image: none; width: 0; height: 0; }

QMenu { background: $surface; border: 1px solid $line_strong; padding: 5px; }
QMenu::item { padding: 6px 24px 6px 8px; border-radius: 5px; color: $text; }
QMenu::item:selected { background: $accent_soft; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { background: $line; height: 1px; margin: 5px 4px; }
QMenu::icon { padding-left: 6px; }

QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $line; }
QDialog, QMessageBox { background: $surface; }
"""
