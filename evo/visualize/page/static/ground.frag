// The sky, and an unbounded floor: a plane that is seen from above only.

uniform mat4 toClip;
uniform vec3 eye;
uniform vec3 place;
uniform vec3 normal;
uniform float squares;
uniform float pixel;
uniform float opacity;
uniform bool sky;

in vec3 ray;
out vec4 shown;

void main() {
  vec3 direction = normalize(ray);
  float sinking = dot(normal, direction);
  float distance = dot(normal, place - eye) / sinking;
  if (sinking > -1e-6 || distance < 0.0) {
    if (!sky) discard;
    gl_FragDepth = 1.0;
    shown = vec4(display(skyColour(direction)), 1.0);
    return;
  }
  vec3 point = eye + distance * direction;
  vec4 clip = toClip * vec4(point, 1.0);
  gl_FragDepth = clamp(0.5 + 0.5 * clip.z / clip.w, 0.0, 0.999999);
  float sun = max(dot(normal, SUN), 0.0);
  if (sun > 0.0) sun *= sunlight(point);
  vec3 pattern = floorColour(point.xy * squares, direction, distance * pixel * squares);
  shown = vec4(display(hazy(matt(pattern, normal.z, sun), direction, distance * squares)), opacity);
}
