"""How much is too much. Segment's documented limits, read so that no official library's legal traffic breaks.

The documented "32 KB" and "500 KB" are what the libraries count as 32,768 and 512,000 bytes.
"""

MAX_BODY_BYTES = 512_000
"""A request's body, inflated; also as it comes over the wire."""

MAX_MESSAGE_BYTES = 32_768
"""One message's JSON as sent."""

MAX_BATCH = 2_500
"""Messages in one batch. More are accepted with 200 and every one of them is rejected, as Segment does."""

MAX_SHARED_BYTES = 10_240_000
"""What a batch's `context` and `integrations` may come to, with a copy in each of its messages."""

MAX_MESSAGE_ID = 100
"""Characters of a messageId."""

MAX_NAME = 512
"""Characters of a userId, anonymousId, previousId, groupId or event: they are keys of tables and indexes."""

MAX_DEPTH = 64
"""Objects and lists inside each other, the message itself counted."""

MAX_INTEGER, MIN_INTEGER = 2**63 - 1, -(2**63)
"""What fits a database's integer; other whole numbers are kept as text."""
