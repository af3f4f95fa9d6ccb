// Time and lanes: which recorded state is shown, and where each creature stands. No drawing.

// Seconds from the first state to the last.
const durationOf = ({ creature, episode }) => (episode.poses.shape[0] - 1) * creature.scene.period;

// The states around a moment: the earlier one, the later one, and the share of the way between them. A still picture
// shows a recorded state exactly.
function stateAt(actor, seconds, still) {
  const last = actor.episode.poses.shape[0] - 1;
  const place = clamp(seconds / actor.creature.scene.period, 0, last);
  const before = still ? Math.round(place) : Math.floor(place + 1e-9);
  return { before, after: Math.min(before + 1, last), share: still ? 0 : clamp(place - before, 0, 1) };
}

// A geom's pose, seven numbers: as recorded at a state, or between two states.
function poseOf(episode, geom, { before, after, share }) {
  const { poses } = episode, geoms = poses.shape[1];
  const from = 7 * (before * geoms + geom);
  if (share === 0) return poses.subarray(from, from + 7);
  const to = 7 * (after * geoms + geom), pose = new Float32Array(7);
  let alike = 0;
  for (let part = 3; part < 7; part++) alike += poses[from + part] * poses[to + part];
  const sign = alike < 0 ? -1 : 1; // a quaternion and its negative are one rotation
  for (let part = 0; part < 7; part++) {
    const goal = part < 3 ? poses[to + part] : sign * poses[to + part];
    pose[part] = poses[from + part] + share * (goal - poses[from + part]);
  }
  return pose;
}

// Where the camera looks at a creature.
function targetOf({ episode, offset }, { before, after, share }) {
  const at = (state) => episode.path.subarray(3 * state, 3 * state + 3);
  return add(offset, add(at(before), add(at(after), at(before), -1), share));
}

// What is on the stage: each creature at the chosen share of its learning, 0 to 1, or one creature at all of its
// fossils; in lanes across the direction in which creatures walk.
function cast(creatures, chosen, together) {
  const actors = together && creatures.length === 1
    ? creatures[0].episodes.map((episode) => ({ creature: creatures[0], episode, name: episode.label }))
    : creatures.map((creature) => ({ creature, episode: episodeAt(creature, chosen), name: creature.name }));
  const lane = Math.max(...creatures.map((creature) => creature.lane));
  actors.forEach((actor, place) => { actor.offset = [0, lane * ((actors.length - 1) / 2 - place), 0]; });
  return actors;
}

const episodeAt = ({ episodes }, chosen) => episodes[Math.round(chosen * (episodes.length - 1))];

// The next moment of a clock that starts again at the end.
function advance(seconds, passed, length) {
  const next = seconds + passed;
  if (length <= 0) return 0;
  return next > length + 0.6 ? 0 : next; // it rests for a moment on the last state
}

const number = (value) =>
  value === null || !Number.isFinite(value) ? "–" : value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 });
