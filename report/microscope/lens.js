// The lens: a window of the picture on a canvas, what it shows while its samples are on their way, and flights.

const SMALLEST_WIDTH = 1e-9; // of the picture's longer side: beyond it doubles cannot tell samples apart
const MOST_SAMPLES = 2 ** 19;
const MOST_PATTERN_BYTES = 96 * 2 ** 20;
const FLIGHT_MILLISECONDS = 900;
const GRID_FROM = 14; // a pixel's side on the canvas from which on the pixels' borders are drawn

// `picture`: width and height in image coordinates, pixels along the longer side, channels, layerColours.
// `look()` is how samples are shown, and seen(raster) hears of each raster and null of each move.
function makeLens(canvas, picture, service, look, seen) {
  const context = canvas.getContext("2d");
  const bitmap = document.createElement("canvas");
  let [view, raster, parts, flight] = [null, null, null, 0]; // parts of patterns, null before there is a network
  // Of the newest window asked for: its number, whether its first raster is due, and whether the view has moved on.
  let [ticket, waiting, moved] = [0, false, false];

  // ---- where it looks ----

  function whole() {
    const aspect = canvas.width / canvas.height;
    return { x: picture.width / 2, y: picture.height / 2, width: Math.max(picture.width, picture.height * aspect) };
  }

  function within({ x, y, width }) {
    const inside = (place, side) => Math.min(Math.max(place, 0), side);
    const limited = Math.min(Math.max(width, SMALLEST_WIDTH), whole().width);
    if (limited === whole().width) return whole();
    return { x: inside(x, picture.width), y: inside(y, picture.height), width: limited };
  }

  function lookAt(other) {
    view = within(other);
    moved = true;
    canvas.classList.toggle("zoomed", view.width < whole().width);
    seen(null);
    repaint();
    ask();
  }

  // Zoom by a factor around a place of the canvas, given as shares of its sides.
  function zoom(factor, across = 0.5, down = 0.5) {
    cancelAnimationFrame(flight);
    const width = Math.min(Math.max(view.width / factor, SMALLEST_WIDTH), whole().width);
    const less = view.width - width;
    const shape = canvas.height / canvas.width;
    lookAt({ x: view.x + (across - 0.5) * less, y: view.y + (down - 0.5) * less * shape, width });
  }

  // Move by shares of the canvas.
  function move(across, down) {
    cancelAnimationFrame(flight);
    lookAt({ ...view, x: view.x + across * view.width, y: view.y + (down * view.width * canvas.height) / canvas.width });
  }

  // Zoom and move as one: the place that stays where it is is a fixed one, so that a flight goes straight.
  function flyTo(other) {
    const [from, to, started] = [view, within(other), performance.now()];
    cancelAnimationFrame(flight);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { lookAt(to); return; }
    const step = (now) => {
      const time = Math.min(Math.max((now - started) / FLIGHT_MILLISECONDS, 0), 1);
      const share = time * time * (3 - 2 * time);
      const width = from.width ** (1 - share) * to.width ** share;
      const apart = Math.abs(Math.log(from.width / to.width)) > 0.01;
      const left = apart ? (width - to.width) / (from.width - to.width) : 1 - share;
      lookAt(time === 1 ? to : { x: to.x + (from.x - to.x) * left, y: to.y + (from.y - to.y) * left, width });
      if (time < 1) flight = requestAnimationFrame(step);
    };
    flight = requestAnimationFrame(step);
  }

  // ---- what it shows ----

  function resize(width, height) {
    const bytes = 4 * (parts ?? []).reduce((sum, { words }) => sum + words, 0);
    const cap = Math.min(MOST_SAMPLES, MOST_PATTERN_BYTES / Math.max(bytes, 1));
    const density = Math.min(devicePixelRatio, Math.sqrt(cap / (width * height)));
    const size = [Math.max(1, Math.round(width * density)), Math.max(1, Math.round(height * density))];
    if (canvas.width === size[0] && canvas.height === size[1] && view) return;
    [canvas.width, canvas.height] = size;
    lookAt(view ?? whole());
  }

  function use(network, off) {
    parts = patternParts(network);
    service.send({ network, off });
    waiting = false;
    seen(null);
    resize(canvas.clientWidth, canvas.clientHeight); // patterns of a wide network leave room for fewer samples
    ask();
  }

  function wantedWindow() {
    const spacing = view.width / canvas.width;
    const top = view.y - (spacing * canvas.height) / 2;
    return { left: view.x - view.width / 2, top, spacing, columns: canvas.width, rows: canvas.height };
  }

  // The newest window, once the first raster of the one before has come: while it moves there is something to see.
  function ask() {
    if (waiting || !parts) return;
    [waiting, moved] = [true, false];
    ticket += 1;
    service.send({ window: { ...wantedWindow(), ticket } });
  }

  function receive(found) {
    if (found.window.ticket !== ticket) return;
    raster = { ...found, parts, words: found.patterns.length / (found.columns * found.rows) };
    waiting = false;
    reshade();
    if (moved) ask();
    else seen(raster);
  }

  function reshade() {
    if (!raster) return;
    [bitmap.width, bitmap.height] = [raster.columns, raster.rows];
    bitmap.getContext("2d").putImageData(shaded(raster, look(), picture), 0, 0);
    repaint();
  }

  function repaint() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    const { left, top, spacing } = wantedWindow();
    if (raster) {
      const scale = (raster.window.spacing * raster.stride) / spacing;
      context.imageSmoothingEnabled = scale < 1 || raster.stride > 1;
      context.drawImage(bitmap, (raster.window.left - left) / spacing, (raster.window.top - top) / spacing,
        raster.columns * scale, raster.rows * scale);
    }
    const side = 1 / picture.pixels / spacing;
    if (side >= GRID_FROM) drawGrid(left, top, spacing, side);
  }

  function drawGrid(left, top, spacing, side) {
    context.fillStyle = "rgb(128 128 128 / 0.45)";
    const first = (start) => Math.ceil(start * picture.pixels) / picture.pixels - start;
    for (let x = first(left) / spacing; x < canvas.width; x += side) context.fillRect(Math.round(x), 0, 1, canvas.height);
    for (let y = first(top) / spacing; y < canvas.height; y += side) context.fillRect(0, Math.round(y), canvas.width, 1);
  }

  // The newest raster and its sample at a place of the canvas; null while it shows another window, or off the picture.
  function sampleAt(across, down) {
    if (!shown()) return null;
    const index = (share, side) => Math.floor((share * side) / raster.stride);
    const [column, row] = [index(across, canvas.width), index(down, canvas.height)];
    if (column < 0 || row < 0 || column >= raster.columns || row >= raster.rows) return null;
    const spacing = raster.window.spacing * raster.stride;
    const [x, y] = [raster.window.left + (column + 0.5) * spacing, raster.window.top + (row + 0.5) * spacing];
    if (x < 0 || y < 0 || x > picture.width || y > picture.height) return null;
    return { raster, p: row * raster.columns + column, x, y };
  }

  // The raster of the window as it is; null while it is on its way.
  function shown() { return raster?.window.ticket === ticket && !moved ? raster : null; }

  return { use, resize, receive, reshade, zoom, move, flyTo, whole, sampleAt, shown, view: () => view };
}
