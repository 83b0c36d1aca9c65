"""Charts, drawn by the server as SVG: pure functions from numbers to marks.

Geometry stands in attributes and colour in classes of `heard.css`, so that a page needs no `style` attribute and a
strict CSP stands. One-dimensional charts use percentages and no viewBox: they stretch without distortion. Each chart
has a text alternative or a table beside it. `picture.py` is the exception: a whole picture with everything inside, for
the world outside the page.
"""
