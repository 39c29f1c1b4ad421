"""The check of the comparison with an Inception block: chapter 2."""

from resnet.check.answers import check_choices, check_numbers
from resnet.check.verdict import exercise

INCEPTION = {"pool": (192, ((32, 1),)), "1x1": (192, ((64, 1),)),
             "3x3": (192, ((96, 1), (128, 3))), "5x5": (192, ((16, 1), (32, 5)))}  # fmt: skip


def _weights(channels: int, convolutions: tuple[tuple[int, int], ...]) -> int:
    total = 0
    for out, kernel in convolutions:
        total += channels * out * kernel**2
        channels = out
    return total


@exercise
def inception(numbers: object, answers: object) -> str:
    """Check the comparison of GoogLeNet's first Inception block with a residual block."""
    paths = {name: _weights(*path) for name, path in INCEPTION.items()}
    outputs = sum(path[-1][0] for _, path in INCEPTION.values())
    shortcut = _weights(192, ((outputs, 1),))
    residual = _weights(192, ((outputs, 3), (outputs, 3))) + shortcut
    dense = 192 + 6 * 32
    check_numbers(
        numbers,
        {
            "channels out of Inception": outputs,
            "weights of Inception": sum(paths.values()),
            "weights of the residual block": residual,
            "channels after 6 concatenating blocks": dense,
        },
        {
            "channels out of Inception": {
                128: "the paths are not added; their channels stand side by side."
            },
            "weights of Inception": {
                sum(paths.values()) - paths["pool"]: "the path with the pooling has weights too.",
                _weights(192, ((64, 1), (128, 3), (32, 5), (32, 1))): "the paths do not follow "
                "one another; each starts from the 192 channels.",
                _weights(192, ((64, 1),))
                + _weights(192, ((128, 3),))
                + _weights(192, ((32, 5),))
                + paths["pool"]: "the large kernels do not see all 192 channels: what stands "
                "before them?",
            },
            "weights of the residual block": {
                residual - shortcut: "192 channels come in and 256 go out. What is on the "
                "shortcut?",
                2 * 9 * 192 * 256 + shortcut: "how many channels does the second convolution get?",
            },
            "channels after 6 concatenating blocks": {
                6 * 32: "the input is still among the channels: that is what concatenating means.",
                192 * 2**6: "each block adds 32 channels, however many come in.",
            },
        },
    )
    check_choices(
        answers,
        {"same": "c", "lost": "a"},
        {
            "same": {
                "a": "Inception adds nothing; it puts channels side by side.",
                "b": "The branch of the residual block has none.",
            },
            "lost": {
                "b": "Gradients reach the input along the channels that are handed on.",
                "c": "Each of its channels is handed on; nothing is lost of the input itself.",
            },
        },
    )
    share = sum(paths.values()) / residual
    return f"four numbers, two choices; Inception has {share:.0%} of the residual block's weights"
