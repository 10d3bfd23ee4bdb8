"""The polar code follows the polarization weight; its list decoder finds the nearest word."""

import itertools

import numpy as np

from provenance.polar import PolarCode, reliability_order, transform


def test_positions_of_a_short_code_are_ordered_as_published() -> None:
    # Weights for 8 positions: 0, 1, 1.19, 2.19, 1.41, 2.41, 2.60, 3.60.
    assert reliability_order(8).tolist() == [0, 1, 2, 4, 3, 5, 6, 7]


def test_no_two_positions_of_the_mark_s_code_weigh_the_same() -> None:
    weights = np.sort([sum(2.0 ** (j / 4) for j in range(10) if i >> j & 1) for i in range(1024)])

    assert np.diff(weights).min() > 1e-3


def test_the_transform_of_four_bits_is_the_kronecker_square() -> None:
    kernel = np.array([[1, 0], [1, 1]])
    for bits in itertools.product([0, 1], repeat=4):
        assert (
            transform(np.array(bits, np.uint8)).tolist()
            == (np.array(bits) @ np.kron(kernel, kernel) % 2).tolist()
        )


def test_a_full_list_finds_the_nearest_of_all_words() -> None:
    code = PolarCode.of(length=16, info_bits=5)
    words = np.array(list(itertools.product([0, 1], repeat=5)), np.uint8)
    signs = 1 - 2.0 * code.encode(words)
    noisy = np.random.default_rng(2).normal(size=(50, 16)) + signs[7]

    decoded, _ = code.decode(noisy, paths=32)

    nearest = words[np.argmax(noisy @ signs.T, axis=1)]
    assert np.array_equal(decoded[:, 0], nearest)


def test_paths_come_out_likeliest_first() -> None:
    code = PolarCode.of(length=64, info_bits=12)

    _, penalty = code.decode(np.random.default_rng(3).normal(size=(5, 64)), paths=8)

    assert penalty.shape == (5, 8)
    assert (np.diff(penalty, axis=1) >= 0).all()


def test_words_are_decoded_alike_alone_and_together() -> None:
    code = PolarCode.of(length=256, info_bits=40)
    noisy = np.random.default_rng(5).normal(size=(6, 256))

    together, _ = code.decode(noisy, paths=4)

    for word, decoded in zip(noisy, together, strict=True):
        assert np.array_equal(code.decode(word[None], paths=4)[0][0], decoded)
