"""Net Promoter Score: would you recommend us?"""

from heard.surveys.kinds.kind import Kind
from heard.surveys.question import Scale, Words

KIND = Kind(
    name="nps",
    title="Net Promoter Score",
    help="Asks how likely people are to recommend you, from 0 to 10. Choose it to follow the relationship over time.",
    scored=Scale(
        id="score",
        text="How likely is it that you would recommend {brand} to a friend or colleague?",
        low=0,
        high=10,
        least="not at all likely",
        most="extremely likely",
    ),
    follow_up=Words(id="comment", text="What is the main reason for your score?"),
)
