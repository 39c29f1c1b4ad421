"""Wrong and right answers to the exercises of chapter 7; see `answers`."""

from __future__ import annotations

from slips import Number, Shape, Slip

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = []
NUMBERS: list[Number] = [
    ("how-many-seeds", "difference 0.2, deviation 0.16", 4, "for known"),
    ("how-many-seeds", "difference 0.1, deviation 0.16", 21, "one-sided"),
    ("how-many-seeds", "difference 0.2, deviation 0.08", 2, "p is not below the level there"),
    ("how-many-seeds", "difference 0.2, deviation 0.08", 6, "both networks"),
]
SHAPES: list[Shape] = []

WRONG["best-of-five"] = [
    Slip("draws.min(", "draws.max(", "what the largest is"),
    Slip("draws.min(dim=1).values.mean()", "draws.mean()", "the mean itself"),
    Slip("draws.min(dim=1).values.mean()", "draws[0].min()", "once and .* another time"),
    Slip("return draws", "return mean - deviation / k**0.5\n    return draws", "nothing is chosen"),
    Slip("mean + deviation * torch.randn", "mean + torch.randn", "Does the deviation count"),
    Slip("mean + deviation * torch.randn", "mean + deviation**2 * torch.randn", "or its square"),
    Slip("torch.randn(50_000, k)", "torch.randn(50_000, 5)", r"smallest\(1, 7.0, 0.5\) is"),
    Slip("smallest(5, 6.97, 0.16) -", "6.97 -", "not equal terms"),
    Slip("left = smallest(5, 6.97, 0.16) -", "left = 6.784 - 0.19 -", "for 56 layers only|What is"),
    Slip("left = smallest", "left = 6.97 - 6.43  # smallest", "what is printed|not equal"),
]

RIGHT["best-of-five"] = [
    "import random\ndef smallest(k, m, s):\n"
    "    return sum(min(random.gauss(m, s) for _ in range(k)) for _ in range(5000)) / 5000\n"
    "left = 0.36",
    "import numpy as np\nfrom scipy.integrate import quad\nfrom scipy.stats import norm\n"
    "def smallest(k, m, s):\n"
    "    density = lambda x: x * k * norm.pdf(x) * norm.sf(x) ** (k - 1)\n"
    "    return np.float64(m + s * quad(density, -10, 10)[0])\n"
    "left = torch.tensor(6.97 - 6.61)",
]

WRONG["check-cannot-fail"] = [
    Slip("if 2 * margin > worse", "if 2.2 * margin > worse", "there are such bounds"),
    Slip("if 2 * margin > worse", "if 1.9 * margin > worse", "two numbers that do both"),
    Slip("return -math.inf, mean + worse / 2", "return mean - worse / 2, mean + worse / 2",
         "as good as claimed|lets too many"),
    Slip("return -math.inf, mean + worse / 2", "return 0, 100", "It lets too many pass"),
    Slip("return -math.inf, mean + worse / 2", "return mean, mean", "It fails too many"),
    Slip("return -math.inf, mean + worse / 2", "return 0, mean + 1.645 * deviation",
         "looks at the mean of the runs"),
    Slip("return None", "return -math.inf, mean + worse / 2", "two numbers that do both"),
    Slip("if 2 * margin > worse", "if 2.19 * margin > worse",
         "as far below the mean as above it do not do it here"),
    Slip("if 2 * margin > worse", "if True", "there are such bounds"),
    Slip("return -math.inf, mean + worse / 2", "return mean + worse / 2, 0", "low is above high"),
    Slip("return -math.inf, mean + worse / 2", "return mean + worse / 2", "expected a pair"),
    Slip("return -math.inf, mean + worse / 2", 'return "low", "high"', "expected a number"),
]  # fmt: skip

RIGHT["check-cannot-fail"] = [
    # as a tensor, rounded, from far below
    "def bounds(m, s, n, w):\n    e = s / n**0.5\n"
    "    return torch.tensor([m - 9 * e, m + 1.65 * e]) if w > 3.3 * e else None",
    "from scipy.stats import norm\ndef bounds(m, s, n, w):\n"
    "    low, high = norm.ppf(0.95, m, s / n**0.5), norm.ppf(0.05, m + w, s / n**0.5)\n"
    "    return (-float('inf'), high) if low <= high else None",
]

WRONG["paired-seeds"] = [
    Slip("x - y for x, y", "y - x for x, y", "in this order"),
    Slip("/ n**0.5", "", "not by the deviation"),
    Slip("statistics.stdev(differences)", "statistics.pstdev(differences)", "n - 1 below"),
    Slip("error = statistics.stdev(differences) / n**0.5",
         "error = ((statistics.variance(a) + statistics.variance(b)) / n) ** 0.5", "Welch's t"),
    Slip("error, n - 1", "error, 2 * n - 2", "degrees of freedom"),
    Slip("error, n - 1", "error, n", "degrees of freedom"),
    Slip("statistics.fmean(differences) /", "abs(statistics.fmean(differences)) /",
         "Has t a sign"),
    Slip("return statistics.fmean(differences) / error, n - 1", "return error",
         r"expected a pair \(t, degrees"),
]  # fmt: skip

RIGHT["paired-seeds"] = [
    "from scipy.stats import ttest_rel\n"
    "def paired(a, b):\n    found = ttest_rel(a, b)\n    return found.statistic, found.df",
    "def paired(a, b):\n    d = torch.tensor(a).double() - torch.tensor(b).double()\n"
    "    return d.mean() / (d.std() / len(d) ** 0.5), torch.tensor(len(d) - 1)",
]

WRONG["missing-depths"] = [
    Slip('"train_error", f"ResNet', '"train_error", f"Resnet', "'Resnet-32', which is no row"),
    Slip('{"cpu": tuple(rows)}', '{"gpu": tuple(rows)}', "`only` has no entry 'cpu'"),
    Slip("(*rises, *falls)", "tuple(rises)", "ResNet-.* change places"),
    Slip('Less("train_error", f"plain-{a}", f"plain-{b}")',
         'Less("train_error", f"plain-{b}", f"plain-{a}")', "Which way round"),
    Slip('Less("train_error", f"ResNet', 'Less("test_error", f"ResNet', "about training errors"),
    Slip('Less("train_error", f"ResNet', 'Less("response", f"ResNet', "about training errors"),
    Slip("(*rises, *falls)", '(Less("train_error", "plain-20", "plain-56"), *falls)',
         "plain-.* and plain-.* change places"),
    Slip("checks=(*rises, *falls),", "", "change places"),
    Slip('    only={"cpu": tuple(rows)},', "", "there is no plain-32, plain-44"),
    Slip('"train_error", f"ResNet', '"train_loss", f"ResNet',
         "There is no quantity 'train_loss'; there are 'train_error'"),
    Slip('{"cpu": tuple(rows)}', "{}", "plain-110, ResNet-110 would be trained"),
    Slip("(20, 32, 44, 56)", "(20, 32, 56)", "there is no plain-44, ResNet-44"),
    Slip("(*rises, *falls)", "()", "No check of the claim"),
    *(Slip('"train_error", f"plain', f'"{quantity}", f"plain', "about training errors, at the end")
      for quantity in ("warm_up_error", "early_error", "later_error", "train_error_mean")),
    *(Slip('f"plain-{b}")', f'f"plain-{{b}}", {margin})', f"has a margin of {margin}: with one")
      for margin in (1, -1)),
    Slip("(*rises, *falls)", "(*rises, *falls, resnet.reproduce.checks.Within("
         '"train_error", "plain-20", 8, 10, needs_full=False))', "Values cannot be compared"),
]  # fmt: skip

RIGHT["missing-depths"] = [
    # more checks than are needed, and the old ones beside them
    "from itertools import combinations\n"
    "pairs = list(combinations((20, 32, 44, 56), 2))\n"
    'more = [Less("train_error", f"plain-{a}", f"plain-{b}") for a, b in pairs]\n'
    'more += [Less("train_error", f"ResNet-{b}", f"ResNet-{a}") for a, b in pairs]\n'
    "old = resnet.reproduce.CLAIMS['degradation']\n"
    "claim = dataclasses.replace(old, checks=(*old.checks, *more), only={**old.only, 'cpu': [\n"
    "    r for r in old.rows if '110' not in r]})",
    # generators, which give what they have once
    "orders = (('plain', (20, 32, 44, 56)), ('ResNet', (56, 44, 32, 20)))\n"
    "claim = dataclasses.replace(resnet.reproduce.CLAIMS['degradation'], checks=(\n"
    "    Less('train_error', f'{k}-{a}', f'{k}-{b}') for k, order in orders\n"
    "    for a, b in pairwise(order)),\n"
    "    only={'cpu': (f'{k}-{d}' for k, depths in orders for d in depths)})\n"
    "assert resnet.check.missing_depths(claim)",
    # written anew
    "rows = ['plain-20', 'plain-32', 'plain-44', 'plain-56']\n"
    "rows += ['ResNet-56', 'ResNet-44', 'ResNet-32', 'ResNet-20']\n"
    "claim = resnet.reproduce.Claim(title='Depths', source='Fig. 6', statement='Deeper, worse.',\n"
    "    rows={r: r for r in rows}, settings=resnet.reproduce.CLAIMS['depth'].settings,\n"
    "    checks=tuple(Less('train_error', a, b) for a, b in pairwise(rows) if a[0] == b[0]))",
]
