// The same evaluation on a graphics card, by WebGL2, layer by layer into textures of floats.
//
// All numbers are differences from those at a centre, which are computed in doubles: a window a millionth of a pixel
// wide then has as many digits as the whole picture. With z = c + dz, what the activation's output changes by is known
// without subtracting large numbers from each other, and a neuron is on where dz > -c.
//
// The points of a lattice lie in four slices of a texture, a column for each point and a row for each four neurons.
// A fragment computes four neurons of four points, one in each slice, so that each weight is read once for them.

const LATTICE_SIDE = 64;
const SLICE_POINTS = LATTICE_SIDE ** 2 / 4;

const HEAD = `#version 300 es
precision highp float; precision highp int; precision highp sampler2D; precision highp sampler2DArray;
uniform sampler2DArray h; uniform sampler2D weight; uniform sampler2D centre;
uniform int groups; uniform float slope; uniform bool sine, straight, sigmoid; uniform int sliceWidth, across, firstColumn;
`;

const LAYER_PROGRAM = `${HEAD}
layout(location = 0) out vec4 out0; layout(location = 1) out vec4 out1;
layout(location = 2) out vec4 out2; layout(location = 3) out vec4 out3;
const float TURN = 6.283185307179586;
vec4 sineOf(vec4 angle) { return sin(angle - TURN * round(angle / TURN)); }
vec4 change(vec4 dz, vec4 c) {
  if (straight) return dz;
  if (sine) return 2.0 * sineOf(30.0 * c + 15.0 * dz + TURN / 4.0) * sineOf(15.0 * dz);
  bvec4 on = greaterThan(dz, -c);
  vec4 wasOn = mix(slope * (c + dz) - c, dz, on);
  vec4 wasOff = mix(slope * dz, (c + dz) - slope * c, on);
  return mix(wasOff, wasOn, greaterThan(c, vec4(0)));
}
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec4 z0 = vec4(0), z1 = vec4(0), z2 = vec4(0), z3 = vec4(0);
  for (int k = 0; k < groups; k++) {
    mat4 w = mat4(texelFetch(weight, ivec2(k, 4 * at.y), 0), texelFetch(weight, ivec2(k, 4 * at.y + 1), 0),
                  texelFetch(weight, ivec2(k, 4 * at.y + 2), 0), texelFetch(weight, ivec2(k, 4 * at.y + 3), 0));
    z0 += texelFetch(h, ivec3(at.x, k, 0), 0) * w; z1 += texelFetch(h, ivec3(at.x, k, 1), 0) * w;
    z2 += texelFetch(h, ivec3(at.x, k, 2), 0) * w; z3 += texelFetch(h, ivec3(at.x, k, 3), 0) * w;
  }
  vec4 c = texelFetch(centre, ivec2(at.y, 0), 0);
  out0 = change(z0, c); out1 = change(z1, c); out2 = change(z2, c); out3 = change(z3, c);
}`;

const PATTERN_PROGRAM = `${HEAD}
layout(location = 0) out uvec4 pattern;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy) - ivec2(firstColumn, 0);
  int block = at.x / across, point = at.y * across + at.x % across;
  uvec4 bits = uvec4(0u);
  for (int word = 0; word < 4; word++) {
    uint found = 0u;
    for (int i = 0; i < 8; i++) {
      int group = block * 32 + word * 8 + i;
      if (group >= groups) break;
      vec4 threshold = texelFetch(centre, ivec2(group, 1), 0);
      bvec4 on = greaterThan(texelFetch(h, ivec3(point % sliceWidth, group, point / sliceWidth), 0), threshold);
      found |= (uint(on.x) | uint(on.y) << 1 | uint(on.z) << 2 | uint(on.w) << 3) << (4 * i);
    }
    bits[word] = found;
  }
  pattern = bits;
}`;

const VALUE_PROGRAM = `${HEAD}
layout(location = 0) out vec4 value;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  int point = at.y * across + at.x;
  value = texelFetch(centre, ivec2(0, 0), 0);
  for (int k = 0; k < groups; k++) {
    mat4 w = mat4(texelFetch(weight, ivec2(k, 0), 0), texelFetch(weight, ivec2(k, 1), 0),
                  texelFetch(weight, ivec2(k, 2), 0), texelFetch(weight, ivec2(k, 3), 0));
    value += texelFetch(h, ivec3(point % sliceWidth, k, point / sliceWidth), 0) * w;
  }
  if (sigmoid) value = 1.0 / (1.0 + exp(-value));
}`;

// As plainSampler gives it, but later; null where there is no WebGL2 with float targets. Its first points are compared
// with those of plain JavaScript, for a driver may say more than it can. `load` gives it another network of its shape.
async function gpuSampler(first) {
  let network = first;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2", { antialias: false, depth: false });
  if (!gl?.getExtension("EXT_color_buffer_float")) return null;
  const [parts, words] = [patternParts(network), patternWords(network)];
  const blocks = words / 4;
  const mostGroups = fours(Math.max(...network.layers.flatMap(({ inputs, outputs }) => [inputs, outputs])));
  const widest = Math.max(SLICE_POINTS, LATTICE_SIDE * blocks, 4 * mostGroups);
  if (widest > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return null;

  const sources = { layer: LAYER_PROGRAM, pattern: PATTERN_PROGRAM, value: VALUE_PROGRAM };
  const programs = Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, programOf(gl, source)]));
  await linked(gl, Object.values(programs));
  const weights = network.layers.map(({ inputs, outputs }) => texture(gl, gl.RGBA32F, fours(inputs), 4 * fours(outputs)));
  const centres = network.layers.map(({ outputs }) => texture(gl, gl.RGBA32F, fours(outputs), 2));
  const sides = [0, 1].map(() => {
    const points = texture(gl, gl.RGBA32F, SLICE_POINTS, mostGroups, 4);
    return { points, target: target(gl, [0, 1, 2, 3].map((slice) => [points, slice])) };
  });
  const patternTarget = blocks ? target(gl, [[texture(gl, gl.RGBA32UI, LATTICE_SIDE * blocks, LATTICE_SIDE)]]) : null;
  const valueTarget = target(gl, [[texture(gl, gl.RGBA32F, LATTICE_SIDE, LATTICE_SIDE)]]);
  const [valueReader, patternReader] = [reader(gl, Float32Array), reader(gl, Uint32Array)];
  gl.bindVertexArray(gl.createVertexArray());

  function draw(program, into, [left, width, height], uniforms, sources) {
    const { handle, place } = programs[program];
    gl.useProgram(handle);
    gl.bindFramebuffer(gl.FRAMEBUFFER, into);
    gl.viewport(left, 0, width, height);
    Object.entries(uniforms).forEach(([name, value]) => gl.uniform1i(place(name), value));
    gl.uniform1f(place("slope"), network.slope);
    gl.uniform1i(place("sine"), network.activation === "sine");
    gl.uniform1i(place("sigmoid"), network.output === "sigmoid");
    Object.entries(sources).forEach(([name, source], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(name === "h" ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D, source);
      gl.uniform1i(place(name), unit);
    });
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  function load(other) {
    network = other;
    network.layers.forEach((layer, index) => setWeights(gl, weights[index], layer));
  }

  async function sample(xs, ys) {
    const [n, across] = [xs.length * ys.length, xs.length];
    const sliceWidth = fours(n);
    const [x, y] = [[xs[across >> 1]], [ys[ys.length >> 1]]];
    [...layersAt(network, x, y)].forEach((z, index) => setCentre(gl, centres[index], z, network, index));
    const [features, atCentre] = [featuresAt(network.encoding, xs, ys), featuresAt(network.encoding, x, y)];
    uploadFeatures(gl, sides[0].points, features, atCentre, n);
    let from = 0;
    network.layers.slice(0, -1).forEach((layer, index) => {
      const groups = fours(layer.outputs);
      draw("layer", sides[1 - from].target, [0, sliceWidth, groups], { groups: fours(layer.inputs), straight: Boolean(layer.straight) },
        { h: sides[from].points, weight: weights[index], centre: centres[index] });
      from = 1 - from;
      if (!parts.length) return;
      const firstColumn = across * (parts[index].first / 4);
      draw("pattern", patternTarget, [firstColumn, across * (parts[index].words / 4), ys.length],
        { groups, sliceWidth, across, firstColumn }, { h: sides[from].points, centre: centres[index] });
    });
    const groups = fours(network.layers.at(-1).inputs);
    draw("value", valueTarget, [0, across, ys.length], { groups, sliceWidth, across },
      { h: sides[from].points, weight: weights.at(-1), centre: centres.at(-1) });
    valueReader.start(valueTarget, across, ys.length, gl.RGBA, gl.FLOAT);
    if (blocks) patternReader.start(patternTarget, across * blocks, ys.length, gl.RGBA_INTEGER, gl.UNSIGNED_INT);
    await finished(gl);
    const patterns = blocks ? byPoint(patternReader.read(), blocks, across, ys.length) : new Uint32Array(0);
    return { values: valueReader.read(), patterns };
  }
  load(first);
  const free = () => gl.getExtension("WEBGL_lose_context")?.loseContext();
  const sampler = { sample, load, free, side: LATTICE_SIDE, kind: "WebGL2" };
  return (await agree(sampler, plainSampler(network), network.layers.at(-1).outputs)) ? sampler : null;
}

async function agree(sampler, other, channels) {
  const places = [0.11, 0.37, 0.59, 0.83];
  const [found, expected] = [(await sampler.sample(places, places)).values, other.sample(places, places).values];
  return expected.every((value, i) => i % 4 >= channels || Math.abs(value - found[i]) <= 1e-3 * (1 + Math.abs(value)));
}
