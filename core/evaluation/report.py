"""The result of an evaluation: means with intervals, and what differs between two subjects. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.contract import Json, Language
from core.evaluation.measures import MEASURES, Measure
from core.evaluation.statistics import Difference, Estimate, compare, estimate
from core.evaluation.subjects import Subject
from core.texts import format_number, text

Line = Mapping[str, Any]  # of the journal


@dataclass(frozen=True, slots=True)
class MeasureReport:
    """`estimates`: of each subject. `difference`: of two, over the questions that both were measured on."""

    measure: Measure
    estimates: tuple[Estimate | None, ...]
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`preferred`: how often the judge preferred each of two subjects, or none of them."""

    subjects: tuple[str, ...]
    questions: int
    failed: int
    measures: tuple[MeasureReport, ...]
    preferred: Mapping[str, int]

    def to_json(self) -> Json:
        fields: dict[str, Any] = asdict(self)
        return fields


def build_report(subjects: Sequence[Subject], lines: Iterable[Line]) -> Report:
    answered, failed = [], 0
    for line in lines:
        if "value" in line:
            answered.append(line["value"])
        else:
            failed += 1
    measures = [report_measure(name, len(subjects), answered) for name in MEASURES]
    preferred = Counter(str(each["preferred"]) for each in answered if "preferred" in each)
    return Report(
        tuple(subject.name for subject in subjects),
        len(answered),
        failed,
        tuple(each for each in measures if any(each.estimates)),
        dict(preferred),
    )


def report_measure(measure: Measure, subjects: int, answered: Sequence[Line]) -> MeasureReport:
    scores = [[answer["scores"].get(measure) for answer in each["answers"]] for each in answered]
    estimates = tuple(estimate([row[at] for row in scores if row[at] is not None]) for at in range(subjects))
    if subjects < 2:
        return MeasureReport(measure, estimates)
    pairs = [row for row in scores if None not in row]
    return MeasureReport(measure, estimates, compare([row[0] for row in pairs], [row[1] for row in pairs]))


# ---------------------------------------------------------------- as a table


def table_rows(report: Report, language: Language) -> list[list[str]]:
    """The header, then a row for each measure."""
    header = [text("cli-evaluate-measure", language), *report.subjects]
    if len(report.subjects) > 1:
        header += [text("cli-evaluate-difference", language), text("cli-evaluate-p", language)]
    return [header, *(measure_row(each, language) for each in report.measures)]


def measure_row(each: MeasureReport, language: Language) -> list[str]:
    row = [text(f"cli-evaluate-{each.measure}", language), *(show_estimate(one, language) for one in each.estimates)]
    if len(each.estimates) > 1:
        difference = each.difference
        row += [show_difference(difference, language), format_number(difference.p, language) if difference else "–"]
    return row


def show_estimate(found: Estimate | None, language: Language) -> str:
    if found is None:
        return "–"
    interval = f"[{number(found.low, language)}; {number(found.high, language)}]"
    return f"{number(found.mean, language)} {interval} n={found.count}"


def show_difference(found: Difference | None, language: Language) -> str:
    if found is None:
        return "–"
    return f"{signed(found.mean, language)} [{signed(found.low, language)}; {signed(found.high, language)}]"


def number(value: float, language: Language) -> str:
    return format_number(round(value, 3), language)


def signed(value: float, language: Language) -> str:
    return f"+{number(value, language)}" if value > 0 else number(value, language)


def notes(report: Report, language: Language) -> list[str]:
    """The sentences below the table."""
    lines = [text("cli-evaluate-counts", language, count=report.questions, failed=report.failed)]
    if report.preferred:
        counts = {key: report.preferred.get(key, 0) for key in ("first", "second", "equal")}
        lines.append(
            text(
                "cli-evaluate-preferred",
                language,
                first_name=report.subjects[0],
                second_name=report.subjects[1],
                **counts,
            )
        )
    lines.append(text("cli-evaluate-intervals", language))
    return lines


def to_markdown(report: Report, language: Language) -> str:
    header, *rows = table_rows(report, language)
    lines = [header, ["---"] * len(header), *rows]
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    title = text("cli-evaluate-title", language)
    return f"# {title}\n\n{table}\n\n" + "\n".join(f"- {note}" for note in notes(report, language)) + "\n"
