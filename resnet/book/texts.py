"""Every word in a figure and every text alternative, in one place for translators."""

TEXT = {
    # Labels
    "epoch": "epoch",
    "loss": "training loss (nats)",
    "accuracy": "accuracy (%)",
    "test": "test",
    "step": "gradient steps",
    "training error": "training error (%)",
    "gap": "deep minus shallow (points)",
    "no runs": "no runs yet",
    "here": "here: test error (%)",
    "layer": "layer (1 is the stem)",
    "sorted layer": "layers, the largest response first",
    "response": "deviation of the response",
    "test error": "test error (%)",
    "layers": "layers",
    "loop d2l": "D2L's loop",
    "loop data on the device": "+ data on device",
    "loop sums on the device": "+ sums on device",
    "loop channels last": "+ channels last",
    "loop fused optimizer": "+ fused optimizer",
    "loop native precision": "+ native precision",
    "loop fit": "fit",
    "loop fit, float32": "fit, float32",
    "loop fit, compiled": "fit, compiled",
    "rate": "training images per second",
    "plain": "plain",
    "residual": "residual",
    "pieces": "pieces k",
    "distance": "distance to f* (rms)",
    "all classes": "every k: not nested",
    "nested chain": "k doubles: nested",
    "target": "f*",
    "fit": "best with k = {k}",
    "x": "x",
    "y": "f(x)",
    "input value": "input",
    "output value": "output",
    "sample error": "rms error",
    "seen": "64 noisy points seen",
    "unseen": "f* itself",
    "unit": "block (1 is next to the stem)",
    "unit share": "block, as a share of the depth",
    "gradient": "gradient norm at the block's input",
    "predicted": "predicted class",
    "true": "true class",
    "not nested": "not nested",
    "nested": "nested",
    # Drawings
    "conv": "{k}×{k} conv",
    "channels": ", {channels}",
    "stride": ", /{stride}",
    "bn": "batch norm",
    "relu": "ReLU",
    "identity": "identity",
    "projection": "1×1 conv\n+ batch norm",
    "projection alone": "1×1 conv",
    "learns f": "learns f(x)",
    "learns g": "learns g(x) = f(x) − x",
    "learns projected": "learns f(x) − Wₛ x",
    "plain unit": "plain block",
    "input": "image, {channels} × {size} × {size}",
    "residual unit": "residual block",
    "identity unit": "shape kept",
    "projection unit": "shape changed",
    "maxpool": "3×3 max pool, /2",
    "pool": "global average pool",
    "fc": "fully connected, {out}",
    "times": "× {n}",
    # Text alternatives
    "alt nested": (
        "Two drawings of six growing regions F1 to F6 and a star, the function f* that we want. "
        "Left, not nested: the regions wander, and the largest, F6, is farther from the star than "
        "F3. Right, nested: each region holds the one before, and each comes closer to the star or "
        "stays as close."
    ),
    "alt fits": (
        "The curve f* on the interval from 0 to 1, with a jump in the middle, and its best step "
        "functions with {a} and {b} pieces. The one with {better} pieces is closer: a step of it "
        "falls on the jump."
    ),
    "alt distances": (
        "Distance to f* against the number of pieces from 1 to {last}. Over every k the line goes "
        "up {rises} times on its way down; along the doubling chain it never goes up, and ends at "
        "{end:.3f}."
    ),
    "alt generalisation": (
        "Error against the number of pieces along the nested chain. On the points seen the error "
        "falls at every step, to {seen:.2f}. Against f* itself it is lowest at {best} pieces, "
        "{low:.2f}, and rises to {high:.2f} at the end."
    ),
    "alt published": (
        "Published CIFAR-10 test error against depth. Plain networks get worse, from {p0}% at "
        "{d0} layers to {p1}% at {d1}; residual networks get better, from {r0}% at {d0} layers to "
        "{best}% at {at}, and rise again to {r1}% at {d2}."
    ),
    "alt curves": "{quantity} against the epoch, {n} lines. At the last epoch: {ends}.",
    "alt errors": (
        "Training error in percent against the gradient steps, a panel for each form of the "
        "network with two depths in it, and a last panel with the differences between the "
        "depths. At the end: {ends}"
    ),
    "alt crossing": "With {form} the deeper network is below from step {step} on.",
    "alt end": "{name}, mean of {n}: {end}.",
    "alt responses": (
        "Standard deviation of the response of each layer, left in the order of the layers, right "
        "sorted. Means over the layers: {means}."
    ),
    "alt rows": "Test errors of {n} networks, one dot per seed. Means in percent: {means}.",
    "alt gradients": (
        "Gradient norm at each block's input on a logarithmic scale. From the last block to the "
        "first it changes by a factor of {factors}."
    ),
    "alt units": (
        "Two columns of boxes. Left, the plain block: x goes through convolution, batch norm, "
        "ReLU, convolution, batch norm, and a last ReLU gives the output; the layers must learn f "
        "of x itself. Right, the residual block: the same boxes, and a line that leads x around "
        "them to a plus sign before the last ReLU; the layers learn only g of x, f of x minus x."
    ),
    "alt unit": "{name}: {before}the branch is {branch}; {way} {after}",
    "alt before": "first {layers}; then ",
    "alt way none": "no line leads around it;",
    "alt way identity": "a line leads the input around it, unchanged, to a plus sign;",
    "alt way projection": "a line leads through a 1 by 1 convolution around it to a plus sign;",
    "alt after": "then {layers}.",
    "alt after nothing": "nothing follows the sum.",
    "alt shortcuts": (
        "Two residual blocks. Left, the shape is kept: the line around the two convolutions "
        "carries x unchanged to the plus sign. Right, the shape changes: the first convolution "
        "has stride 2, and the line around passes a 1 by 1 convolution with stride 2 and a batch "
        "norm before the plus sign."
    ),
    "alt zero unit": (
        "Output against input of a block with all weights zero. For positive inputs the output "
        "is the input. For negative inputs the original block gives 0, while the pre-activation "
        "block still gives the input."
    ),
    "alt network": (
        "{name} from the image at the top to the {out} scores at the bottom: a stem, then {units} "
        "blocks in {stages} stages with {sizes} pixels per side, then average pooling and a fully "
        "connected layer. "
    ),
    "alt arcs": (
        "An arc leads around each block: solid where the shortcut has no weights, dashed where it "
        "is a projection, as in {dashed} of the {units}."
    ),
    "alt no arcs": "No line leads around a unit.",
    "alt ladder": "{device}, {n} bars, training images per second from top to bottom: {rates}.",
    "alt confusion": (
        "Table of true against predicted class for {n} test images. {right} lie on the diagonal; "
        "the most common mistake is {worst}, {count} times."
    ),
    "alt predictions": (
        "{n} test images with the predicted class above each; {wrong} are wrong and marked with a "
        "cross and the true class in brackets."
    ),
}
