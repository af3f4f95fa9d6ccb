// Triangles of the geoms. A vertex has a position, a normal and the end, -1 to 1, that it is moved towards where a
// capsule is stretched. Without a normal (0, 0, 0) a triangle is flat.

const FINE = 32, COARSE = 12; // corners of a circle: in the picture, and in shadows and of what is small

function solid(vertices, faces) {
  return { vertices: new Float32Array(vertices.flat()), faces: new Uint32Array(faces.flat()) };
}

// Rows of points around the z axis, joined by quadrilaterals.
function revolved(rows, corners) {
  const vertices = [], faces = [];
  for (const { radius, height, out, up, end } of rows) {
    for (let step = 0; step <= corners; step++) {
      const angle = (2 * Math.PI * step) / corners;
      const x = Math.cos(angle), y = Math.sin(angle);
      vertices.push([radius * x, radius * y, height, out * x, out * y, up, end]);
    }
  }
  for (let row = 0; row + 1 < rows.length; row++) {
    if (rows[row].apart) continue;
    for (let step = 0; step < corners; step++) {
      const a = row * (corners + 1) + step, b = a + corners + 1;
      faces.push([a, a + 1, b], [a + 1, b + 1, b]);
    }
  }
  return solid(vertices, faces);
}

// A ball of radius one whose halves may be moved apart.
function ball(corners) {
  const rows = [], half = corners / 4;
  for (const end of [-1, 1]) {
    for (let step = 0; step <= half; step++) {
      const angle = (Math.PI / 2) * (end < 0 ? step / half - 1 : step / half);
      const radius = Math.cos(angle), height = Math.sin(angle);
      rows.push({ radius, height, out: radius, up: height, end });
    }
  }
  return revolved(rows, corners);
}

// Radius one, half height one.
function cylinder(corners) {
  return revolved([
    { radius: 0, height: -1, out: 0, up: -1, end: 0 },
    { radius: 1, height: -1, out: 0, up: -1, end: 0, apart: true },
    { radius: 1, height: -1, out: 1, up: 0, end: 0 },
    { radius: 1, height: 1, out: 1, up: 0, end: 0, apart: true },
    { radius: 1, height: 1, out: 0, up: 1, end: 0 },
    { radius: 0, height: 1, out: 0, up: 1, end: 0 },
  ], corners);
}

// A square of half side one, seen from above.
function square() {
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
  return solid(corners.map(([x, y]) => [x, y, 0, 0, 0, 1, 0]), [[0, 1, 2], [0, 2, 3]]);
}

function box() {
  const vertices = [], faces = [];
  for (let axis = 0; axis < 3; axis++) {
    for (const side of [-1, 1]) {
      const first = vertices.length;
      for (const [u, v] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
        const point = [0, 0, 0], normal = [0, 0, 0];
        [point[axis], point[(axis + 1) % 3], point[(axis + 2) % 3]] = [side, u * side, v];
        normal[axis] = side;
        vertices.push([...point, ...normal, 0]);
      }
      faces.push([first, first + 1, first + 2], [first, first + 2, first + 3]);
    }
  }
  return solid(vertices, faces);
}

function mesh({ vertices, faces }) {
  const points = new Float32Array((7 * vertices.length) / 3);
  for (let point = 0; 3 * point < vertices.length; point++) {
    points.set(vertices.subarray(3 * point, 3 * point + 3), 7 * point);
  }
  return { vertices: points, faces };
}

// A height field with its four walls and its base; cells are divided as MuJoCo divides them.
function field({ size, heights }) {
  const [rows, columns] = heights.shape;
  const vertices = [], faces = [];
  const at = (row, column, height) => [
    size[0] * ((2 * column) / (columns - 1) - 1), size[1] * ((2 * row) / (rows - 1) - 1), height, 0, 0, 0, 0,
  ];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) vertices.push(at(row, column, heights[row * columns + column]));
  }
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const a = row * columns + column, b = a + columns;
      faces.push([a, a + 1, b + 1], [a, b + 1, b]);
    }
  }
  const wall = (edge) => {
    edge.forEach(([row, column], place) => {
      const top = row * columns + column;
      vertices.push(at(row, column, -size[3]));
      const low = vertices.length - 1;
      if (place > 0) {
        const before = edge[place - 1][0] * columns + edge[place - 1][1];
        faces.push([low - 1, low, top], [low - 1, top, before]);
      }
    });
  };
  const across = [...Array(columns).keys()], along = [...Array(rows).keys()];
  wall(across.map((column) => [0, column]));
  wall(along.map((row) => [row, columns - 1]));
  wall(across.map((column) => [rows - 1, columns - 1 - column]));
  wall(along.map((row) => [rows - 1 - row, 0]));
  const base = vertices.length;
  for (const [row, column] of [[0, 0], [rows - 1, 0], [rows - 1, columns - 1], [0, columns - 1]]) vertices.push(at(row, column, -size[3]));
  faces.push([base, base + 1, base + 2], [base, base + 2, base + 3]);
  return solid(vertices, faces);
}

const SOLIDS = {
  ball: () => ball(FINE), cylinder: () => cylinder(FINE), square, box,
  "coarse ball": () => ball(COARSE), "coarse cylinder": () => cylinder(COARSE),
};
const SMALL = 5; // pixels: the radius of what is drawn coarsely
const UNBOUNDED = 1e3; // metres: half sides of a plane that has none

// Which solid draws a geom, its scale, and how far a capsule's ends are moved apart.
function formOf({ kind, size, shape }) {
  const [x, y, z] = size;
  switch (kind) {
    case "sphere": return { solid: "ball", scale: [x, x, x], stretch: 0 };
    case "capsule": return { solid: "ball", scale: [x, x, x], stretch: y };
    case "ellipsoid": return { solid: "ball", scale: size, stretch: 0 };
    case "cylinder": return { solid: "cylinder", scale: [x, x, y], stretch: 0 };
    case "box": return { solid: "box", scale: size, stretch: 0 };
    case "plane": return { solid: "square", scale: [x || UNBOUNDED, y || UNBOUNDED, 1], stretch: 0 };
    default: return { solid: shape, scale: [1, 1, 1], stretch: 0 };
  }
}
