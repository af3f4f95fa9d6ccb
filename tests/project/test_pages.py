"""The README and the pages of the documentation: their code works as written, their links lead somewhere, and their
lists are those of the code. Only budgets, numbers of seeds and film sizes are cut."""

import itertools
import re
from pathlib import Path

import pytest
import typer

from docs import generate
from evo.cli import app
from evo.learners import METHODS
from tests.support.forks import in_fork
from tests.support.page_runner import print_page
from tests.support.pages import BLOCKS, PAGES, README, Block, is_run_here
from tests.support.places import ROOT

_ALL = [block for blocks in BLOCKS.values() for block in blocks]
_KINDS = {"bash", "python", "text", "toml", "xml"}
# The first words of commands that are not evo's: they are shown and not run.
_SHELL = {"pip", "git", "cd", "pytest", "mkdocs", "ruff", "mypy", "python", "python3", "export", "eval", ".ci/run"}


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_the_readme_has_the_two_commands() -> None:
    lines = [line for block in BLOCKS[README] if block.kind == "bash" for line in block.text.splitlines()]
    assert lines[0] == "pip install -e . && evo run quadruped"
    assert lines[1].startswith("pip install -e '.[test]' && pytest")


def test_the_readme_stays_short() -> None:
    assert len(README.read_text().splitlines()) <= 170


def test_there_is_code_to_run() -> None:
    assert len(PAGES) > 10
    assert sum(len(block.commands) for block in BLOCKS[README] if block.kind == "bash") > 5
    assert sum(block.kind == "bash" for block in _ALL) > 20
    assert sum(block.kind == "python" for block in _ALL) > 10


def test_every_fence_is_a_block_of_a_known_kind() -> None:
    assert [block.place for block in _ALL if block.kind not in _KINDS] == []
    for page in PAGES:
        assert len(re.findall(r"^\s*```", page.read_text(), re.MULTILINE)) == 2 * len(BLOCKS[page]), _name(page)


def _runs(page: Path) -> bool:
    return any(not block.why and not block.title and block.kind in ("python", "bash") for block in BLOCKS[page])


@pytest.mark.parametrize("page", [page for page in PAGES if _runs(page)], ids=_name)
def test_the_code_of_a_page_works(page: Path, tmp_path: Path) -> None:
    ended = in_fork(print_page, [str(page)], tmp_path, {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert ended.stdout.endswith("PASSED\n")


def test_a_command_that_several_pages_show_is_run_for_one() -> None:
    shown = [(words, page) for page in PAGES for block in BLOCKS[page] if block.kind == "bash" and not block.why
             for words in block.commands]  # fmt: skip
    for words, _ in shown:
        assert any(is_run_here(words, page) for other, page in shown if other == words), words


@pytest.mark.parametrize("block", [block for block in _ALL if block.kind == "python"], ids=lambda block: block.place)
def test_python_parses_also_where_it_is_not_run(block: Block) -> None:
    compile(block.text, block.place, "exec")


def _reads(words: list[str]) -> None:
    """Parse the words of a command as `evo` does, without running it."""
    group = typer.main.get_command(app)
    group.commands[words[1]].make_context(words[1], words[2:])  # type: ignore[attr-defined]


def test_the_command_line_knows_every_option_shown() -> None:
    with pytest.raises(Exception, match=r"[Nn]o such option"):
        _reads(["evo", "run", "quadruped", "--wrong"])
    for block in _ALL:
        for words in block.commands if block.kind == "bash" else ():
            if words[0] == "evo" and not {"-h", "--help"} & {*words}:
                _reads(words)
            elif words[0] != "evo":
                assert words[0] in _SHELL or words[0].isupper(), f"{block.place}: {words[0]}"
            if words[0] == "python" and words[1:2] == ["-m"] and words[2].startswith(("examples", "benchmarks")):
                _has_options(ROOT / f"{words[2].replace('.', '/')}.py", words, block)
            elif words[0] == "python" and words[1].endswith(".py"):
                _has_options(ROOT / words[1], words, block)


def _has_options(program: Path, words: list[str], block: Block) -> None:
    assert program.exists(), f"{block.place}: {program}"
    for option in (word for word in words if word.startswith("--")):
        assert f'"{option}"' in program.read_text(), f"{block.place}: {program.name} takes no {option}"


def test_every_link_and_picture_exists() -> None:
    """What mkdocs checks of the pages, for the README too; anchors are left to it."""
    checked = 0
    for page in PAGES:
        for first, second in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", page.read_text()):
            path = (first or second).partition("#")[0]
            if path and "://" not in path and not first.startswith("#"):
                assert (page.parent / path).exists(), f"{_name(page)}: {path}"
                checked += 1
    assert checked > 50


def test_files_that_a_page_names_exist() -> None:
    written = re.compile(r"`(?:python )?((?:evo|envs|examples|benchmarks|tests)/[\w/]+\.py)\b")
    named = [path for page in PAGES for path in written.findall(page.read_text()) if "NAME" not in path]
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_lists_are_made_from_the_code() -> None:
    marks = {name for page in PAGES for name in re.findall(r"^<!-- generated: ([a-z-]+) -->$", page.read_text(), re.M)}
    assert marks == generate.GENERATED.keys()
    for name, made in generate.GENERATED.items():
        assert made().strip(), name
    assert [name for name in METHODS if f"`{name}`" not in generate.methods()] == []
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert generate.command_names().keys() == known.keys()
    for name in known:
        assert f"## evo {name}\n" in generate.commands()


def test_the_readme_names_every_command() -> None:
    text = README.read_text()
    assert [name for name in generate.command_names() if f"evo {name}" not in text] == []


def test_the_messages_on_the_page_about_trouble_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "pages" / "troubleshooting.md").read_text()
    sources = " ".join(path.read_text() for folder in ("evo", "envs") for path in (ROOT / folder).rglob("*.py"))
    sources = re.sub(r"[\"']\s*f?[\"']", "", sources)  # strings that stand on several lines
    messages = [span for line in text.splitlines() if line.startswith("| `") for span in
                re.findall(r"`([^`]+)`", line.split(" | ")[0])]  # fmt: skip
    pieces = [piece.strip() for message in messages for piece in re.split(r"…:?|'[\w.]+'|[A-Z]{4}$", message)]
    assert len(messages) > 15 and sum(len(piece) > 11 for piece in pieces) > 15
    assert [piece for piece in pieces if len(piece) > 11 and piece not in sources] == []


def test_every_page_opens_with_an_example() -> None:
    """Its first block of code, picture or list from the code comes within the first fifteen lines."""
    for page in PAGES:
        if page != README:
            head = "\n".join(page.read_text().splitlines()[:15])
            assert "```" in head, f"{_name(page)} begins with no example"


def test_no_line_of_a_paragraph_becomes_an_item_of_a_list() -> None:
    """A line that begins with a number and a full stop, or a dash, after a line of text would."""
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for before, line in itertools.pairwise(text.splitlines()):
            if re.match(r"\s*(\d+\.|[-+*]) ", line):
                assert not before.strip() or re.match(r"\s*(\d+\.|[-+*]) |\s{2,}\S", before), f"{_name(page)}: {line}"
                if re.match(r"\s*\d+\. ", line):
                    assert int(line.split(".")[0]) < 20, f"{_name(page)}: {line}"


def test_every_page_is_in_the_table_of_contents() -> None:
    nav = (ROOT / "docs" / "mkdocs.yml").read_text()
    for page in PAGES:
        if page != README:
            assert str(page.relative_to(ROOT / "docs" / "pages")) in nav
