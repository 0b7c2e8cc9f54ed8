"""Words for templates: categories, origins, icons."""

from __future__ import annotations

from ansflow_desktop.i18n import Message, active_language, msg, translate
from ansflow_desktop.models import template as models
from ansflow_desktop.models.template import Named, Template, TemplateParameter

CATEGORY_WORDS: dict[str, Message] = {
    "web-app": msg("Web app"),
    "microservice": msg("Microservice"),
    "job": msg("Job"),
    "stateful": msg("Stateful"),
    "worker": msg("Worker"),
    "helm": msg("Helm"),
    "operations": msg("Operations"),
    "custom": msg("Custom"),
}
_ORIGINS = {
    "builtin": msg("Comes with AnsFlow"),
    "user": msg("Your own"),
    "imported": msg("Imported"),
}


def words_in(named: Named) -> str:
    """Return a text of a template in the language that is shown, English where it has none of that."""
    return models.words_in(named, active_language())


def title_of(template: Template) -> str:
    """Return a template's title, its name where it has none."""
    return words_in(template.title) or template.name


def category_of(template: Template) -> str:
    """Return the category in words; one of somebody else's as it is written."""
    known = CATEGORY_WORDS.get(template.category)
    return translate(known) if known else template.category


def origin_of(template: Template) -> str:
    """Return where a template comes from, in words."""
    return translate(_ORIGINS[template.origin])


def label_of(parameter: TemplateParameter) -> str:
    """Return what a parameter is called in the form."""
    return words_in(parameter.label) or parameter.name
