"""The reference of all step types in both languages: `python packaging/reference.py update`, or `check` if it is fresh.

It is made from resources/pipeline-steps-config.json alone: names, defaults, bounds and words are written there once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ansflow_desktop.models.definition import Parameter, StepDefinition  # noqa: E402  # the package of this clone
from ansflow_desktop.pipelines.definitions import definitions, parameters, words  # noqa: E402

FILES = {"en": ROOT / "docs/en/reference.md", "zh_CN": ROOT / "docs/zh/reference.md"}
TEXTS = {
    "en": {
        "title": "# Reference of the step types",
        "intro": "Made from `resources/pipeline-steps-config.json` by `python packaging/reference.py update`. How steps"
        " work together is in [Pipelines](pipelines.md). A field of `k8s_config` is written below `k8s_config:`, the"
        " others belong to the step itself. Durations are written `300s`, `5m` or `1h30m`; `${name}` is a variable.",
        "common": "## Fields of every step",
        "step": "### Fields of the step",
        "config": "### Fields of k8s_config",
        "head": "| field | what it is | default |\n|---|---|---|",
        "required": "required",
        "one_of": "one of these is given: {names}",
        "wins": "wins over {names}",
        "choices": "one of {names}",
        "suggested": "such as {names}",
        "least": "at least {value}",
        "most": "at most {value}",
        "when": "with {name}: {value}",
        "example": "### Example",
        "jenkins": "The same step in a Jenkins pipeline:",
        "type": "`type`: what kind of step this is, one of {names}. Required.",
        "comma": ", ",
        "semicolon": "; ",
    },
    "zh_CN": {
        "title": "# 步骤类型参考",
        "intro": "由 `python packaging/reference.py update` 根据 `resources/pipeline-steps-config.json` 生成。"
        "步骤之间如何配合见[流水线](pipelines.md)。`k8s_config` 的字段写在 `k8s_config:` 之下，其余字段属于步骤本身。"
        "时长写作 `300s`、`5m` 或 `1h30m`；`${name}` 表示变量。",
        "common": "## 所有步骤共有的字段",
        "step": "### 步骤的字段",
        "config": "### k8s_config 的字段",
        "head": "| 字段 | 含义 | 默认值 |\n|---|---|---|",
        "required": "必填",
        "one_of": "以下选一：{names}",
        "wins": "优先于 {names}",
        "choices": "可选值：{names}",
        "suggested": "例如 {names}",
        "least": "最小 {value}",
        "most": "最大 {value}",
        "when": "仅用于 {name}: {value}",
        "example": "### 示例",
        "jenkins": "同样的步骤在 Jenkins 流水线中：",
        "type": "`type`：步骤的类型，可选值：{names}。必填。",
        "comma": "、",
        "semicolon": "；",
    },
}


class Page:
    """The reference in one language."""

    def __init__(self, language: str) -> None:
        """Take the words of `language`: `en` or `zh_CN`."""
        self._language, self._texts = language, TEXTS[language]

    def text(self) -> str:
        """Return the whole page as Markdown."""
        known = definitions()
        parts = [self._texts["title"], self._texts["intro"], self._texts["common"]]
        parts.append(self._say("type", names=self._names([one.type for one in known.types])))
        parts.append(self._table(list(parameters(""))))
        for step in known.types:
            parts.extend(self._type(step))
        return "\n\n".join(parts) + "\n"

    def _type(self, step: StepDefinition) -> Iterator[str]:
        yield f"## {step.type}: {words(step.label, self._language)}"
        yield words(step.help, self._language)
        own = [one for one in parameters(step.type) if one in step.parameters]
        for place in ("step", "config"):
            fields = [one for one in own if one.place == place]
            if fields:
                yield self._texts[place]
                yield self._table(fields)
        yield self._texts["example"]
        yield _code(step.example)
        yield self._texts["jenkins"]
        yield _code(step.jenkins)

    def _table(self, fields: list[Parameter]) -> str:
        return "\n".join([self._texts["head"], *(self._row(one, fields) for one in fields)])

    def _row(self, one: Parameter, fields: list[Parameter]) -> str:
        notes = self._texts["semicolon"].join(self._notes(one, fields))
        label, said = words(one.label, self._language), words(one.help, self._language)
        said = f"**{label}**{'：' if self._language == 'zh_CN' else ': '}{said}"
        if notes:
            said += f" ({notes})" if self._language == "en" else f"（{notes}）"
        return f"| `{one.key}` | {_cell(said)} | {_default(one)} |"

    def _notes(self, one: Parameter, fields: list[Parameter]) -> Iterator[str]:
        if one.required:
            yield self._texts["required"]
        for name, value in one.when.items():
            yield self._say("when", name=f"`{name}", value=f"{value}`")
        if one.one_of:
            together = [other.key for other in self._set(one, fields)]
            yield self._say("one_of", names=self._names(together))
        if one.wins_over:
            yield self._say("wins", names=self._names(one.wins_over))
        if one.choices:
            name = "choices" if one.kind == "choice" else "suggested"
            yield self._say(name, names=self._names([choice.value for choice in one.choices]))
        yield from self._bounds(one)

    def _set(self, one: Parameter, fields: list[Parameter]) -> Iterator[Parameter]:
        """Yield the parameters of which one is given, wherever they lie in the step."""
        owner = next(step for step in definitions().types if one in step.parameters)
        yield from (other for other in owner.parameters if other.one_of == one.one_of)

    def _bounds(self, one: Parameter) -> Iterator[str]:
        for name, value in (("least", one.minimum), ("most", one.maximum)):
            if value is not None:
                yield self._say(name, value=f"{value} {one.unit}" if one.unit == "s" else str(value))

    def _names(self, names: list[str] | tuple[str, ...]) -> str:
        return self._texts["comma"].join(f"`{name}`" for name in names)

    def _say(self, key: str, **values: str) -> str:
        return self._texts[key].format(**values)


def _code(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<chart>", "&lt;chart&gt;")


def _default(one: Parameter) -> str:
    if one.default is None:
        return ""
    return f"`{str(one.default).lower() if isinstance(one.default, bool) else one.default}`"


def stale() -> list[Path]:
    """Return the pages that are not what the definitions make."""
    return [path for language, path in FILES.items() if not path.exists() or path.read_text() != Page(language).text()]


def main(arguments: list[str]) -> int:
    """Run `update` or `check`; 1 when a page is not current."""
    if arguments not in (["update"], ["check"]):
        sys.stderr.write("usage: python packaging/reference.py update|check\n")
        return 2
    if arguments == ["update"]:
        for language, path in FILES.items():
            path.write_text(Page(language).text())
    found = stale()
    sys.stdout.write("".join(f"not current: {path}\n" for path in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
