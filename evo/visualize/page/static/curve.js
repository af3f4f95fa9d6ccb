// The fitness curve with a cursor at each creature's fossil, as SVG.

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 320, HIGH = 110, EDGE = 8;

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// The step count and mean fitness where a generation ended.
function pointAt(curve, generation) {
  let nearest = 0;
  curve.generation.forEach((each, row) => {
    if (Math.abs(each - generation) < Math.abs(curve.generation[nearest] - generation)) nearest = row;
  });
  return [curve.steps[nearest], curve.mean[nearest]];
}

class FitnessCurve {
  constructor(svg, creatures, choose) {
    this.svg = svg;
    this.creatures = creatures.filter(({ curve }) => curve);
    const columns = (name) => this.creatures.flatMap(({ curve }) => curve[name]).filter((value) => value !== null);
    const heights = [...columns("best"), ...columns("mean")], steps = columns("steps");
    svg.replaceChildren(); // of an earlier curve
    svg.toggleAttribute("hidden", heights.length < 2);
    if (heights.length < 2) return;
    [this.left, this.right] = [Math.min(...steps), Math.max(...steps)];
    [this.low, this.high] = [Math.min(...heights), Math.max(...heights)];
    svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
    this.creatures.forEach(({ curve }, index) => {
      for (const column of ["best", "mean"]) {
        const points = curve.steps.map((step, row) => [step, curve[column][row]]).filter((pair) => !pair.includes(null));
        const text = points.map((pair) => this.place(pair).map((value) => value.toFixed(1)).join()).join(" ");
        element("polyline", { points: text, class: `${column} colour${index % 6}` }, svg);
      }
    });
    const last = this.creatures[0].curve;
    element("text", { x: EDGE, y: 12 }, svg, `fitness ${number(this.low)} to ${number(this.high)}`);
    element("text", { x: WIDE - EDGE, y: HIGH - 2, class: "right" }, svg, `${number(this.right)} ${last.unit}s`);
    this.cursors = this.creatures.map((_, index) => [
      element("line", { y1: EDGE, y2: HIGH - EDGE, class: `cursor colour${index % 6}` }, svg),
      element("circle", { r: 4, class: `dot colour${index % 6}` }, svg),
    ]);
    svg.onclick = (event) => {
      const box = svg.getBoundingClientRect();
      const across = ((event.clientX - box.left) / box.width) * WIDE;
      choose(this.left + ((across - EDGE) / (WIDE - 2 * EDGE)) * (this.right - this.left));
    };
  }

  // Halves: a difference of two large numbers may overflow.
  place([step, fitness]) {
    const across = (step - this.left) / (this.right - this.left || 1);
    const rise = (fitness / 2 - this.low / 2) / (this.high / 2 - this.low / 2 || 1);
    return [EDGE + across * (WIDE - 2 * EDGE), HIGH - EDGE - rise * (HIGH - 2 * EDGE - 8)];
  }

  // Move the cursors to the fossils shown: one generation for each creature with a curve.
  point(episodeOf) {
    if (!this.cursors) return;
    this.creatures.forEach((creature, index) => {
      const [step, fitness] = pointAt(creature.curve, episodeOf(creature).generation);
      const [x, y] = this.place([step, fitness === null ? this.low : fitness]);
      const [line, dot] = this.cursors[index];
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", y);
    });
  }
}
