// A window of the picture as a raster of samples, drawn coarse first and finer for as long as nobody asks for another.

const FIRST_MILLISECONDS = 150; // what the first, coarse raster may take
const COARSEST = 32;
const MOST_LAYERS = 32; // told apart by the bits of a number; deeper ones share the last

// One that holds a network of the same shape is loaded with the other's weights: a browser gives a page few graphics
// cards at a time. For another shape it is plain JavaScript, which is there at once.
function samplerOf(network, held, of) {
  const shape = (one) => one.layers.map(({ inputs, outputs }) => `${inputs}x${outputs}`).join();
  if (held?.load && shape(of) === shape(network)) {
    held.load(network);
    return held;
  }
  held?.free?.();
  return plainSampler(network);
}

// A graphics card if there is one; null if not, or if it fails.
async function cardOf(network) {
  try {
    return typeof OffscreenCanvas === "undefined" ? null : await gpuSampler(network);
  } catch {
    return null;
  }
}

// Draws the windows it is given, one after the other; a newer one, or another network, ends the one before. A window
// has its left and top in image coordinates, the spacing of its samples, and how many columns and rows of them.
function rasterDrawer(post) {
  let [sampler, network] = [null, null];
  const milliseconds = {}; // of a multiplication, by the sampler's kind; at first nothing is known
  let [newest, newestNetwork, working] = [0, null, Promise.resolve()];
  // A graphics card is asked for once there is a first picture, and comes later, with the network that it then holds.
  let [mayHaveCard, asked, came] = [true, false, null];

  function use(other, off) {
    newest += 1;
    newestNetwork = other;
    working = working.then(async () => {
      if (other !== newestNetwork) return; // a slider has gone on
      const cut = without(other, off);
      sampler = samplerOf(cut, sampler, network);
      network = cut;
    });
  }

  function draw(window) {
    const mine = (newest += 1);
    working = working.then(() => drawLevels(window, () => mine === newest));
  }

  async function drawLevels(window, wanted) {
    takeCard();
    for (let stride = firstStride(window); stride >= 1;) {
      const started = performance.now();
      const raster = await drawnRaster(window, stride, () => wanted() && !came);
      if (!wanted()) return;
      if (came) { takeCard(); continue; }
      const time = performance.now() - started;
      milliseconds[sampler.kind] = time / (raster.columns * raster.rows * workOf(network));
      post({ ...raster, window, stride, time, kind: sampler.kind });
      if (mayHaveCard && !asked && !sampler.load) askForCard(network);
      stride /= 2;
    }
  }

  async function askForCard(of) {
    asked = true;
    const card = await cardOf(of);
    [mayHaveCard, asked, came] = [Boolean(card), false, card && { card, of }];
  }

  function takeCard() {
    if (came) sampler = samplerOf(network, came.card, came.of);
    came = null;
  }

  function firstStride({ columns, rows }) {
    const ofSample = (milliseconds[sampler.kind] ?? Infinity) * workOf(network);
    for (let stride = 1; stride < COARSEST; stride *= 2) {
      if ((ofSample * columns * rows) / stride ** 2 <= FIRST_MILLISECONDS) return stride;
    }
    return COARSEST;
  }

  async function drawnRaster({ left, top, spacing, columns: across, rows: down }, stride, wanted) {
    const [columns, rows, side] = [Math.ceil(across / stride), Math.ceil(down / stride), sampler.side];
    const words = patternWords(network);
    const [values, patterns] = [new Float32Array(4 * columns * rows), new Uint32Array(words * columns * rows)];
    const places = (start, first, count) =>
      Array.from({ length: count }, (_, i) => start + (first + i + 0.5) * stride * spacing);
    for (let row = 0; row < rows; row += side) {
      for (let column = 0; column < columns; column += side) {
        await breath();
        if (!wanted()) return null;
        const [width, height] = [Math.min(side, columns - column), Math.min(side, rows - row)];
        const tile = await sampled(places(left, column, width), places(top, row, height));
        for (let j = 0; j < height; j++) {
          const at = (row + j) * columns + column;
          values.set(tile.values.subarray(4 * j * width, 4 * (j + 1) * width), 4 * at);
          patterns.set(tile.patterns.subarray(words * j * width, words * (j + 1) * width), words * at);
        }
      }
    }
    return { columns, rows, values, patterns, changes: layersThatChange(network, patterns, columns, rows) };
  }

  async function sampled(xs, ys) {
    try {
      return await sampler.sample(xs, ys);
    } catch { // the graphics card is gone: go on without it
      sampler = plainSampler(network);
      return sampler.sample(xs, ys);
    }
  }

  return { use, draw };
}

// For each sample the layers, as bits, of which a neuron switches between it and the next to the right or below.
function layersThatChange(network, patterns, columns, rows) {
  const words = patternWords(network);
  const bits = patternParts(network).flatMap(({ words: count }, layer) => Array(count).fill(1 << Math.min(layer, MOST_LAYERS - 1)));
  const changes = new Uint32Array(columns * rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const at = (j * columns + i) * words;
      const right = i + 1 < columns ? at + words : at;
      const below = j + 1 < rows ? at + columns * words : at;
      let found = 0;
      for (let k = 0; k < words; k++) {
        const pattern = patterns[at + k];
        if ((pattern ^ patterns[right + k]) | (pattern ^ patterns[below + k])) found |= bits[k];
      }
      changes[j * columns + i] = found;
    }
  }
  return changes;
}

// ---- in a worker, or without one in pieces of the page's own time ----

// Answers messages { network, off } and { window }, as the page's own drawer does below.
function startWorker() {
  const drawer = rasterDrawer((raster) => postMessage(raster, [raster.values.buffer, raster.patterns.buffer, raster.changes.buffer]));
  addEventListener("message", ({ data }) => serve(drawer, data));
}

function serve(drawer, { network, off, window }) {
  if (network) drawer.use(network, off);
  if (window) drawer.draw(window);
}

// Sends messages to a worker that runs this same script; where a browser refuses one, to a drawer in the page.
function drawingService(script, receive) {
  const inPage = () => {
    const drawer = rasterDrawer(receive);
    return { place: () => "the page", send: (message) => serve(drawer, message) };
  };
  if (typeof Worker === "undefined") return inPage();
  let worker = null;
  try {
    worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  } catch {
    return inPage();
  }
  const sent = {};
  const service = { place: () => "a worker", send: (message) => { Object.assign(sent, message); worker.postMessage(message); } };
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = (event) => { // it did not start
    event.preventDefault();
    Object.assign(service, inPage());
    service.send(sent);
  };
  return service;
}
