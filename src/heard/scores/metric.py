"""What a metric has to say for itself; everything else about scores is written once, over this.

A new metric is one new file in this package with a `METRIC` in it.
"""

from __future__ import annotations

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import ClassVar, TypeAlias

import msgspec

import heard.scores
from heard.errors import Invalid

Counts: TypeAlias = dict[str, int]


class Estimate(msgspec.Struct, frozen=True):
    """Where the true score is thought to lie, and its standard error, both in the metric's unit."""

    centre: float
    error: float


class AnswerClass(msgspec.Struct, frozen=True):
    """Answers that count as one: `detractors`, from 0 to 6. `tone` says how good they are: low, middle or high."""

    name: str
    lowest: int
    highest: int
    tone: str


class Metric(ABC):
    """A way of turning answers into one number.

    All methods take the distribution: how many gave each value, {9.0: 4, 3.0: 1}, only values of `scale`, at least one
    answer.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    short: ClassVar[str]  # as in a column's head
    scale: ClassVar[tuple[int, ...]]
    classes: ClassVar[tuple[AnswerClass, ...]]  # their names are the keys of `counts`; together they are the scale
    bounds: ClassVar[tuple[float, float]]  # the least and the largest score there can be

    @property
    def widest_difference(self) -> float:
        """Between two scores."""
        least, largest = self.bounds
        return largest - least

    @abstractmethod
    def counts(self, distribution: Mapping[float, int]) -> Counts:
        """The answers by category; of an empty distribution all zeros."""

    @abstractmethod
    def score(self, distribution: Mapping[float, int]) -> float:
        """The number, as counted."""

    @abstractmethod
    def interval(self, distribution: Mapping[float, int], *, confidence: float) -> tuple[float, float]:
        """Where the true score lies with this confidence: (low, high)."""

    @abstractmethod
    def estimate(self, distribution: Mapping[float, int]) -> Estimate:
        """For comparing two groups."""

    @abstractmethod
    def written(self, points: float) -> str:
        """A score, or a bound of one, as people read it: +39, −5, 0."""

    @abstractmethod
    def reckoning(self, distribution: Mapping[float, int]) -> str:
        """How the number comes about, in one line."""

    def class_of(self, value: float) -> AnswerClass:
        return next(each for each in self.classes if each.lowest <= value <= each.highest)


def metric(kind: str) -> Metric:
    """The metric of a kind of survey.

    Raises:
        Invalid: when the kind has no score.
    """
    try:
        return metrics()[kind]
    except KeyError:
        raise Invalid(
            f"there is no score for {kind!r}; there is one for {', '.join(metrics())}", field="survey"
        ) from None


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric of this package, by kind."""
    modules = (import_module(f"heard.scores.{module.name}") for module in pkgutil.iter_modules(heard.scores.__path__))
    found: list[Metric] = [module.METRIC for module in modules if hasattr(module, "METRIC")]
    return {one.kind: one for one in found}


def counted(distribution: Mapping[float, int], category: Callable[[float], str]) -> Counts:
    """How many answers fall into each category."""
    counts: Counts = {}
    for value, n in distribution.items():
        name = category(value)
        counts[name] = counts.get(name, 0) + n
    return counts
