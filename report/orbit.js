// A 3D scene from a camera of the reader's own, or from where one of its views was taken. The field of each run draws what
// the camera sees: coarsely while it moves, and finely, strip by strip, once it holds still.

const HELD_MS = 250; // Without a move for so long, the camera holds still.
const TURN_DEGREES = 10; // Of an arrow key.
const COSTS = 16; // A picture that only follows the training is drawn so many times more rarely than it takes.
const MODES = { colour: "Colour", distance: "Distance", normals: "Normals", creases: "Crease density", error: "Error" };
const orbit = JSON.parse(byId("orbit-data").textContent);
const eye = { azimuth: 0, elevation: 0, away: 1 };
const lenses = []; // One for each run: { box, canvas, cameras, run }.
const fingers = new Map();
let mode = "colour";
let standsAt = null; // The number of the view at whose place the camera stands.
let drawing = false;
let wanted = null;
let holding = null;
let following = null;
let drawnAt = null; // The step, as the facts have it, of which the newest picture is at least.

// ---- pictures ----

// One picture at a time, and then the newest that is wanted: those between were of a camera that has moved on.
async function look(size) {
  wanted = size;
  clearTimeout(following);
  if (drawing) return;
  drawing = true;
  while (wanted) {
    const now = wanted;
    wanted = null;
    const started = performance.now();
    drawnAt = news?.facts?.Step;
    for (const lens of lenses) if (!wanted) await develop(lens, now);
    clearTimeout(following);
    if (news) following = setTimeout(follow, COSTS * (performance.now() - started));
  }
  drawing = false;
}

// Draws once more after further steps; a fit that waits has none, nor does a page hear of any while it sleeps.
function follow() {
  if (news.training && !document.hidden && news.facts.Step !== drawnAt) look("fine");
  else following = setTimeout(follow, HELD_MS);
}

// A fine picture comes in strips over the coarse one, and is left where it is once something else is wanted.
async function develop(lens, size) {
  const now = { ...eye, mode, size, stands: standsAt ?? "" };
  const [height, width] = sizeOfPicture();
  const strips = size === "draft" ? 1 : Math.ceil(height / orbit.strip);
  for (let strip = 0; strip < strips && !(strip && wanted); strip++) {
    const picture = await pictureAt(addressOf({ mode, size, strip, run: lens.run }));
    if (!picture) return;
    if (strip === 0) resize(lens.canvas, ...(size === "draft" ? [picture.height, picture.width] : [height, width]));
    lens.canvas.getContext("2d").drawImage(picture, 0, strip * orbit.strip);
    if (strip === strips - 1) Object.assign(lens.box.dataset, now);
  }
}

function sizeOfPicture() { return (standsAt === null ? orbit : orbit.views[standsAt]).size; }

function addressOf(how) {
  const from = standsAt === null ? ["view", eye] : ["photograph", { number: standsAt }];
  return `${from[0]}?${new URLSearchParams({ ...from[1], ...how, again: performance.now() })}`;
}

async function pictureAt(address) {
  if (replaced) return null;
  try {
    const answer = await fetch(address);
    if (answer.ok) return await createImageBitmap(await answer.blob());
    complaint = `Not done: ${(await answer.json()).error}.`;
    says(news?.says);
  } catch {
    nobodyAnswers();
  }
  return null;
}

// Another number of pixels, with what is there already enlarged below what comes.
function resize(canvas, height, width) {
  if (canvas.height === height && canvas.width === width) return;
  const before = canvas.width ? canvas.cloneNode() : null;
  before?.getContext("2d").drawImage(canvas, 0, 0);
  Object.assign(canvas, { height, width });
  if (before) canvas.getContext("2d").drawImage(before, 0, 0, width, height);
}

// ---- where the camera stands ----

function move(azimuth, elevation, nearer = 1) {
  leave();
  eye.azimuth = (eye.azimuth + azimuth) % 360;
  eye.elevation = Math.min(Math.max(eye.elevation + elevation, -89), 89);
  eye.away = Math.min(Math.max(eye.away / nearer, 0.2), 4);
  lookFromHere();
}

// What was asked before is past, and so is why it was not done.
function lookAnew() {
  complaint = "";
  if (!replaced) says(news?.says);
  look("draft");
}

function lookFromHere() {
  showViews();
  lookAnew();
  clearTimeout(holding);
  holding = setTimeout(() => look("fine"), HELD_MS);
}

function choose(name) {
  mode = name;
  for (const input of document.getElementsByName("orbit-mode")) input.checked = input.value === name;
}

function leave() {
  standsAt = null;
  if (mode === "error") choose("colour");
}

// At a view's own place; a camera that is moved from there goes on from about where it was.
function stand(number) {
  const away = orbit.views[number].eye.map((value) => value - 0.5);
  const distance = Math.hypot(...away);
  const [out, ahead, up] = orbit.axes.map((axis) => dot(axis, away) / distance);
  eye.azimuth = degrees(Math.atan2(ahead, out));
  eye.elevation = Math.min(Math.max(degrees(Math.asin(Math.min(Math.max(up, -1), 1))), -89), 89);
  eye.away = Math.min(Math.max(distance / orbit.radius, 0.2), 4);
  standsAt = number;
  lookFromHere();
}

// The view's photograph stands beside what the fields show there, and only there is an error.
async function showViews() {
  const number = standsAt;
  byId("orbit").classList.toggle("stands", number !== null);
  byId("orbit-views").querySelector("select").value = number ?? "";
  document.querySelector('[name="orbit-mode"][value="error"]').disabled = number === null;
  const [height, width] = sizeOfPicture();
  for (const lens of lenses) {
    lens.box.style.aspectRatio = `${width} / ${height}`;
    drawCameras(lens.cameras);
  }
  byId("photograph").hidden = number === null;
  byId("orbit-note").textContent = number === null
    ? "The error is known from the place of a view alone."
    : `${orbit.views[number].name}: what it saw, and the field from the same place.`;
  if (number === null) return;
  const picture = await pictureAt(`photograph?number=${number}&size=fine`);
  if (!picture || standsAt !== number) return;
  const canvas = byId("photograph").querySelector("canvas");
  Object.assign(canvas, { height: picture.height, width: picture.width });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  byId("photograph").dataset.number = number;
}

// ---- the views' cameras, as small pyramids over the picture ----

const degrees = (radians) => (radians * 180) / Math.PI;
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

// Where points of the cube are in the picture, in its pixels; null behind the camera.
function projection() {
  const [azimuth, elevation] = [eye.azimuth, eye.elevation].map((angle) => (angle * Math.PI) / 180);
  const shares = [Math.cos(elevation) * Math.cos(azimuth), Math.cos(elevation) * Math.sin(azimuth), Math.sin(elevation)];
  const back = [0, 1, 2].map((i) => dot(shares, orbit.axes.map((axis) => axis[i])));
  const sideways = cross(orbit.axes[2], back);
  const right = sideways.map((value) => value / Math.hypot(...sideways));
  const up = cross(back, right);
  const position = back.map((value) => 0.5 + eye.away * orbit.radius * value);
  const [height, width] = orbit.size;
  return (point) => {
    const own = point.map((value, i) => value - position[i]);
    const depth = -dot(own, back);
    if (depth < 0.01 * orbit.radius) return null;
    const scale = (orbit.focal * width) / depth;
    return [width / 2 + scale * dot(own, right), height / 2 - scale * dot(own, up)];
  };
}

function drawCameras(svg) {
  const [height, width] = orbit.size;
  const project = projection();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...(standsAt === null ? orbit.views : []).flatMap(({ name, eye: apex, corners }, number) => {
    const [tip, ...picture] = [apex, ...corners].map(project);
    const isSeen = (place) => place && place.every((value, i) => value >= 0 && value <= [width, height][i]);
    if (!tip || picture.includes(null) || ![tip, ...picture].some(isSeen)) return [];
    const side = (i) => `M${tip}L${picture[i]}L${picture[(i + 1) % 4]}Z`;
    const camera = svgElement("path", { d: [0, 1, 2, 3].map(side).join(""), "data-view": number });
    camera.append(svgElement("title", {}, name));
    return [camera];
  }));
}

// ---- hands ----

function apart() {
  const [a, b] = [...fingers.values()];
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
}

function takeHold(box) {
  let pressedOn = null;
  box.addEventListener("pointerdown", (event) => {
    pressedOn = { view: event.target.dataset.view, x: event.clientX, y: event.clientY };
    box.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
  });
  box.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before || isClick(event)) return;
    const span = fingers.size === 2 ? apart() : 0;
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) move(0, 0, apart() / Math.max(span, 1));
    else move((before.clientX - event.clientX) / 2, (event.clientY - before.clientY) / 2);
  });
  box.addEventListener("pointerup", (event) => {
    if (pressedOn?.view !== undefined && isClick(event)) stand(Number(pressedOn.view));
  });
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, (event) => fingers.delete(event.pointerId));
  box.addEventListener("wheel", (event) => { event.preventDefault(); move(0, 0, event.deltaY < 0 ? 1.1 : 1 / 1.1); }, { passive: false });
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own
    const [azimuth, elevation, nearer] = {
      ArrowLeft: [-TURN_DEGREES, 0, 1], ArrowRight: [TURN_DEGREES, 0, 1], ArrowUp: [0, TURN_DEGREES, 1],
      ArrowDown: [0, -TURN_DEGREES, 1], "+": [0, 0, 1.1], "=": [0, 0, 1.1], "-": [0, 0, 1 / 1.1],
    }[event.key] ?? [];
    if (azimuth === undefined) return;
    move(azimuth, elevation, nearer);
    event.preventDefault();
    event.stopPropagation();
  });
  function isClick(event) { // A hand that has gone far from where it pressed drags, even if it comes back.
    if (pressedOn && Math.hypot(event.clientX - pressedOn.x, event.clientY - pressedOn.y) > CLICK_PX) pressedOn = null;
    return pressedOn !== null && fingers.size < 2;
  }
}

// ---- start ----

function makeLens(run) {
  const canvas = htmlElement("canvas");
  const cameras = svgElement("svg", { "aria-hidden": "true" });
  const box = htmlElement("div", { className: "lens", tabIndex: 0 }, canvas, cameras);
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", `${data.runs[run].label}: the scene from a camera of your own`);
  takeHold(box);
  byId("lenses").append(htmlElement("div", {}, runHeading(run), box));
  return { box, canvas, cameras, run };
}

// Shows the scene, where it is one.
function openOrbit() {
  if (!orbit) return;
  eye.elevation = orbit.elevation;
  const target = htmlElement("p", { className: "run-name", textContent: sources[0].label });
  byId("lenses").append(htmlElement("div", { id: "photograph", hidden: true }, target, htmlElement("canvas")));
  lenses.push(...data.runs.map((_, run) => makeLens(run)));
  byId("orbit-modes").append(...Object.entries(MODES).map(([value, label]) => pill({
    name: "orbit-mode", value, label, checked: value === mode, choose: () => { choose(value); lookAnew(); look("fine"); },
  })));
  const views = byId("orbit-views").querySelector("select");
  views.append(htmlElement("option", { value: "", textContent: "a camera of your own" }),
    ...orbit.views.map(({ name }, number) => htmlElement("option", { value: number, textContent: name })));
  views.addEventListener("change", () => {
    if (views.value) stand(Number(views.value));
    else move(0, 0);
  });
  byId("orbit").hidden = false;
  move(0, 0);
}
