"""What the answers add up to: a number, how many answers it rests on, and how far it can be trusted.

One file a metric (`nps.py`; another is found by being there, see `metric.py`); the rest is the same for every metric:
`score.py` the number with its count and interval, `comparison.py` two groups, `breakdown.py` every group against the
others, `trend.py` a score over time.
"""
