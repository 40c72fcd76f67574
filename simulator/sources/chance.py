"""Numbers that look like chance and are a pure function of where they are asked for: the same on
every machine, after every restart and with every release of numpy."""

import random

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]
PART = 1 << 16
ADDED = np.uint64(0x9E3779B97F4A7C15)
FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


def seed_of(text: str) -> np.uint64:
    return np.uint64(random.Random(text).getrandbits(64))


def mixed(numbers: Bits) -> Bits:
    """64 bits that look like chance (splitmix64, Steele, Lea and Flood 2014)."""
    numbers = numbers + ADDED
    numbers = (numbers ^ (numbers >> SHIFTS[0])) * FACTORS[0]
    numbers = (numbers ^ (numbers >> SHIFTS[1])) * FACTORS[1]
    return numbers ^ (numbers >> SHIFTS[2])


def chances(first: int, count: int, seed: np.uint64) -> Bits:
    """64 bits for each of the numbers from `first` on."""
    return mixed(np.arange(first, first + count, dtype=np.uint64) ^ seed)


def part(bits: Bits, shift: int, count: int) -> Ints:
    """A number below `count`, a power of two, from the bits above `shift`."""
    return ((bits >> np.uint64(shift)) & np.uint64(count - 1)).astype(np.int64)


def shares(bits: Bits) -> Floats:
    """Evenly between 0 and 1, from the upper 53 bits."""
    return (bits >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def normals(bits: Bits) -> Floats:
    """About normal, mean 0 and deviation 1: the sum of four even numbers of 16 bits."""
    total = np.zeros(len(bits))
    for shift in (0, 16, 32, 48):
        total += (bits >> np.uint64(shift)) & np.uint64(PART - 1)
    normal: Floats = (total / PART - 2.0) * float(np.sqrt(3.0))
    return normal
