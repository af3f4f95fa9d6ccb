"""The whole page in a browser, where one is installed: it starts, plays, and does what the reader does."""

import json
from pathlib import Path
from typing import Any

import pytest

import evo
from tests.support.browser import CHROMIUM, run_in_browser
from tests.support.html_pages import Reader

# Headless Chromium's own clock runs ahead of its pictures: here a picture is a timer's business.
TIMER = "window.requestAnimationFrame = (act) => setTimeout(() => act(performance.now()), 16);"
PROBE = (
    f"""{TIMER}
await start();
"""
    """
const rest = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const set = (name, value) => { id(name).value = value; id(name).dispatchEvent(new Event("input")); };
const pointer = (kind, x, y, pointerId) => {
  id("picture").dispatchEvent(new PointerEvent(kind, { clientX: x, clientY: y, pointerId, bubbles: true }));
};
id("picture").setPointerCapture = () => {};
const told = {};
const look = async (name) => {
  await rest();
  const { width, height } = id("picture");
  told[name] = {
    ...Object.fromEntries(["clock", "caption", "play", "which", "said"].map((one) => [one, id(one).textContent])),
    ...Object.fromEntries(["effort", "follow"].map((one) => [one, id(one).getAttribute("aria-pressed")])),
    names: [...id("names").children].map((each) => each.textContent), size: [width, height],
    cursor: document.querySelector("#curve circle")?.getAttribute("cx"), failed: id("stage").className,
    hidden: id("curve").hasAttribute("hidden"),
    network: [!id("activity").hidden, id("network").getAttribute("aria-pressed")],
    whose: [id("whose").value, id("whose").parentElement.hidden],
    unit: id("unit").textContent, units: id("units").textContent, graph: id("graph").getAttribute("aria-label"),
  };
};
await look("start");
id("play").click(); await look("paused");
set("time", 1000); await look("end");
press("0"); await look("beginning");
press("."); await look("one");
press(","); press(","); await look("none");
set("fossil", 0); await look("first");
press("]"); await look("second");
press("l"); await look("lanes");
press("l"); press("e"); press("f"); await look("marked");
id("graph").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true })); await look("asked");
id("graph").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true })); await look("output");
press("n"); await look("without");
press("n");
press("Home"); press(" "); await look("plays");
pointer("pointerdown", 50, 50, 1); pointer("pointermove", 90, 60, 1); pointer("pointerdown", 99, 99, 2);
pointer("pointermove", 150, 150, 2); pointer("pointerup", 0, 0, 1); pointer("pointerup", 0, 0, 2);
id("picture").dispatchEvent(new WheelEvent("wheel", { deltaY: 100, cancelable: true }));
id("curve").dispatchEvent(new MouseEvent("click", { clientX: 1e4 })); await look("last");
window.requestAnimationFrame = () => 0;
say(JSON.stringify(told));
"""
)


if CHROMIUM:

    @pytest.fixture(scope="module")
    def told(finished_run: Path) -> dict[str, Any]:
        content = Reader(evo.view(finished_run, seconds=0.2).html).texts["script"][0]
        return json.loads(run_in_browser(content, PROBE))  # type: ignore[no-any-return]

    def test_it_starts_and_plays(told: dict[str, Any]) -> None:
        assert told["start"]["failed"] == "" and told["start"]["play"] == "Pause"
        assert told["start"]["which"].startswith("champion, of generation")
        assert told["start"]["said"].startswith("run, champion, of generation")
        assert min(told["start"]["size"]) > 100 and not told["start"]["hidden"]
        assert told["plays"]["play"] == "Pause"

    def test_time_is_paused_scrubbed_and_stepped(told: dict[str, Any]) -> None:
        assert told["paused"]["play"] == "Play" and told["end"]["play"] == "Play"
        assert told["end"]["clock"] == "0.20 s of 0.2 s"
        assert told["beginning"]["clock"] == told["none"]["clock"] == "0.00 s of 0.2 s"
        assert told["one"]["clock"] == "0.02 s of 0.2 s"
        assert told["end"]["caption"].endswith("return 10") and told["beginning"]["caption"].endswith("return 0")

    def test_fossils_are_chosen_and_stand_in_lanes(told: dict[str, Any]) -> None:
        assert told["first"]["which"] == "generation 1" and told["second"]["which"] == "generation 2"
        assert float(told["first"]["cursor"]) < float(told["second"]["cursor"])
        assert told["first"]["names"] == [] and len(told["lanes"]["names"]) == 4
        assert [name.split(":")[0] for name in told["lanes"]["names"][:3]] == [f"generation {one}" for one in (1, 2, 3)]
        assert all(": return " in name for name in told["lanes"]["names"]) and told["lanes"]["caption"] == ""

    def test_keys_mark_and_the_view_comes_home(told: dict[str, Any]) -> None:
        assert (told["marked"]["effort"], told["marked"]["follow"]) == ("true", "false")
        assert told["plays"]["follow"] == "true" and told["last"]["failed"] == ""

    def test_the_network_is_shown_asked_and_hidden(told: dict[str, Any]) -> None:
        shown, lanes, output = told["start"], told["lanes"], told["output"]
        assert shown["network"] == [True, "true"] and shown["whose"][1] and shown["unit"] == ""
        assert shown["units"].startswith("4 inputs") and "1 output" in shown["units"]
        assert shown["graph"].startswith("Network of run, champion, of generation") and shown["units"] in shown["graph"]
        assert lanes["whose"] == ["generation 2", False]
        assert told["asked"]["unit"].startswith("input ") and output["unit"].split(":")[0] in (
            "output 0",
            "output slide",
        )
        assert told["without"]["network"] == [False, "false"] and told["plays"]["network"][0]

    def test_a_browser_without_webgl_shows_the_text(finished_run: Path) -> None:
        content = Reader(evo.view(finished_run, seconds=0.2).html).texts["script"][0]
        probe = """
            HTMLCanvasElement.prototype.getContext = () => null;
            await start();
            say([id("stage").className, id("caption").textContent, id("about").open].join("|"));
        """
        shown = run_in_browser(content, probe)
        assert shown.startswith("failed|No pictures here: this browser draws no WebGL2.") and shown.endswith("|true")
