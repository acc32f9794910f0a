// What is under the pointer: the place, the colours of all pictures there, and what the map says, read off its scale.

const FARTHEST = 40; // A colour further from all of a scale, of 442, is none of it: blurred by a codec, or an edge.
const readout = htmlElement("dl", { className: "facts-row readout" });
const spots = panes.map((pane) => pane.appendChild(htmlElement("i", { className: "spot", hidden: true })));
const eyedropper = htmlElement("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
let pointed = null; // The place as shares of the picture.

function pixelOf(picture, width, height, [x, y]) {
  const [column, row] = [Math.floor(x * width), Math.floor(y * height)];
  eyedropper.drawImage(picture, column, row, 1, 1, 0, 0, 1, 1);
  return [...eyedropper.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

// What a scale has for a colour, in words; nothing where it has none.
function readOff({ colours, words }, colour) {
  const away = colours.map((of) => Math.hypot(...of.map((value, channel) => value - colour[channel])));
  const nearest = away.indexOf(Math.min(...away));
  return away[nearest] <= FARTHEST ? words[nearest] : "";
}

function fact(name, value, swatch) {
  const shown = htmlElement("dd", { textContent: value, className: swatch ? "swatch" : "" });
  if (swatch) shown.style.setProperty("--swatch", `rgb(${swatch.join()})`);
  return htmlElement("div", {}, htmlElement("dt", { textContent: name, title: name }), shown);
}

function colourFacts() {
  return sources.map(({ label }, index) => {
    const { canvas } = cards[index];
    const colour = pixelOf(canvas, canvas.width, canvas.height, pointed);
    return fact(label, colour.join(" "), colour);
  });
}

// Maps are pictures: one that is not decoded yet is read as soon as it is.
function mapFacts() {
  const scale = data.scales[state.map];
  if (!scale) return [];
  return data.runs.flatMap((run) => {
    const address = mapOf(run)?.image;
    const entry = address && decoded.get(address);
    if (!address) return [];
    if (!entry?.done) {
      withPicture(address, read);
      return [];
    }
    const colour = pixelOf(entry.image, entry.image.naturalWidth, entry.image.naturalHeight, pointed);
    const words = readOff(scale, colour);
    const name = capitalised(state.map) + (data.runs.length > 1 ? `, ${run.label}` : "");
    return [fact(name, words ? `${/^[\d.,]/.test(words) ? "about " : ""}${words}` : "n/a", colour)];
  });
}

function read() {
  spots.forEach((spot) => {
    spot.hidden = !pointed;
    if (!pointed) return;
    spot.style.left = `${100 * (pointed[0] - view.left) * view.zoom}%`;
    spot.style.top = `${100 * (pointed[1] - view.top) * view.zoom}%`;
  });
  if (!pointed) return;
  const [x, y] = [Math.floor(pointed[0] * data.target.width), Math.floor(pointed[1] * data.target.height)];
  readout.replaceChildren(fact("place", `x ${x}, y ${y}`), ...colourFacts(), ...mapFacts());
}

function listenForPointer(pane, index) {
  const point = (event) => {
    const place = placeAt(pane, event);
    const inside = place.every((share) => share >= 0 && share < 1);
    pointed = inside ? place : pointed;
    read();
    spots[index].hidden = true; // The pointer itself is there.
  };
  pane.addEventListener("pointermove", point);
  pane.addEventListener("pointerdown", point, true);
  pane.addEventListener("pointerleave", () => { spots.forEach((spot) => { spot.hidden = true; }); });
}

if (data.hasPixels) { // The picture of a signal is the drawing of a curve: its colours say nothing.
  panes.forEach(listenForPointer);
  for (const change of ["look", "map", "painted"]) stage.addEventListener(change, () => { if (pointed) read(); });
  readout.append(fact("place", "point at a picture"));
  document.querySelector(".stage-column").insertBefore(readout, document.querySelector(".stage-column .keys"));
}
