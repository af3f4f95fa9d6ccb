// The network of an episode, drawn beside the creature: units in columns, coloured by what they do, and their links.

const ZERO = 128, MOST = 127; // codes of activity.py
const NAME = 10; // pixels of a letter's height
const SHADES = 8; // of links, from pale to full

// The codes of a unit's values are held as changes from step to step, modulo 256.
function codesOf({ changes }) {
  const [units, steps] = changes.shape, codes = new Uint8Array(changes.length);
  for (let unit = 0; unit < units; unit++) {
    let code = 0;
    for (let step = 0; step < steps; step++) {
      code = (code + changes[unit * steps + step]) & 255;
      codes[unit * steps + step] = code;
    }
  }
  return codes;
}

// The value of a unit at a state: the last state of an episode, in which nothing acts, shows the step before.
function valueAt(activity, unit, state) {
  activity.codes ??= codesOf(activity);
  const steps = activity.changes.shape[1];
  return steps ? (activity.codes[unit * steps + Math.min(state, steps - 1)] - ZERO) / MOST : 0;
}

// Where units stand in a picture, and how large they are, in pixels; names have room at both sides where they are legible.
function placeUnits({ columns, heights, gaps, names, inputs }, width, height, measure) {
  const last = Math.max(...columns), edge = 16, span = height - 2 * edge;
  const legible = (column) => gaps[column] * span >= NAME - 1.5;
  const shown = names.map((name, unit) => (legible(columns[unit]) ? name : ""));
  const room = (found) => Math.min(0.3 * width, Math.max(0, ...found.map((name) => (name ? measure(name) + 12 : 0))));
  const left = 12 + room(shown.slice(0, inputs)), right = 12 + room(shown.slice(inputs));
  const across = (width - left - right) / Math.max(last, 1);
  return columns.map((column, unit) => ({
    x: last ? left + across * column : width / 2, y: edge + heights[unit] * span, name: shown[unit],
    radius: clamp(Math.min(0.42 * gaps[column] * span, 0.2 * across), 1, 9), room: unit < inputs ? left : right,
  }));
}

// Four points of a link's curve: an S to the right, an arc for one that leads back, a loop.
function curveOf(from, to, height) {
  const up = from.y + to.y > height ? 1 : -1;
  if (from === to) {
    const side = from.radius, rise = 5 * up * side;
    return [from.x - side / 2, from.y, from.x - 3 * side, from.y + rise, from.x + 3 * side, from.y + rise, from.x + side / 2, from.y];
  }
  if (to.x > from.x) {
    const reach = 0.42 * (to.x - from.x);
    return [from.x, from.y, from.x + reach, from.y, to.x - reach, to.y, to.x, to.y];
  }
  const reach = 2 * from.radius + 0.15 * Math.abs(to.x - from.x) + 0.2 * Math.abs(to.y - from.y);
  const lift = (y) => clamp(y + up * (to.x === from.x ? 0 : 40), 4, height - 4), side = to.x === from.x ? -reach : reach;
  return [from.x, from.y, from.x + side, lift(from.y), to.x - reach, lift(to.y), to.x, to.y];
}

const blend = (one, other, share) => one.map((value, index) => Math.round(value + share * (other[index] - value)));
const toColour = (rgb, opacity = 1) => `rgba(${rgb.join()},${opacity})`;

class NetworkView {
  constructor() {
    this.canvas = id("graph");
    this.brush = this.canvas.getContext("2d");
    this.chosen = -1; // a unit that the reader asks about
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.forget());
    this.forget();
  }

  forget() {
    this.drawn = "";
    this.laid = null;
  }

  // Show the network of one of the actors: the reader's choice, or that of the episode chosen.
  present(actors, episode, wanted) {
    const owners = actors.filter((actor) => actor.episode.activity);
    id("whose").parentElement.hidden = owners.length < 2;
    id("activity").hidden = !wanted || !owners.length;
    id("network").hidden = !owners.length;
    this.actor = owners.find(({ name }) => name === this.name) ?? owners.find((actor) => actor.episode === episode) ?? owners[0];
    this.forget();
    if (!this.actor) return;
    const options = owners.map(({ name }) => new Option(name, name, false, name === this.actor.name));
    id("whose").replaceChildren(...options);
    const { activity, label } = this.actor.episode;
    id("units").textContent = activity.said;
    this.canvas.setAttribute("aria-label", `Network of ${this.actor.creature.name}, ${label}: ${activity.said}. Arrow keys go from unit to unit.`);
    if (this.chosen >= activity.columns.length) this.chosen = -1;
    this.tell();
  }

  // Draw the state of its actor, where anything has changed.
  draw() {
    if (id("activity").hidden || !this.actor?.state) return;
    const { canvas } = this, sharp = Math.min(devicePixelRatio, 2), state = this.actor.state.before;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    const drawn = [width, height, sharp, state, this.chosen].join();
    if (drawn === this.drawn || !width || !height) return;
    this.drawn = drawn;
    if (!this.laid || this.laid.width !== width || this.laid.height !== height) this.lay(width, height, sharp);
    const { brush } = this, { activity } = this.actor.episode;
    const values = activity.columns.map((_, unit) => valueAt(activity, unit, state));
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(this.laid.still, 0, 0);
    brush.setTransform(sharp, 0, 0, sharp, 0, 0);
    this.drawLinks(values);
    this.drawUnits(values);
    this.tell();
  }

  // What stays: where all is, and a picture of names and pale links.
  lay(width, height, sharp) {
    const { canvas } = this, { activity } = this.actor.episode, style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    Object.assign(canvas, { width: Math.round(width * sharp), height: Math.round(height * sharp) });
    const still = document.createElement("canvas"), brush = still.getContext("2d");
    Object.assign(still, { width: canvas.width, height: canvas.height });
    brush.setTransform(sharp, 0, 0, sharp, 0, 0);
    brush.font = `${NAME}px ${getComputedStyle(document.body).fontFamily}`;
    const units = placeUnits(activity, width, height, (name) => brush.measureText(name).width);
    const colours = { plus: colour("--plus"), minus: colour("--minus"), rest: colour("--rest"), ink: colour("--ink"), muted: colour("--muted") };
    const crowd = clamp(150 / Math.max(1, activity.weights.length), 0.05, 1); // many links are paler and thinner
    const links = [...activity.weights].map((code, link) => {
      const weight = (code - ZERO) / MOST, source = activity.sources[link], target = activity.targets[link];
      return {
        source, target, strength: Math.abs(weight), sign: weight < 0 ? "minus" : "plus",
        curve: curveOf(units[source], units[target], height),
        wide: (0.5 + 2.2 * Math.abs(weight)) * crowd ** 0.3, opacity: clamp((0.3 + 0.7 * Math.abs(weight)) * crowd ** 0.35, 0.05, 1),
      };
    });
    this.laid = { width, height, still, units, links, colours };
    for (const link of links) this.stroke(brush, [link], link.wide, toColour(colours[link.sign], 0.2 * link.opacity));
    brush.textBaseline = "middle";
    brush.fillStyle = toColour(colours.ink);
    units.forEach((unit, index) => {
      if (!unit.name) return;
      const within = index < activity.inputs, away = unit.radius + 5;
      brush.textAlign = within ? "right" : "left";
      brush.fillText(unit.name, unit.x + (within ? -away : away), unit.y, unit.room - 8);
    });
  }

  stroke(brush, links, wide, colour) {
    brush.beginPath();
    for (const { curve: [x, y, ...rest] } of links) {
      brush.moveTo(x, y);
      brush.bezierCurveTo(...rest);
    }
    brush.lineWidth = wide;
    brush.strokeStyle = colour;
    brush.stroke();
  }

  // Links by what they carry: of about the same colour, width and shade together.
  drawLinks(values) {
    const groups = new Map(), { links, colours } = this.laid;
    for (const link of links) {
      const own = this.chosen === link.source || this.chosen === link.target;
      const carried = Math.sqrt(link.strength * Math.abs(values[link.source])) * (this.chosen < 0 || own ? 1 : 0.25);
      const shade = own ? SHADES : Math.round(SHADES * carried * link.opacity);
      if (!shade) continue;
      const key = `${link.sign} ${shade} ${Math.round(2 * link.wide)}`;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(link);
    }
    for (const [key, found] of groups) {
      const [sign, shade, wide] = key.split(" ");
      this.stroke(this.brush, found, wide / 2, toColour(colours[sign], shade / SHADES));
    }
  }

  drawUnits(values) {
    const { brush } = this, { units, colours } = this.laid;
    values.forEach((value, index) => {
      const { x, y, radius } = units[index], full = colours[value < 0 ? "minus" : "plus"], share = Math.abs(value);
      const disc = (size, colour) => {
        brush.fillStyle = colour;
        brush.beginPath();
        brush.arc(x, y, size, 0, 2 * Math.PI);
        brush.fill();
      };
      if (share > 0.1 && radius > 2) disc(radius * 1.7, toColour(full, 0.3 * share)); // a glow
      disc(radius, toColour(blend(colours.rest, full, share)));
      brush.lineWidth = index === this.chosen ? 2 : 0.8;
      brush.strokeStyle = toColour(index === this.chosen ? colours.ink : colours.muted);
      brush.stroke();
    });
  }

  // Say what the chosen unit does.
  tell() {
    if (!this.actor?.state || this.chosen < 0) return void (id("unit").textContent = "");
    const { activity } = this.actor.episode, unit = this.chosen, name = activity.names[unit];
    const value = valueAt(activity, unit, this.actor.state.before) * activity.scales[unit];
    const kind = unit < activity.inputs ? "input" : name ? "output" : "hidden unit";
    id("unit").textContent = `${kind} ${name || `${unit - activity.inputs + 1}`}: ${Number(value.toPrecision(2))}`;
  }

  // The unit nearest to a place, within some pixels; -1 for none.
  unitAt(x, y) {
    const gaps = (this.laid?.units ?? []).map((unit) => Math.hypot(unit.x - x, unit.y - y) - unit.radius);
    const nearest = Math.min(12, ...gaps);
    return gaps.indexOf(nearest);
  }

  // The next unit of its column, or the nearest in height of another column.
  neighbour(columns, along) {
    const { activity } = this.actor.episode, units = activity.columns.map((column, unit) => ({ column, unit, height: activity.heights[unit] }));
    if (this.chosen < 0) return 0;
    const here = units[this.chosen];
    const others = units.filter(({ column, height }) => column === here.column + columns && (columns || along * (height - here.height) > 0));
    others.sort((a, b) => Math.abs(a.height - here.height) - Math.abs(b.height - here.height));
    return others.length ? others[0].unit : this.chosen;
  }
}

function connectNetwork(show) {
  const { network } = show, { canvas } = network;
  const choose = (unit) => {
    network.chosen = unit;
    show.changed = true;
  };
  const point = (event) => choose(network.unitAt(event.offsetX, event.offsetY));
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") choose(-1); });
  canvas.addEventListener("blur", () => choose(-1));
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere arrows turn the camera
    choose(network.neighbour(...moves[event.key]));
  });
  id("whose").addEventListener("change", () => {
    network.name = id("whose").value;
    show.choose(show.chosen);
  });
}
