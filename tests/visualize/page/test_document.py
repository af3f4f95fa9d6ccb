"""The page is whole, small and harmless: it fetches nothing, and no text on it runs."""

import base64
import hashlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evo
from evo.envs.task import Task
from evo.visualize.page import (
    Creature,
    Curve,
    Episode,
    describe_scene,
    document,
    drawn_geoms,
    inline,
    live_document,
    record_episode,
)
from tests.support.html_pages import Reader, content_of
from tests.support.places import REFERENCE

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!-- creatures --><!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "]]>&lt;\u2028\u2029\x1b[31m\x00\ud800",
    "\\u003c/script\\u003e ${alert(1)}",
]


def _blank(task: Task) -> tuple[dict, Episode]:
    rest = np.zeros((2, len(drawn_geoms(task.model)), 7), np.float32)
    rest[:, :, 3] = 1
    bits = np.zeros(rest.shape[:2], np.uint8)
    episode = Episode(
        label="champion",
        generation=3,
        seed=0,
        total=1.5,
        ending="ended",
        poses=rest,
        touching=bits,
        effort=bits,
        earned=np.zeros(2, np.float32),
        path=np.zeros((2, 3), np.float32),
        camera=(3.0, 90.0, -12.0, 40.0),
        lost=2,
        missing=(),
    )
    return describe_scene(task.model, task.control_period), episode


TASK = evo.task("cartpole")
assert isinstance(TASK, Task)
SCENE, EPISODE = _blank(TASK)


def _page(text: str) -> str:
    episode = Episode(**{**vars(EPISODE), "label": text, "ending": text})
    rows = np.arange(3.0)
    curve = Curve(rows, rows, np.array([1.0, np.nan, 3.0]), np.array([-np.inf, 1e308, -1e308]), "step")
    return document(text, [Creature(text, SCENE, [episode], curve, [text])])


@given(st.sampled_from(HOSTILE) | st.text())
def test_no_text_runs_or_ends_its_element(text: str) -> None:
    plain, hostile = Reader(_page("plain")), Reader(_page(text))
    assert hostile.elements[0] == plain.elements[0]
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    assert hostile.texts["script"][1] == plain.texts["script"][1]
    content = content_of(_page(text))
    assert "\x1b" not in content["title"] and content["creatures"][0]["name"] == content["title"]
    assert "<" not in hostile.texts["script"][0]


def test_the_policy_lets_only_the_page_s_own_script_and_style_in() -> None:
    reader = Reader(_page("mine"))
    (policy,) = (one["content"] for tag, one in reader.elements if one.get("http-equiv") == "Content-Security-Policy")
    digests = [hashlib.sha256(reader.texts[tag][-1].encode()).digest() for tag in ("script", "style")]
    script, style = (f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    assert policy == f"default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"


def test_the_page_names_no_address() -> None:
    html = _page("mine")
    assert set(re.findall(r"https?://[^\s\"'<>]+", html)) == {"http://www.w3.org/2000/svg"}  # a name, never fetched
    for _, attributes in Reader(html).elements:
        assert not {"src", "href", "action", "style", "onclick", "onload"} & set(attributes)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import|eval|innerHTML|insertAdjacentHTML)\b\s*[(=]", html)


def test_a_live_page_asks_its_own_server_alone() -> None:
    html = live_document(HOSTILE[1])
    reader = Reader(html)
    (policy,) = (one["content"] for tag, one in reader.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert (
        policy and policy.startswith("default-src 'none'; script-src 'sha256-") and "; connect-src 'self'; " in policy
    )
    assert re.findall(r"\bfetch\(([^,)]*)", html) == ['"news"', "`part/${key}`"] and "connect-src" not in _page("mine")
    assert [tag for tag, _ in reader.elements].count("script") == 2 and reader.texts["h1"] == [HOSTILE[1]]
    asked = set(re.findall(r"\bid\(\"(\w+)\"\)", html))
    assert asked - {"news"} <= {one["id"] for _, one in reader.elements if "id" in one}
    assert not re.search(r"\b(XMLHttpRequest|WebSocket|import|eval|innerHTML|insertAdjacentHTML)\b\s*[(=]", html)


def test_every_element_that_the_script_asks_for_is_there() -> None:
    html = _page("mine")
    asked = set(re.findall(r"\bid\(\"(\w+)\"\)", html)) | {"follow", "together", "contacts", "effort"}
    assert asked <= {one["id"] for _, one in Reader(html).elements if "id" in one} and len(asked) > 12


def test_numbers_that_are_not_finite_are_left_out_of_the_curve() -> None:
    curve = content_of(_page("mine"))["creatures"][0]["curve"]
    assert curve["best"] == [1.0, None, 3.0] and curve["mean"] == [None, 1e308, -1e308]


def test_a_notebook_shows_the_page_in_a_frame_of_its_own() -> None:
    html = _page("mine <b>")
    reader = Reader(inline(html))
    ((tag, attributes),) = reader.elements
    assert tag == "iframe" and attributes["sandbox"] == "allow-scripts" and attributes["srcdoc"] == html


def test_ten_fossils_of_ten_seconds_and_a_champion_take_two_megabytes() -> None:
    champion = evo.load(REFERENCE / "quadruped").champion
    task, geoms, random = champion.task, drawn_geoms(champion.task.model), np.random.default_rng(2)
    episodes = []
    for number in range(11):
        noise = 0.004 * (10 - number) * random.normal(size=champion.params.shape)
        candidate = champion.candidate._replace(params=champion.params + noise)
        trajectory = champion.rollout_of(candidate, 1)
        episodes.append(record_episode(task, geoms, trajectory, f"fossil {number}", number, 10.0))
    scene = describe_scene(task.model, task.control_period)
    assert len(document("quadruped", [Creature("quadruped", scene, episodes, None, [])]).encode()) < 2e6
    assert all(len(episode.poses) == 201 for episode in episodes)


def test_other_worlds_make_pages_too() -> None:
    for name in ("Ant-v5", "swimmer"):
        scene, episode = _blank(evo.task(name))
        assert content_of(document(name, [Creature(name, scene, [episode], None, [])]))["title"] == name


def test_hostile_names_are_what_the_tests_think_they_are() -> None:
    with pytest.raises(UnicodeEncodeError):
        HOSTILE[4].encode()
    assert "&lt;script&gt;" in _page(HOSTILE[0])
