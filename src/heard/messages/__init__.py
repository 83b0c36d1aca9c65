"""What Segment libraries send: from the accepted bytes to messages, or to the reason why not.

body -> glance.glance   (collector: may this be accepted at all, and whose is it?)
     -> Accepted       (what is kept on the log)
     -> parse.read     (heart: each message by itself, `Message` or `Rejected`)
"""

from heard.messages.accepted import Accepted
from heard.messages.message import Message, Rejected

__all__ = ["Accepted", "Message", "Rejected"]
