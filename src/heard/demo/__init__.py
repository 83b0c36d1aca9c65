"""The living example behind `heard demo`: who is in it, what happened to them, and how that becomes a workspace.

    cast      two thousand people, with names, plans and tempers          (names.yaml)
    story     eighteen months: growth, seasons, bad weeks and their end
    traffic   what their devices and the shop's servers send
    answers   who answers a mail, when, and with what                     (comments.yaml)
    history   all of it played through the real pipeline, on a clock that is moved
    folder    what belongs to a demo, and whether its history is whole

Nothing is put into a table past the pipeline: requests lie on the log, are routed, decided, sent and answered as
anybody's are. Only the clock is ahead of itself.
"""
