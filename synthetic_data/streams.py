"""Seeds, and random streams keyed by (seed, stream name, patient, item): never by order, block or worker."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


@dataclass(frozen=True)
class Seed:
    """32 bytes from which every random stream of a scene is derived."""

    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) != 32:
            raise ValueError(f"a seed has 32 bytes, not {len(self.key)}")

    def __repr__(self) -> str:
        # The hidden seed must not reach a log through a debug print.
        return "Seed(...)"

    @classmethod
    def derive(cls, secret: bytes, exercise: str, variant: str, purpose: str) -> Seed:
        """HMAC-SHA256(secret, exercise / variant / purpose): knowing one seed tells nothing about another."""
        parts = [exercise, variant, purpose]
        # Lengths are part of the message, so that "a/b" + "c" and "a" + "b/c" differ.
        message = b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
        return cls(hmac.new(secret, message, hashlib.sha256).digest())

    @classmethod
    def from_hex(cls, text: str) -> Seed:
        """A public seed as written in an exercise's manifest: 64 hexadecimal digits."""
        return cls(bytes.fromhex(text))

    @classmethod
    def from_int(cls, number: int) -> Seed:
        """The seed behind `caredrill generate --seed NUMBER`."""
        return cls.derive(str(number).encode(), "generate", "", "scene")

    def stream(self, name: str) -> Stream:
        """The stream called `name`; streams of different names are independent."""
        digest = hashlib.blake2b(name.encode(), key=self.key, digest_size=8).digest()
        return Stream(int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little"))


@dataclass(frozen=True)
class Stream:
    """Counter-based draws: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").

    The counter is (patient, item, draw), so a value depends on whose it is and on nothing else: not on how
    many patients there are, in which order or on how many workers they are made.

    Every method takes `ids`, an array of patient numbers of any shape, and optionally `item` (an array of the
    same shape, or a number: which encounter, which line …) and `draw` (which of several draws for that item).
    """

    key0: int
    key1: int

    def words(self, ids: npt.ArrayLike, item: npt.ArrayLike = 0, draw: int = 0) -> npt.NDArray[np.uint64]:
        """Four independent 32-bit words per id, shape (*ids.shape, 4), held in uint64."""
        patient, items = np.broadcast_arrays(np.asarray(ids, np.uint64), np.asarray(item, np.uint64))
        c0, c1 = patient & _MASK, patient >> _SHIFT
        c2 = items & _MASK
        c3 = np.full_like(c0, draw)
        k0, k1 = self.key0, self.key1
        for _ in range(10):
            p0 = c0 * np.uint64(0xD2511F53)
            p1 = c2 * np.uint64(0xCD9E8D57)
            c0, c1, c2, c3 = (
                (p1 >> _SHIFT) ^ c1 ^ np.uint64(k0),
                p1 & _MASK,
                (p0 >> _SHIFT) ^ c3 ^ np.uint64(k1),
                p0 & _MASK,
            )
            k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
            k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
        return np.stack([c0, c1, c2, c3], axis=-1)

    def uniform(self, ids: npt.ArrayLike, item: npt.ArrayLike = 0, draw: int = 0) -> FloatArray:
        """Uniform in (0, 1), 53 bits; never exactly 0 or 1, so that quantile functions stay finite."""
        words = self.words(ids, item, draw)
        bits = ((words[..., 0] << _SHIFT) | words[..., 1]) >> np.uint64(11)
        return (bits.astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, ids: npt.ArrayLike, item: npt.ArrayLike = 0, draw: int = 0) -> FloatArray:
        """Standard normal, by the inverse distribution function."""
        from scipy.special import ndtri

        return np.asarray(ndtri(self.uniform(ids, item, draw)), np.float64)

    def integers(
        self, low: npt.ArrayLike, high: npt.ArrayLike, ids: npt.ArrayLike, item: npt.ArrayLike = 0, draw: int = 0
    ) -> IntArray:
        """Whole numbers from `low` up to, not including, `high` (both may be arrays)."""
        low_, high_ = np.asarray(low, np.int64), np.asarray(high, np.int64)
        return low_ + np.floor(self.uniform(ids, item, draw) * (high_ - low_)).astype(np.int64)

    def choice(
        self, n_or_weights: int | npt.ArrayLike, ids: npt.ArrayLike, item: npt.ArrayLike = 0, draw: int = 0
    ) -> IntArray:
        """An index per id: among n alike, or in proportion to weights of shape (k,)."""
        if isinstance(n_or_weights, int):
            return self.integers(0, n_or_weights, ids, item, draw)
        weights = np.asarray(n_or_weights, np.float64)
        edges = np.cumsum(weights) / weights.sum()
        return np.minimum(np.searchsorted(edges, self.uniform(ids, item, draw), side="right"), len(weights) - 1)

    def permutation(self, n: int, owner: int = 0) -> IntArray:
        """A random order of range(n), for things that belong to nobody (rows of a table)."""
        return np.argsort(self.uniform(np.arange(n), owner), kind="stable")


def canonical_text(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text per value, for hashing and for stored files."""
    import json

    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
