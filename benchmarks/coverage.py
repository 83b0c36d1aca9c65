"""How often the interval of an NPS holds the true score: plain Wald, and ours with one pseudo-answer in each class.

    .venv/bin/python benchmarks/coverage.py

No sampling: for each number of answers, every possible outcome is weighed with its probability. The target is 0.95.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp, lgamma, log, sqrt
from statistics import NormalDist

from heard.scores import nps

CONFIDENCE = 0.95
TRUTHS = {  # promoters, passives, detractors
    "+80": (0.83, 0.14, 0.03),
    "+40": (0.58, 0.24, 0.18),
    "0": (0.35, 0.30, 0.35),
    "0, no passives": (0.50, 0.0, 0.50),
    "-30": (0.20, 0.30, 0.50),
}
ANSWERS = (10, 20, 50, 100, 200)

Counts = tuple[int, int, int]
Interval = Callable[[int, int, int], tuple[float, float]]


def main() -> None:
    print(f"{'truth':<20}{'n':>5}{'Wald':>9}{'width':>7}{'ours':>9}{'width':>7}")
    for name, shares in TRUTHS.items():
        for n in ANSWERS:
            plain, plain_width = coverage(plain_wald, shares, n)
            ours, our_width = coverage(nps.interval, shares, n)
            print(f"{name:<20}{n:>5}{plain:>9.3f}{plain_width:>7.0f}{ours:>9.3f}{our_width:>7.0f}")
    print("\nwidth: half the mean width, in points. The hard case is a population without a single passive.")


def coverage(interval: Interval, shares: tuple[float, float, float], n: int) -> tuple[float, float]:
    """The probability that the interval holds the true score, and half its mean width."""
    truth = 100 * (shares[0] - shares[2])
    covered = width = 0.0
    for counts, probability in outcomes(shares, n):
        low, high = interval(*counts)
        covered += probability * (low <= truth + 1e-9 and truth - 1e-9 <= high)
        width += probability * (high - low) / 2
    return covered, width


def outcomes(shares: tuple[float, float, float], n: int) -> Iterator[tuple[Counts, float]]:
    """Every way in which n answers may fall, with its multinomial probability."""
    for promoters in range(n + 1):
        for passives in range(n + 1 - promoters):
            counts = (promoters, passives, n - promoters - passives)
            if all(share or not count for share, count in zip(shares, counts, strict=True)):
                ways = lgamma(n + 1) - sum(lgamma(count + 1) for count in counts)
                chance = sum(count * log(share) for share, count in zip(shares, counts, strict=True) if count)
                yield counts, exp(ways + chance)


def plain_wald(promoters: int, passives: int, detractors: int) -> tuple[float, float]:
    n = promoters + passives + detractors
    p, d = promoters / n, detractors / n
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * sqrt((p + d - (p - d) ** 2) / n)
    return 100 * (p - d - reach), 100 * (p - d + reach)


if __name__ == "__main__":
    main()
