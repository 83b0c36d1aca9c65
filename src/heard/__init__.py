"""Heard asks the right customers, at the right moment, how they feel, and gives back a score one can trust.

A Segment library sends `identify` and `track`; the collector keeps each request on the log before it says 200;
the heart routes them, decides whom to ask and why not the others, sends the surveys and keeps the answers.

Start reading at `heard.pipeline`: the loops of the product on one page.
The promise to the people who are asked is `heard.deliveries.eligibility`.
"""
