"""Load as applications make it: batches of messages, each repeated until acknowledged, and a record of which were.

Every message carries `context.n`, its number among the messages of its userId, so that their order can be checked.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from base64 import b64encode
from typing import Any

from segment.analytics.client import Client

KEY = "wk_acme_website"
AGAIN_AFTER = 0.1  # seconds; a real library waits longer, which would only make the test slower
BETWEEN_BATCHES = 0.03
CREDENTIALS = "Basic " + b64encode(f"{KEY}:".encode()).decode()
Message = dict[str, Any]


class Shop(threading.Thread):
    """One application. Each of its customers is identified and orders, in every order that happens in life.

    `mailboxes` has everybody who must be asked once: their order was acknowledged, and so was their address.
    """

    def __init__(self, port: int, name: str, *, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.acknowledged: list[str] = []
        self.mailboxes: set[str] = set()
        self.requests = self.refused = 0
        self._port = port
        self._chance = random.Random(f"{seed} {name}")
        self._closed = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._said: dict[str, int] = {}
        self._late: list[Message] = []  # what follows in the next batch

    def close(self) -> None:
        """No new customers; what was begun is brought to its end."""
        self._closed.set()

    def run(self) -> None:
        customer = 0
        while not self._closed.is_set():
            batch = self._late + self._visit(customer)
            self._send(batch)
            if self._chance.random() < 0.1:
                self._send(batch)  # its 200 was lost on the way: libraries send it again
            customer += 1
            time.sleep(BETWEEN_BATCHES)
        if self._late:
            self._send(self._late)

    def _visit(self, customer: int) -> list[Message]:
        """What one customer does. Every fourth orders before anybody said who it is; every seventh shares a mailbox."""
        user, self._late = f"{self.name}-{customer}", []
        mailbox = f"{user}@customer.example"
        if customer % 7 == 1:
            mailbox = f"{self.name}-{customer - 1}@CUSTOMER.example"
        order = {"type": "track", "event": "Order Completed", "properties": {"total": 25, "order_id": user}}
        identify = {"type": "identify", "traits": {"email": mailbox, "plan": self._chance.choice(["Free", "Premium"])}}
        small = {"type": "track", "event": "Order Completed", "properties": {"total": 5}}
        scrolled = {"type": "track", "event": "Page Scrolled", "properties": {"depth": 40}}
        self.mailboxes.add(mailbox.lower())
        if customer % 4 == 3:
            first = [self._of(user, what) for what in (scrolled, order)]
            self._late = [self._of(user, what) for what in (identify, scrolled)]
            return first
        again = {**order, "event": "Completed Order"}
        return [self._of(user, what) for what in (identify, scrolled, order, scrolled, small, again)]

    def _of(self, user: str, what: Message) -> Message:
        number = self._said[user] = self._said.get(user, 0) + 1
        return {**what, "userId": user, "messageId": f"{user}-{number}", "context": {"n": number}}

    def _send(self, batch: list[Message]) -> None:
        """Until it is acknowledged. What was acknowledged has been said in the order in which it is listed."""
        body = json.dumps({"batch": batch})
        while not self._post(body):
            self.refused += 1
            time.sleep(AGAIN_AFTER)
        self.acknowledged += [message["messageId"] for message in batch]

    def _post(self, body: str) -> bool:
        self.requests += 1
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            headers = {"Authorization": CREDENTIALS, "Content-Type": "application/json"}
            self._connection.request("POST", "/v1/batch", body, headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return False
        return answer.status == 200


class LibraryShop(threading.Thread):
    """An application with the unchanged segment-analytics-python in it, which repeats what fails by its own rules."""

    def __init__(self, url: str) -> None:
        super().__init__(name="library", daemon=True)
        self.acknowledged: list[str] = []
        self.lost: list[Any] = []  # what the library gave up on; it says so
        self._closed = threading.Event()
        self._client = Client(
            KEY,
            host=url,
            max_retries=50,
            timeout=2,
            upload_interval=0.1,
            on_error=lambda error, _: self.lost.append(error),
        )

    def close(self) -> None:
        self._closed.set()

    def run(self) -> None:
        sent: list[str] = []
        number = 0
        while not self._closed.is_set():
            for call in (self._client.identify, self._client.track):
                number += 1
                what = {"traits": {"number": number}} if call == self._client.identify else {"event": "Page Scrolled"}
                taken, message = call("library", context={"n": number}, **what)
                assert taken
                assert isinstance(message, dict)
                sent.append(str(message["messageId"]))
            self._closed.wait(0.05)
        self._client.flush()
        self._client.join()
        self.acknowledged += sent
