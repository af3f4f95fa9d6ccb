// Vectors are arrays of three numbers; a matrix of 16 is in columns, as WebGL takes it.

const add = (a, b, share = 1) => [a[0] + share * b[0], a[1] + share * b[1], a[2] + share * b[2]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// The rotation of a quaternion (w, x, y, z) of any length, nine numbers in columns.
function rotation(w, x, y, z) {
  const scale = 2 / (w * w + x * x + y * y + z * z);
  return [
    1 - scale * (y * y + z * z), scale * (x * y + w * z), scale * (x * z - w * y),
    scale * (x * y - w * z), 1 - scale * (x * x + z * z), scale * (y * z + w * x),
    scale * (x * z + w * y), scale * (y * z - w * x), 1 - scale * (x * x + y * y),
  ];
}

// World to clip coordinates, from rows of axes and the eye: clip = projection * (axes * (world - eye)).
function lookThrough(eye, right, up, forward, project) {
  const matrix = new Float32Array(16);
  const { x, y, depth, shift, divide } = project;
  const rows = [
    [...right.map((value) => x * value), -x * dot(right, eye)],
    [...up.map((value) => y * value), -y * dot(up, eye)],
    [...forward.map((value) => depth * value), -depth * dot(forward, eye) + shift],
    divide ? [...forward, -dot(forward, eye)] : [0, 0, 0, 1],
  ];
  for (let row = 0; row < 4; row++) for (let column = 0; column < 4; column++) matrix[4 * column + row] = rows[row][column];
  return matrix;
}

function perspective(fovy, aspect, near, far) {
  const y = 1 / Math.tan((fovy * Math.PI) / 360);
  return { x: y / aspect, y, depth: (far + near) / (far - near), shift: (-2 * far * near) / (far - near), divide: true };
}

// A box around the eye, by its half sizes.
function parallel(right, up, forward) {
  return { x: 1 / right, y: 1 / up, depth: 1 / forward, shift: 0, divide: false };
}
