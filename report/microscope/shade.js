// From samples to a picture on the screen, and to what is said of one of them.

const DIMMED = 0.4; // of the picture below creases, so that these stand out
const LINE = [255, 255, 255]; // the neuron that was chosen
const MAGENTA = [255, 0, 255]; // a value that is no number, as the program's pictures show it

// A raster's picture. `look` says whether creases are drawn, of which layers (as bits), and which neuron was chosen.
function shaded(raster, look, picture) {
  const { columns, rows, values, changes } = raster;
  const image = new ImageData(columns, rows);
  const spacing = raster.window.spacing * raster.stride;
  const chosen = look.chosen && lineOf(raster, look.chosen);
  const dim = look.creases || chosen ? DIMMED : 1;
  const own = [0, 0, 0];
  for (let j = 0, p = 0; j < rows; j++) {
    const y = raster.window.top + (j + 0.5) * spacing;
    for (let i = 0; i < columns; i++, p++) {
      const x = raster.window.left + (i + 0.5) * spacing;
      if (x < 0 || y < 0 || x > picture.width || y > picture.height) continue; // nothing was fitted there
      const seen = look.creases ? changes[p] & look.layers : 0;
      const line = chosen?.[p] ? LINE : seen ? picture.layerColours[layerOf(seen) % picture.layerColours.length] : null;
      const [colour, strength] = [line ?? colourOf(values, p, picture, x, y, own), line ? 1 : dim];
      for (let k = 0; k < 3; k++) image.data[4 * p + k] = colour[k] * strength;
      image.data[4 * p + 3] = 255;
    }
  }
  return image;
}

// The first of the layers in a set of bits.
function layerOf(bits) { return 31 - Math.clz32(bits & -bits); }

// A sample's colour from 0 to 255: clipped, alpha over the checkerboard of the program's pictures.
function colourOf(values, p, { channels, pixels }, x, y, into = [0, 0, 0]) {
  let under = 0;
  if (channels % 2 === 0) {
    const square = Math.max(1, Math.round(pixels / 32));
    const dark = (Math.floor((x * pixels) / square) + Math.floor((y * pixels) / square)) % 2;
    under = (1 - clipped(values[4 * p + channels - 1])) * (dark ? 0.45 : 0.55);
  }
  for (let k = 0; k < 3; k++) into[k] = 255 * clipped(values[4 * p + (channels < 3 ? 0 : k)] + under);
  return into.some(Number.isNaN) ? MAGENTA : into;
}

function clipped(number) { return Math.min(Math.max(number, 0), 1); }

// The samples next to which a neuron switches, three samples wide.
function lineOf({ columns, rows, patterns, parts, words }, { layer, neuron }) {
  const [word, bit] = [parts[layer].first + (neuron >> 5), neuron & 31];
  const on = (p) => (patterns[p * words + word] >>> bit) & 1;
  const line = new Uint8Array(columns * rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const p = j * columns + i;
      const switches = (i + 1 < columns && on(p) !== on(p + 1)) || (j + 1 < rows && on(p) !== on(p + columns));
      if (!switches) continue;
      for (const [across, down] of [[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]]) {
        if (i + across >= 0 && i + across < columns && j + down >= 0 && j + down < rows) line[p + down * columns + across] = 1;
      }
    }
  }
  return line;
}

// How many neurons of each layer are on at a sample.
function neuronsOn({ patterns, parts, words }, p) {
  return parts.map(({ first, words: count }) => patterns.subarray(p * words + first, p * words + first + count).reduce(
    (sum, word) => sum + ones(word), 0));
}

function ones(word) {
  let count = 0;
  for (let rest = word; rest; rest &= rest - 1) count += 1;
  return count;
}

// The neurons that switch between a sample and those within `reach` of it, the nearest first, by layer where alike.
function switchingNear({ columns, rows, patterns, parts, words }, p, reach) {
  const [row, column] = [Math.floor(p / columns), p % columns];
  const found = new Map();
  for (let j = Math.max(0, row - reach); j <= Math.min(rows - 1, row + reach); j++) {
    for (let i = Math.max(0, column - reach); i <= Math.min(columns - 1, column + reach); i++) {
      const distance = Math.hypot(i - column, j - row);
      if (distance > reach + 0.5) continue;
      parts.forEach(({ first, words: count }, layer) => {
        for (let k = first; k < first + count; k++) {
          let differs = patterns[p * words + k] ^ patterns[(j * columns + i) * words + k];
          for (; differs; differs &= differs - 1) {
            const neuron = 32 * (k - first) + layerOf(differs);
            const key = `${layer} ${neuron}`;
            if (!(found.get(key)?.distance <= distance)) found.set(key, { layer, neuron, distance });
          }
        }
      });
    }
  }
  return [...found.values()].sort((a, b) => a.distance - b.distance || a.layer - b.layer || a.neuron - b.neuron);
}
