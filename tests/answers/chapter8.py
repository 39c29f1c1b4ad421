"""Wrong and right answers to the exercises of chapter 8; see `answers`."""

from __future__ import annotations

from cells import EVERY
from slips import Number, Shape, Slip, rewritten

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = []
NUMBERS: list[Number] = []
SHAPES: list[Shape] = []

WRONG["recalibrate"] = [
    Slip("        norm.momentum = None\n", "", "not the mean over batches"),
    Slip("        norm.reset_running_stats()\n", "", "not the mean over batches"),
    Slip("        norm.momentum = momentum\n", "        pass\n", "momentum of None behind"),
    Slip("    net.eval()\n", "    pass\n", "in training mode"),
    Slip("    net.train()\n", "    net.eval()\n", "not the mean over batches"),
    Slip("accuracy(again) - accuracy(net)", "accuracy(net) - accuracy(again)", "a gain or a loss"),
    Slip("accuracy(again) - accuracy(net)", "accuracy(again)", "the accuracy afterwards"),
    Slip("again = copy.deepcopy(net)", "again = net", "up-to-date averages already"),
]  # fmt: skip

BY_HAND = (
    # by hand, with a hook for each layer's input
    "def recalibrate(net, batches):\n    norms, seen = [], {}\n    for m in net.modules():\n"
    "        if isinstance(m, torch.nn.BatchNorm2d):\n            norms.append(m)\n"
    "            seen[m] = []\n"
    "    hooks = [m.register_forward_pre_hook(lambda m, a: seen[m].append(\n"
    "        (a[0].mean((0, 2, 3)), a[0].var((0, 2, 3))))) for m in norms]\n"
    "    net.train()\n    with torch.no_grad():\n        for x in batches:\n            net(x)\n"
    "    for h in hooks:\n        h.remove()\n    for m, found in seen.items():\n"
    "        m.running_mean.copy_(torch.stack([a for a, _ in found]).mean(0))\n"
    "        m.running_var.copy_(torch.stack([b for _, b in found]).mean(0))\n    net.eval()\n"
)

RIGHT["recalibrate"] = [
    "def recalibrate(net, batches):\n    resnet.measure.refresh_statistics(net, batches)\n"
    "other = copy.deepcopy(net)\nrecalibrate(other, batches)\n"
    "worth = accuracy(other) - accuracy(net)",
    BY_HAND + "other = copy.deepcopy(net)\nbefore = accuracy(other)\nrecalibrate(other, batches)\n"
    "worth = round(accuracy(other) - before, 1)",
]

WRONG["fine-tune"] = [
    Slip("    net.requires_grad_(False)\n", "", "stem.conv.weight is not frozen"),
    Slip("    net.stage3.requires_grad_(True)\n", "", "stage3.* is frozen"),
    Slip('"lr": 0.02', '"lr": 0.2', "not a tenth"),
    Slip("return net.eval(), ", "return net.train(), ", "the network is in training mode"),
    Slip("return net.eval(), ", "net.eval()\n    net.fc.train()\n    return net, ",
         "net.fc is in training mode"),
    Slip('{"params": net.stage3.parameters(), "lr": 0.02},', "", "the optimiser lacks stage3"),
    Slip("range(150)", "range(2)", "more than 80% are"),
    Slip("prepare(copy.deepcopy(net))", "prepare(resnet.cifar_resnet(8, 10, 1))",
         "stem.conv.weight differs"),
    Slip("for _ in range(150):", "tuned.train()\nfor _ in range(150):", "In which mode was it"),
    Slip("    net.fc = nn.Linear(net.fc.in_features, 10)\n", "    net.fc.requires_grad_(True)\n",
         "is the old layer"),
]  # fmt: skip

RIGHT["fine-tune"] = [
    # with Adam, all digits at once
    "def prepare(net):\n    for name, p in net.named_parameters():\n"
    "        p.requires_grad = name.startswith('stage3')\n    net.fc = nn.Linear(64, 10)\n"
    "    return net.eval(), torch.optim.Adam([\n"
    "        {'params': [*net.fc.parameters()], 'lr': 0.02},\n"
    "        {'params': [*net.stage3.parameters()], 'lr': 0.002}])\n"
    "tuned, o = prepare(copy.deepcopy(net))\nfor _ in range(5):\n"
    "    for batch in torch.randperm(len(images)).split(50):\n        o.zero_grad()\n"
    "        F.cross_entropy(tuned(images[batch]), labels[batch]).backward()\n        o.step()",
    # the body run once
    "def prepare(net):\n    net.fc = nn.Sequential(nn.Linear(64, 10))[0]\n"
    "    for part in (net.stem, net.stage1, net.stage2):\n        part.requires_grad_(False)\n"
    "    groups = [dict(params=list(net.fc.parameters())), dict(params=list(\n"
    "        net.stage3.parameters()), lr=0.01)]\n"
    "    return [net.eval(), torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)]\n"
    "tuned, o = prepare(copy.deepcopy(net))\nwith torch.no_grad():\n"
    "    y = tuned.stage2(tuned.stage1(tuned.stem(images)))\n"
    "for _ in range(300):\n    i = torch.randint(len(y), (50,))\n"
    "    s = tuned.fc(tuned.stage3(y[i]).mean((2, 3)))\n    o.zero_grad()\n"
    "    F.cross_entropy(s, labels[i]).backward()\n    o.step()",
]

BATCHES = "    for images in batches:\n        net(images).detach()\n"
RIGHT["recalibrate"] += [
    rewritten(
        "recalibrate",
        {
            BATCHES: "    for k, images in enumerate(batches, start=1):\n"
            "        for norm in norms:\n            norm.momentum = 1 / k\n"
            "        net(images).detach()\n"
        },
    ),
    rewritten(
        "recalibrate",
        {
            BATCHES: "    with torch.inference_mode():\n        for images in batches:\n"
            "            net(images)\n"
        },
    ),
]

RIGHT["fine-tune"] += [  # the old layer is gone before the new one is made
    rewritten(
        "fine-tune",
        {"    net.fc = nn.Linear(net.fc.in_features, 10)": way},
    )
    for way in (
        "    net.fc = nn.Linear(net.fc.in_features, 10)\n    net.fc = nn.Linear(64, 10)",
        "    del net.fc\n    net.fc = nn.Linear(64, 10)",
    )
]

RIGHT["fine-tune"] += [
    rewritten(
        "fine-tune",
        {'"lr": 0.02}': '"lr": 0.001}', '"lr": 0.2}': '"lr": 0.01}',
         "torch.optim.SGD(groups, momentum=0.9)": "torch.optim.AdamW(groups)"},
    ),
    rewritten(
        "fine-tune",
        {"    net.requires_grad_(False)": "    net = copy.deepcopy(net).requires_grad_(False)",
         "prepare(copy.deepcopy(net))": "prepare(net)"},
    ),
]  # fmt: skip

WRONG["recalibrate"] += [
    Slip("norm.momentum = None", "norm.momentum = 1.0", "does the last batch count more"),
    Slip("accuracy(again) - accuracy(net)", "(accuracy(again) - accuracy(net)) / 100",
         "Points are hundredths"),
]  # fmt: skip
WRONG["fine-tune"] += [
    Slip('"lr": 0.02}', '"lr": 2.0}', "is not a tenth of that of fc"),
    Slip("    net.fc = nn.Linear(net.fc.in_features, 10)\n    groups",
         "    groups", "net.fc is the old layer|lacks|is frozen"),
]  # fmt: skip
WRONG["recalibrate"] += [
    Slip("norm.reset_running_stats()", "norm.reset_parameters()",
         r"changes a parameter, 1\.weight"),
    Slip("    net.train()\n", "    net.train().requires_grad_(False)\n",
         r"leaves 0\.weight frozen"),
    Slip("    norms = ", "    net = copy.deepcopy(net)\n    norms = ", "evaluation mode|mean over"),
    Slip("def recalibrate(net, batches):\n",
         "def recalibrate(net, batches):\n    return changed(copy.deepcopy(net), batches)\n\n\n"
         "def changed(net, batches):\n    resnet.measure.refresh_statistics(net, batches)\n"
         "    return net\n\n\ndef other(net, batches):\n", "net itself is to change"),
    # by hand, with the variance that divides by M; and in evaluation mode
    *(
        Slip(EVERY["recalibrate"].solution.partition("again = ")[0], source, told)
        for source, told in (
            (BY_HAND.replace("var((0, 2, 3))", "var((0, 2, 3), correction=0)"), "divides by M - 1"),
            (BY_HAND.replace("net.train()", "net.eval()"), "BN 1 is right. In which mode"),
        )
    ),
]  # fmt: skip
