"""Random streams: the published algorithm, and draws that depend on whose they are and on nothing else."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest

from synthetic_data.streams import Seed, Stream, canonical_text

SEED = Seed.from_int(2026)


# Known answers of Random123 1.14, file kat_vectors, philox4x32 with 10 rounds.
@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_words_are_philox4x32_10(counter, key, expected):
    low, high, item, draw = counter
    words = Stream(*key).words(np.array([low | high << 32], np.uint64), item, draw)
    assert tuple(int(word) for word in words[0]) == expected


def test_a_draw_depends_on_its_own_patient_item_and_draw_number_only():
    stream = SEED.stream("a")
    ids = np.arange(1000)
    whole = stream.uniform(ids, ids % 7, 3)
    assert np.array_equal(whole[::-1], stream.uniform(ids[::-1], ids[::-1] % 7, 3))
    assert stream.uniform(np.array([500]), np.array([500 % 7]), 3)[0] == whole[500]


def test_different_names_seeds_items_and_draw_numbers_give_different_values():
    ids = np.arange(200)
    values = [
        SEED.stream("a").uniform(ids),
        SEED.stream("b").uniform(ids),
        SEED.stream("a").uniform(ids, 1),
        SEED.stream("a").uniform(ids, 0, 1),
        Seed.from_int(2027).stream("a").uniform(ids),
    ]
    assert len(np.unique(np.concatenate(values))) == 5 * len(ids)


def test_derived_seeds_are_hmac_sha256_and_separate_their_parts():
    message = b"\x00\x00\x00\x01e\x00\x00\x00\x01v\x00\x00\x00\x01p"
    assert Seed.derive(b"secret", "e", "v", "p").key == hmac.new(b"secret", message, hashlib.sha256).digest()
    seeds = {
        Seed.derive(secret, *parts).key
        for secret in (b"one", b"two")
        for parts in (("ab", "c", "d"), ("a", "bc", "d"), ("a/b", "c", "d"), ("a", "b/c", "d"), ("", "abc", "d"))
    }
    assert len(seeds) == 10


def test_a_seed_does_not_print_its_key():
    seed = Seed.derive(b"secret", "e", "v", "p")
    assert seed.key.hex() not in repr(seed)
    assert repr(seed.key) not in f"{seed} {seed!r}"


def test_a_seed_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        Seed(b"abc")


def test_uniform_has_the_moments_of_the_uniform_distribution():
    # 200 000 draws: four standard errors are .0026 for the mean and .0007 for the variance.
    u = SEED.stream("moments").uniform(np.arange(200_000))
    assert u.min() > 0
    assert u.max() < 1
    assert abs(u.mean() - 1 / 2) < 0.0026
    assert abs(u.var() - 1 / 12) < 0.0007
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.009


def test_normal_has_mean_0_and_variance_1():
    z = SEED.stream("moments").normal(np.arange(200_000))
    assert abs(z.mean()) < 0.009
    assert abs(z.var() - 1) < 0.013


def test_integers_reach_both_ends_and_no_further():
    drawn = SEED.stream("whole").integers(3, 8, np.arange(2000))
    assert sorted(set(drawn.tolist())) == [3, 4, 5, 6, 7]
    by_person = SEED.stream("whole").integers(0, np.array([1, 10]), np.array([4, 5]))
    assert by_person[0] == 0


def test_choice_follows_its_weights_and_never_takes_a_weight_of_nought():
    drawn = SEED.stream("choice").choice([1.0, 0.0, 3.0], np.arange(40_000))
    shares = np.bincount(drawn, minlength=3) / 40_000
    assert shares[1] == 0
    assert abs(shares[2] - 0.75) < 0.009  # four standard errors


def test_a_permutation_holds_every_number_once():
    order = SEED.stream("order").permutation(1000)
    assert sorted(order.tolist()) == list(range(1000))
    assert not np.array_equal(order, SEED.stream("order").permutation(1000, owner=1))


def test_canonical_text_has_one_form_per_value():
    assert (
        canonical_text({"b": [1, 2.5], "a": "é"})
        == canonical_text({"a": "é", "b": [1, 2.5]})
        == '{"a":"é","b":[1,2.5]}'
    )
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_text(float("nan"))
