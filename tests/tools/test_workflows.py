"""The workflows: what they run is there, what may write runs nothing of the repository's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from toybook import ROOT

from tools.build import config

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml"))}
JOBS = {
    f"{name}.{job}": content
    for name, workflow in WORKFLOWS.items()
    for job, content in workflow["jobs"].items()
}
# what a job that may write may use, and by which permissions
WRITING = {
    "ci.notebooks": {"contents": "write"},
    "ci.publish": {"pages": "write", "id-token": "write"},
    "release.publish": {"contents": "write"},
    "weekly.report": {"issues": "write"},
}
MADE = re.compile(r"_build/\S*|\.venv/\S*|dist\b\S*|nbval\.txt")  # by the job itself
every_job = pytest.mark.parametrize("name", JOBS)


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def uses(job: dict[str, Any]) -> list[str]:
    return [step["uses"] for step in job["steps"] if "uses" in step]


def order(job: dict[str, Any]) -> list[str]:
    return [step.get("run") or step["uses"].partition("@")[0] for step in job["steps"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_only(name: str) -> None:
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow[True]  # YAML 1.1 reads "on" as a truth value
    assert "secrets." not in (FOLDER / f"{name}.yml").read_text()


@every_job
def test_jobs_are_pinned_and_end(name: str) -> None:
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use) for use in uses(JOBS[name]))
    assert JOBS[name]["timeout-minutes"] <= 90


@every_job
def test_what_may_write_runs_nothing_of_the_repository(name: str) -> None:
    """It checks nothing out, and its commands are GitHub's own tool, git, and Python's zipfile."""
    job = JOBS[name]
    assert job.get("permissions", {}) == WRITING.get(name, {})
    if name in WRITING:
        assert not any("checkout" in use for use in uses(job))
        words = {line.split()[0] for text in commands(job) for line in text.splitlines()}
        assert words <= {"gh", "open=$(gh", "if", "else", "fi", "git", "cd", "python3"}, words
        assert "tools" not in str(commands(job))
        assert job.get("needs"), "nothing is written before what it depends on has ended"


@every_job
def test_texts_of_others_reach_no_command(name: str) -> None:
    """A title or a branch's name in `${{ }}` within a command would be run."""
    for text in commands(JOBS[name]):
        assert not re.search(r"\$\{\{\s*github\.(event|head_ref|ref)", text), text


@every_job
def test_targets_modules_and_paths_exist(name: str) -> None:
    """Every `make` target, `python -m` module and path of the repository that a job names."""
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    chapters = {path.stem for path in config.notebooks()}
    lines = [line for text in commands(JOBS[name]) for line in text.splitlines()]
    for line in lines:
        words = re.sub(r"[\\\"']", " ", line).split()
        for before, word in zip(["", *words], words, strict=False):
            if before == "make":
                targets = [w for w in words[words.index("make") + 1 :] if "=" not in w]
                assert set(targets) <= known, line
            elif before == "-m" and word.startswith("tools."):
                assert module(word), line
            elif before == "--chapter":
                assert word in chapters, line
            elif "/" in word[1:] and word[0] != "/" and (ROOT / word.split("/")[0]).exists():
                assert MADE.fullmatch(word) or (ROOT / word).exists(), f"{word} in {line}"


def module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_the_search_for_targets_finds_a_wrong_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("make boko", "python -m tools.nothing", "ruff tools/nothing", "x --chapter 99"):
        monkeypatch.setitem(JOBS, "wrong", {"steps": [{"run": wrong}]})
        with pytest.raises(AssertionError):
            test_targets_modules_and_paths_exist("wrong")


def test_cpu_job_is_unconditional_and_gpu_job_waits_for_a_runner() -> None:
    assert "if" not in JOBS["ci.cpu"] and "needs" not in JOBS["ci.cpu"]
    assert "if" not in JOBS["ci.colab"] and JOBS["ci.colab"]["needs"] == "cpu"
    assert "vars.GPU_RUNNER != ''" in JOBS["ci.gpu"]["if"]
    assert "github.event_name == 'push'" in JOBS["ci.gpu"]["if"]  # never a fork's code


def test_gpu_job_runs_papermill_and_nbval_and_says_so() -> None:
    steps = order(JOBS["ci.gpu"])
    full = steps.index("make book PROFILE=full")
    compared = next(i for i, step in enumerate(steps) if "-m pytest chapters" in step)
    told = next(i for i, step in enumerate(steps) if "tools.book ran --profile full --gpu" in step)
    assert full < compared < told
    assert "GITHUB_STEP_SUMMARY" in steps[told] and "nvidia-smi" in steps[told]


def test_only_what_has_passed_the_tests_is_published() -> None:
    """What is published is what the job that tests has built, after its tests, on main."""
    assert [n for n, job in JOBS.items() if "deploy-pages" in str(job["steps"])] == ["ci.publish"]
    for name in ("ci.publish", "ci.notebooks"):
        assert set(JOBS[name]["needs"]) == {"cpu", "colab"}
        assert JOBS[name]["if"] == "github.event_name == 'push'"
    assert WORKFLOWS["ci"][True]["push"] == {"branches": ["main"]}
    pages = [n for n, job in JOBS.items() if "upload-pages-artifact" in str(job["steps"])]
    assert pages == ["ci.cpu"]
    steps = order(JOBS["ci.cpu"])
    assert steps.index("make pdf epub") < steps.index("make test")
    assert steps.index("make test") < steps.index("actions/upload-pages-artifact")
    kept = [step for step in JOBS["ci.cpu"]["steps"] if "upload-artifact" in str(step)]
    assert {step["with"]["name"]: step["with"]["path"] for step in kept} == {
        "site-preview": "_build/html", "notebooks": "_build/html/notebooks.zip"
    }  # fmt: skip


def test_a_release_has_the_book_in_all_forms_after_its_tests() -> None:
    assert WORKFLOWS["release"][True] == {"push": {"tags": ["v*"]}}
    assert JOBS["release.publish"]["needs"] == "build"
    steps = order(JOBS["release.build"])
    collected = next(i for i, step in enumerate(steps) if "SHA256SUMS" in step)
    assert steps.index("make pdf epub") < steps.index("make test") < collected
    for form in (
        "notebooks.zip",
        "resnet-book.pdf",
        "resnet-book.epub",
        "hatchling build -t wheel",
    ):
        assert form in steps[collected]


def test_weekly_run_reports_every_job() -> None:
    jobs = {name.partition(".")[2] for name in JOBS if name.startswith("weekly.")}
    assert set(JOBS["weekly.report"]["needs"]) == jobs - {"report"}
    told = str(JOBS["weekly.report"]["steps"])
    assert all(f"needs.{name}.result" in told for name in jobs - {"report"})
    steps = order(JOBS["weekly.newest"])
    renewed = next(i for i, step in enumerate(steps) if "make lock LOCK=--upgrade" in step)
    assert renewed < steps.index("make book") < steps.index("make test")


def test_forms_of_the_book_are_where_the_workflows_take_them() -> None:
    from tools.paper import downloads

    taken = " ".join(commands(JOBS["release.build"]))
    for kind in downloads.KINDS:
        assert Path(downloads.path(kind)).relative_to(ROOT).as_posix() in taken


def test_notebooks_go_to_a_branch_of_their_own(tmp_path: Path) -> None:
    """The job's own commands, with a folder in the place of GitHub; the second run replaces all."""
    (script,) = [step["run"] for step in JOBS["ci.notebooks"]["steps"] if "run" in step]
    bare = tmp_path / "bare"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
    address = "https://x-access-token:secret@github.com/someone/a-book"
    environment = {
        **os.environ,
        "GITHUB_REPOSITORY": "someone/a-book",
        "GITHUB_SHA": "1a2b",
        "TOKEN": "secret",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{bare.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }
    for text in ("first", "second"):
        folder = tmp_path / text
        (folder / "there" / "notebooks").mkdir(parents=True)
        (folder / "there" / "notebooks" / "one.ipynb").write_text(text)
        shutil.make_archive(str(folder / "notebooks"), "zip", folder / "there", "notebooks")
        subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment, check=True)
    git = ["git", "-C", str(bare)]
    shown = subprocess.run([*git, "show", "notebooks:one.ipynb"], capture_output=True, text=True)
    assert shown.stdout == "second"
    log = subprocess.run([*git, "log", "--oneline", "notebooks"], capture_output=True, text=True)
    assert len(log.stdout.splitlines()) == 1 and "1a2b" in log.stdout
