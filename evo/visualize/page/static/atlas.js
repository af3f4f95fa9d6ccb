// The map of an atlas: cells in the colours of their elites' returns. The chosen elite walks, or the nearest that does.

// viridis, by nine of its colours (S. van der Walt & N. Smith 2015)
const VIRIDIS = ["440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725"]
  .map((text) => [0, 2, 4].map((place) => parseInt(text.slice(place, place + 2), 16)));
const FRAME = { left: 10, top: 3, side: 100, right: 4, bottom: 22 }; // the map's square and what is written around it

function shadeOf(share) {
  const place = clamp(share, 0, 1) * (VIRIDIS.length - 1), from = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const mixed = add(VIRIDIS[from], add(VIRIDIS[from + 1], VIRIDIS[from], -1), place - from);
  return `rgb(${mixed.map(Math.round).join()})`;
}

class Atlas {
  constructor(map) {
    Object.assign(this, map);
    this.columns = [...this.names.map((_, one) => this.measures.map((row) => row[one])), this.returns];
    this.titles = [...this.names, "return on held-out episodes"];
    this.known = this.returns.filter((value) => value !== null);
    [this.low, this.high] = this.known.length ? [Math.min(...this.known), Math.max(...this.known)] : [0, 0];
    // scaled measures, in which elites are near or far
    this.units = this.measures.map((row) => row.map((value, one) => {
      const [from, to] = this.ranges[one];
      return value === null ? 0.5 : (value - from) / (to - from);
    }));
    this.flat = this.outlines.length > 0;
    this.axes = [0, 1];
    this.build();
    this.draw();
    const best = this.walking.reduce((one, other) => ((this.returns[other] ?? -Infinity) > (this.returns[one] ?? -Infinity) ? other : one));
    this.choose(best);
  }

  build() {
    const part = document.createElement("section");
    part.id = "atlas";
    this.svg = document.createElementNS(SVG, "svg");
    const width = FRAME.left + FRAME.side + FRAME.right, height = FRAME.top + FRAME.side + FRAME.bottom;
    const label = `Map of ${this.labels.length} elites by ${this.names.join(", ")}. Arrow keys go to the next elite in a direction.`;
    const attributes = { id: "map", viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "application", "aria-label": label, "aria-describedby": "told" };
    for (const [key, value] of Object.entries(attributes)) this.svg.setAttribute(key, value);
    this.told = document.createElement("p");
    this.told.id = "told";
    this.told.setAttribute("aria-live", "polite");
    part.append(this.svg, ...(this.flat ? [] : [this.axisChoice()]), this.told);
    for (const line of this.notes) {
      const note = document.createElement("p");
      note.className = "hint";
      note.textContent = line;
      part.append(note);
    }
    document.querySelector("h1").after(part);
    this.svg.addEventListener("click", (event) => this.pointAt(event));
    this.svg.addEventListener("keydown", (event) => this.press(event));
  }

  // Which two measures span the map, where it has other than two.
  axisChoice() {
    const row = document.createElement("div");
    row.className = "row hint";
    this.axes.forEach((chosen, axis) => {
      const select = document.createElement("select");
      select.id = axis ? "up" : "along";
      select.setAttribute("aria-label", axis ? "what rises" : "what goes to the right");
      select.append(...this.titles.map((title, one) => new Option(title, one, one === chosen, one === chosen)));
      select.addEventListener("change", () => {
        this.axes[axis] = Number(select.value);
        this.draw();
        this.mark();
      });
      row.append(select);
    });
    return row;
  }

  // The ends of an axis: a measure's range, or the least and greatest return.
  ends(column) {
    return column < this.names.length ? this.ranges[column] : [this.low, this.high];
  }

  draw() {
    const { left, top, side } = FRAME, { svg } = this;
    svg.replaceChildren();
    element("rect", { x: left, y: top, width: side, height: side, class: "ground" }, svg);
    this.places = this.labels.map((_, elite) => this.axes.map((column) => {
      const [from, to] = this.ends(column), value = this.columns[column][elite];
      return value === null || to === from ? 0.5 : clamp((value - from) / (to - from), 0, 1);
    }));
    if (this.flat) this.places = this.outlines.map((corners) => [0, 1].map((axis) => mean(corners.filter((_, place) => place % 2 === axis))));
    const share = (value) => (this.high > this.low ? (value - this.low) / (this.high - this.low) : 0.5);
    // the fittest on top
    const order = this.labels.map((_, elite) => elite).sort((one, other) => (this.returns[one] ?? -Infinity) - (this.returns[other] ?? -Infinity));
    for (const elite of order) {
      const value = this.returns[elite], colour = value === null ? { class: "cell failed" } : { class: "cell", fill: shadeOf(share(value)) };
      const cell = this.shape(elite, { ...colour, "data-elite": elite });
      element("title", {}, cell, `cell ${this.labels[elite]}: ${number(value)}`);
    }
    for (const elite of this.walking) element("circle", { ...this.centre(elite), r: 0.9, class: "walker" }, svg);
    this.marks = [];
    this.label();
  }

  toMap([across, up]) {
    return [FRAME.left + FRAME.side * across, FRAME.top + FRAME.side * (1 - up)];
  }

  centre(elite) {
    const [cx, cy] = this.toMap(this.places[elite]);
    return { cx, cy };
  }

  // A cell by its outline; a dot where the map has no outlines.
  shape(elite, attributes) {
    if (!this.flat) return element("circle", { ...this.centre(elite), r: 1.8, ...attributes }, this.svg);
    const corners = this.outlines[elite], points = [];
    for (let place = 0; place < corners.length; place += 2) points.push(this.toMap(corners.slice(place, place + 2)).join());
    return element("polygon", { points: points.join(" "), ...attributes }, this.svg);
  }

  label() {
    const { left, top, side } = FRAME, bottom = top + side, right = left + side, { svg } = this;
    const [along, up] = this.axes.map((column) => this.ends(column));
    const text = (x, y, style, words, more = {}) => element("text", { x, y, class: style, ...more }, svg, words);
    text(left, bottom + 5.5, "", number(along[0]));
    text(right, bottom + 5.5, "end", number(along[1]));
    text(left + side / 2, bottom + 5.5, "middle", this.titles[this.axes[0]]);
    const turned = (y) => ({ transform: `rotate(-90 ${left - 2} ${y})` });
    text(left - 2, bottom, "", number(up[0]), turned(bottom));
    text(left - 2, top, "end", number(up[1]), turned(top));
    text(left - 2, top + side / 2, "middle", this.titles[this.axes[1]], turned(top + side / 2));
    for (let step = 0; step < 50; step++) {
      element("rect", { x: left + step, y: bottom + 10, width: 1.1, height: 3, fill: shadeOf(step / 49), "shape-rendering": "crispEdges" }, svg);
    }
    text(left, bottom + 18, "", number(this.low));
    text(left + 51, bottom + 18, "end", number(this.high));
    text(left + 54, bottom + 13, "", "held-out return");
  }

  // The cell under the pointer, else the elite nearest to it.
  pointAt(event) {
    const hit = event.target.closest?.("[data-elite]");
    if (hit) return this.choose(Number(hit.dataset.elite));
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    const pointed = [(place.x - FRAME.left) / FRAME.side, 1 - (place.y - FRAME.top) / FRAME.side];
    if (pointed.some((share) => share < 0 || share > 1)) return;
    this.choose(nearest(this.labels.keys(), (elite) => gap(this.places[elite], pointed)), "No elite is there; the nearest one: ");
  }

  press(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // the camera stays
    const [x, y] = this.places[this.chosen];
    const ahead = [...this.labels.keys()].filter((elite) => {
      const [right, up] = [this.places[elite][0] - x, this.places[elite][1] - y];
      const far = right * way[0] + up * way[1], aside = Math.abs(right * way[1]) + Math.abs(up * way[0]);
      return far > 1e-9 && far >= aside;
    });
    if (ahead.length) this.choose(nearest(ahead, (elite) => gap(this.places[elite], [x, y])));
  }

  choose(elite, before = "") {
    this.chosen = elite;
    this.shown = this.walking.includes(elite) ? elite : nearest(this.walking, (other) => gap(this.units[other], this.units[elite]));
    this.mark();
    const measures = this.names.map((name, one) => `${name} ${number(this.measures[elite][one])}`).join(", ");
    const walks = !this.show ? "" : this.shown === elite ? "It is shown walking." : `It does not walk here; the nearest that does is shown: cell ${this.labels[this.shown]}.`;
    this.told.textContent = `${before}Cell ${this.labels[elite]}: return ${number(this.returns[elite])} on held-out episodes, ${number(this.fitness[elite])} when it entered; ${measures}. ${walks}`;
    const { show } = this;
    if (show && this.shown !== this.playing()) {
      show.seconds = 0;
      show.choose(this.walking.indexOf(this.shown) / Math.max(1, this.walking.length - 1));
    }
  }

  mark() {
    for (const mark of this.marks) mark.remove();
    this.marks = [this.shape(this.chosen, { class: "chosen" })];
    if (this.shown !== this.chosen) this.marks.push(this.shape(this.shown, { class: "shown" }));
  }

  // The elite whose episode the show plays.
  playing() {
    return this.walking[Math.round(this.show.chosen * (this.walking.length - 1))];
  }

  // The slider of the show goes through the elites that walk.
  steer(show) {
    this.show = show;
    id("fossils").firstElementChild.textContent = "elite";
    id("together").hidden = true;
    show.onChosen = () => { if (this.playing() !== this.shown) this.choose(this.playing()); };
    this.choose(this.chosen);
  }
}

const gap = (one, other) => one.reduce((sum, value, axis) => sum + (value - other[axis]) ** 2, 0);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// The first of some elites of which a distance is least.
function nearest(elites, distance) {
  let found, least = Infinity;
  for (const elite of elites) {
    const far = distance(elite);
    if (far < least) [found, least] = [elite, far];
  }
  return found;
}

async function openAtlas() {
  let atlas;
  try {
    const content = JSON.parse(id("content").textContent);
    atlas = new Atlas(content.atlas);
    atlas.steer(perform(await unpackAll(content)));
  } catch (error) {
    tellFailure(error);
  }
  return atlas;
}
