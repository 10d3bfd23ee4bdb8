"""The rule for negative prompts.

A negative prompt names what the picture must *not* hold, so the classifiers of wishes must not read
it: Wan's own default one speaks of deformed bodies and extra limbs. What it can do wrong is the
reverse:

- avoiding clothes asks for nudity;
- avoiding clothes beside a prompt that speaks of a minor, or avoiding adults beside a prompt that
  speaks of sex, asks for what the rule on minors forbids, in two halves.
"""

import hashlib
import json
from collections.abc import Sequence

from safety.categories import Category
from safety.classifiers import Scored
from safety.minors import MinorsRule
from safety.normalize import View
from safety.terms import TermIndex, read
from safety.verdict import TextSpan

# Of ours, by meaning: clothing as such. A colour or a single garment ("hat") is a matter of taste,
# but not beside a minor.
# fmt: off
_CLOTHES = (
    "clothes", "clothing", "clothed", "dressed", "fully dressed", "underwear", "bra", "panties",
    "swimsuit*", "bikini*", "garment*", "censor*", "covered body", "ropa", "vestid*", "kleidung",
    "angezogen", "vêtement*", "habillé*", "衣服", "穿衣", "内衣", "打码", "马赛克",
)
_GARMENTS = (
    "swimwear", "swimming trunks", "bathing suit*", "swimming costume*", "dress", "dresses",
    "outfit*", "attire", "shirt*", "t shirt*", "trousers", "pants", "shorts", "skirt*", "blouse*",
    "coat", "coats", "jacket*", "sweater*", "pyjama*", "pajama*", "fully covered", "covered up",
    "bañador*", "camisa*", "falda*", "badeanzug*", "hemd*", "hosen", "kleid", "kleider",
    "maillot*", "chemise*", "jupe*", "泳衣", "裙子", "衬衫", "裤子",
)
_ADULTS = (
    "adult", "adults", "grown up*", "grown woman", "grown women", "grown man", "grown men",
    "mature", "over 18", "adulto*", "adulta*", "erwachsen*", "adulte*", "成人", "成年", "成年人",
)
# fmt: on
SCORE_FOR_CLOTHES = 0.6  # doubtful: some write it of a statue or an animal; a person should look


class NegativeRule:
    """Finds what a negative prompt asks for by avoiding its opposite."""

    name = "negative_rule"
    categories = frozenset({Category.SEXUAL_CONTENT, Category.CHILD_SEXUAL_EXPLOITATION})

    def __init__(self, minors: MinorsRule) -> None:
        self._minors = minors
        self._clothes = TermIndex(_CLOTHES)
        self._garments = TermIndex(_GARMENTS)
        self._adults = TermIndex(_ADULTS)
        lists = json.dumps([_CLOTHES, _GARMENTS, _ADULTS, SCORE_FOR_CLOTHES, minors.digest])
        self.digest = hashlib.sha256(lists.encode()).hexdigest()

    def score(self, views: Sequence[View], *, beside: Sequence[View]) -> Sequence[Scored]:
        """Return a score for both categories.

        Args:
            views: of the negative prompt.
            beside: of the prompt that it goes with; empty when there is none.
        """
        clothes = _first(self._clothes, views)
        adults = _first(self._adults, views)
        forbidden = None
        if self._minors.speaks_of_a_minor(beside):
            forbidden = clothes or _first(self._garments, views)
        if forbidden is None and adults and self._minors.speaks_of_sex(beside):
            forbidden = adults
        return [
            Scored(Category.SEXUAL_CONTENT, SCORE_FOR_CLOTHES if clothes else 0.0, clothes),
            Scored(Category.CHILD_SEXUAL_EXPLOITATION, 1.0 if forbidden else 0.0, forbidden),
        ]


def _first(index: TermIndex, views: Sequence[View]) -> TextSpan | None:
    for view in views:
        for hit in index.find(read(view)):
            return view.span(hit.start, hit.end)
    return None
