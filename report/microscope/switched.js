// The network with parts of it switched off, to see what goes.

const LINE_POINTS = 24; // along each side, at which a neuron's straight line is fitted

// `off`: features of the encoding and neurons, which then give 0 everywhere, so that these have no crease; layers, which
// then no longer bend; and the width and height of the picture, in image coordinates, over which those are fitted.
function without(network, { features, neurons, layers, size }) {
  const cut = network.layers.map((layer) => ({ ...layer }));
  if (features.length) cut[0].weight = cut[0].weight.slice();
  for (const feature of features) {
    for (let row = 0; row < cut[0].outputs; row++) cut[0].weight[row * cut[0].inputs + feature] = 0;
  }
  for (const { layer, neuron } of neurons) {
    const { weight, bias, inputs } = cut[layer];
    cut[layer].weight = weight.slice().fill(0, neuron * inputs, (neuron + 1) * inputs);
    cut[layer].bias = bias.slice().fill(0, neuron, neuron + 1);
  }
  // the first first, so that a deeper one is fitted to what it is given then
  return [...layers].sort((a, b) => a - b).reduce((left, layer) => straightened(left, layer, size), { ...network, layers: cut });
}

// A layer whose neurons go on as straight lines: what each gives is a z + b in place of its bend at z = 0, with a and b
// of least squares over the picture. Without them altogether, no layer after would be given anything: one flat colour.
function straightened(network, index, size) {
  const { inputs, outputs, weight, bias } = network.layers[index];
  const z = zOfLayer(network, index, size);
  const given = activated(network, network.layers[index], z);
  const n = z.length / outputs;
  const [lines, starts] = [weight.slice(), bias.slice()];
  for (let neuron = 0; neuron < outputs; neuron++) {
    let [sumZ, sumGiven, squares, products] = [0, 0, 0, 0];
    for (let p = 0; p < n; p++) [sumZ, sumGiven] = [sumZ + z[p * outputs + neuron], sumGiven + given[p * outputs + neuron]];
    for (let p = 0; p < n; p++) {
      const away = z[p * outputs + neuron] - sumZ / n;
      squares += away * away;
      products += away * (given[p * outputs + neuron] - sumGiven / n);
    }
    const a = squares > 0 ? products / squares : 0;
    for (let k = neuron * inputs; k < (neuron + 1) * inputs; k++) lines[k] *= a;
    starts[neuron] = a * bias[neuron] + (sumGiven - a * sumZ) / n;
  }
  const layers = network.layers.map((layer, i) => (i === index ? { ...layer, weight: lines, bias: starts, straight: true } : layer));
  return { ...network, layers };
}

// What a layer computes at points spread over the picture, before its activation.
function zOfLayer(network, index, size) {
  const [xs, ys] = spreadPlaces(size);
  let layer = 0;
  for (const z of layersAt(network, xs, ys)) {
    if (layer === index) return z;
    layer += 1;
  }
  throw new RangeError(`there is no layer ${index}`);
}

// By turns of the golden section, for on even steps a wave of their length would stand still.
function spreadPlaces([width, height]) {
  const along = (side, start) => Array.from({ length: LINE_POINTS }, (_, i) => side * ((start + i * 0.6180339887498949) % 1));
  return [along(width, 0.5), along(height, 0.25)];
}
