"""`countermark policy`: read a policy, compare two, and test one on prompts of one's own."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from audit.home import find_home
from audit.rendering import printable
from generator.errors import RequestInvalid
from generator.gates import PromptTexts, judge_texts
from generator.jsonlines import read_lines, text_in
from generator.request import check_prompt
from generator.settings import Settings
from safety.categories import Category
from safety.classifiers import load_prompt_classifiers
from safety.differences import Way, differences, in_words
from safety.errors import InputUnexaminable
from safety.gate import PromptGate
from safety.policy import Policy
from safety.settings import SafetySettings
from safety.verdict import Decision, worst

PROBLEM = 1  # exit code: a case came out otherwise, or a policy became milder


def show_policy(home: Path | None, name: str | None, *, raw: bool, as_json: bool) -> None:
    """Print a policy, the one in force unless one is named."""
    policy = Policy.load(name or _settings(home).policy)
    if raw:
        typer.echo(policy.text.encode(), nl=False)  # exactly the bytes that the digest is of
    elif as_json:
        typer.echo(json.dumps(_values(policy), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_told(policy)))


def diff_policies(old: str, new: str, *, refuse_milder: bool, as_json: bool) -> int:
    """Print what changes from one policy to another; return the exit code."""
    before, after = Policy.load(old), Policy.load(new)
    found = differences(before, after)
    if as_json:
        digests = {"old": before.digest, "new": after.digest}
        values = {**digests, "differences": [each.to_json() for each in found]}
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        for each in found:
            place = printable(f"{each.stage.value}.{each.key}" if each.stage else each.key)
            told = f"{printable(each.before)} -> {printable(each.after)}"
            typer.echo(f"{each.way.value:<9} {place}: {told}")
        ways = Counter(each.way for each in found)
        typer.echo(", ".join(f"{ways[way]} {way.value}" for way in Way))
    maybe_milder = any(each.stage and each.way is not Way.STRICTER for each in found)
    return PROBLEM if refuse_milder and maybe_milder else 0


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a policy's test: a prompt, and the decision that it should get."""

    text: str
    negative: str
    expected: Decision

    @classmethod
    def read(cls, line: bytes) -> "Case":
        """Read `{"text": …, "negative": …, "expect": "allow" | "review" | "block"}`.

        Raises:
            RequestInvalid: the line is something else.
        """
        values = text_in(line)
        negative, expected = values.get("negative", ""), values.get("expect")
        if not isinstance(negative, str):
            raise RequestInvalid('the "negative" is no text; put the negative prompt in quotes')
        if expected not in tuple(Decision):
            raise RequestInvalid(
                f'"expect" should be allow, review or block, found {json.dumps(expected)}'
            )
        for text in (values["text"], *filter(None, [negative])):
            check_prompt(text)
        return cls(values["text"], negative, Decision(expected))


def run_cases(home: Path | None, path: Path, name: str | None, *, as_json: bool) -> int:
    """Hold a policy against a file of cases; return 1 where one comes out otherwise."""
    settings = _settings(home)
    policy = Policy.load(name or settings.policy)
    gate = _prompt_gate(policy, settings)
    results = [_result(gate, number, line) for number, line in read_lines(path)]
    if not results:
        raise RequestInvalid(f'{path} holds no case; expected {{"text": …, "expect": …}} lines')
    failed = [result for result in results if not result["passed"]]
    if as_json:
        values = {"policy": {"name": policy.name, "digest": policy.digest}, "cases": results}
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        for result in failed:
            typer.echo(_failure(result))
        passed = len(results) - len(failed)
        typer.echo(
            f"{passed} of {len(results)} cases came out as expected ({printable(policy.name)})"
        )
    return PROBLEM if failed else 0


def _result(gate: PromptGate, number: int, line: bytes) -> dict[str, Any]:
    try:
        case = Case.read(line)
        verdicts = judge_texts(
            gate, PromptTexts(case.text, case.text, case.negative, case.negative)
        )
    except (RequestInvalid, InputUnexaminable) as error:
        return {"line": number, "passed": False, "error": str(error)}
    decision = worst([verdict.decision for verdict in verdicts])
    return {
        "line": number,
        "passed": decision is case.expected,
        "expected": case.expected.value,
        "decision": decision.value,
        "findings": [finding.to_json() for verdict in verdicts for finding in verdict.findings],
    }


def _failure(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"line {result['line']}: {result['error']}"
    why = ", ".join(
        f"{finding['category']} {finding['score']:.2f} by {printable(finding['classifier'])}"
        for finding in result["findings"]
    )
    return (
        f"line {result['line']}: expected {result['expected']}, is {result['decision']}"
        f" ({why or 'nothing found'})"
    )


def _prompt_gate(policy: Policy, settings: SafetySettings) -> PromptGate:
    """Open the gate of texts as `make` would: with what the settings list."""
    loaded = load_prompt_classifiers(settings.prompt_classifiers, threads=settings.threads)
    return PromptGate(
        policy,
        [one.classifier for one in loaded],
        deadline_s=settings.classifier_deadline_s,
    )


def _settings(home: Path | None) -> SafetySettings:
    return Settings.load(find_home(home).settings).safety


def _told(policy: Policy) -> list[str]:
    lines = [
        f"name         {printable(policy.name)}, version {printable(policy.version)}",
        f"digest       {policy.digest}",
        f"for          {printable(policy.description)}",
        f"appeal       {printable(policy.appeal)}",
    ]
    for stage, held in policy.stages.items():
        named = printable(", ".join(held.classifiers))
        lines += ["", f"{stage.value}: {named or 'no classifier'}"]
        lines += [f"  {each.value:<26} {in_words(rule)}" for each, rule in held.rules.items()]
        lines += [
            f"  scores of {printable(name)}: {in_words(own)}"
            for name, own in held.thresholds.items()
        ]
        if silent := [each.value for each in Category if each not in held.rules]:
            lines += [f"  not judged: {', '.join(silent)}"]
    return lines


def _values(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "version": policy.version,
        "digest": policy.digest,
        "description": policy.description,
        "appeal": policy.appeal,
        "stages": {
            stage.value: {
                "classifiers": list(held.classifiers),
                "categories": {
                    each.value: {"review": rule.review, "block": rule.block}
                    for each, rule in held.rules.items()
                },
                "thresholds": {
                    name: {"review": own.review, "block": own.block}
                    for name, own in held.thresholds.items()
                },
            }
            for stage, held in policy.stages.items()
        },
    }
