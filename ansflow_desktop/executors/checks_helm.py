"""What helm itself says of a deploy before it runs: `helm lint` and `helm template`, no cluster asked."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.checks import below, problem_of
from ansflow_desktop.executors.checks_manifest import LocatedObject, field_node, located_objects
from ansflow_desktop.executors.live_diff_masks import secret_texts
from ansflow_desktop.executors.live_diff_objects import source_of
from ansflow_desktop.executors.planned import CONFIG, StepPlan, decode, step_directory
from ansflow_desktop.executors.preview import RawRendering, prepared, render_raw, template_result
from ansflow_desktop.helm.values_merge import SourceProblem, sources_of, user_values
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.command import Command, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, HelmDeploy, PipelineStep
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.process import Cancel, ProcessResult, ProcessRunner
from ansflow_desktop.redact import Redactor

_LINE = re.compile(r"\[(ERROR|WARNING)\] (.*?)(?=\n\[|\n\n\d+ chart|\Z)", re.DOTALL)
_VALUES = re.compile(r"values|schema")


class HelmSays(msgspec.Struct, frozen=True, kw_only=True):
    """Helm's verdict on one step: problems with fields below the step, and what was rendered, secrets and all.

    `cancelled` says that it was given up.
    """

    problems: tuple[Problem, ...] = ()
    raw: RawRendering = RawRendering()
    cancelled: bool = False


def helm_says(step: PipelineStep, context: ExecutionContext, tools: ToolSet, cancel: Cancel) -> HelmSays:
    """Return what `helm template` and `helm lint` say of a `k8s_deploy` step, or what a manifest renders to.

    Blocking, two processes; `cancel` ends them. Never raises UserError.
    """
    try:
        config = decode(step)
        if not isinstance(config, HelmDeploy):
            raw = render_raw(step, context, tools, cancel)
            return HelmSays(problems=raw.problems, raw=raw, cancelled=raw.cancelled)
        with prepared(step, context, tools, cancel) as (plan, failed):
            said = HelmSays(problems=failed.problems, cancelled=failed.cancelled) if failed else _both(plan, cancel)
    except UserError as error:
        return HelmSays(problems=(problem_of(error),))
    return _polished(said, config, step_directory(step, context), tools)


def _both(plan: StepPlan, cancel: Cancel) -> HelmSays:
    assert plan.template
    raw = template_result(plan, ProcessRunner().run(plan.template, None, cancel))
    if raw.cancelled:
        return HelmSays(cancelled=True)
    if plan.chart is None:  # helm lints folders only
        return HelmSays(problems=raw.problems, raw=raw)
    result = ProcessRunner().run(lint_command(plan.template), None, cancel)
    if result.cancelled:
        return HelmSays(cancelled=True)
    return HelmSays(problems=(*raw.problems, *lint_problems(result, rendered=not raw.problems)), raw=raw)


def lint_command(template: Command) -> Command:
    """Return `helm lint` of what `template` renders, with the same values."""
    helm, _verb, _release, chart, _flag, namespace, *rest = template.argv
    kept = [word for word in rest if word.startswith(("--values=", "--set=", "--kube-version="))]
    argv = (helm, "lint", chart, "--namespace", namespace, *kept)
    masked = tuple(argv.index(template.argv[index]) for index in template.masked)
    return msgspec.structs.replace(template, argv=argv, masked=masked, purpose="lint")


def lint_problems(result: ProcessResult, *, rendered: bool) -> list[Problem]:
    """Return the errors and warnings that `helm lint` printed; its remarks (an icon is recommended) are left out.

    A chart that renders can be deployed whatever lint says (a version that is a number), so all are warnings then.
    Where it did not render (`rendered` False) lint's errors on templates and values say the same once more.
    """
    found = []
    for level, text in _LINE.findall(result.stdout.replace("\r", "")):
        place, _, words = text.strip().partition(": ")
        if level == "ERROR" and not rendered and place.startswith(("templates", "values")):
            continue
        found.append(
            Problem(
                field="custom_values" if _VALUES.search(place) else "chart_path",
                title=msg("helm lint: %(place)s", place=place) if words else msg("helm lint"),
                message=words or place,
                hint=msg("Correct the chart, or its values."),
                severity=Severity.ERROR if level == "ERROR" and not rendered else Severity.WARNING,
            )
        )
    return found


def _polished(said: HelmSays, config: HelmDeploy, directory: str, tools: ToolSet) -> HelmSays:
    """Name fields in full and by what the step has, and take secret values out of helm's words."""
    redact = Redactor(_secrets(config, directory, tools))
    problems = tuple(_named(problem, config, redact) for problem in said.problems)
    return msgspec.structs.replace(said, problems=problems)


def _secrets(config: HelmDeploy, directory: str, tools: ToolSet) -> list[str]:
    try:
        sources = sources_of(config, directory, helm_major=tools.helm.major if tools.helm else 4)
    except (SourceProblem, UserError):
        return []
    return list(secret_texts(user_values(sources)))


def _named(problem: Problem, config: HelmDeploy, redact: Redactor) -> Problem:
    field = problem.field.removeprefix(f"{CONFIG}.")
    if field == "chart_path" and not config.chart_path:
        field = "chart_name"
    if field == "custom_values" and not config.custom_values and config.values_files:
        field = f"values_files[{len(config.values_files) - 1}]"
    if field == "set_values" and config.set_values:
        field = f"set_values[{len(config.set_values) - 1}]"
    words: Text = redact(problem.message) if isinstance(problem.message, str) else problem.message
    return below(CONFIG, msgspec.structs.replace(problem, field=field, message=words))


def is_hook(located: LocatedObject) -> bool:
    """Return whether helm deletes and makes an object anew around a deploy: what is live of it stands in no way."""
    notes = field_node(field_node(located.node, "metadata"), "annotations")
    return field_node(notes, "helm.sh/hook") is not None


def rendered_objects(says: HelmSays, step: PipelineStep) -> tuple[LocatedObject, ...]:
    """Return the objects that a step renders to, ready for the server's check; none where it does not render."""
    raw = says.raw
    if raw.problems or not raw.text:
        return ()
    is_chart = step.k8s_config.get("deploy_type") != "manifest"
    field = f"{CONFIG}.{'chart_path' if step.k8s_config.get('chart_path') else 'chart_name'}" if is_chart else raw.field
    try:
        found = located_objects(raw.text, field)
    except (UserError, safe_yaml.YamlProblem):
        return ()
    if not is_chart:
        return found
    return tuple(
        msgspec.structs.replace(each, source=source_of(raw.text, each.node.start_mark.index) or Path(field).name)
        for each in found
    )
