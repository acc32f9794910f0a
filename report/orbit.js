// A 3D scene from a camera of the reader's own: the fit draws it between two steps, coarsely while the camera moves and
// finely once it holds still.

const HELD_MS = 250; // Without a move for so long, the camera holds still.
const TURN_DEGREES = 10; // Of an arrow key.
const COSTS = 16; // A picture that only follows the training is drawn so many times more rarely than it takes.
const eye = { azimuth: 0, elevation: 0, away: 1, mode: "colour" };
const lens = byId("orbit-view");
const fingers = new Map();
let drawing = false;
let wanted = null;
let holding = null;
let following = null;
let drawnAt = null; // The step, as the facts have it, of which the newest picture is at least.

// One picture at a time, and then the newest that is wanted: those between were of a camera that has moved on.
async function look(size) {
  wanted = size;
  clearTimeout(following);
  if (drawing) return;
  drawing = true;
  while (wanted) {
    const asked = wanted;
    wanted = null;
    const started = performance.now();
    drawnAt = news?.facts?.Step;
    const picture = new Image();
    picture.src = `view?${new URLSearchParams({ ...eye, size: asked, again: started })}`;
    await picture.decode().then(() => develop(picture, asked), () => {});
    clearTimeout(following);
    following = setTimeout(follow, COSTS * (performance.now() - started));
  }
  drawing = false;
}

// Draws once more after further steps; a fit that waits has none, nor does a page hear of any while it sleeps.
function follow() {
  if (news?.training && !document.hidden && news.facts.Step !== drawnAt) look("fine");
  else following = setTimeout(follow, HELD_MS);
}

function develop(picture, size) {
  lens.width = picture.naturalWidth;
  lens.height = picture.naturalHeight;
  lens.getContext("2d").drawImage(picture, 0, 0);
  Object.assign(lens.dataset, eye, { size });
}

function move(azimuth, elevation, nearer = 1) {
  eye.azimuth = (eye.azimuth + azimuth) % 360;
  eye.elevation = Math.min(Math.max(eye.elevation + elevation, -89), 89);
  eye.away = Math.min(Math.max(eye.away / nearer, 0.2), 4);
  look("draft");
  clearTimeout(holding);
  holding = setTimeout(() => look("fine"), HELD_MS);
}

function apart() {
  const [a, b] = [...fingers.values()];
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
}

lens.addEventListener("pointerdown", (event) => { lens.setPointerCapture(event.pointerId); fingers.set(event.pointerId, event); });
lens.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const span = fingers.size === 2 ? apart() : 0;
  fingers.set(event.pointerId, event);
  if (fingers.size === 2) move(0, 0, apart() / Math.max(span, 1));
  else move((before.clientX - event.clientX) / 2, (event.clientY - before.clientY) / 2);
});
for (const end of ["pointerup", "pointercancel"]) lens.addEventListener(end, (event) => fingers.delete(event.pointerId));
lens.addEventListener("wheel", (event) => { event.preventDefault(); move(0, 0, event.deltaY < 0 ? 1.1 : 1 / 1.1); }, { passive: false });
lens.addEventListener("keydown", (event) => {
  const [azimuth, elevation, nearer] = {
    ArrowLeft: [-TURN_DEGREES, 0, 1], ArrowRight: [TURN_DEGREES, 0, 1], ArrowUp: [0, TURN_DEGREES, 1],
    ArrowDown: [0, -TURN_DEGREES, 1], "+": [0, 0, 1.1], "-": [0, 0, 1 / 1.1],
  }[event.key] ?? [];
  if (azimuth === undefined) return;
  move(azimuth, elevation, nearer);
  event.preventDefault();
  event.stopPropagation();
});

// Shows the scene, the first time that the fit says that it is one.
function openOrbit({ elevation, aspect }) {
  if (!byId("orbit").hidden) return;
  eye.elevation = elevation;
  lens.style.aspectRatio = String(aspect);
  byId("orbit-modes").append(...["colour", "distance", "normals"].map((mode) => pill({
    name: "orbit-mode", value: mode, label: capitalised(mode), checked: mode === eye.mode,
    choose: () => { eye.mode = mode; look("fine"); },
  })));
  byId("orbit").hidden = false;
  move(0, 0);
}
