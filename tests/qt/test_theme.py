"""Tokens, contrast, icons: one source of colour, readable in light and dark."""

import json
import re
from pathlib import Path

import pytest
import qtawesome

from ansflow_desktop.widgets import icons, theme
from ansflow_desktop.widgets.style_sheet import STYLE_SHEET
from ansflow_desktop.widgets.tokens import DARK, LIGHT, PAIRS_IN_USE, contrast

PACKAGE = Path(theme.__file__).parents[1]


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", PAIRS_IN_USE, ids="/".join)
def test_every_pair_in_use_can_be_read(tokens, pair):
    front, back = (getattr(tokens, name) for name in pair)
    assert contrast(front, back) >= 4.5


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_no_colour_is_written_outside_the_tokens():
    found = [
        f"{path.relative_to(PACKAGE)}: {match}"
        for folder in ("widgets", "presenters")
        for path in sorted((PACKAGE / folder).glob("*.py"))
        if path.name != "tokens.py"
        for match in re.findall(r"#[0-9A-Fa-f]{6}\b|#[0-9A-Fa-f]{3}\b|QColor\(\d|\brgba?\(", path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_style_sheet_names_only_tokens_that_exist(tokens, qapp):
    sheet = theme.style_sheet(tokens)
    assert "$" not in sheet
    assert tokens.accent in sheet


def test_text_and_background_of_each_rule_are_a_pair_that_was_computed():
    known = set(PAIRS_IN_USE)
    for body in re.findall(r"\{([^}]*)\}", STYLE_SHEET):
        front = re.search(r"(?<![-\w])color: \$(\w+)", body)
        back = re.search(r"(?<![-\w])background: \$(\w+)", body)
        if front and back and front[1] != back[1]:
            assert (front[1], back[1]) in known, body


def test_icons_have_the_code_points_of_qtawesome():
    fonts = Path(qtawesome.__file__).parent / "fonts"
    table = json.loads(next(fonts.glob("materialdesignicons6-webfont-charmap-*.json")).read_text())
    assert {name: int(table[name], 16) for name in icons.CODE_POINTS} == icons.CODE_POINTS


def test_an_icon_is_painted_in_the_colour_of_its_token(qapp):
    theme.apply(qapp, "light")
    picture = icons.pixmap("circle", "bad", 16).toImage()
    assert picture.pixelColor(8, 8).name().upper() == LIGHT.bad
    theme.apply(qapp, "dark")
    assert icons.pixmap("circle", "bad", 16).toImage().pixelColor(8, 8).name().upper() == DARK.bad


def test_system_theme_follows_the_desktop(qapp):
    assert theme.apply(qapp, "dark") is DARK
    assert theme.apply(qapp, "light") is LIGHT
    assert theme.wants_dark("dark", qapp) and not theme.wants_dark("light", qapp)
