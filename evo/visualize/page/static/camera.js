// A camera that orbits a point, in MuJoCo's convention: azimuth 90 looks along +y, a negative elevation looks down.

class OrbitCamera {
  constructor([distance, azimuth, elevation, fovy]) {
    this.home = { azimuth, elevation };
    this.distance = distance;
    this.fovy = fovy;
    this.follows = true;
    this.target = [0, 0, 0];
    this.reset();
  }

  reset() {
    Object.assign(this, this.home, { zoomed: 1, follows: true });
  }

  // Degrees.
  orbit(turn, lift) {
    this.azimuth = (this.azimuth + turn) % 360;
    this.elevation = clamp(this.elevation + lift, -89, 30);
  }

  zoom(factor) {
    this.zoomed = clamp(this.zoomed * factor, 0.1, 20);
  }

  // Look at the middle of some points, from far enough to see them all.
  follow(points, aspect) {
    if (!this.follows || !points.every((point) => point.every(Number.isFinite))) return;
    const low = [0, 1, 2].map((axis) => Math.min(...points.map((point) => point[axis])));
    const high = [0, 1, 2].map((axis) => Math.max(...points.map((point) => point[axis])));
    this.target = low.map((value, axis) => (value + high[axis]) / 2);
    this.spread = Math.hypot(...low.map((value, axis) => high[axis] - value));
    this.narrow = Math.max(1, 1.3 / aspect); // on a tall picture the sides are near
  }

  get axes() {
    const turn = (this.azimuth * Math.PI) / 180, lift = (this.elevation * Math.PI) / 180;
    const forward = [Math.cos(lift) * Math.cos(turn), Math.cos(lift) * Math.sin(turn), Math.sin(lift)];
    const right = [Math.sin(turn), -Math.cos(turn), 0];
    const distance = (this.distance + 0.9 * (this.spread || 0)) * (this.narrow || 1) * this.zoomed;
    return { eye: add(this.target, forward, -distance), forward, right, up: cross(right, forward), distance };
  }
}
