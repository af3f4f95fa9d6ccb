// The ray caster's colours: sky, floor, matt and glossy surfaces, all linear light until `display`.

uniform highp sampler2DShadow shade;
uniform mat4 toSun;
uniform float texel;

vec3 skyColour(vec3 direction) {
  float height = max(direction.z, 0.0);
  float low = 1.0 - exp(-6.5 * height);
  vec3 colour = mix(mix(HORIZON, MIDDLE, low), ZENITH, min(height * 1.15, 1.0));
  float towardsSun = max(dot(direction, SUN), 0.0);
  float warmth = towardsSun * towardsSun;
  return mix(colour, GLOW, 0.25 * warmth * warmth + 0.10 * (1.0 - low) * towardsSun);
}

float stripe(float distance, float halfWidth, float footprint) {
  float covered = min(distance + 0.5 * footprint, halfWidth) - max(distance - 0.5 * footprint, -halfWidth);
  return clamp(covered / footprint, 0.0, 1.0);
}

float wave(float offset, float footprint) {
  float low = fract(0.5 * (offset - 0.5 * footprint)), high = fract(0.5 * (offset + 0.5 * footprint));
  return 2.0 * (abs(low - 0.5) - abs(high - 0.5)) / footprint;
}

// `place` and `across`, the pixel's width at that distance, are in floor squares.
vec3 floorColour(vec2 place, vec3 direction, float across) {
  float steep = clamp(abs(direction.z), 1e-4, 1.0);
  float stretch = across * (1.0 - steep) / (steep * sqrt(1.0 - steep * steep + 1e-6));
  vec2 width = across + stretch * abs(direction.xy);
  if (max(width.x, width.y) > 8.0) return FLOOR_MEAN;
  vec3 colour = mix(FLOOR_MEAN, FLOOR_LIGHT, wave(place.x, width.x) * wave(place.y, width.y));
  vec2 joint = place - floor(place + 0.5);
  float line = max(stripe(joint.x, FLOOR_JOINT, width.x), stripe(joint.y, FLOOR_JOINT, width.y));
  colour = mix(colour, FLOOR_LINE, 0.35 * line);
  float marked = place.x - MARK_SQUARES * floor(place.x / MARK_SQUARES + 0.5);
  return mix(colour, FLOOR_MARK, 0.85 * stripe(marked, MARK_HALF_WIDTH, width.x));
}

vec3 matt(vec3 colour, float upward, float sun) {
  return colour * (SUN_LIGHT * sun + mix(BOUNCE_LIGHT, SKY_LIGHT, 0.5 + 0.5 * upward));
}

vec3 gloss(vec3 light, vec3 normal, vec3 direction, float sun) {
  float towardsEye = -dot(normal, direction);
  vec3 mirrored = direction + 2.0 * towardsEye * normal;
  float share = 0.03 + 0.30 * pow(1.0 - clamp(towardsEye, 0.0, 1.0), 4.0);
  vec3 reflected = mirrored.z > 0.0 ? skyColour(mirrored) : BOUNCE_LIGHT;
  float glint = 0.35 * sun * pow(max(dot(mirrored, SUN), 0.0), 24.0);
  return light + share * reflected + glint * SUN_TINT;
}

// The share of the sun's light that reaches a point: the mean of nine looks into the shadow map.
float sunlight(vec3 point) {
  vec3 place = 0.5 + 0.5 * (toSun * vec4(point, 1.0)).xyz;
  if (any(greaterThan(abs(place.xy - 0.5), vec2(0.499))) || place.z < 0.0) return 1.0;
  place.z = min(place.z, 1.0);
  float light = 0.0;
  for (int row = -1; row <= 1; row++) {
    for (int column = -1; column <= 1; column++) {
      light += texture(shade, vec3(place.xy + 1.5 * texel * vec2(float(column), float(row)), place.z));
    }
  }
  return light / 9.0;
}

vec3 hazy(vec3 light, vec3 direction, float squares) {
  float depth = squares / HAZE_SQUARES;
  return mix(skyColour(direction), light, exp(-depth * depth));
}

vec3 display(vec3 light) {
  vec3 high = 0.7 + 0.3 * tanh((min(light, vec3(2.0)) - 0.7) / 0.3);
  vec3 rolled = clamp(mix(high, light, lessThan(light, vec3(0.7))), 0.0, 1.0);
  return mix(1.055 * pow(rolled, vec3(1.0 / 2.4)) - 0.055, 12.92 * rolled, lessThanEqual(rolled, vec3(0.0031308)));
}
