uniform vec3 forward;
uniform vec3 right;
uniform vec3 up;
uniform vec2 sight;

out vec3 ray;

void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  ray = forward + corner.x * sight.x * right + corner.y * sight.y * up;
  gl_Position = vec4(corner, 1.0, 1.0);
}
