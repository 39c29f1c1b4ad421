"""The ledger: verdicts on made-up records, and every claim's smoke run from plan to record."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Sequence
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from resnet import DataError, Recipe, Run
from resnet.__main__ import main
from resnet.reproduce import (
    CLAIMS,
    Claim,
    Finding,
    Verdict,
    checks_table,
    findings,
    ledger,
    load_records,
    plan,
    reproduce,
    rows_table,
    verdict,
)
from resnet.reproduce.checks import LEAST_SEEDS, Counted, Less, Outcome, Within
from resnet.reproduce.settings import BUDGETS, CPU, GPU, LONG, SMOKE, Setting, scaled
from resnet.reproduce.work import do, slug
from resnet.tables import PLUS_MINUS

SMALL = Setting(folder="small", data="fashion-mnist", recipe=Recipe(steps=9, batch_size=3, lr=1),
                seeds=3, note="small")  # fmt: skip
LARGE = dataclasses.replace(
    SMALL, folder="large", data="cifar10", recipe=Recipe(steps=99, batch_size=3, lr=1), full=True
)
CLAIM = Claim(
    title="Depth helps",
    source="somebody",
    statement="ResNet-20 is better than plain-20.",
    rows={"with": "ResNet-{n}", "without": "plain-{n}"},
    published={"with": 10.0},
    published_for="paper",
    checks=(
        Less("test_error", "with", "without"),
        Within("test_error", "with", 9.5, 10.5),
    ),
    settings={"cpu": SMALL, "gpu": LARGE},
    depths={"cpu": 20, "gpu": 20},
)
CIFAR_10 = {"name": "CIFAR-10", "sample": False, "canonical": True, "sha256": "c1"}
COPY = {"name": "images in cifar", "sample": False, "canonical": False, "sha256": "c2"}
FASHION = {"name": "Fashion-MNIST", "sample": False, "canonical": True, "sha256": "f1"}


def made(
    network: str,
    errors: Sequence[float],
    *,
    setting: Setting = SMALL,
    data: dict[str, Any] = FASHION,
) -> list[Run]:
    """Records of a network, a seed each, with these last test errors in percent."""
    return [
        Run(network, data, setting.recipe.describe(), seed, rows=[
            {"step": 1, "train_accuracy": 0.1, "test_accuracy": 0.99},  # the best, not the last
            {"step": 2, "train_accuracy": 0.5, "test_accuracy": 1 - error / 100},
        ])
        for seed, error in enumerate(errors)
    ]  # fmt: skip


GOOD, BAD = [10.1, 9.8, 10.0], [14.2, 13.7, 14.1]


def test_reproduced() -> None:
    """All checks at the paper's scale on the paper's data."""
    runs = made("ResNet-20", GOOD, setting=LARGE, data=CIFAR_10)
    runs += made("plain-20", BAD, setting=LARGE, data=CIFAR_10)
    found = verdict(CLAIM, runs)
    assert found.verdict is Verdict.REPRODUCED
    assert found.reason == "holds: 2 of 2"
    assert found.seeds == "3"


def test_direction_only() -> None:
    """The same numbers at a reduced scale are no more than that; the value is not compared."""
    found = verdict(CLAIM, made("ResNet-20", GOOD) + made("plain-20", BAD))
    assert found.verdict is Verdict.DIRECTION
    assert [check for check, _ in found.outcomes] == [CLAIM.checks[0]]
    assert found.scale == "Fashion-MNIST; small"
    assert found.where == "CPU: Fashion-MNIST"


@pytest.mark.parametrize(
    ("errors", "outcome"),
    [
        ([14.1, 14.2, 13.9], Outcome.NOT_SEPARABLE),
        ([13.9, 14.0, 13.6], Outcome.NOT_SEPARABLE),  # lower, but by less than the deviation tells
        ([18.0, 18.2, 18.1], Outcome.OPPOSITE),
    ],
)
def test_not_reproduced(errors: list[float], outcome: Outcome) -> None:
    found = verdict(CLAIM, made("ResNet-20", errors) + made("plain-20", BAD))
    assert found.verdict is Verdict.NOT_REPRODUCED
    assert found.reason == f"{outcome}: 1 of 1"


def test_right_order_wrong_value() -> None:
    """At the paper's scale the order alone is not enough."""
    runs = made("ResNet-20", [11.0, 11.1, 10.9], setting=LARGE, data=CIFAR_10)
    runs += made("plain-20", BAD, setting=LARGE, data=CIFAR_10)
    found = verdict(CLAIM, runs)
    assert found.verdict is Verdict.NOT_REPRODUCED
    assert found.reason == "holds: 1 of 2, outside the tolerance: 1 of 2"


@pytest.mark.parametrize("runs", [
    [],
    made("ResNet-20", GOOD),
    made("ResNet-20", GOOD) + made("plain-20", BAD[:1]),
])  # fmt: skip
def test_not_run(runs: list[Run]) -> None:
    """Without records, without a row's, or with too few seeds there is no verdict."""
    assert verdict(CLAIM, runs).verdict is Verdict.NOT_RUN


def test_too_few_seeds_are_named() -> None:
    found = verdict(CLAIM, made("ResNet-20", GOOD) + made("plain-20", BAD[:1]))
    assert found.reason == f"seeds, of {LEAST_SEEDS} at least: without: 1"
    assert found.seeds == "1 to 3"


def test_one_seed_twice_is_one_seed() -> None:
    once = made("plain-20", BAD[:1])
    assert verdict(CLAIM, made("ResNet-20", GOOD) + once + once).verdict is Verdict.NOT_RUN


@pytest.mark.parametrize(
    "other",
    [
        FASHION | {"sha256": "f2"},
        FASHION | {"sample": True},
        FASHION | {"name": "Fashion-MNIST, shuffled"},
    ],
)
def test_data_sets_are_never_mixed(other: dict[str, Any]) -> None:
    """Two seeds on each of two sets are not four; each set has a finding of its own."""
    runs = made("ResNet-20", GOOD) + made("plain-20", BAD[:1])
    runs += [run for run in made("plain-20", BAD, data=other) if run.seed == 1]
    found = findings(CLAIM, runs)
    assert [f.verdict for f in found] == [Verdict.NOT_RUN] * 2
    assert [{row: len(r) for row, r in f.runs.items()} for f in found] == [
        {"with": 3, "without": 1},
        {"with": 0, "without": 1},
    ]


@pytest.mark.parametrize(
    "data", [COPY, CIFAR_10 | {"sample": True}, CIFAR_10 | {"canonical": False}]
)
def test_a_copy_is_never_canonical(data: dict[str, Any]) -> None:
    """The paper's schedule on a copy shows a direction; its numbers are not set beside it."""
    runs = made("ResNet-20", GOOD, setting=LARGE, data=data)
    runs += made("plain-20", BAD, setting=LARGE, data=data)
    found = verdict(CLAIM, runs)
    assert found.verdict is Verdict.DIRECTION
    assert all(isinstance(check, Less) for check, _ in found.outcomes)
    assert found.scale.startswith("sample of " * data["sample"] + data["name"])


def test_the_larger_scale_decides() -> None:
    """A claim that fails on the paper's own data is not saved by a small run or a copy."""
    small = made("ResNet-20", GOOD) + made("plain-20", BAD)
    copy = made("ResNet-20", GOOD, setting=LARGE, data=COPY)
    copy += made("plain-20", BAD, setting=LARGE, data=COPY)
    large = made("ResNet-20", BAD, setting=LARGE, data=CIFAR_10)
    large += made("plain-20", GOOD, setting=LARGE, data=CIFAR_10)
    assert [f.verdict for f in findings(CLAIM, small + copy + large)] == [
        Verdict.NOT_REPRODUCED, Verdict.DIRECTION, Verdict.DIRECTION
    ]  # fmt: skip
    assert verdict(CLAIM, small + copy + large).verdict is Verdict.NOT_REPRODUCED
    assert verdict(CLAIM, small + large[:1]).verdict is Verdict.DIRECTION  # not run is no verdict


def test_another_recipe_is_another_run() -> None:
    other = dataclasses.replace(SMALL, recipe=dataclasses.replace(SMALL.recipe, lr=0.5))
    runs = made("ResNet-20", GOOD, setting=other) + made("plain-20", BAD, setting=other)
    assert verdict(CLAIM, runs).runs == {"with": [], "without": []}


def test_a_failed_training_is_a_result() -> None:
    """It counts with the error of guessing, and without a deviation nothing is divided by it."""
    failed = [
        Run("plain-20", FASHION, SMALL.recipe.describe(), seed, measured={"failed": "nan"})
        for seed in range(3)
    ]
    found = verdict(CLAIM, made("ResNet-20", [10.0, 10.0]) + failed)
    assert found.verdict is Verdict.DIRECTION
    assert f"90.00{PLUS_MINUS}0.00" in str(checks_table(found))


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], 0.1439),  # t = -1.2247 with 4 degrees of freedom
        ([1.0, 1.0], [1.0, 1.0], 0.5),
        ([1.0, 1.0], [2.0, 2.0], 0.0),
        ([2.0, 2.0], [1.0, 1.0], 1.0),
    ],
)
def test_p_value(a: list[float], b: list[float], p: float) -> None:
    """Welch's test, from tables; equal numbers are no evidence, whatever their deviation."""
    runs = {"a": made("x", a), "b": made("y", b)}
    assert Less("test_error", "a", "b").p_value(runs) == pytest.approx(p, abs=1e-4)


def test_a_record_without_responses_is_told() -> None:
    with pytest.raises(ValueError, match=r"the record of x, seed 0, has no responses"):
        Less("response", "a", "b").outcome({"a": made("x", [1, 2]), "b": made("y", [1, 2])})


@pytest.mark.parametrize(
    ("published", "tolerance", "outcome"),
    [(0.27, 0.005, Outcome.HOLDS), (0.28, 0.005, Outcome.OUTSIDE), (0.26, 0.005, Outcome.OUTSIDE)],
)
def test_counted(published: float, tolerance: float, outcome: Outcome) -> None:
    """269,722 parameters (FACTS)."""
    check = Counted("parameters", 20, published, tolerance)
    assert check.compared({})[0] == "269,722"
    assert check.outcome({}) is outcome


def test_costs_are_reproduced() -> None:
    found = verdict(CLAIMS["costs"], [])
    assert found.verdict is Verdict.REPRODUCED
    assert found.scale == "counted, nothing to train"
    assert len(found.outcomes) == 11


def test_tables() -> None:
    """Published beside ours, in the header what it is; a row that was not run says so."""
    records = made("ResNet-20", GOOD)
    found = findings(CLAIM, records)[0]
    lines = str(rows_table(found, ["test_error"])).splitlines()
    assert lines[0].split("  ")[0] == "network" and "paper" in lines[0]
    assert lines[1].split() == ["with", "10.00", "9.97", "±", "0.15", "3"]
    assert lines[2].split() == ["without", "not", "run", "0"]
    assert "not run" in str(checks_table(found))
    rows = ledger(records).rows
    assert len(rows) == len(CLAIMS)
    assert [row[4] for row in rows] == ["not run"] * (len(CLAIMS) - 1) + ["reproduced"]


# The claims as they stand


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_are_whole(name: str) -> None:
    """Each says where it is from; every check is of rows that there are, under some budget."""
    claim = CLAIMS[name]
    assert claim.title and claim.source and claim.statement and claim.checks
    assert set(claim.published) <= set(claim.rows)
    assert bool(claim.published) == bool(claim.published_for)
    if not claim.settings:
        return
    assert set(BUDGETS) - {"long"} <= set(claim.settings) <= set(BUDGETS)
    for budget in claim.settings:
        assert claim.checked(budget, full=True), budget
        assert claim.checked(budget, full=False), budget
    made_somewhere = {c for b in claim.settings for c in claim.checked(b, full=True)}
    gpu_only = {row for row in claim.rows if row not in claim.networks("gpu")}
    assert {c for c in claim.checks if not set(c.rows) & gpu_only} <= made_somewhere


def test_no_reduced_setting_is_called_full() -> None:
    for claim in CLAIMS.values():
        for budget, setting in claim.settings.items():
            assert not (setting.full and budget != "gpu")
            assert setting.note


def test_schedules() -> None:
    """The paper's for "gpu"; the same shares of fewer steps for "cpu" and "long"."""
    assert (GPU.recipe.steps, GPU.recipe.milestones) == (64_000, (32_000, 48_000))
    assert GPU.recipe_for("ResNet-56").warm_up is None
    assert GPU.recipe_for("plain-110").warm_up == (0.01, 400)
    assert GPU.recipe_for("ResNet-110, dropout").warm_up == (0.01, 400)
    assert (CPU.recipe.steps, CPU.recipe.milestones) == (600, (300, 450))
    assert (CPU.recipe.image_size, CPU.recipe.pad) == (14, 2)
    assert (LONG.recipe.steps, LONG.recipe.milestones) == (3000, (1500, 2250))
    assert dataclasses.replace(LONG.recipe, steps=600, milestones=(300, 450)) == CPU.recipe
    assert scaled(GPU.recipe, 80, 28).milestones == (40, 60)


def test_plan_of_the_gpu_budget(tmp_path: Path) -> None:
    """Which networks, data, recipe and files; networks that claims share are trained once."""
    jobs = plan([CLAIMS["degradation"], CLAIMS["depth"]], "gpu", seeds=1, folder=tmp_path)
    assert [job.network for job in jobs] == [
        f"{form}-{d}" for form in ("plain", "ResNet") for d in (20, 32, 44, 56, 110)
    ]
    assert {job.data for job in jobs} == {"cifar10"}
    assert jobs[0].path == tmp_path / "gpu" / "plain-20-seed0.json"
    assert all(job.setting.recipe_for(job.network).steps == 64_000 for job in jobs)
    both = plan([CLAIMS["placements"], CLAIMS["shortcuts"]], "gpu", seeds=2, folder=tmp_path)
    assert len(both) == 2 * (5 + 6 - 1)
    assert [job.seed for job in both] == [0] * 10 + [1] * 10  # a whole table as soon as possible
    assert all("-110" in job.network for job in both)


def test_plan_on_other_data(tmp_path: Path) -> None:
    """Its records lie apart."""
    jobs = plan([CLAIMS["depth"]], "gpu", data="folder:/some/where/CIFAR copy", folder=tmp_path)
    assert {job.path.parent for job in jobs} == {tmp_path / "gpu-cifar-copy"}
    assert {job.data for job in jobs} == {"folder:/some/where/CIFAR copy"}


def test_plan_errors() -> None:
    with pytest.raises(ValueError, match=r"budget='tpu': expected one of 'smoke'"):
        plan([], "tpu")
    with pytest.raises(ValueError, match=r"seeds=0: expected"):
        plan([], "cpu", seeds=0)


def test_slug() -> None:
    assert slug("ResNet-20, 1×1 convolution") == "resnet-20-1x1-convolution"


# Runs


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke budget of all claims, once."""
    folder = tmp_path_factory.mktemp("records")
    assert main(["reproduce", "all", "--folder", str(folder), "--device", "cpu", "--quiet"]) == 0
    return folder


@pytest.mark.parametrize("name", [name for name in CLAIMS if CLAIMS[name].settings])
def test_smoke(smoke: Path, name: str) -> None:
    """Every network of the claim has its record, and nothing else is left."""
    for job in plan([CLAIMS[name]], "smoke", folder=smoke):
        run = Run.load(job.path)
        assert (run.network, run.seed) == (job.network, job.seed)
        assert run.data["sample"]
        assert run.rows
        if job.setting.responses and "pre-activation" not in job.network:
            layers = int(job.network.partition(",")[0].rpartition("-")[2]) - 1
            assert len(run.measured["responses"]) == layers or "gating" in job.network
    assert not [path for path in smoke.rglob("*") if path.is_file() and path.suffix != ".json"]


def test_smoke_decides_nothing(smoke: Path) -> None:
    """Such records show that everything runs; no claim takes its verdict from them."""
    records = load_records(smoke)
    assert len(records) > 30
    for claim in CLAIMS.values():
        if claim.settings:
            assert verdict(claim, records).verdict is Verdict.NOT_RUN


def test_done_is_done(smoke: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second call trains nothing and touches nothing."""
    before = {path: path.stat().st_mtime_ns for path in smoke.rglob("*.json")}
    assert main(["reproduce", "all", "--folder", str(smoke), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in smoke.rglob("*.json")} == before


def test_plan_on_the_command_line(smoke: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["reproduce", "depth", "--folder", str(smoke), "--seeds", "3", "--plan"]
    assert main(options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith("(there)") for line in lines] == [True] * 4 + [False] * 2


def test_side_by_side_is_the_same(smoke: Path, tmp_path: Path) -> None:
    """Two processes give the records that one gives."""
    jobs = plan([CLAIMS["d2l"]], "smoke", folder=tmp_path)
    runs = list(reproduce(jobs, device="cpu", at_once=2))
    assert sorted(run.seed for run in runs) == [0, 1]
    for job in jobs:
        there = Run.load(smoke / job.path.relative_to(tmp_path))
        here = Run.load(job.path)
        assert (here.rows, here.recipe, here.data) == (there.rows, there.recipe, there.data)


class Fatal(str):
    """Ends the process that unpickles it, as the kernel does when memory runs out."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


def test_a_killed_process_is_told(tmp_path: Path) -> None:
    (job, *_) = plan([CLAIMS["depth"]], "smoke", seeds=1, folder=tmp_path)
    with pytest.raises(MemoryError, match=r"ended from outside.*goes on from the checkpoints"):
        list(reproduce([dataclasses.replace(job, data=Fatal())], at_once=2))


def test_who_wants_no_more_gets_no_more(tmp_path: Path) -> None:
    """Closed after the first record, as by Ctrl-C: no process goes on in the background."""
    jobs = plan(CLAIMS.values(), "smoke", folder=tmp_path)
    before = set(active_children())  # another test's may still be ending
    runs = reproduce(jobs, device="cpu", at_once=2)
    next(runs)
    runs.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10  # the pool's own thread may be the one that notes their end
    while set(active_children()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(active_children()) <= before
    assert len(load_records(tmp_path)) < len(jobs) / 2


def test_stopped_and_resumed(smoke: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between two rows: the second call goes on, and the record is that of one call."""
    from resnet.checkpoint import Saver

    (job, *_) = plan([CLAIMS["depth"]], "smoke", folder=tmp_path)
    saved: list[int] = []

    def strike(self: Saver) -> None:
        save(self)
        saved.append(self.state.step)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        save = Saver.save
        patch.setattr(Saver, "save", strike)
        with pytest.raises(KeyboardInterrupt):
            do(job, device="cpu")
    assert job.path.with_suffix(".pt").exists() and not job.path.exists()
    assert saved == [SMOKE.row_steps]
    assert do(job, device="cpu") == Run.load(smoke / job.path.relative_to(tmp_path))
    assert [path.name for path in job.path.parent.iterdir()] == [job.path.name]


def test_divergence_is_recorded(tmp_path: Path) -> None:
    """A loss that is no number ends the training, not the series."""
    (job, *_) = plan([CLAIMS["depth"]], "smoke", folder=tmp_path)
    wild = dataclasses.replace(job.setting, recipe=dataclasses.replace(SMOKE.recipe, lr=1e30))
    run = do(dataclasses.replace(job, setting=wild), device="cpu")
    assert "the loss of ResNet-20 became" in run.measured["failed"]
    assert Run.load(job.path) == run


def test_anothers_record_is_not_overwritten(smoke: Path, tmp_path: Path) -> None:
    jobs = plan([CLAIMS["depth"]], "smoke", seeds=1, folder=tmp_path)
    other = Run.load(smoke / jobs[0].path.relative_to(tmp_path))
    other.seed = 7
    other.save(jobs[0].path)
    with pytest.raises(ValueError, match=rf"{jobs[0].path.name} is the record of another run"):
        list(reproduce(jobs, device="cpu"))
    assert Run.load(jobs[0].path) == other


def test_a_damaged_record_is_named(smoke: Path, tmp_path: Path) -> None:
    """By its file, whoever reads it; nothing is trained over it."""
    (job, *_) = plan([CLAIMS["depth"]], "smoke", folder=tmp_path)
    good = json.loads((smoke / job.path.relative_to(tmp_path)).read_text())
    job.path.parent.mkdir()
    job.path.write_text(json.dumps(good | {"rows": "none"}))
    for read in (lambda: load_records(tmp_path), lambda: list(reproduce([job]))):
        with pytest.raises(ValueError, match=rf"{job.path.name} is not a run's record: rows is"):
            read()


def test_errors_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise DataError("no net")

    monkeypatch.setattr("resnet.reproduce.work.load_data", nothing)
    options = ["reproduce", "depth", "--folder", str(tmp_path), "--data", "elsewhere"]
    assert main([*options, "--quiet"]) == 1
    assert "error: no net" in capsys.readouterr().err
    assert main([*options, "--jobs", "0"]) == 1
    assert "error: at_once=0: expected" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["reproduce", "depth", "--folder", str(tmp_path / "file"), "--quiet"]) == 1
    assert "cannot be written" in capsys.readouterr().err


# The records that come with the book


def test_recorded() -> None:
    """Each is some claim's, and is on whole data; none was made by a changed checkout."""
    wanted = {
        (network, str(setting.recipe_for(network).describe()))
        for claim in CLAIMS.values()
        for budget, setting in claim.settings.items()
        if budget != "smoke"
        for network in claim.networks(budget).values()
    }
    for run in load_records():
        assert (run.network, str(run.recipe)) in wanted
        assert not run.data["sample"]
        assert not run.commit.endswith("-dirty") and run.commit != "unknown"


def test_findings_of_the_book_are_computable() -> None:
    for claim in CLAIMS.values():
        for found in findings(claim, load_records()):
            assert isinstance(found, Finding)
            assert str(rows_table(found)) and str(checks_table(found))
