// The page of a run that is still training: it asks its server for news, and shows what is new.

const PERIOD = 1500; // milliseconds from one question to the next
const PATIENCE = 30000; // milliseconds that a newer champion waits for the walk that is shown, at most
const UNREACHED = "The server does not answer. This page goes on by itself when `evo watch` of this run is started again.";
const ELSEWHERE = "This run is no longer served at this address: `evo watch` prints the new one.";

class Follower {
  constructor() {
    this.parts = new Map(); // scene and episodes, by their keys
    this.news = document.createElement("p");
    this.news.id = "news";
    this.state = document.createElement("p"); // read out where it changes; the news change too often for that
    this.state.className = "unseen";
    this.state.setAttribute("role", "status");
    document.querySelector("h1").after(this.news, this.state);
    this.tell("opening", "Waiting for the server.");
  }

  tell(state, text) {
    this.news.dataset.state = state;
    this.news.textContent = text;
    if (this.state.textContent !== state) this.state.textContent = state;
  }

  async look() {
    let answer;
    try {
      answer = await fetch("news", { cache: "no-store" });
      if (!answer.ok) return this.tell("lost", ELSEWHERE);
      answer = await answer.json();
    } catch {
      return this.tell("lost", UNREACHED);
    }
    this.tell(answer.state, answer.said);
    if (answer.plain) return this.showCurve(answer);
    if (this.show && (!answer.complete || !answer.episodes.length)) return this.drawCurve(answer.curve);
    if (!answer.scene || !answer.episodes.length) return this.wait(answer);
    if (this.scene && this.scene !== answer.scene) return location.reload(); // another world stands there now
    this.scene = answer.scene;
    const [scene, ...episodes] = await Promise.all([answer.scene, ...answer.episodes].map((key) => this.part(key)));
    const kept = new Set([answer.scene, ...answer.episodes]);
    for (const key of this.parts.keys()) if (!kept.has(key)) this.parts.delete(key);
    this.list(episodes);
    this.receive({ name: answer.name, lane: answer.lane, curve: answer.curve, scene, episodes });
  }

  async part(key) {
    if (!this.parts.has(key)) {
      const answer = await fetch(`part/${key}`);
      if (!answer.ok) throw new Error("this part has been replaced by a newer one");
      this.parts.set(key, Object.assign(await unpackAll(await answer.json()), { key }));
    }
    return this.parts.get(key);
  }

  wait({ curve, waiting }) {
    id("caption").textContent = waiting;
    if (curve) new FitnessCurve(id("curve"), [{ curve }], () => {});
  }

  // A task without a world of MuJoCo's has its curve alone.
  showCurve({ curve, plain }) {
    id("stage").classList.add("plain");
    id("controls").hidden = true;
    id("caption").textContent = plain;
    if (curve) new FitnessCurve(id("curve"), [{ curve }], () => {});
  }

  receive(creature) {
    if (this.failed) return;
    if (this.show) return this.renew(creature);
    try {
      this.show = perform({ creatures: [creature] });
      this.show.onAgain = () => this.takeWaiting();
    } catch (error) {
      this.failed = true;
      tellFailure(error);
    }
  }

  // The curve grows at once. A newer champion walks when the one shown has ended: its walk is not cut short.
  renew(creature) {
    const { show } = this, [before] = show.creatures, shown = episodeAt(before, show.chosen);
    const place = creature.episodes.findIndex(({ key }) => key === shown.key);
    const newest = show.chosen === 1, same = newest ? place === creature.episodes.length - 1 : place >= 0;
    this.since = this.waiting ? this.since : Date.now();
    this.waiting = same ? null : creature;
    if (same) show.present([creature], newest ? 1 : place / (creature.episodes.length - 1));
    else this.drawCurve(creature.curve);
    const late = show.playing ? Date.now() - this.since > PATIENCE : show.seconds === 0;
    if (this.waiting && late) this.takeWaiting();
  }

  drawCurve(curve) {
    const [creature] = this.show.creatures;
    this.show.present([{ ...creature, curve: curve ?? creature.curve }], this.show.chosen);
  }

  takeWaiting() {
    if (!this.waiting) return;
    const { show, waiting } = this, { generation } = episodeAt(show.creatures[0], show.chosen);
    const gaps = waiting.episodes.map((each) => Math.abs(each.generation - generation));
    const nearest = show.chosen === 1 ? 1 : gaps.indexOf(Math.min(...gaps)) / Math.max(1, gaps.length - 1);
    this.waiting = null;
    show.present([waiting], nearest);
  }

  // What is shown, as text.
  list(episodes) {
    id("episodes").replaceChildren(...episodes.map(({ label, total, ending }) => {
      const line = document.createElement("li");
      line.textContent = `${label}: return ${number(total)}, ${ending}`;
      return line;
    }));
  }
}

async function follow() {
  const follower = new Follower();
  for (;;) {
    try {
      await follower.look();
    } catch {
      // a part was replaced while it was asked for: the next news name the newer one
    }
    await new Promise((done) => setTimeout(done, document.hidden ? 4 * PERIOD : PERIOD));
  }
}
