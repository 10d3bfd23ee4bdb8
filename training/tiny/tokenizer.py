"""Captions and the word-level tokenizer that reads them.

The tokenizer knows a few dozen words. Training sprinkles unknown words over some captions, so that
a prompt with words the model does not know still gives what the known ones say.
"""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from training.tiny.world import Colour, Motion, Scene, Shape, Size

MAX_TOKENS = 32  # the longest caption has 17 words
SIZE_WORDS = {Size.SMALL: ("small", "little"), Size.BIG: ("big", "large")}
MOVES = ("moving", "sliding", "drifting")
GROUNDS = ("on a {} background", "in front of a {} background", "against a {} background")
STILL = ("standing still", "not moving", "staying still")
HEADINGS = {
    Motion.LEFT: ("left", "to the left", "leftwards"),
    Motion.RIGHT: ("right", "to the right", "rightwards"),
    Motion.UP: ("up", "upwards"),
    Motion.DOWN: ("down", "downwards"),
}
EXTRA_WORDS = ("an", "and", "with", "is", "of", "video", "clip", ",", ".")


def caption(scene: Scene) -> str:
    """Return the plain caption, "a big red circle moving left on a blue background"."""
    move = STILL[0] if scene.motion is Motion.STILL else f"moving {scene.motion}"
    return f"a {scene.size} {scene.colour} {scene.shape} {move} on a {scene.background} background"


def paraphrase(scene: Scene, rng: np.random.Generator) -> str:
    """Return one of the ways to say it: half of the time plainly, sometimes with noise."""
    if rng.random() < 0.5:
        return caption(scene)
    size = "" if rng.random() < 0.15 else _pick(SIZE_WORDS[scene.size], rng) + " "
    if scene.motion is Motion.STILL:
        move = _pick(STILL, rng)
    else:
        move = f"{_pick(MOVES, rng)} {_pick(HEADINGS[scene.motion], rng)}"
    ground = _pick(GROUNDS, rng).format(scene.background)
    words = f"a {size}{scene.colour} {scene.shape} {move} {ground}".split()
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(1, 4))):
            words.insert(int(rng.integers(len(words) + 1)), "<unk>")
    return " ".join(words)


def vocabulary() -> list[str]:
    """Return the words in the order of their numbers."""
    words = set(EXTRA_WORDS) | set(Colour) | set(Shape) | {"a"}
    phrases = [*MOVES, *STILL, *(ground.replace("{}", "") for ground in GROUNDS)]
    phrases += [
        phrase for group in (SIZE_WORDS, HEADINGS) for tuple_ in group.values() for phrase in tuple_
    ]
    for phrase in phrases:
        words.update(phrase.split())
    return ["<pad>", "</s>", "<unk>", *sorted(str(word) for word in words)]


def new_tokenizer() -> PreTrainedTokenizerFast:
    """Return a word-level tokenizer that loads through AutoTokenizer."""
    numbers = {word: number for number, word in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=512,
    )


def save_tokenizer(folder: Path) -> None:
    """Write the tokenizer as AutoTokenizer reads it."""
    new_tokenizer().save_pretrained(folder)


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
