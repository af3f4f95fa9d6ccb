// WebGL2: first the depths seen from the sun, then the sky, the floors and the geoms.

const SHADE = 1024; // side of the shadow map
const HOT = [0.85, 0.06, 0.02]; // colour of a joint that is driven as hard as it can be
const SUN_RIGHT = (([x, y]) => [y / Math.hypot(x, y), -x / Math.hypot(x, y), 0])(SUN);

class Painter {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: false });
    if (!gl) throw new Error("this browser draws no WebGL2");
    this.gl = gl;
    this.canvas = canvas;
    const heading = "#version 300 es\nprecision highp float;\nprecision highp int;\n";
    const coloured = (name) => heading + SHADERS.style + SHADERS.light + SHADERS[name];
    this.solids = this.program(heading + SHADERS["solid.vert"], coloured("solid.frag"));
    this.depths = this.program(heading + SHADERS["solid.vert"], heading + SHADERS["depth.frag"]);
    this.grounds = this.program(heading + SHADERS["ground.vert"], coloured("ground.frag"));
    this.buffers = new Map(Object.entries(SOLIDS).map(([name, make]) => [name, this.upload(make())]));
    this.shade = this.shadowMap();
    this.empty = gl.createVertexArray();
  }

  // Upload the shapes of a scene, which it names beside the solids.
  load(scene) {
    const shapes = Object.entries(scene.shapes);
    scene.buffers = new Map([...this.buffers, ...shapes.map(([name, shape]) => [name, this.upload(shape.faces ? mesh(shape) : field(shape))])]);
  }

  program(vertex, fragment) {
    const { gl } = this, program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) || "a lost context");
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "a lost context");
    const places = {};
    for (let index = 0; index < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); index++) {
      const { name, type } = gl.getActiveUniform(program, index);
      places[name] = [gl.getUniformLocation(program, name), type];
    }
    return { program, places };
  }

  upload({ vertices, faces }) {
    const { gl } = this, array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, vertices, gl.STATIC_DRAW);
    [[0, 3, 0], [1, 3, 12], [2, 1, 24]].forEach(([index, size, offset]) => {
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, size, gl.FLOAT, false, 28, offset);
    });
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, faces, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    return { array, count: faces.length };
  }

  shadowMap() {
    const { gl } = this, texture = gl.createTexture(), frame = gl.createFramebuffer();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.DEPTH_COMPONENT24, SHADE, SHADE);
    const settings = {
      TEXTURE_MIN_FILTER: gl.LINEAR, TEXTURE_MAG_FILTER: gl.LINEAR, TEXTURE_COMPARE_MODE: gl.COMPARE_REF_TO_TEXTURE,
      TEXTURE_COMPARE_FUNC: gl.LEQUAL, TEXTURE_WRAP_S: gl.CLAMP_TO_EDGE, TEXTURE_WRAP_T: gl.CLAMP_TO_EDGE,
    };
    for (const [name, value] of Object.entries(settings)) gl.texParameteri(gl.TEXTURE_2D, gl[name], value);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.TEXTURE_2D, texture, 0);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    return { texture, frame };
  }

  set(uniforms) {
    const { gl } = this;
    for (const [name, value] of Object.entries(uniforms)) {
      if (!(name in this.current.places)) continue;
      const [place, type] = this.current.places[name];
      if (type === gl.FLOAT_MAT4) gl.uniformMatrix4fv(place, false, value);
      else if (type === gl.FLOAT_MAT3) gl.uniformMatrix3fv(place, false, value);
      else if (type === gl.FLOAT_VEC3) gl.uniform3fv(place, value);
      else if (type === gl.FLOAT_VEC2) gl.uniform2fv(place, value);
      else if (type === gl.FLOAT) gl.uniform1f(place, value);
      else gl.uniform1i(place, value);
    }
  }

  use(program, uniforms) {
    this.current = program;
    this.gl.useProgram(program.program);
    this.set(uniforms);
  }

  // Draw actors, each with its state (see playback.js). marks: whether contacts glow and efforts colour the geoms.
  draw(actors, camera, marks) {
    const { gl, canvas } = this;
    const { eye, forward, right, up, distance } = camera.axes;
    const aspect = canvas.width / canvas.height, height = Math.tan((camera.fovy * Math.PI) / 360);
    const near = Math.max(distance / 100, 1e-4), far = distance * 400;
    const toClip = lookThrough(eye, right, up, forward, perspective(camera.fovy, aspect, near, far));
    const geoms = actors.flatMap((actor) => placed(actor, marks));
    const { toSun, coarse } = sunOn(geoms.filter(({ casts, moves }) => casts && moves));
    this.drawDepths(geoms, toSun);

    gl.bindTexture(gl.TEXTURE_2D, this.shade.texture);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.depthMask(true);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE);
    const shared = { eye, toClip, toSun, texel: 1 / SHADE, shade: 0, pixel: (2 * height) / canvas.height };
    const squares = 1 / actors[0].creature.scene.square;
    this.use(this.grounds, { ...shared, forward, right, up, sight: [height * aspect, height], squares });
    gl.bindVertexArray(this.empty);
    const floors = actors.flatMap(({ creature, offset }) => creature.scene.still
      .filter(({ kind }) => kind === "plane")
      .map(({ pose, opacity }) => ({ place: add(offset, pose), normal: rotation(...pose.slice(3)).slice(6), opacity })));
    const unlike = floors.filter((floor, index) => floors.findIndex((other) => sameFloor(other, floor)) === index);
    const nothing = { place: [0, 0, 0], normal: [0, 0, 0], opacity: 1 };
    for (const [index, floor] of (unlike.length ? unlike : [nothing]).entries()) {
      this.set({ ...floor, sky: index === 0 });
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
    this.use(this.solids, { ...shared, bias: coarse / SHADE });
    const clear = geoms.filter(({ opacity }) => opacity < 1);
    const behind = ({ place }) => dot(forward, add(place, eye, -1));
    for (const geom of [...geoms.filter(({ opacity }) => opacity >= 1), ...clear.sort((a, b) => behind(b) - behind(a))]) {
      gl.depthMask(geom.opacity >= 1);
      this.set(geom);
      this.drawSolid(geom.bound < SMALL * shared.pixel * behind(geom) ? geom.coarse : geom.buffer);
    }
    gl.depthMask(true);
  }

  drawDepths(geoms, toSun) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.shade.frame);
    gl.viewport(0, 0, SHADE, SHADE);
    gl.depthMask(true);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.CULL_FACE);
    gl.enable(gl.POLYGON_OFFSET_FILL);
    gl.polygonOffset(1.5, 4);
    this.use(this.depths, { toClip: toSun });
    for (const geom of geoms) {
      if (!geom.casts) continue;
      this.set(geom);
      this.drawSolid(geom.coarse);
    }
    gl.disable(gl.POLYGON_OFFSET_FILL);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  drawSolid(buffer) {
    this.gl.bindVertexArray(buffer.array);
    this.gl.drawElements(this.gl.TRIANGLES, buffer.count, this.gl.UNSIGNED_INT, 0);
  }
}

// The sun's view of what casts a shadow, and how coarse it is: the metres that its picture is wide. What lies outside
// of it is lit; what stands still casts a shadow within it alone.
function sunOn(casters) {
  const away = SUN.map((value) => -value), axes = [SUN_RIGHT, cross(SUN_RIGHT, away), away];
  const low = [1e9, 1e9, 1e9], high = [-1e9, -1e9, -1e9];
  for (const { place, bound } of casters) {
    axes.forEach((axis, index) => {
      low[index] = Math.min(low[index], dot(place, axis) - bound);
      high[index] = Math.max(high[index], dot(place, axis) + bound);
    });
  }
  if (!casters.length) low.fill(-1), high.fill(1);
  const middle = low.map((value, index) => (value + high[index]) / 2);
  const half = low.map((value, index) => 1.03 * (high[index] - value) / 2 + 1e-6);
  half[2] += 2 * Math.max(half[0], half[1]);
  const eye = axes.reduce((sum, axis, index) => add(sum, axis, middle[index]), [0, 0, 0]);
  return { toSun: lookThrough(eye, ...axes, parallel(...half)), coarse: 2 * Math.max(half[0], half[1]) };
}

const sameFloor = (a, b) =>
  Math.abs(dot(a.normal, add(a.place, b.place, -1))) < 1e-6 && dot(a.normal, b.normal) > 1 - 1e-9;

// An actor's geoms as the painter takes them: moving ones at its state, and still ones that are no floors.
function placed({ creature, episode, offset, state }, marks) {
  const { scene } = creature, shown = [];
  const put = (geom, pose, moves, effort, glow) => {
    if (!pose.every(Number.isFinite)) return;
    const form = formOf(geom), { buffers } = scene, buffer = buffers.get(form.solid);
    shown.push({
      ...form, buffer, coarse: buffers.get(`coarse ${form.solid}`) || buffer, casts: geom.casts, moves, bound: geom.bound,
      place: add(offset, pose), turn: rotation(...pose.slice(3)), opacity: geom.opacity,
      colour: add(geom.colour, add(HOT, geom.colour, -1), effort), glow, ground: geom.ground, squares: 1 / scene.square,
    });
  };
  for (const geom of scene.still) if (geom.kind !== "plane") put(geom, geom.pose, false, 0, 0);
  scene.geoms.forEach((geom, index) => {
    const at = state.before * scene.geoms.length + index;
    if (state.before >= episode.lost && episode.missing.includes(index)) return;
    const effort = marks.effort ? episode.effort[at] / 255 : 0;
    put(geom, poseOf(episode, index, state), true, effort, marks.contacts && episode.touching[at] ? 1 : 0);
  });
  return shown;
}
