"""Wrong and right answers to the exercises of chapter 3; see `answers`."""

from __future__ import annotations

from cells import EVERY
from slips import Number, Shape, Slip, rewritten

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = []
NUMBERS: list[Number] = []
SHAPES: list[Shape] = [
    ("shapes-97", "stem", (1, 64, 49, 49), "max pooling"),
    ("shapes-97", "stage2", (1, 128, 12, 12), "one pixel less"),
    ("shapes-97", "stage1", (1, 64, 13, 13), "no stride"),
    ("shapes-97", "pool", (1, 512), "flattening"),
    ("shapes-97", "fc", 10, "expected a shape"),
    ("shapes-97", "stage2", (1, 128, 13.25, 13.25), "13.25 in a shape; expected whole"),
]

STAGES = (
    "def stage(i, o, n, s):\n"
    "    return [resnet.BasicBlock(i if j == 0 else o, o, s if j == 0 else 1) for j in range(n)]\n"
)

WRONG["resnet34"] = [
    Slip("stage(64, 64, 3, stride=1),\n        stage2=stage(64, 128, 4, stride=2),\n"
         "        stage3=stage(128, 256, 6, stride=2),\n        stage4=stage(256, 512, 3",
         "stage(64, 64, 2, stride=1),\n        stage2=stage(64, 128, 2, stride=2),\n"
         "        stage3=stage(128, 256, 2, stride=2),\n        stage4=stage(256, 512, 2",
         "layers of ResNet-18"),
    Slip("            nn.MaxPool2d(3, stride=2, padding=1),\n", "", "max pooling of the stem"),
    Slip("            nn.ReLU(),\n", "", "the stem has no ReLU"),
    Slip("stage(64, 64, 3, stride=1)", "stage(64, 64, 3, stride=2)", "first stage has a stride"),
    Slip("stage(128, 256, 6", "stage(128, 256, 5", "convolutions, fewer than needed"),
    Slip("resnet.BasicBlock(in_channels, channels, stride)",
         'resnet.BasicBlock(in_channels, channels, stride, shortcut="A")', "projections"),
    Slip("nn.Linear(512, 1000)", "nn.Linear(512, 10)", "returns shape"),
    Slip("net = nn.Sequential", "net = lambda *a: nn.Sequential", "the function"),
]  # fmt: skip

RIGHT["resnet34"] = [
    STAGES + "layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),\n"
    "    nn.MaxPool2d(3, 2, 1)]\n"
    "layers += stage(64, 64, 3, 1) + stage(64, 128, 4, 2) + stage(128, 256, 6, 2)\n"
    "net = nn.Sequential(*layers, *stage(256, 512, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),\n"
    "    nn.Linear(512, 1000))",
    # an own block with biases, and a forward pass of its own
    "class Block(nn.Module):\n    def __init__(self, i, o, s):\n        super().__init__()\n"
    "        self.way = nn.Identity() if i == o else nn.Sequential(nn.Conv2d(i, o, 1, s),\n"
    "            nn.BatchNorm2d(o))\n"
    "        self.body = nn.Sequential(nn.Conv2d(i, o, 3, s, 1), nn.BatchNorm2d(o), nn.ReLU(),\n"
    "            nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o))\n"
    "    def forward(self, x):\n        return (self.way(x) + self.body(x)).relu()\n"
    "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        widths = [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3\n"
    "        self.conv = nn.Conv2d(3, 64, 7, 2, 3, bias=False)\n"
    "        self.bn = nn.BatchNorm2d(64)\n"
    "        self.blocks = nn.ModuleList(Block(i, o, 1 if i == o else 2)\n"
    "            for i, o in zip([64] + widths, widths))\n"
    "        self.fc = nn.Linear(512, 1000)\n"
    "    def forward(self, x):\n"
    "        x = nn.functional.max_pool2d(self.bn(self.conv(x)).relu(), 3, 2, 1)\n"
    "        for block in self.blocks:\n            x = block(x)\n"
    "        return self.fc(x.mean((2, 3)))\n"
    "net = Net()",
    # lazy layers, handed over before they have seen an image
    "class Block(nn.Module):\n    def __init__(self, o, s, same):\n        super().__init__()\n"
    "        self.way = nn.Identity() if same else nn.Sequential(nn.LazyConv2d(o, 1, s),\n"
    "            nn.LazyBatchNorm2d())\n"
    "        self.body = nn.Sequential(nn.LazyConv2d(o, 3, s, 1), nn.LazyBatchNorm2d(),\n"
    "            nn.ReLU(), nn.LazyConv2d(o, 3, 1, 1), nn.LazyBatchNorm2d())\n"
    "    def forward(self, x):\n        return (self.way(x) + self.body(x)).relu()\n"
    "layers = [nn.LazyConv2d(64, 7, 2, 3, bias=False), nn.LazyBatchNorm2d(), nn.ReLU(),\n"
    "    nn.MaxPool2d(3, 2, 1)]\n"
    "for o, n in ((64, 3), (128, 4), (256, 6), (512, 3)):\n"
    "    layers += [Block(o, 1 if j or o == 64 else 2, j or o == 64) for j in range(n)]\n"
    "net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(1000))",
]

WRONG["resnet34"] += [
    Slip("net = nn.Sequential(", "net = resnet.resnet34()\nother = nn.Sequential(",
         "the book's own network"),
    Slip("stage(64, 128, 4, stride=2)", "stage(64, 128, 4, stride=1)", "Compare strides"),
    Slip("padding=3, bias=False", "padding=3", "stem's convolution has a bias"),
    Slip("net = nn.Sequential(", "import torchvision\nnet = torchvision.models.resnet34()\n"
         "other = nn.Sequential(", "torchvision's own network"),
    Slip("net = nn.Sequential(", "net = nn.Sequential(resnet.resnet34())\nother = nn.Sequential(",
         "the book's own network"),
    Slip("*(resnet.BasicBlock(channels, channels) for _ in range(blocks - 1))",
         "*[resnet.BasicBlock(channels, channels)] * (blocks - 1)",
         r"one BasicBlock is used 2 times \(at stage1.1, stage1.2\)"),
    Slip("        resnet.BasicBlock(in_channels, channels, stride),\n"
         "        *(resnet.BasicBlock(channels, channels) for _ in range(blocks - 1))",
         "        *[resnet.BasicBlock(in_channels, channels, stride)] * blocks",
         "one BasicBlock is used 3 times"),
    Slip("nn.MaxPool2d(", "nn.AvgPool2d(",
         r"1 average pooling, which does not belong here.\s+It has 0 max poolings, fewer"),
    Slip("net = nn.Sequential(", "class Net(nn.Module):\n    def foward(self, x):\n"
         "        return x\nnet = Net()\nother = nn.Sequential(", "a method foward"),
    Slip("net = nn.Sequential(", "net = nn.ModuleList([nn.Conv2d(3, 64, 7)])\n"
         "other = nn.Sequential(", "ModuleList has no method forward.*\n.*containers"),
]  # fmt: skip

WRONG["count-18"] = [
    Slip("    total += 2 * blocks * 2 * channels", "    #", "normalisations are missing"),
    Slip("total += 2 * blocks * 2 * channels", "total += 2 * blocks * channels", "two numbers"),
    Slip("    if in_channels != channels:", "    if False:", "the projection is missing"),
    Slip("+ 2 * channels  # the projection", "", "projection has a batch normalisation, too"),
    Slip("    if in_channels != channels:", "    if True:", "no projection where"),
    Slip(
        "total = 9 * in_channels",
        "total = 9 * channels",
        "has other channels in",
    ),
    Slip("return total", "return total + 2 * blocks * channels", "no biases"),
    Slip("return total", "return str(total)", "expected a number"),
    Slip("blocks * 2 * channels", "blocks * 4 * channels", "four numbers per channel, but"),
]

RIGHT["count-18"] = [
    "def parameters(i, c, n):\n"
    "    with torch.device('meta'):\n"
    "        blocks = [resnet.BasicBlock(i, c, 1 if i == c else 2)]\n"
    "        blocks += [resnet.BasicBlock(c, c) for _ in range(n - 1)]\n"
    "    return sum(map(resnet.count_parameters, blocks))",
    "import numpy as np\ndef parameters(i, c, n):\n"
    "    block = lambda a: 9 * a * c + 9 * c * c + 4 * c + (a != c) * (a * c + 2 * c)\n"
    "    return np.int64(block(i) + (n - 1) * block(c))",
]

WRONG["small-stem"] = [
    Slip("    net.stem", "    net = resnet.resnet18(10, 1)\n    net.stem", "another network"),
    Slip("64, 3, padding=1", "64, 3", "Compare strides, paddings"),
    Slip("        nn.ReLU(),\n    )", "        nn.ReLU(),\n        nn.MaxPool2d(3, 2, 1),\n    )",
         "max pooling is still there"),
    Slip("nn.Conv2d(1, 64, 3, padding=1", "nn.Conv2d(1, 64, 3, 2, padding=1", "still has stride 2"),
    Slip("        nn.ReLU(),\n", "", "new stem has no ReLU"),
    Slip("        nn.BatchNorm2d(64),\n", "", "no batch normalisation"),
    Slip("    net.stem = nn.Sequential(", "    stem = nn.Sequential(", "stem as it was"),
    Slip("    return net", "", "is None"),
    Slip("    net.stem = nn.Sequential(\n        nn.Conv2d(1, 64, 3, padding=1, bias=False),\n"
         "        nn.BatchNorm2d(64),\n        nn.ReLU(),\n    )",
         "    net.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)\n"
         "    net.maxpool = nn.Identity()", "new parts: conv1, maxpool.*behind fc"),
    Slip("nn.Conv2d(1, 64, 3, padding=1", "nn.Conv2d(3, 64, 3, padding=1", "number of channels"),
]  # fmt: skip

RIGHT["small-stem"] = [
    "def with_small_stem(net):\n"
    "    net.stem.conv = nn.Conv2d(1, 64, 3, 1, 1)\n"
    "    net.stem.maxpool = nn.Identity()\n    return net",
    "class Whole(nn.Module):\n"
    "    def __init__(self, net):\n        super().__init__()\n"
    "        self.a, self.b = nn.Conv2d(1, 64, 3, 1, 1), nn.BatchNorm2d(64)\n"
    "        self.rest = nn.Sequential(*list(net.children())[1:])\n"
    "    def forward(self, x):\n        return self.rest(self.b(self.a(x)).relu())\n"
    "with_small_stem = Whole",
]

WRONG["seeds"] = [
    Slip("math.ceil(", "round(", r"\(0.5, 0.4\) is 5.*large enough"),
    Slip("8 * (", "4 * (", "errors of both"),
    Slip("8 * (", "2 * (", "Two errors are asked for"),
    Slip("math.ceil(8 * (deviation / difference) ** 2)", "8 * (deviation / difference) ** 2",
         "A number of runs is whole|at least 2"),
    Slip("max(2, math.ceil(8 * (deviation / difference) ** 2))",
         "math.ceil(8 * (deviation / difference) ** 2)", "at least 2"),
    Slip("math.ceil(", "math.floor(", "Round so"),
    Slip("(deviation / difference) ** 2", "deviation / difference", "root of n"),
]  # fmt: skip

RIGHT["seeds"] = [
    "def runs_needed(difference, deviation):\n    n = 2\n"
    "    while difference < 2 * math.sqrt(2 * deviation**2 / n) - 1e-12:\n        n += 1\n"
    "    return n",
    "import numpy as np\ndef runs_needed(d, s):\n    return np.ceil(max(2.0, 8 * s * s / (d * d)))",
]

RIGHT["seeds"] += [  # n >= 8 (s / d)^2, written in other ways
    f"def runs_needed(d, s):\n    return max(2, math.ceil({form}))"
    for form in (
        "8 * s**2 / d**2", "(2 * math.sqrt(2) * s / d)**2", "(math.sqrt(8) * s / d)**2",
        "(8**0.5 * s / d)**2", "(2 * 2**0.5 * s / d)**2", "(2 * math.sqrt(2 * s**2) / d)**2",
        "4 * math.sqrt(2 * s**2)**2 / d**2", "2 * (2 * s / d)**2", "(math.sqrt(2) * 2 * s / d)**2",
        "(s / d * math.sqrt(8))**2", "8 / (d / s)**2", "(d / (s * 8**0.5))**-2",
        "math.sqrt(8 * s**2 / d**2)**2", "8 * math.exp(2 * math.log(s / d))",
        "4 * (s**2 + s**2) / d**2", "(2 * math.hypot(s, s) / d)**2", "2 * s**2 / (d / 2)**2",
    )
]  # fmt: skip

WRONG["torchvision-names"] = [
    Slip('r"^layer(\\d)\\.(\\d)\\.downsample"', 'r"^no(\\d)such(\\d)name"',
         "nothing for 'stage2.0.sh"),
    Slip("        found[name] = tensor", '        if "running" not in name:\n'
         "            found[name] = tensor", "nothing for 'stem.bn.running_mean'"),
    Slip("        found[name] = tensor", '        if "running" in name:\n'
         "            tensor = tensor * 0 + 1\n        found[name] = tensor",
         "none of torchvision's tensors"),
    Slip("        found[name] = tensor", "        swap = {'bn1': 'bn2', 'bn2': 'bn1'}\n"
         "        name = re.sub('branch.(bn.)', lambda m: 'branch.' + swap[m[1]], name)\n"
         "        found[name] = tensor", "have changed places"),
    Slip("    return found", "    return net.load_state_dict(found)", "expected tensors by their"),
    Slip("    return found", '    return {**found, "conv1.weight": 0}', "no name in net"),
    Slip("        found[name] = tensor", "        found[name] = tensor[None]",
         "net has shape"),
    Slip("    return found", "    return state", "nothing for 'stem.conv.weight'"),
]  # fmt: skip

RIGHT["torchvision-names"] = [
    # in the order of the layers, which is the same for the book's network
    "def renamed(state):\n    return dict(zip(net.state_dict(), state.values(), strict=True))",
    # an own network, whose blocks have the shortcut first
    "from torch import nn\n"
    "class Block(nn.Module):\n    def __init__(self, i, o):\n        super().__init__()\n"
    "        s = 1 if i == o else 2\n"
    "        self.way = nn.Identity() if i == o else nn.Sequential(\n"
    "            nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))\n"
    "        self.body = nn.Sequential(nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o),\n"
    "            nn.ReLU(), nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))\n"
    "    def forward(self, x):\n        return (self.way(x) + self.body(x)).relu()\n"
    "widths = [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3\n"
    "net = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),\n"
    "    nn.MaxPool2d(3, 2, 1), *(Block(i, o) for i, o in zip([64] + widths, widths)),\n"
    "    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))\n"
    "starts = {'1': 4, '2': 7, '3': 11, '4': 17}\n"
    "parts = {'conv1': 'body.0', 'bn1': 'body.1', 'conv2': 'body.3', 'bn2': 'body.4'}\n"
    "def renamed(state):\n    found = {}\n    for name, tensor in state.items():\n"
    "        first, *rest = name.split('.')\n        if first.startswith('layer'):\n"
    "            place = starts[first[-1]] + int(rest[0])\n"
    "            part = f'way.{rest[2]}' if rest[1] == 'downsample' else parts[rest[1]]\n"
    "            first = f'{place}.{part}'\n"
    "        else:\n            first = {'conv1': '0', 'bn1': '1', 'fc': '22'}[first]\n"
    "        found[f'{first}.{rest[-1]}'] = tensor\n    return found",
]

WRONG["four-bugs"] = [
    Slip("F.cross_entropy(net(images[batch]),", "F.cross_entropy(net(images[batch]).softmax(1),",
         "What does it expect"),
    Slip("            optimizer.zero_grad()\n", "", "earlier batches"),
    Slip("for _ in range(epochs):\n        net.train()", "net.train()\n    for _ in range(epochs):",
         "steps in evaluation mode"),
    Slip("loss = F.cross_entropy(net(images[batch]), labels[batch])",
         "loss = F.cross_entropy(net(images[batch]), labels[: len(batch)])", "a step is not"),
    Slip("        net.eval()\n", "", "tests in training mode"),
    Slip("torch.randperm(len(images)).split", "torch.arange(len(images)).split", "same order"),
    Slip("labels[batch])", 'labels[batch], reduction="sum")', "sum over the batch"),
    Slip(".split(batch_size):", ".split(batch_size)[:-1]:", "each training image once"),
    Slip("accuracies.append(hits.float().mean().item())",
         "accuracies.append(hits.float().sum().item())", "the accuracy on the test images"),
    Slip("torch.optim.SGD(net.parameters(), lr)", "torch.optim.SGD(net.parameters(), lr, 0.9)",
         "no momentum"),
    Slip("            optimizer.step()\n", "", "makes no steps"),
    Slip("    optimizer = ", "    return buggy(net, images, labels, test_images, test_labels, "
         "epochs, lr, batch_size)\n    optimizer = ", "the labels of other images"),
]  # fmt: skip

RIGHT["four-bugs"] = [
    # mended line by line
    "def train(net, images, labels, test_images, test_labels, epochs, lr, batch_size):\n"
    "    optimizer, found = torch.optim.SGD(net.parameters(), lr), []\n"
    "    for _ in range(epochs):\n        net.train()\n"
    "        order = torch.randperm(len(images))\n"
    "        for start in range(0, len(images), batch_size):\n"
    "            batch = order[start : start + batch_size]\n            optimizer.zero_grad()\n"
    "            F.cross_entropy(net(images[batch]), labels[batch]).backward()\n"
    "            optimizer.step()\n        net.eval()\n        with torch.no_grad():\n"
    "            hits = net(test_images).argmax(1) == test_labels\n"
    "        found.append(hits.double().mean())\n    return found",
    # with a loader, a loss on logarithms, and steps by hand; tests in batches
    "from torch.utils.data import DataLoader, TensorDataset\n"
    "def train(net, x, y, tx, ty, epochs, lr, size):\n    found = []\n"
    "    loader = DataLoader(TensorDataset(x, y), size, shuffle=True)\n"
    "    for _ in range(epochs):\n        net.train()\n        for a, b in loader:\n"
    "            loss = F.nll_loss(net(a).log_softmax(1), b)\n"
    "            gradients = torch.autograd.grad(loss, list(net.parameters()))\n"
    "            with torch.no_grad():\n"
    "                for p, g in zip(net.parameters(), gradients):\n"
    "                    p -= lr * g\n"
    "        net.eval()\n        hits = 0\n"
    "        for a, b in zip(tx.split(4), ty.split(4)):\n"
    "            hits += (net(a).argmax(1) == b).sum().item()\n"
    "        found.append(hits / len(ty))\n    return tuple(found)",
]

NUMBERS += [
    ("loss-curves", "A", 2, "only slowly"),
    ("loss-curves", "B", 6, "that of the right training"),
    ("loss-curves", "C", 5, "leave ln 10"),
    ("loss-curves", "D", 4, "go to zero"),
    ("loss-curves", "E", 1, "large at first"),
    ("loss-curves", "F", 3, "up to some step"),
    ("loss-curves", "F", 7, "expected one of 1 to 6"),
]

RIGHT["torchvision-names"] += [
    """\
names = list(net.state_dict())
def renamed(state):
    for name, new in zip(list(state), names):
        state[new] = state.pop(name)
    return state
""",
]

RIGHT["four-bugs"] += [
    rewritten(
        "four-bugs",
        {
            "            optimizer.zero_grad()\n": "",
            "            optimizer.step()\n": "            optimizer.step()\n"
            "            optimizer.zero_grad()\n",
        },
    ),
    """\
import random
def train(net, images, labels, test_images, test_labels, epochs, lr, batch_size):
    out = []
    for epoch in range(epochs):
        pairs = list(zip(images, labels))
        random.shuffle(pairs)
        net = net.train()
        while pairs:
            now, pairs = pairs[:batch_size], pairs[batch_size:]
            x, y = torch.stack([a for a, _ in now]), torch.stack([b for _, b in now])
            scores = net(x)
            loss = -scores.log_softmax(-1)[range(len(y)), y].mean()
            net.zero_grad()
            loss.backward()
            for p in net.parameters():
                p.data.sub_(p.grad, alpha=lr)
        with torch.inference_mode():
            out.append(float((net.eval()(test_images).argmax(-1) == test_labels).float().mean()))
    return torch.tensor(out)
""",
]

WRONG["torchvision-names"] += [
    Slip("    return found", "    return net.state_dict()", "none of torchvision's tensors"),
    Slip("    return found", "    return {**found, **dict(net.named_buffers())}",
         r"running_mean'\] is none of torchvision's tensors"),
]  # fmt: skip
WRONG["four-bugs"] += [
    Slip("net(test_images).argmax(1) == test_labels", "net(images).argmax(1) == labels",
         "does not run net on training and on test images"),
    Slip("hits.float().mean().item()", "100 * hits.float().mean().item()", "returns per cent"),
    Slip("torch.randperm(len(images))", "torch.randint(len(images), (len(images),))",
         "each training image once per epoch"),
]  # fmt: skip

RIGHT["loss-curves"] = [
    "answers = dict(zip('ABCDEF', ('5', '4', '2', '3', '6', '1')))",
    "answers = dict(zip('ABCDEF', ('(5)', '(4)', '(2)', '(3)', '(6)', '(1)')))",
]

SOLVED = EVERY["four-bugs"].solution
EPOCH, TEST, RETURN = (
    SOLVED.index(part) for part in ("        net.tr", "        net.ev", "    ret")
)
STEPS, TESTED = SOLVED[EPOCH:TEST], SOLVED[TEST:RETURN]
AT_THE_END = TESTED.replace("\n    ", "\n").removeprefix("    ")
WRONG["four-bugs"] += [
    Slip(STEPS + TESTED, TESTED + STEPS, "no test behind the last step of epoch 3"),
    Slip(STEPS + TESTED,
         STEPS.replace("            loss = ", "            if len(batch) < batch_size:\n"
                       + TESTED.replace("        ", " " * 16, 1).replace("\n    ", "\n" + " " * 12)
                       .rstrip(" ") + "            net.train()\n            loss = "),
         "no test behind the last step of epoch 1"),
    Slip(TESTED + "    return accuracies", AT_THE_END + "    return accuracies * epochs",
         "no test behind the last step of epoch 1"),
    Slip("        net.eval()\n", "        with torch.no_grad():\n            net(images)\n"
         "        net.eval()\n", "in training mode, and no step follows"),
    Slip("net(test_images).argmax(1) == test_labels",
         "net(test_images[:5]).argmax(1) == test_labels[:5]", "on 5 of the 9 test images"),
    Slip("torch.optim.SGD(net.parameters(), lr)",
         "torch.optim.SGD(net.parameters(), lr, weight_decay=1e-4)", "no decay"),
]  # fmt: skip

RIGHT["four-bugs"] += [
    # looks at the training images, too, and at the test images before it begins
    rewritten(
        "four-bugs",
        {
            "            hits = ": "            seen = (net(images).argmax(1) == labels).sum()\n"
            "            hits = ",
            "    accuracies = []\n": "    accuracies = []\n    net.eval()(test_images)\n",
        },
    ),
]

WRONG["resnet34"] += [
    # the blocks with a batch normalisation of Exercise 2.8
    Slip(
        "net = nn.Sequential(",
        EVERY["batch-norm"].solution.partition("answers = ")[0]
        + RIGHT["resnet34"][1].replace("nn.BatchNorm2d", "BatchNorm")
        + "\nother = nn.Sequential(",
        "a batch normalisation of its own making, BatchNorm",
    ),
]

WRONG["torchvision-names"] += [
    Slip("    found = {}\n", "    found = {}\n    net = resnet.resnet34()\n"
         "    return resnet.load_torchvision(net, state).state_dict()\n",
         "calls resnet.load_torchvision"),
    Slip("    return found", "    return state\n\n\nimport torchvision\n"
         "net = torchvision.models.resnet34()", "net is torchvision's own network"),
    Slip("        found[name] = tensor", "        if 'num_batches' not in name:\n"
         "            found[name] = tensor", "nothing for 'stem.bn.num_batches_tracked'"),
]  # fmt: skip

RIGHT["small-stem"] += [
    rewritten(
        "small-stem",
        {"nn.Conv2d(1, 64, 3": "nn.LazyConv2d(64, 3", "nn.BatchNorm2d(64)": "nn.LazyBatchNorm2d()"},
    ),
]
