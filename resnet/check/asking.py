"""Questions whose answers a page offers: the check judges each answer when the page is made."""

import html
import json
from collections.abc import Mapping, Sequence

from resnet.check.feedback import Check, judged
from resnet.tables import Table
from resnet.translation import _

Offered = Mapping[str, Sequence[object]]


class Question:
    """Answers to choose from, with what the check says of each; `_static/asking.js` shows them.

    In a notebook, where no such script runs, it is a table of the answers.

    Args:
        check: of an exercise that asks for a dictionary.
        offered: for each of the dictionary's keys some answers, the right one first.

    Raises:
        ValueError: where the check does not take the first answers for right and the others for
            wrong, naming the key and the answer.

    """

    def __init__(self, check: Check, offered: Offered) -> None:
        right = {key: answers[0] for key, answers in offered.items()}
        whole = judged(check, right)
        if not whole:
            raise ValueError(f"offered: its first answers are not right: {whole.says[0]}")
        self.whole = repr(whole)
        self.answers: dict[str, dict[str, str]] = {}  # by key, by answer: what is wrong, or ""
        for key, answers in offered.items():
            found = {}
            for answer in sorted(answers, key=lambda one: (isinstance(one, str), one)):
                feedback = judged(check, {**right, key: answer})
                if bool(feedback) is not (answer == right[key]):
                    raise ValueError(f"offered[{key!r}]: {answer!r} is right, but not the first")
                says = " ".join(feedback.says).removeprefix(f"{key}: ")
                found[str(answer)] = "" if feedback else says
            self.answers[key] = found

    def __repr__(self) -> str:
        return repr(
            Table(
                [_("question"), _("answers")], [(k, "; ".join(a)) for k, a in self.answers.items()]
            )
        )

    def _repr_html_(self) -> str:
        content = {
            "answers": self.answers,
            "words": {
                "check": _("Check"),
                "right": _("Right."),
                "open": _("Nothing is chosen here."),
                "count": _("{{n}} of {of} right.", of=len(self.answers)),
                "whole": self.whole,
            },
        }
        data = json.dumps(content, ensure_ascii=False).replace("<", r"\u003c")
        note = html.escape(_("The answers can be chosen here where the page's script runs."))
        return (
            f'<div class="asking"><p>{note}</p>'
            f'<script type="application/json">{data}</script></div>'
        )
