"""A run followed while it trains: news of its curve, its newest champion, its end; killed, resumed, removed."""

import http.client
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import evo
from evo.errors import EvoError
from evo.runs import viewing
from evo.runs.page_server import Answer, PageServer
from evo.runs.watching import Follower, choose_steadily
from tests.support.browser import CHROMIUM, page_in_browser
from tests.support.html_pages import Reader
from tests.support.places import REFERENCE
from tests.support.processes import Child, wait_for


class Told:
    """What a follower publishes, as a viewer reads it."""

    def __init__(self, path: Path, **given: Any) -> None:
        self.answers: dict[str, Answer] = {}
        self.times = 0
        self.follower = Follower(path, self._take, **{"seconds": 0.2, **given})

    def _take(self, answers: dict[str, Answer]) -> None:
        self.answers, self.times = answers, self.times + 1

    def look(self) -> dict[str, Any]:
        self.follower.look()
        return json.loads(self.answers["news"].content)

    def part(self, key: str) -> dict[str, Any]:
        return json.loads(self.answers[f"part/{key}"].content)


def test_a_finished_run_is_shown_whole(finished_run: Path) -> None:
    told = Told(finished_run)
    news = told.look()
    assert news["state"] == "ended" and news["said"].startswith("Generation 3, ")
    assert news["said"].endswith("The run has ended: 3 generations.") and news["plain"] == ""
    run = evo.load(finished_run)
    np.testing.assert_allclose(news["curve"]["best"], run.metrics["best"], rtol=1e-5)
    episodes = [told.part(key) for key in news["episodes"]]
    assert [each["generation"] for each in episodes] == [1, 2, 3, run.champion.generation]
    seed = episodes[-1]["seed"]
    assert {each["seed"] for each in episodes} == {seed} and episodes[-1]["total"] == run.champion.rollout(seed).total
    assert told.part(news["scene"])["geoms"]


def test_nothing_is_recorded_twice(finished_run: Path) -> None:
    told = Told(finished_run)
    before = told.look()
    parts, times = dict(told.answers), told.times
    assert told.look() == before
    assert {path: answer.content for path, answer in told.answers.items()} == {
        path: answer.content for path, answer in parts.items()
    }
    assert times == 7 and all(told.answers[path].content is parts[path].content for path in parts if path != "news")


def test_what_is_there_already_is_told_before_anything_is_recorded(finished_run: Path) -> None:
    seen = []
    follower = Follower(finished_run, lambda answers: seen.append(json.loads(answers["news"].content)), seconds=0.2)
    assert seen.pop()["state"] == "opening"
    follower.look()
    assert [len(each["episodes"]) for each in seen] == [0, 1, 2, 3, 4, 4]
    assert [each["complete"] for each in seen] == [False] * 4 + [True] * 2
    assert all(each["curve"] == seen[-1]["curve"] for each in seen)


def test_the_run_s_way_is_followed(finished_run: Path, tmp_path: Path) -> None:
    """Its first generations, its first champion, a later one, a kill, its removal."""
    path = tmp_path / "run"
    shutil.copytree(finished_run, path)
    champion, metrics = (path / "champion.npz").read_bytes(), (path / "metrics.csv").read_text().splitlines(True)
    for name in ("champion.npz", "ended", "metrics.csv"):
        (path / name).unlink()
    told = Told(path)
    news = told.look()
    assert news["state"] == "stopped" and "`evo resume" in news["said"] and news["curve"] is None
    assert news["episodes"] == [] and news["waiting"] == "Waiting for the run's first champion."
    (path / "metrics.csv").write_text("".join(metrics[:2]) + "4,5,")  # a torn last line
    (path / "champion.npz").write_bytes(champion)
    news = told.look()
    assert news["said"].startswith("Generation 1, ") and len(news["episodes"]) == 4
    os.utime(path / "champion.npz", ns=(1, 1))  # a newer champion
    (path / "metrics.csv").write_text("".join(metrics))
    later = told.look()
    (replaced,) = set(news["episodes"]) - set(later["episodes"])
    assert len(later["episodes"]) == 4 and f"part/{replaced}" not in told.answers
    assert len(later["curve"]["best"]) == 3
    generations = [told.part(key)["generation"] for key in later["episodes"]]
    assert generations == sorted(generations)  # the newest is shown
    shutil.rmtree(path)
    gone = told.look()
    assert gone["state"] == "gone" and gone["said"] == "The run is no longer there: it was removed or renamed."
    shutil.copytree(finished_run, path)
    assert told.look()["state"] == "ended"


def test_damage_is_told_in_a_line_and_ends_nothing(finished_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(finished_run, path)
    champion, metrics = (path / "champion.npz").read_bytes(), (path / "metrics.csv").read_text()
    (path / "champion.npz").write_bytes(champion[:200])
    told = Told(path)
    news = told.look()
    assert news["episodes"] == []
    assert told.look()["waiting"].startswith("Its champion cannot be shown: cannot read")
    (path / "champion.npz").write_bytes(champion)
    torn = sorted((path / "fossils").iterdir())[0]
    torn.write_bytes(torn.read_bytes()[:100])
    assert len(told.look()["episodes"]) == 3
    (path / "metrics.csv").write_text("nothing\nto,read\n")
    assert told.look()["state"] == "trouble"
    (path / "metrics.csv").write_text(metrics)
    (path / "config.toml").write_text("= no toml")
    assert "config.toml" in told.look()["said"]
    shutil.copy(finished_run / "config.toml", path)
    assert told.look()["state"] == "ended" and len(told.look()["episodes"]) == 3


def test_a_run_without_a_world_has_its_curve_alone(tmp_path: Path) -> None:
    evo.run("sphere", dim=2, method="ga", generations=2, out=tmp_path / "run", video=False, threads=1)
    news = Told(tmp_path / "run").look()
    assert news["plain"] == "sphere has no world to be shown: here is its curve." and len(news["curve"]["best"]) == 2
    assert Told(REFERENCE / "digits").look()["episodes"] == []


def test_more_poses_than_a_browser_holds_are_not_recorded(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "_LARGEST", 1000)
    told = Told(finished_run)
    told.look()
    news = told.look()
    assert news["plain"].endswith("show fewer seconds or fossils") and news["episodes"] == [] and news["curve"]


def test_names_from_strangers_are_text(finished_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "<script>alert(1)</script>".replace("/", "|")
    shutil.copytree(finished_run, path)
    told = Told(path)
    news, page = told.look(), told.answers[""].content.decode()
    assert news["name"] == path.name and b"<" not in told.answers["news"].content
    reader = Reader(page)
    assert [tag for tag, _ in reader.elements].count("script") == 2 and reader.texts["h1"] == [path.name]


def test_what_cannot_be_followed_is_said_in_a_line(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(EvoError, match="there is no run at"):
        Told(tmp_path / "none")
    with pytest.raises(EvoError, match="seconds must be more than 0"):
        Told(finished_run, seconds=0)


@example({0, 1}, 1)
@given(st.sets(st.integers(0, 500), max_size=300), st.integers(0, 30))
def test_chosen_fossils_are_few_and_change_little(generations: set[int], count: int) -> None:
    known = sorted(generations)
    chosen = choose_steadily(known, count)
    assert len(chosen) <= count and chosen == sorted(set(chosen)) and generations.issuperset(chosen)
    if count and known:
        assert known[-1] in chosen and (count == 1 or known[0] in chosen)
    if len(known) <= count:
        assert chosen == known
    more = choose_steadily([*known, 501], count)
    assert len(set(more) - set(chosen)) <= 1


def news_at(address: str) -> dict[str, Any] | None:
    """The news of a served page; None where nobody answers."""
    found = urlsplit(address)
    connection = http.client.HTTPConnection(found.hostname or "", found.port, timeout=60)
    try:
        connection.request("GET", f"{found.path}news")
        return json.loads(connection.getresponse().read())
    except OSError:
        return None
    finally:
        connection.close()


if CHROMIUM:

    def test_a_browser_shows_the_news_and_the_newest_champion(finished_run: Path) -> None:
        with PageServer(0, "token") as server:
            told = Told(finished_run)
            told.look()
            server.answers = told.answers
            server.start()
            reader = page_in_browser(server.address)
            server.shutdown()
        shown = {one["id"]: tag for tag, one in reader.elements if "id" in one}
        texts = {tag: "|".join(found) for tag, found in reader.texts.items()}
        assert {"news", "curve", "which"} <= shown.keys() and "polyline" in reader.texts
        assert "Generation 3, " in texts["p"] and "The run has ended: 3 generations." in texts["p"]
        champion = evo.load(finished_run).champion
        assert f"champion, of generation {champion.generation}" in texts["output"]
        assert texts["li"].count(": return ") == 4 and "No pictures here" not in texts["p"]

    def test_a_browser_says_that_nobody_answers(finished_run: Path) -> None:
        with PageServer(0, "token") as server:
            told = Told(finished_run)
            server.answers = {"": told.answers[""]}
            server.start()
            reader = page_in_browser(server.address)
            server.shutdown()
        assert "This run is no longer served at this address" in "|".join(reader.texts["p"])


def wait_for_news(address: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def look() -> bool:
        news = news_at(address)
        found[:] = [news] if news is not None and wanted(news) else []
        time.sleep(0.1)
        return bool(found)

    wait_for(look)
    return found[0]


RUN = """
import evo
few = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
if len(sys.argv) > 1:
    evo.resume("run", generations=int(sys.argv[1]), video=False, threads=1, callback=go)
else:
    evo.run("cartpole", generations=100000, seed=4, out="run", video=False, threads=1, settings=few, callback=go)
"""
SLOWLY = "import sys, time\ndef go(row):\n    time.sleep(0.05)\n    print('generation', flush=True)\n"


def test_a_run_is_followed_through_kill_resume_and_end_by_two_viewers(tmp_path: Path) -> None:
    """The server is started again too, on the same port: its address stays."""
    cache = {"EVO_CACHE_DIR": os.environ.get("EVO_CACHE_DIR", str(tmp_path / "cache"))}
    with Child(sys.executable, "-c", SLOWLY + RUN, cwd=tmp_path, **cache) as run:
        run.until("generation")
        watch = [sys.executable, "-m", "evo", "watch", "run", "--seconds", "0.2", "--fossils", "3"]
        with Child(*watch, cwd=tmp_path, **cache) as server:
            address = server.until("page").split()[1]
            seen: list[list[dict[str, Any]]] = [[], []]

            def view(place: int) -> None:
                seen[place].append(wait_for_news(address, lambda news: bool(news["episodes"])))
                seen[place].append(wait_for_news(address, lambda news: news != seen[place][0]))

            viewers = [threading.Thread(target=view, args=(place,)) for place in (0, 1)]
            for viewer in viewers:
                viewer.start()
            for viewer in viewers:
                viewer.join()
            assert all(len(each) == 2 and each[0]["state"] == "learning" for each in seen)
            run.kill()
            stopped = wait_for_news(address, lambda news: news["state"] == "stopped")
            assert "`evo resume run` goes on with it" in stopped["said"]
            server.send(signal.SIGINT)
            status, _, errors = server.end()
            assert status == 130 and errors == "evo: stopped; evo watch run goes on\n"
    assert news_at(address) is None
    port = str(urlsplit(address).port)
    with Child(*watch, "--port", port, cwd=tmp_path, **cache) as server:
        assert server.until("page").split()[1] == address
        assert wait_for_news(address, lambda news: bool(news["episodes"]))["state"] == "stopped"
        more = len(evo.load(tmp_path / "run").metrics["best"]) + 20
        with Child(sys.executable, "-c", SLOWLY + RUN, str(more), cwd=tmp_path, **cache) as run:
            wait_for_news(address, lambda news: news["state"] == "learning")
            ended = wait_for_news(address, lambda news: news["state"] == "ended")
            assert ended["said"].endswith(f"The run has ended: {more:,} generations.")
            assert run.end()[0] == 0
