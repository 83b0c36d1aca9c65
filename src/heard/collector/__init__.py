"""The front door: a small process that takes messages, keeps them on the log, and only then says 200.

    app.py         what is asked, and by which path
    body.py        the JSON of a request, inflated
    keys.py        whose write key it is
    pixel.py       messages from an image
    hook.py        messages from Segment's cloud
    rate.py        how often a source may send
    browser.py     the library, its parts and settings, for pages and phones
    served.py      a file for browsers: gzip, ETag, open to every site
    answers.py     the words of every answer
    front.py       everything that is not the collector's goes to the heart
    connection.py  slow and broken clients
    clients.py     who is at the other end
    __main__.py    the process

It imports no database, framework or settings code: it starts in a blink and stays up while the heart restarts.
"""
