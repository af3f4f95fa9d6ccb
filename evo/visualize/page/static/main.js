// The show: what is played, at which moment, seen from where.

class Show {
  constructor(content, painter) {
    this.painter = painter;
    this.seconds = 0;
    this.speed = 1;
    this.sharp = 1; // drawn pixels for each of the screen's, at most
    this.chosen = 1; // share of the learning: the champion
    this.marks = { together: false, contacts: false, effort: false, network: true };
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.playing = !this.still;
    this.camera = new OrbitCamera(content.creatures[0].episodes.at(-1).camera);
    this.network = new NetworkView();
    this.present(content.creatures, 1);
    this.report();
  }

  // Show these creatures, at a share of their learning.
  present(creatures, chosen) {
    this.creatures = creatures;
    this.curve = new FitnessCurve(id("curve"), creatures, (step) => this.chooseStep(step));
    this.most = Math.max(...creatures.map(({ episodes }) => episodes.length));
    id("fossil").max = this.most - 1;
    id("fossil").parentElement.hidden = this.most < 2;
    id("together").hidden = creatures.length > 1 || this.most < 2;
    this.choose(chosen);
  }

  choose(share) {
    this.chosen = clamp(share, 0, 1);
    this.actors = cast(this.creatures, this.chosen, this.marks.together);
    this.length = Math.max(...this.actors.map(durationOf));
    this.seconds = Math.min(this.seconds, this.length);
    this.curve.point((creature) => episodeAt(creature, this.chosen));
    this.nameActors();
    const episode = episodeAt(this.creatures[0], this.chosen);
    this.network.present(this.actors, episode, this.marks.network);
    id("fossil").value = Math.round(this.chosen * (this.most - 1));
    id("which").textContent = episode.label;
    id("fossil").setAttribute("aria-valuetext", episode.label);
    const said = this.actors.map((actor) => `${actor.creature.name}, ${actor.episode.label}: return ${number(actor.episode.total)}, ${actor.episode.ending}`).join("; ");
    if (id("said").textContent !== said) id("said").textContent = said; // a text that stays is not read out again
    this.changed = true;
    this.onChosen?.();
  }

  // The fossil nearest to a number of steps on the curve.
  chooseStep(step) {
    const creature = this.curve.creatures[0];
    const gaps = creature.episodes.map(({ generation }) => Math.abs(pointAt(creature.curve, generation)[0] - step));
    this.choose(gaps.indexOf(Math.min(...gaps)) / Math.max(1, gaps.length - 1));
  }

  turnTo(more) {
    this.choose((Math.round(this.chosen * (this.most - 1)) + more) / Math.max(1, this.most - 1));
  }

  play(playing) {
    if (playing && this.seconds >= this.length) this.seconds = 0;
    this.playing = playing;
    this.report();
  }

  scrub(seconds) {
    this.seconds = clamp(seconds, 0, this.length);
    this.playing = false;
    this.report();
  }

  step(states) {
    const { period } = this.actors[0].creature.scene;
    this.scrub((Math.round(Math.min(this.seconds, this.length) / period) + states) * period);
  }

  orbit(turn, lift) {
    this.camera.orbit(turn, lift);
    this.changed = true;
  }

  zoom(factor) {
    this.camera.zoom(factor);
    this.changed = true;
  }

  reset() {
    this.camera.reset();
    this.report();
  }

  toggle(name) {
    if (id(name).hidden) return;
    if (name === "follow") this.camera.follows = !this.camera.follows;
    else this.marks[name] = !this.marks[name];
    this.choose(this.chosen);
    this.report();
  }

  // Let the buttons say how things are.
  report() {
    id("play").textContent = this.playing ? "Pause" : "Play";
    const states = { ...this.marks, follow: this.camera.follows };
    for (const [name, on] of Object.entries(states)) id(name).setAttribute("aria-pressed", on);
    this.changed = true;
  }

  nameActors() {
    const several = this.actors.length > 1;
    id("names").replaceChildren(...(several ? this.actors : []).map((actor) => {
      actor.sign = document.createElement("span");
      return actor.sign;
    }));
  }

  // Called by the browser before it paints.
  frame(now) {
    const passed = clamp((now - (this.before ?? now)) / 1000, 0, 0.1);
    this.before = now;
    this.keepPace(now);
    if (this.playing) {
      const next = advance(this.seconds, passed * this.speed, this.length);
      const again = next < this.seconds;
      this.seconds = next;
      if (again) this.onAgain?.();
    }
    if (this.playing || this.changed || this.resized()) this.draw();
    this.changed = false;
    requestAnimationFrame((time) => this.frame(time));
  }

  // Draw fewer pixels where pictures come slowly: fewer than 20 a second, over 8 pictures.
  keepPace(now) {
    this.pace ??= { since: now, pictures: 0 };
    if (!this.playing) this.pace = null;
    else if (++this.pace.pictures === 8) {
      if (now - this.pace.since > 400) this.sharp = Math.max(0.5, this.sharp * 0.75);
      this.pace = null;
    }
  }

  resized() {
    const { canvas } = this.painter, sharp = this.sharp * Math.min(devicePixelRatio, 2);
    const width = Math.max(1, Math.round(canvas.clientWidth * sharp)), height = Math.max(1, Math.round(canvas.clientHeight * sharp));
    if (canvas.width === width && canvas.height === height) return false;
    Object.assign(canvas, { width, height });
    return true;
  }

  draw() {
    this.resized();
    const { canvas } = this.painter;
    for (const actor of this.actors) actor.state = stateAt(actor, this.seconds, !this.playing);
    this.camera.follow(this.actors.map((actor) => targetOf(actor, actor.state)), canvas.width / canvas.height);
    this.painter.draw(this.actors, this.camera, this.marks);
    this.network.draw();
    this.placeNames();
    const moment = Math.min(this.seconds, this.length);
    id("time").value = this.length ? (id("time").max * moment) / this.length : 0;
    id("time").setAttribute("aria-valuetext", `${moment.toFixed(1)} seconds`);
    id("clock").textContent = `${moment.toFixed(2)} s of ${this.length.toFixed(1)} s`;
    const earned = ({ episode, state }) => `return ${number(episode.earned[state.before])}`;
    for (const actor of this.actors) if (actor.sign) actor.sign.textContent = `${actor.name}: ${earned(actor)}`;
    const [first, ...others] = this.actors;
    id("caption").textContent = others.length ? "" : `${first.episode.label}, ${earned(first)}`;
  }

  // Names stand over the creatures in their lanes.
  placeNames() {
    const { eye, right, up, forward } = this.camera.axes, { canvas } = this.painter;
    const scale = canvas.clientHeight / (2 * Math.tan((this.camera.fovy * Math.PI) / 360));
    for (const actor of this.actors) {
      if (!actor.sign) continue;
      const from = add(add(targetOf(actor, actor.state), [0, 0, 0.35 * actor.creature.lane]), eye, -1);
      const depth = dot(forward, from);
      actor.sign.hidden = !(depth > 0);
      actor.sign.style.left = `${canvas.clientWidth / 2 + (scale * dot(right, from)) / depth}px`;
      actor.sign.style.top = `${canvas.clientHeight / 2 - (scale * dot(up, from)) / depth}px`;
    }
  }
}

async function start() {
  try {
    perform(await unpackAll(JSON.parse(id("content").textContent)));
  } catch (error) {
    tellFailure(error);
  }
}

// Begin a show, and let the reader steer it; raises an error where the browser draws no pictures.
function perform(content) {
  const painter = new Painter(id("picture"));
  for (const { scene } of content.creatures) painter.load(scene);
  const show = new Show(content, painter);
  connectButtons(show);
  connectPointers(id("picture"), show);
  connectKeys(show);
  connectNetwork(show);
  id("picture").addEventListener("webglcontextlost", (event) => event.preventDefault());
  id("picture").addEventListener("webglcontextrestored", () => location.reload());
  requestAnimationFrame((now) => show.frame(now));
  return show;
}

function tellFailure(error) {
  id("stage").classList.add("failed");
  id("caption").textContent = `No pictures here: ${error.message}. What they would show is listed below.`;
  id("about").open = true;
}
