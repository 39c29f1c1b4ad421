"""Published numbers, each with its paper, table and row. Nothing here was measured by us."""

from collections.abc import Mapping
from dataclasses import dataclass, field

HE_2016A = "He et al. 2016a"
HE_2016B = "He et al. 2016b"
D2L_BOOK = "Dive into Deep Learning"
GOYAL_2017 = "Goyal et al. 2017"
HE_2019 = "He et al. 2019"


@dataclass(frozen=True)
class Published:
    """One column of a published table: `values` by row, in `unit`."""

    source: str
    place: str
    quantity: str
    unit: str
    values: Mapping[int | str, float]
    note: str = ""

    def __getitem__(self, row: int | str) -> float:
        """Return the value of a row.

        Raises:
            KeyError: naming the table and its rows.

        """
        if row not in self.values:
            raise KeyError(f"{self.source}, {self.place} has no row {row!r}: {list(self.values)}")
        return self.values[row]


@dataclass(frozen=True)
class Replication:
    """Other people's runs of a paper's recipe: who, how, the values and their deviations."""

    who: str
    how: str
    values: Mapping[str, float]
    deviations: Mapping[str, float] = field(default_factory=dict)


MULTIPLY_ADDS = Published(
    HE_2016A, "Table 1", "multiply-adds at 224x224", "10^9",
    {18: 1.8, 34: 3.6, 50: 3.8, 101: 7.6, 152: 11.3},
)  # fmt: skip
IMAGENET_PLAIN = Published(
    HE_2016A, "Table 2", "ImageNet top-1 error, plain networks, 10-crop", "%",
    {18: 27.94, 34: 28.54},
)  # fmt: skip
IMAGENET_RESIDUAL = Published(
    HE_2016A, "Table 2", "ImageNet top-1 error, residual networks (option A), 10-crop", "%",
    {18: 27.88, 34: 25.03},
)  # fmt: skip
SHORTCUTS = Published(
    HE_2016A, "Table 3", "ImageNet top-1 error, ResNet-34 by shortcut option, 10-crop", "%",
    {"A": 25.03, "B": 24.52, "C": 24.19},
)  # fmt: skip
IMAGENET_DEPTH = Published(
    HE_2016A, "Table 3", "ImageNet top-1 error by depth, option B, 10-crop", "%",
    {34: 24.52, 50: 22.85, 101: 21.75, 152: 21.43},
)  # fmt: skip
IMAGENET_DEPTH_TOP5 = Published(
    HE_2016A, "Table 3", "ImageNet top-5 error by depth, option B, 10-crop", "%",
    {34: 7.46, 50: 6.71, 101: 6.05, 152: 5.71},
)  # fmt: skip
CIFAR_RESIDUAL = Published(
    HE_2016A, "Table 6", "CIFAR-10 test error, residual networks", "%",
    {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43, 1202: 7.93},
    note="110 layers: best of 5, whose mean and deviation it gives as 6.61 and 0.16",
)  # fmt: skip
CIFAR_PARAMETERS = Published(
    HE_2016A, "Table 6", "parameters, residual networks for CIFAR-10", "10^6",
    {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7, 1202: 19.4},
)  # fmt: skip
CIFAR_PLAIN = Published(
    HE_2016A, "Fig. 6", "CIFAR-10 test error, plain networks", "%",
    {20: 9.5, 32: 10.0, 44: 12.0, 56: 13.5},
    note="read off the plot, about half a point either way",
)  # fmt: skip
SHORTCUT_KINDS = Published(
    HE_2016B, "Table 1", "CIFAR-10 test error of ResNet-110 by kind of shortcut", "%",
    {
        "identity": 6.61,
        "constant scaling": 12.35,
        "exclusive gating": 8.70,
        "shortcut-only gating": 6.91,
        "1×1 convolution": 12.22,
    },
    note="median of 5 runs; gates at their best initial bias, -6; scaling by 0.5 on both ways; "
    "dropout of 0.5 on the shortcut failed, with an error above 20%",
)  # fmt: skip
GATE_BIASES = Published(
    HE_2016B, "Table 1", "CIFAR-10 test error of ResNet-110 with gates at other biases", "%",
    {"exclusive gating b=-7": 9.81, "shortcut-only gating b=0": 12.86},
    note="median of 5 runs",
)  # fmt: skip
PLACES = (
    "original",
    "BN after addition",
    "ReLU before addition",
    "ReLU-only pre-activation",
    "full pre-activation",
)
PLACEMENTS_110, PLACEMENTS_164 = (
    Published(
        HE_2016B, "Table 2", f"CIFAR-10 test error of ResNet-{depth} by place of the activation",
        "%", dict(zip(PLACES, errors, strict=True)), note="median of 5 runs",
    )
    for depth, errors in (
        (110, (6.61, 8.17, 7.84, 6.71, 6.37)),
        (164, (5.93, 6.50, 6.14, 5.91, 5.46)),
    )
)  # fmt: skip
CIFAR_ORIGINAL_DEEP = Published(
    HE_2016B, "Table 3", "CIFAR-10 test error, original units", "%",
    {110: 6.61, 164: 5.93, 1001: 7.61}, note="median of 5 runs",
)  # fmt: skip
CIFAR_PREACT = Published(
    HE_2016B, "Table 3", "CIFAR-10 test error, pre-activation units", "%",
    {110: 6.37, 164: 5.46, 1001: 4.92}, note="median of 5 runs",
)  # fmt: skip
CIFAR_PREACT_PARAMETERS = Published(
    HE_2016B, "Table 4", "parameters, pre-activation networks for CIFAR-10", "10^6",
    {164: 1.7, 1001: 10.2}, note="without BN's scales and shifts, which 2016a's 19.4 for 1202 has",
)  # fmt: skip
# Other people's runs of 2016a's recipe on CIFAR-10, test error in %: see `Replication`.
REPLICATIONS = (
    Replication(
        "nabla0001/resnet", "mean of 5, last epoch, 45,000 images; ResNet-110 from step 32,000 "
        "on at 0.001, a tenth of the paper's rate",
        {"plain-20": 9.78, "plain-56": 12.95, "ResNet-20": 8.51, "ResNet-56": 7.40,
         "ResNet-110": 7.14},
        {"plain-20": 0.13, "plain-56": 0.22, "ResNet-20": 0.22, "ResNet-56": 0.27,
         "ResNet-110": 0.20},
    ),
    Replication(
        "hhhhuangggg/resnet-cifar10", "1 run, last epoch",
        {"plain-20": 9.35, "plain-56": 12.32, "ResNet-20": 8.23, "ResNet-56": 7.13},
    ),
    Replication(
        "gcr/torch-residual-networks", "1 run, 200 epochs, Nesterov momentum",
        {"ResNet-20": 8.29, "ResNet-32": 7.63, "ResNet-44": 7.14, "ResNet-56": 6.94,
         "ResNet-110": 6.73},
    ),
    Replication(
        "akamaster", "1 run, 200 epochs, best epoch by test error",
        {"ResNet-20": 8.27, "ResNet-32": 7.37, "ResNet-44": 6.90, "ResNet-56": 6.61,
         "ResNet-110": 6.32},
    ),
)  # fmt: skip
# The training errors of the second of these, in %.
REPLICATED_TRAINING = {"plain-20": 1.12, "plain-56": 3.75, "ResNet-20": 0.61, "ResNet-56": 0.06}
SEED_DEVIATION = 0.2  # points of test error between seeds: 2016a's 110 layers 0.16, others to 0.27
HAND_SIGNS = Published(
    "残差网络 ResNet, blog article of 2018-12-12", "its text", "SIGNS test accuracy", "%",
    {"test accuracy": 87},
    note="one run, two epochs",
)  # fmt: skip
IMAGENET_PREACT = Published(
    HE_2016B, "Table 5", "ImageNet top-1 error by form of the block, 320x320, one crop", "%",
    {"152 original": 21.3, "152 pre-activation": 21.1, "200 original": 21.8,
     "200 pre-activation": 20.7},
)  # fmt: skip
WARM_UP = Published(
    GOYAL_2017, "Table 1", "ImageNet top-1 error of ResNet-50 by warm-up, batches of 8,192", "%",
    {"none": 24.84, "constant": 25.88, "gradual": 23.74},
    note="means of 5 runs; deviations 0.37, 0.56 and 0.09",
)  # fmt: skip
LAST_SCALE = Published(
    GOYAL_2017, "Table 2b", "ImageNet top-1 error of ResNet-50 by batch and first last scale", "%",
    {"256, 1": 23.84, "256, 0": 23.60, "8192, 1": 24.11, "8192, 0": 23.74},
    note="means of 5 runs; deviations 0.18, 0.12, 0.07 and 0.09",
)  # fmt: skip
STRIDE = Published(
    HE_2019, "text on Table 5", "gain in ImageNet top-1 accuracy, ResNet-50, by the stride's place",
    "points", {"3x3": 0.5}, note="\"around\" half a point; batches of 1,024, 16 bits",
)  # fmt: skip
D2L_FASHION_MNIST = Published(
    D2L_BOOK, "Residual Networks (ResNet)", "Fashion-MNIST test accuracy after 10 epochs", "1",
    {"en 0.17.5": 0.918, "zh 2.0.0": 0.893, "median of 106 public copies": 0.913},
    note="no seed is set; the 106 public copies of the cell, collected for this book, run from "
    "0.806 to 0.927, deviation 0.021",
)  # fmt: skip
D2L_COPIES = Published(
    D2L_BOOK, "106 public copies of its page", "Fashion-MNIST test accuracy after 10 epochs", "1",
    {"worst": 0.806, "median": 0.913, "best": 0.927}, note="standard deviation 0.021",
)  # fmt: skip
