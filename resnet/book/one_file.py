"""ResNets for small images in one file, to copy: original (2016a) and pre-activation (2016b)."""

from torch import Tensor, nn


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Make a convolution that keeps the image's size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    """Two 3x3 convolutions, or a bottleneck, and a way around them."""

    def __init__(
        self, inputs: int, width: int, stride: int, *, bottleneck: bool, preact: bool, first: bool
    ) -> None:
        super().__init__()
        outputs = 4 * width if bottleneck else width
        shapes = [(inputs, width, 3, stride), (width, width, 3, 1)]
        if bottleneck:  # v1; v1.5 has the stride on the 3x3
            shapes = [(inputs, width, 1, stride), (width, width, 3, 1), (width, outputs, 1, 1)]
        layers: list[nn.Module] = []
        for shape in shapes:
            layers += [conv(*shape), nn.BatchNorm2d(shape[1]), nn.ReLU()]
        self.before = nn.Sequential()
        if preact and not first:  # the stem has activated the first block's input
            self.before = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.branch = nn.Sequential(*layers[: -2 if preact else -1])
        self.project = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.project.append(conv(inputs, outputs, 1, stride))
            if not preact:
                self.project.append(nn.BatchNorm2d(outputs))
        self.after = nn.Sequential() if preact else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        a = self.before(x)
        out: Tensor = self.after(self.branch(a) + (self.project(a) if len(self.project) else x))
        return out


def resnet(
    depth: int, classes: int, channels: int, *, bottleneck: bool = False, preact: bool = False
) -> nn.Sequential:
    """Make 6n + 2 layers, with bottlenecks 9n + 2, for images (N, channels, H, W)."""
    (n, rest), inputs = divmod(depth - 2, 9 if bottleneck else 6), 16
    if rest or n < 1:
        raise ValueError(f"depth={depth}: expected {9 if bottleneck else 6}n + 2")
    net = nn.Sequential(conv(channels, inputs, 3), nn.BatchNorm2d(inputs), nn.ReLU())
    for i in range(3 * n):
        width, stride = 16 * 2 ** (i // n), 2 if i in (n, 2 * n) else 1
        net.append(Block(inputs, width, stride, bottleneck=bottleneck, preact=preact, first=i == 0))
        inputs = 4 * width if bottleneck else width
    net.extend([nn.BatchNorm2d(inputs), nn.ReLU()] if preact else [])
    net.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)])
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return net
