// What the reader does, by mouse, finger and keyboard, turned into changes of the show (see main.js).

const id = (name) => document.getElementById(name);

function connectButtons(show) {
  id("play").addEventListener("click", () => show.play(!show.playing));
  id("time").addEventListener("input", () => show.scrub((show.length * id("time").value) / id("time").max));
  id("speed").addEventListener("change", () => { show.speed = Number(id("speed").value); });
  id("fossil").addEventListener("input", () => show.choose(id("fossil").value / Math.max(1, id("fossil").max)));
  id("home").addEventListener("click", () => show.reset());
  for (const name of ["follow", "together", "contacts", "effort", "network"]) {
    id(name).addEventListener("click", () => show.toggle(name));
  }
}

const DEGREES = 0.35; // turned by a pixel
const TURN = 6; // degrees, turned by a key

function connectPointers(canvas, show) {
  const fingers = new Map();
  const gap = () => {
    const [one, other] = [...fingers.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const apart = fingers.size === 2 ? gap() : 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 2) show.zoom(apart / Math.max(1, gap()));
    else if (fingers.size === 1) show.orbit(-DEGREES * (event.clientX - before.x), -DEGREES * (event.clientY - before.y));
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    show.zoom(Math.exp(clamp(event.deltaY, -200, 200) * 0.0015));
  }, { passive: false });
}

function connectKeys(show) {
  const keys = {
    " ": () => show.play(!show.playing), k: () => show.play(!show.playing),
    ",": () => show.step(-1), ".": () => show.step(1),
    "[": () => show.turnTo(-1), "]": () => show.turnTo(1),
    ArrowLeft: () => show.orbit(-TURN, 0), ArrowRight: () => show.orbit(TURN, 0),
    ArrowUp: () => show.orbit(0, -TURN), ArrowDown: () => show.orbit(0, TURN),
    "+": () => show.zoom(0.9), "=": () => show.zoom(0.9), "-": () => show.zoom(1 / 0.9),
    f: () => show.toggle("follow"), l: () => show.toggle("together"), c: () => show.toggle("contacts"),
    e: () => show.toggle("effort"), n: () => show.toggle("network"), 0: () => show.scrub(0), Home: () => show.reset(),
  };
  document.addEventListener("keydown", (event) => {
    const { tagName } = event.target;
    const own = tagName === "INPUT" || tagName === "SELECT" ? /^(Arrow.*|Home|End|Page.*)$/ : /^$/;
    const press = event.key === " " && ["BUTTON", "SUMMARY", "SELECT"].includes(tagName);
    if (event.ctrlKey || event.metaKey || event.altKey || own.test(event.key) || press) return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
