// The network that the page carries: decoded, and evaluated in double precision.
//
// A network is plain data, so that it can be handed to a worker: its encoding, its layers with weights
// (outputs x inputs, row by row), and what its neurons do; those of a layer that is `straight` do nothing. Points are those of a lattice, columns xs and rows ys of
// image coordinates, row by row. A pattern is the on/off bits of all hidden neurons at a point: each layer has
// wordsOf(layer) words, and the bit of its neuron n is bit n % 32 of its word n >> 5.

const SINE_RATE = 30; // omega_0 of SIREN

function decodedNetwork({ encoding, widths, activation, slope, output }, { type, numbers }) {
  const letters = atob(numbers);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i); // `from` takes several times as long
  const values = type === "float16" ? Float32Array.from(new Uint16Array(bytes.buffer), fromHalf)
    : new Float32Array(bytes.buffer);
  let read = 0;
  const next = (count) => values.subarray(read, read += count);
  const layers = widths.slice(1).map((outputs, index) => (
    { inputs: widths[index], outputs, weight: next(widths[index] * outputs), bias: next(outputs) }));
  const table = encoding.sizes ? next(values.length - read) : null;
  return { encoding: { ...encoding, table }, layers, activation, slope, output };
}

function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24
    : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

// ---- features ----

// The encoding's features at a lattice of points, as doubles; a fast wave turns far between neighbours of fp32.
function featuresAt(encoding, xs, ys) {
  return encoding.sizes ? gridFeatures(encoding, xs, ys) : formulaFeatures(encoding, xs, ys);
}

// Affine features, then waves. sin(a + b) = sin a cos b + cos a sin b: a sine for each column and each row of points
// instead of one for each point.
function formulaFeatures({ scale, shift, rates, phases }, xs, ys) {
  const [affine, waves] = [shift.length, phases.length];
  const features = new Float64Array(xs.length * ys.length * (affine + waves));
  const along = (places, axis, phase) => [Math.sin, Math.cos].map((wave) => Float64Array.from(
    { length: places.length * waves },
    (_, i) => wave(rates[i % waves][axis] * places[Math.floor(i / waves)] + (phase ? phases[i % waves] : 0))));
  const [sinX, cosX] = along(xs, 0, false);
  const [sinY, cosY] = along(ys, 1, true);
  let at = 0;
  for (let j = 0; j < ys.length; j++) {
    for (let i = 0; i < xs.length; i++) {
      for (let k = 0; k < affine; k++) features[at++] = scale[k][0] * xs[i] + scale[k][1] * ys[j] + shift[k];
      for (let k = 0, x = i * waves, y = j * waves; k < waves; k++, x++, y++) {
        features[at++] = sinX[x] * cosY[y] + cosX[x] * sinY[y];
      }
    }
  }
  return features;
}

// Learnt features on grids, interpolated between the corners of the square around a point (Mueller et al. 2022).
function gridFeatures({ resolutions, sizes, channels, table }, xs, ys) {
  const count = resolutions.length * channels;
  const features = new Float64Array(xs.length * ys.length * count);
  let offset = 0;
  resolutions.forEach((resolution, level) => {
    const size = sizes[level];
    const dense = size === (resolution + 1) ** 2;
    const square = (place) => Math.min(Math.max(Math.floor(place * resolution), 0), resolution - 1);
    for (let j = 0; j < ys.length; j++) {
      const [row, down] = [square(ys[j]), ys[j] * resolution - square(ys[j])];
      for (let i = 0; i < xs.length; i++) {
        const [column, right] = [square(xs[i]), xs[i] * resolution - square(xs[i])];
        const at = (j * xs.length + i) * count + level * channels;
        for (let corner = 0; corner < 4; corner++) {
          const [x, y] = [column + (corner & 1), row + (corner >> 1)];
          // a hashed level's size is a power of two, so that the hash's low bits are all that counts
          const entry = dense ? x + y * (resolution + 1) : ((x ^ Math.imul(y, 2654435761)) & (size - 1)) >>> 0;
          const share = (corner & 1 ? right : 1 - right) * (corner >> 1 ? down : 1 - down);
          for (let k = 0; k < channels; k++) features[at + k] += share * table[(offset + entry) * channels + k];
        }
      }
    }
    offset += size;
  });
  return features;
}

// ---- layers ----

// W h + b at n points; four at a time, so that each weight is read once for them.
function layerAt({ inputs, outputs, weight, bias }, h, n) {
  const z = new Float64Array(n * outputs);
  for (let first = 0; first < n; first += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => Math.min(first + i, n - 1)); // the last ones again where there are fewer
    const [ha, hb, hc, hd] = [a * inputs, b * inputs, c * inputs, d * inputs];
    for (let row = 0, w = 0; row < outputs; row++) {
      let [za, zb, zc, zd] = [bias[row], bias[row], bias[row], bias[row]];
      for (let k = 0; k < inputs; k++, w++) {
        za += weight[w] * h[ha + k];
        zb += weight[w] * h[hb + k];
        zc += weight[w] * h[hc + k];
        zd += weight[w] * h[hd + k];
      }
      z[a * outputs + row] = za;
      z[b * outputs + row] = zb;
      z[c * outputs + row] = zc;
      z[d * outputs + row] = zd;
    }
  }
  return z;
}

function activated({ activation, slope }, { straight }, z) {
  if (straight) return z;
  return activation === "sine" ? z.map((value) => Math.sin(SINE_RATE * value))
    : z.map((value) => (value > 0 ? value : slope * value));
}

// What each layer computes at the points of a lattice, before its activation; the output layer's last.
function* layersAt(network, xs, ys) {
  let h = featuresAt(network.encoding, xs, ys);
  for (const layer of network.layers) {
    const z = layerAt(layer, h, xs.length * ys.length);
    yield z;
    h = activated(network, layer, z);
  }
}

function valuesOf({ output }, z) {
  return output === "sigmoid" ? z.map((value) => 1 / (1 + Math.exp(-value))) : z;
}

// ---- patterns ----

function hasCreases({ activation }) { return activation !== "sine"; }

// How many multiplications a point takes.
function workOf(network) { return network.layers.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0); }

// Words of a layer's part of a pattern: four for each 128 neurons, as a graphics card writes them.
function wordsOf({ outputs }) { return 4 * Math.ceil(outputs / 128); }

// For each hidden layer, its first word and how many there are.
function patternParts(network) {
  let first = 0;
  return hasCreases(network) ? network.layers.slice(0, -1).map((layer) => {
    const part = { first, words: wordsOf(layer), neurons: layer.outputs };
    first += part.words;
    return part;
  }) : [];
}

function patternWords(network) { return patternParts(network).reduce((sum, { words }) => sum + words, 0); }

// Evaluates without a graphics card: (xs, ys) gives { values, patterns } of the lattice's points, with 4 numbers for
// each point's value, whatever it has, and patternWords for its pattern.
function plainSampler(network) {
  const [parts, words] = [patternParts(network), patternWords(network)];
  const sample = (xs, ys) => {
    const n = xs.length * ys.length;
    const [values, patterns] = [new Float32Array(4 * n), new Uint32Array(words * n)];
    const layers = [...layersAt(network, xs, ys)];
    parts.forEach(({ first, neurons }, layer) => {
      if (network.layers[layer].straight) return; // no neuron of it switches
      for (let p = 0; p < n; p++) {
        for (let k = 0; k < neurons; k++) {
          if (layers[layer][p * neurons + k] > 0) patterns[p * words + first + (k >> 5)] |= 1 << (k & 31);
        }
      }
    });
    const channels = network.layers.at(-1).outputs;
    valuesOf(network, layers.at(-1)).forEach((value, i) => {
      values[4 * Math.floor(i / channels) + (i % channels)] = value;
    });
    return { values, patterns };
  };
  return { sample, side: 16, kind: "plain JavaScript" };
}
