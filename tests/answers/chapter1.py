"""Wrong and right answers to the exercises of chapter 1; see `answers`."""

from __future__ import annotations

from slips import Number, Shape, Slip

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = ["grow-order", "no-bound"]
NUMBERS: list[Number] = []
SHAPES: list[Shape] = []

WRONG["steps-nested"] = [
    Slip("b % a == 0", "a <= b", "More pieces are not enough"),
    Slip("b % a == 0", "a % b == 0", "other direction"),
    Slip("b % a == 0", "b in [a * 2**i for i in range(9)]", "Halving every piece"),
    Slip("b % a == 0", "b % a == 0 and a != b", "a class and itself"),
    Slip("b % a == 0", "b % a == 0 or b == 7", r"where the functions in S_\d may jump"),
    Slip("b % a == 0", "b % a", "expected True or False"),
]

RIGHT["steps-nested"] = [
    "import math\ndef contained(a, b):\n    return math.gcd(a, b) == a",
    "from fractions import Fraction as Q\ndef contained(a, b):\n"
    "    return {Q(i, a) for i in range(a)} <= {Q(i, b) for i in range(b)}",
]

WRONG["width-nested"] = [
    Slip("w.new_zeros(1, w.shape[1])]),\n        torch.cat([b, b.new_zeros(1)]),\n"
         "        torch.cat([v, v.new_zeros(1)])",
         "w.new_ones(1, w.shape[1])]),\n        torch.cat([b, b.new_zeros(1) - 100]),\n"
         "        torch.cat([v, v.new_ones(1)])", "function has changed"),
    Slip("w.new_zeros(1, w.shape[1])]),\n        torch.cat([b, b.new_zeros(1)]),\n"
         "        torch.cat([v, v.new_zeros(1)])",
         "w.new_zeros(1, w.shape[1]) + 1e-3]),\n        torch.cat([b, b.new_zeros(1)]),\n"
         "        torch.cat([v, v.new_zeros(1) + 1e-3])", "function has changed"),
    Slip("return (", "return [torch.cat([t, t[-1:]]) for t in (w, b, v)]\n    return (",
         "What does the new unit add"),
    Slip("torch.cat([b, b.new_zeros(1)]),\n        torch.cat([v, v.new_zeros(1)])",
         "torch.cat([b, b.new_ones(1)]),\n        torch.cat([v, v.new_ones(1)])",
         "shifted by a constant"),
    Slip("return (", "return w, b, v\n    return (", "still the size"),
    Slip("w.new_zeros(1, w.shape[1])])", "w.new_zeros(1, w.shape[1])]).T", r"w has shape"),
    Slip("torch.cat([v,", "torch.cat([0.5 * v,", "function has changed"),
    Slip("w.new_zeros(1, w.shape[1])]),\n        torch.cat([b, b.new_zeros(1)]),\n"
         "        torch.cat([v, v.new_zeros(1)])",
         "1e-4 * torch.randn(1, w.shape[1])]),\n        torch.cat([b, 1e-4 * torch.randn(1)]),\n"
         "        torch.cat([v, 1e-4 * torch.randn(1)])", "function has changed"),
    Slip("torch.cat([v,", "torch.cat([v[:-1],", "for 1 unit and 1 input: v has still"),
]  # fmt: skip

RIGHT["width-nested"] = [  # half of the last unit each; anything with an output weight of zero
    "def widen(w, b, v):\n    half = torch.cat([v[:-1], v[-1:] / 2, v[-1:] / 2])\n"
    "    return torch.cat([w, w[-1:]]), torch.cat([b, b[-1:]]), half",
    "import torch.nn.functional as F\ndef widen(w, b, v):\n"
    "    return [F.pad(w, (0, 0, 0, 1), value=3.0), F.pad(b, (0, 1), value=9.0), F.pad(v, (0, 1))]",
]

WRONG["plain-identity"] = [
    Slip("[(1, 1, 1)], -1", "[(1, 0, 1)], 0", r"at x = -1 it gives 0"),
    Slip("[(1, 1, 1)], -1", "[(1, 1, 1)], 0", r"at x = \S+ it gives"),
    Slip("[(1, 1, 1)], -1", "[(1, 0, 1), (-1, 0, -1)], 0", "fewer are enough"),
    Slip("[(1, 0, 1), (-1, 0, -1)], 0", "[(1, 1e9, 1)], -1e9", "everywhere: at x = -1e"),
    Slip("[(1, 0, 1), (-1, 0, -1)], 0", "[(1, 0, 1), (-1, 0, 1)], 0", "everywhere: at x = -1"),
    Slip("([(1, 0, 1), (-1, 0, -1)], 0)", "[(1, 0, 1), (-1, 0, -1), 3]", "expected a pair"),
    Slip(
        "[(1, 1, 1)], -1",
        "[(1, 1)], -1",
        r"expected a pair \(\[\(a, b, c\), …\], d\); a unit is three numbers\.",
    ),
]

RIGHT["plain-identity"] = [
    'answers = {"on [-1, 1]": ([(2, 2, 0.5)], -1), '
    '"everywhere": ([(-3, 0, -1 / 3), (2, 0, 0.5)], 0)}',
    'answers = {"on [-1, 1]": [[(-1, 1, -1)], 1], "everywhere": [[(1, 0, 1), (-1, 0, -1)], 0.0]}',
]

RIGHT["steps-nested"] += ["def contained(a, b):\n    return torch.tensor(b) % a == 0"]
