"""The design tokens (ui.md): the only place in the program where a colour is written."""

from __future__ import annotations

import msgspec


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Colours of one scheme as `#RRGGBB`; `*_soft` is the pale background that goes with the strong colour.

    `mark_*` are those a person gives to a cluster: beside its name, never text.
    """

    dark: bool
    background: str
    surface: str
    sunken: str
    hover: str
    line: str
    line_strong: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    ok: str
    ok_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    syntax_key: str
    syntax_text: str
    syntax_number: str
    mark_blue: str
    mark_green: str
    mark_yellow: str
    mark_orange: str
    mark_red: str
    mark_purple: str
    mark_grey: str


LIGHT = Tokens(
    dark=False,
    background="#F6F7F9",
    surface="#FFFFFF",
    sunken="#F9FAFB",
    hover="#F0F2F6",
    line="#E3E6EB",
    line_strong="#C6CCD6",
    text="#1B2430",
    muted="#586275",
    accent="#1A5FD0",
    accent_hover="#164FAF",
    accent_soft="#E7F0FE",
    on_accent="#FFFFFF",
    ok="#0F6B4D",
    ok_soft="#E3F5EE",
    warn="#9A3D06",
    warn_soft="#FEF0DC",
    bad="#B3290A",
    bad_soft="#FDE7E1",
    syntax_key="#1A5FD0",
    syntax_text="#0F6B4D",
    syntax_number="#9A3D06",
    mark_blue="#1A5FD0",
    mark_green="#1E8E5A",
    mark_yellow="#C79400",
    mark_orange="#DB6A00",
    mark_red="#C62828",
    mark_purple="#7B3FC4",
    mark_grey="#6B7585",
)

DARK = Tokens(
    dark=True,
    background="#11151B",
    surface="#181E26",
    sunken="#141920",
    hover="#202833",
    line="#2A323D",
    line_strong="#465263",
    text="#E6EAF0",
    muted="#9DA9BA",
    accent="#5AA2FF",
    accent_hover="#7DB6FF",
    accent_soft="#1B2C45",
    on_accent="#0B1526",
    ok="#3CCB97",
    ok_soft="#143328",
    warn="#F5B454",
    warn_soft="#3A2C14",
    bad="#FF8468",
    bad_soft="#3D1D17",
    syntax_key="#5AA2FF",
    syntax_text="#3CCB97",
    syntax_number="#F5B454",
    mark_blue="#5AA2FF",
    mark_green="#3CCB97",
    mark_yellow="#F2CF4A",
    mark_orange="#FF9F45",
    mark_red="#FF6B6B",
    mark_purple="#B98CFF",
    mark_grey="#9DA9BA",
)

# Every pair of text on background that the style sheet or a painter uses; the contrast test walks this list.
PAIRS_IN_USE: tuple[tuple[str, str], ...] = (
    *((front, back) for front in ("text", "muted") for back in ("background", "surface", "sunken", "hover")),
    ("text", "accent_soft"),
    ("muted", "accent_soft"),
    ("accent", "accent_soft"),
    ("accent", "background"),
    ("accent", "surface"),
    ("accent", "hover"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    *((tone, f"{tone}_soft") for tone in ("ok", "warn", "bad")),
    *((tone, back) for tone in ("ok", "warn", "bad") for back in ("background", "surface", "hover", "accent_soft")),
    *(("text", f"{tone}_soft") for tone in ("ok", "warn", "bad")),
    *(("muted", f"{tone}_soft") for tone in ("ok", "warn", "bad")),
    ("background", "text"),
    ("muted", "line"),
    *((name, "sunken") for name in ("syntax_key", "syntax_text", "syntax_number", "bad", "warn")),
)


def luminance(colour: str) -> float:
    """Return the relative luminance (0 to 1) of `#RRGGBB` as WCAG 2 defines it."""
    channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(front: str, back: str) -> float:
    """Return the contrast ratio (1 to 21) of two colours as WCAG 2 defines it."""
    lighter, darker = sorted((luminance(front), luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
