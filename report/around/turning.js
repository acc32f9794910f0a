// What a person does to turn a scene, and the pictures of its orbit: dragging to the side turns, all runs together.

const DEGREES_ACROSS = 180; // A drag across a whole picture turns the scene half around.
const DEGREES_OF_KEY = 10;
const ZOOM_OF_KEY = 1.15;

// Takes the still picture's place. `name` says what it shows, for whoever does not see it.
function canvasIn(figure, name, height, width) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { height, width, tabIndex: 0 });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", name);
  figure.querySelector(".still").replaceWith(canvas);
  return canvas;
}

// `acts`: turn(degrees to the right, degrees up), zoom(times), reset(); those that are there.
function listenTo(canvas, acts) {
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held = event;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (held?.pointerId !== event.pointerId) return;
    const degrees = DEGREES_ACROSS / canvas.clientWidth;
    acts.turn((held.clientX - event.clientX) * degrees, (event.clientY - held.clientY) * degrees);
    held = event;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });
  const keys = {
    ArrowLeft: () => acts.turn(-DEGREES_OF_KEY, 0), ArrowRight: () => acts.turn(DEGREES_OF_KEY, 0),
    ...(acts.zoom && {
      ArrowUp: () => acts.turn(0, DEGREES_OF_KEY), ArrowDown: () => acts.turn(0, -DEGREES_OF_KEY),
      "+": () => acts.zoom(ZOOM_OF_KEY), "=": () => acts.zoom(ZOOM_OF_KEY), "-": () => acts.zoom(1 / ZOOM_OF_KEY), 0: acts.reset,
    }),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  });
}

// The pictures of one run's orbit. `show` draws the one that is nearest to an angle, once its sheet is decoded.
function makePictures(run, figure) {
  const { pictures, columns, height, width, sheets } = run;
  const canvas = canvasIn(figure, `${run.label}, seen from around`, height, width);
  const decoded = new Map();
  let wanted = null;

  async function show(degrees, mode) {
    const number = ((Math.round((degrees * pictures) / 360) % pictures) + pictures) % pictures;
    const place = `${mode} ${number}`;
    wanted = place;
    if (!(mode in sheets)) {
      canvas.getContext("2d").clearRect(0, 0, width, height);
      canvas.dataset.shows = `no ${mode}`;
      return;
    }
    if (!decoded.has(mode)) {
      const image = Object.assign(new Image(), { src: sheets[mode] });
      decoded.set(mode, image.decode().then(() => image));
    }
    const sheet = await decoded.get(mode);
    if (wanted !== place) return; // It has been turned on.
    const [left, top] = [(number % columns) * width, Math.floor(number / columns) * height];
    canvas.getContext("2d").drawImage(sheet, left, top, width, height, 0, 0, width, height);
    canvas.dataset.shows = place;
  }
  return { canvas, show };
}
