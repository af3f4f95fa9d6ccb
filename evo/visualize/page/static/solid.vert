layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in float end;

uniform mat4 toClip;
uniform mat3 turn;
uniform vec3 place;
uniform vec3 scale;
uniform float stretch;

out vec3 point;
out vec3 outward;

void main() {
  point = place + turn * (position * scale + vec3(0.0, 0.0, end * stretch));
  outward = turn * (normal / scale);
  gl_Position = toClip * vec4(point, 1.0);
}
