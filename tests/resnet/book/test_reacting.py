"""Figures that react: what they offer, draw and say, against the records they are made from."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from resnet.book import reacting
from resnet.book.recorded import measured
from resnet.training.records import Run
from tools.common import ROOT

SCRIPT = ROOT / "_static" / "reacting.js"
RECORDS = reacting.depth_records()
GAMMA = (math.pi / (math.pi - 1)) ** 2


def content(figure: reacting.Reacting) -> Any:
    """What the script reads from the page."""
    (data,) = re.findall(
        r'<script type="application/json">(.*?)</script></div>$', figure._repr_html_(), re.DOTALL
    )
    return json.loads(data)


def run(network: str, seed: int, **changes: Any) -> Run:
    """A record of the depth setting under another name."""
    first = next(iter(RECORDS.values()))
    return dataclasses.replace(first, network=network, seed=seed, **changes)


def planned() -> dict[str, Run]:
    """Every network of the plan with every seed, each with errors of its own."""
    found = {}
    for i, (form, n, seed) in enumerate(
        itertools.product(reacting.FORMS, reacting.DEPTHS, (10, 11, 12))
    ):
        one = run(f"{form}-{n}, width 8", seed)
        rows = [{**row, "train_accuracy": row["train_accuracy"] - i / 100} for row in one.rows]
        found[f"results/{i}.json"] = dataclasses.replace(one, rows=rows)
    return found


def lines(found: Any, view: str) -> list[dict[str, Any]]:
    """For each panel of a view its lines: the label, and y by x."""
    return [
        {
            one["label"]: dict(zip(one["x"], one["y"], strict=True))
            for one in found["panels"][i]["lines"]
        }
        for i in found["views"][view]["panels"]
    ]


def test_each_curve_is_its_record() -> None:
    records = planned()
    found = content(reacting.depths(records))
    by_key = {(r.network, r.seed): r for r in records.values()}
    for form, seed in itertools.product(reacting.FORMS, (10, 11, 12)):
        shallow, deep = (by_key[f"{form}-{n}, width 8", seed] for n in (20, 56))
        view = f"CIFAR-10, JPEG copy|{form}|both|{seed}"
        training, test, gap = lines(found, view)
        for drawn, column in ((training, "train_accuracy"), (test, "test_accuracy")):
            for n, record in ((20, shallow), (56, deep)):
                assert drawn[f"{form}-{n}"] == {
                    row["step"]: pytest.approx(100 * (1 - row[column]), abs=0.006)
                    for row in record.rows
                }
        for label, column in (
            ("training error", "train_accuracy"),
            ("test error", "test_accuracy"),
        ):
            assert gap[label] == {
                row["step"]: pytest.approx(100 * (twin[column] - row[column]), abs=0.006)
                for row, twin in zip(deep.rows, shallow.rows, strict=True)
            }
        sources = found["views"][view]["sources"]
        assert [next(n for n, r in records.items() if r is one) for one in (shallow, deep)] == [
            source.partition(":")[0] for source in sources
        ]
        for source in sources:
            assert "CIFAR-10, JPEG copy" in source and f"commit {shallow.commit}" in source
        for n in (20, 56):
            alone = lines(found, view.replace("both", str(n)))
            assert alone == [{f"{form}-{n}": drawn[f"{form}-{n}"]} for drawn in (training, test)]


def test_it_is_light() -> None:
    """With all of the plan's records: data and script under 60 KB."""
    for figure in (reacting.depths(planned()), reacting.factors(measured("why-factors")[0], GAMMA)):
        data = figure._repr_html_().partition("<script")[2]
        assert len(data.encode()) + len(SCRIPT.read_bytes()) < 60_000


def test_what_is_missing_is_not_offered_or_said() -> None:
    records = {
        name: one
        for name, one in planned().items()
        if one.network.startswith("plain") and (one.network, one.seed) != ("plain-56, width 8", 11)
        and one.seed != 12
    }  # fmt: skip
    found = content(reacting.depths(records))
    options = {name: [o[0] for o in one["options"]] for name, one in found["controls"].items()}
    assert options == {"data": ["CIFAR-10, JPEG copy"], "form": ["plain"], "seed": ["10", "11"],
                       "layers": ["both", "20", "56"]}  # fmt: skip
    view = found["views"]["CIFAR-10, JPEG copy|plain|both|11"]
    assert "plain-56 has not run with seed 11." in view["says"]
    assert [list(panel) for panel in lines(found, "CIFAR-10, JPEG copy|plain|both|11")] == [
        ["plain-20"], ["plain-20"]
    ]  # fmt: skip
    assert lines(found, "CIFAR-10, JPEG copy|plain|56|11") == [{}, {}]
    assert len(view["sources"]) == 1


def test_it_starts_with_a_pair() -> None:
    records = {
        n: r for n, r in planned().items() if (r.network, r.seed) != ("ResNet-56, width 8", 10)
    }
    start = {
        name: one["start"] for name, one in content(reacting.depths(records))["controls"].items()
    }
    assert (start["form"], start["seed"]) == ("ResNet", "11")


def test_data_are_never_mixed() -> None:
    records = planned()
    other = {**run("plain-20, width 8", 10).data, "name": "CIFAR-10", "canonical": True}
    records["results/other.json"] = run("plain-20, width 8", 10, data=other)
    found = content(reacting.depths(records))
    assert [o[0] for o in found["controls"]["data"]["options"]] == [
        "CIFAR-10",
        "CIFAR-10, JPEG copy",
    ]
    assert "plain-56 has not run with seed 10." in found["views"]["CIFAR-10|plain|both|10"]["says"]


@pytest.mark.parametrize(
    ("gaps", "told", "marks"),
    [
        ((3, 1, -1, -2), "by +3.0 points at the first mark, by -2.0 at the last; it is below zero "
         "for good from step 1,200 on", [1200]),
        ((-3, -1, -1, -2), "it is below zero at every mark", []),
        ((-3, 1, -1, 2), "it does not end below zero", []),
    ],
)  # fmt: skip
def test_where_the_gap_crosses_zero(gaps: tuple[float, ...], told: str, marks: list[int]) -> None:
    def of(network: str, errors: list[float]) -> Run:
        rows = [{"step": 400 * i, "train_accuracy": 1 - e / 100, "test_accuracy": 0.5}
                for i, e in enumerate(errors, 1)]  # fmt: skip
        return run(network, 10, rows=rows)

    records = {"a": of("ResNet-20, width 8", [50] * 4),
               "b": of("ResNet-56, width 8", [50 + gap for gap in gaps])}  # fmt: skip
    figure = reacting.depths(records)
    view = content(figure)["views"]["CIFAR-10, JPEG copy|ResNet|both|10"]
    assert any("training error" in text and told in text for text in view["says"]), view["says"]
    assert [x for x, _style in view["marks"][2]] == marks
    still = figure.panels[2].axes[0]
    assert [line.get_xdata()[0] for line in still.lines if line.get_linestyle() == ":"
            and len(set(line.get_xdata())) == 1] == marks  # fmt: skip


def test_a_failed_training_is_told() -> None:
    records = {"a": run("plain-56, width 8", 10, rows=[], measured={"failed": 1.0}),
               "b": run("plain-20, width 8", 10)}  # fmt: skip
    view = content(reacting.depths(records))["views"]["CIFAR-10, JPEG copy|plain|both|10"]
    assert "plain-56, seed 10: the training failed." in view["says"]


def test_without_a_record_it_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"records has no network .* \(it has none\)"):
        reacting.depths({})


def test_records_are_files_of_the_book() -> None:
    for name, one in RECORDS.items():
        assert Run.load(ROOT / name) == one


def test_only_records_of_the_plan_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = run("plain-20, width 8", 10)
    others = {
        "recipe": dataclasses.replace(one, recipe={**one.recipe, "lr": 0.01}),
        "seed": dataclasses.replace(one, seed=9),
        "precision": dataclasses.replace(one, settings={**one.settings, "precision": "bfloat16"}),
    }
    folder = tmp_path / "reproduce" / "depth-a-copy"
    folder.mkdir(parents=True)
    for name, record in {"planned": one, **others}.items():
        record.save(folder / f"{name}.json")
    monkeypatch.setattr(reacting, "results", lambda: tmp_path)
    assert reacting.depth_records() == {"results/reproduce/depth-a-copy/planned.json": one}


def test_names_cannot_end_the_data() -> None:
    strange = run("plain-20, width 8", 10, machine={"device": "</script><b>"})
    figure = reacting.depths({"a": strange})
    assert figure._repr_html_().count("</script>") == 1
    assert (
        "</script><b>" in content(figure)["views"]["CIFAR-10, JPEG copy|plain|20|10"]["sources"][0]
    )


def test_a_notebook_has_the_still_picture() -> None:
    figure = reacting.depths(RECORDS)
    bundle = figure._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")  # type: ignore[arg-type, union-attr]
    start = content(figure)["controls"]
    view = content(figure)["views"]["|".join(one["start"] for one in start.values())]
    assert bundle["text/plain"] == " ".join(view["says"])
    assert str(bundle["text/html"]).startswith('<div class="reacting"><div role="img" aria-label="')


def test_factors_are_the_record() -> None:
    (record,) = measured("why-factors")
    found = content(reacting.factors(record, GAMMA))
    assert len(found["views"]) == len(record["rows"]) == 54
    for row in record["rows"]:
        middle = math.exp(sum(map(math.log, row["growth"])) / 5)
        view = f"{row['factor']:g}|{row['units']}"
        for at, panel in zip((row["units"], row["factor"]), lines(found, view), strict=True):
            assert panel["measured"][at] == pytest.approx(middle, rel=0.006)
            expected = reacting.argued(row["factor"], row["units"], GAMMA)
            assert panel["argument"][at] == pytest.approx(expected, rel=0.006)
        said = " ".join(found["views"][view]["says"])
        assert f"{row['factor'] ** (row['units'] - 1):.2g}" in said and f"{middle:.3g}" in said


@pytest.mark.parametrize(
    ("values", "step", "told"),
    [
        ((5.0, -1.0), 400, "it is below zero for good from step 400 on"),
        ((-0.5, -1.0), None, "it is below zero at every mark"),
        ((-1.0, 0.5), None, "it does not end below zero"),
    ],
)
def test_what_is_said_of_a_gap(values: tuple[float, ...], step: int | None, told: str) -> None:
    assert reacting._said_of_gap("training error", values, step) == (
        f"The greater depth changes the training error by {values[0]:+.1f} points at the first "
        f"mark, by {values[-1]:+.1f} at the last; {told}."
    )


def test_the_argument() -> None:
    """No shortcut: a factor per unit. Factor 1: the product of chapter 6. One unit: nothing."""
    assert reacting.argued(0, 11, 2.25) == pytest.approx(1.5**10)
    product = math.prod(1 + 2.25 / n for n in range(1, 11))
    assert reacting.argued(1, 11, 2.25) == pytest.approx(math.sqrt(product))
    assert reacting.argued(0.5, 1, 2.25) == 1
    settled = reacting.argued(0.5, 101, 2.25) / reacting.argued(0.5, 100, 2.25)
    assert settled == pytest.approx(math.sqrt(0.25 + 2.25 * 0.75))  # v is 1 / (1 - factor²)
