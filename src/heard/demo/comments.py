"""What people write, drawn from `comments.yaml` like cards from a deck: nothing is said twice before all of it was."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from heard.operations import yaml_text

SPOKEN = Path(__file__).with_name("comments.yaml")
AS_OFTEN = 2  # each comment at most; then people only give their score


class Comments:
    def __init__(self, random: Random) -> None:
        self._random = random
        said: dict[str, Any] = yaml_text.load(SPOKEN.read_text(encoding="utf-8"))
        self._decks: dict[tuple[str, str, str], list[str]] = {}
        for theme, categories in said.items():
            for category, languages in categories.items():
                for language, texts in languages.items():
                    deck = [text for _ in range(AS_OFTEN) for text in random.sample(texts, len(texts))]
                    self._decks[theme, category, language] = deck[::-1]

    def draw(self, theme: str, category: str, language: str) -> str | None:
        """Something they would say, in their language, or in English as some do; None when all of it has been said."""
        own = language if self._random.random() < 0.85 else "en"
        for spoken in (own, "en"):
            for about in (theme, "shop"):
                if deck := self._decks.get((about, category, spoken)):
                    return deck.pop()
        return None
