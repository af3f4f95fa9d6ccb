uniform vec3 eye;
uniform vec3 colour;
uniform float opacity;
uniform float glow;
uniform bool ground;
uniform float squares;
uniform float pixel;
uniform float bias;

in vec3 point;
in vec3 outward;
out vec4 shown;

void main() {
  vec3 away = point - eye;
  float distance = length(away);
  vec3 direction = away / distance;
  vec3 normal = dot(outward, outward) > 0.0 ? normalize(outward) : normalize(cross(dFdx(point), dFdy(point)));
  if (dot(normal, direction) > 0.0 && dot(outward, outward) == 0.0) normal = -normal;
  float sun = max(dot(normal, SUN), 0.0);
  if (sun > 0.0) sun *= sunlight(point + bias * normal);
  vec3 light;
  if (ground) {
    vec3 pattern = floorColour(point.xy * squares, direction, distance * pixel * squares);
    light = hazy(matt(pattern, normal.z, sun), direction, distance * squares);
  } else {
    light = gloss(matt(colour, normal.z, sun), normal, direction, sun);
  }
  light += glow * vec3(0.55, 0.42, 0.12);
  shown = vec4(display(light), opacity);
}
