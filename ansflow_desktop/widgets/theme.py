"""Light and dark: the tokens in use as a palette, fonts and a style sheet for the whole program (ui.md)."""

from __future__ import annotations

import functools
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette

from ansflow_desktop.widgets.style_sheet import STYLE_SHEET
from ansflow_desktop.widgets.tokens import DARK, LIGHT, Tokens

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

THEMES = ("system", "light", "dark")
BODY_PX, SMALL_PX, CARD_TITLE_PX, PAGE_TITLE_PX = 13, 12, 14, 20
ROW_PX = 36

# Families to prefer where the platform has no face of its own design and falls back to the DejaVu family.
_BETTER_THAN_DEJAVU = ("Inter", "Noto Sans", "Cantarell", "Ubuntu", "Source Sans 3", "Noto Sans CJK SC")
_CJK = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei")
_SMALL_EYED = ("Noto Sans CJK SC", "Source Sans 3")


class _Active:
    """The scheme in use: one window, one theme."""

    tokens: Tokens = LIGHT


def current() -> Tokens:
    """Return the tokens in use."""
    return _Active.tokens


def colour(name: str) -> str:
    """Return the token `name` of the theme in use as `#RRGGBB`."""
    return str(getattr(_Active.tokens, name))


def wants_dark(choice: str, app: QApplication) -> bool:
    """Return whether `choice` (`system`, `light` or `dark`) means dark on this desktop now."""
    if choice in ("light", "dark"):
        return choice == "dark"
    return app.styleHints().colorScheme() is Qt.ColorScheme.Dark


def apply(app: QApplication, choice: str) -> Tokens:
    """Use `choice` (`system`, `light` or `dark`) for the whole program and return the tokens now in use.

    Styling every widget anew takes a second on a loaded machine: where nothing would look different, none is.
    """
    schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    app.styleHints().setColorScheme(schemes.get(choice, Qt.ColorScheme.Unknown))
    _Active.tokens = DARK if wants_dark(choice, app) else LIGHT
    sheet = style_sheet(_Active.tokens)
    if app.styleSheet() == sheet:
        return _Active.tokens
    if not app.styleSheet() and app.style().objectName() != "fusion":  # below a style sheet its name is hidden
        app.setStyle("Fusion")
    app.setFont(body_font())
    app.setPalette(palette(_Active.tokens))
    app.setStyleSheet(sheet)
    return _Active.tokens


def palette(tokens: Tokens) -> QPalette:
    """Return the palette of `tokens`, for what no style sheet reaches (native parts of dialogs, text selections)."""
    roles = QPalette.ColorRole
    result = QPalette()
    chosen = {
        roles.Window: tokens.background,
        roles.WindowText: tokens.text,
        roles.Base: tokens.surface,
        roles.AlternateBase: tokens.sunken,
        roles.Text: tokens.text,
        roles.Button: tokens.surface,
        roles.ButtonText: tokens.text,
        roles.BrightText: tokens.bad,
        roles.Highlight: tokens.accent,
        roles.HighlightedText: tokens.on_accent,
        roles.Link: tokens.accent,
        roles.LinkVisited: tokens.accent,
        roles.PlaceholderText: tokens.muted,
        roles.ToolTipBase: tokens.text,
        roles.ToolTipText: tokens.background,
        roles.Mid: tokens.line_strong,
        roles.Midlight: tokens.line,
        roles.Dark: tokens.line_strong,
        roles.Light: tokens.surface,
        roles.Shadow: tokens.line_strong,
        roles.Accent: tokens.accent,
    }
    for role, value in chosen.items():
        result.setColor(role, QColor(value))
    for role in (roles.Text, roles.ButtonText, roles.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.muted))
    return result


@functools.cache
def families() -> tuple[str, ...]:
    """Return the text families in order: the platform's own face (or a better one than DejaVu), then CJK ones."""
    platform = QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)).family()
    installed = set(QFontDatabase.families())
    plain = platform.lower().startswith(("dejavu", "bitstream", "sans"))
    better = next((name for name in _BETTER_THAN_DEJAVU if name in installed), platform) if plain else platform
    cjk = tuple(name for name in _CJK if name in installed)
    return tuple(dict.fromkeys((better, *cjk, platform)))


@functools.cache
def mono_families() -> tuple[str, ...]:
    """Return the monospaced families in order, with a CJK fallback."""
    platform = QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)).family()
    installed = set(QFontDatabase.families())
    first = [name for name in ("JetBrains Mono", "DejaVu Sans Mono") if name in installed]
    cjk = [name for name in ("Noto Sans Mono CJK SC", *_CJK) if name in installed]
    return tuple(dict.fromkeys((*first, platform, *cjk)))


def pixels(size: int) -> int:
    """Return the pixel size that makes the family in use look `size` px: some faces are drawn small on their body."""
    return size + 1 if families()[0] in _SMALL_EYED else size


def body_font(size: int = BODY_PX, *, bold: bool = False) -> QFont:
    """Return the text font at `size` px."""
    font = QFont()
    font.setFamilies(list(families()))
    font.setPixelSize(pixels(size))
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    font.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    return font


def mono_font(size: int = SMALL_PX) -> QFont:
    """Return the monospaced font at `size` px."""
    font = QFont()
    font.setFamilies(list(mono_families()))
    font.setPixelSize(size)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    return font


def style_sheet(tokens: Tokens) -> str:
    """Return the style sheet of `tokens`."""
    sizes = {"body": BODY_PX, "small": SMALL_PX, "card_title": CARD_TITLE_PX, "page_title": PAGE_TITLE_PX}
    names = {name: getattr(tokens, name) for name in tokens.__struct_fields__ if name != "dark"}
    mono = ", ".join(f'"{name}"' for name in mono_families())
    return Template(STYLE_SHEET).substitute(
        names, mono=mono, **{f"px_{name}": f"{pixels(size)}px" for name, size in sizes.items()}
    )
