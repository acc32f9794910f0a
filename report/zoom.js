// Near and far, all panels alike: a wheel, two fingers, keys or a link bring a place near on the stage and on every card.

const MOST_ZOOM = 64;
const ZOOM_OF_STEP = 1.5; // of a key and a button
const ZOOM_OF_WHEEL = 1.0015; // of a wheel's pixel
const SCROLL_MILLISECONDS = 250; // after which a page counts as no longer being scrolled
const GRIP_PX = 24; // around the divider: there a pointer takes it, and elsewhere the picture
const ROOM = 3; // a square that is flown to has so much of the shorter side around it
const view = { left: 0, top: 0, zoom: 1 }; // the picture's place at the left top, as shares, and how much it is enlarged
const panes = [stage, ...cards.map(({ canvas }) => {
  const pane = htmlElement("div", { className: "pane" });
  canvas.replaceWith(pane);
  pane.append(canvas);
  return pane;
})];
const frames = panes.map((pane) => pane.appendChild(htmlElement("i", { className: "place-frame", hidden: true })));
let framed = null; // A square that was flown to: left, top, side in pixels of the target.

function placeAt(pane, { clientX, clientY }) {
  const box = pane.getBoundingClientRect();
  return [view.left + (clientX - box.left) / box.width / view.zoom, view.top + (clientY - box.top) / box.height / view.zoom];
}

function look(left, top, zoom) {
  view.zoom = Math.min(Math.max(zoom, 1), MOST_ZOOM);
  const most = 1 - 1 / view.zoom;
  [view.left, view.top] = [left, top].map((edge) => Math.min(Math.max(edge, 0), most));
  const bench = byId("bench");
  for (const [name, value] of Object.entries(view)) bench.style.setProperty(`--${name}`, value);
  bench.classList.toggle("near", view.zoom > 1);
  bench.classList.toggle("magnified", view.zoom * stage.clientWidth >= 2 * data.target.width);
  byId("zoom-whole").disabled = view.zoom === 1;
  byId("zoom-in").disabled = view.zoom >= MOST_ZOOM;
  byId("zoom-out").disabled = view.zoom === 1;
  if (view.zoom === 1) framed = null;
  frames.forEach(showFrame);
  stage.dispatchEvent(new Event("look"));
}

// Enlarges so many times, and leaves the place that is pointed at where it is.
function zoomAt([x, y], times) {
  const zoom = Math.min(Math.max(view.zoom * times, 1), MOST_ZOOM);
  look(x - ((x - view.left) * view.zoom) / zoom, y - ((y - view.top) * view.zoom) / zoom, zoom);
}

function middle() { return [view.left + 0.5 / view.zoom, view.top + 0.5 / view.zoom]; }

function showFrame(frame) {
  frame.hidden = !framed;
  if (!framed) return;
  const [left, top, side] = framed;
  const { width, height } = data.target;
  const share = (value) => `${100 * value}%`;
  Object.assign(frame.style, {
    left: share((left / width - view.left) * view.zoom), top: share((top / height - view.top) * view.zoom),
    width: share((side / width) * view.zoom), height: share((side / height) * view.zoom),
  });
}

function flyTo(square) {
  const [left, top, side] = square;
  const { width, height } = data.target;
  const zoom = Math.min(width, height) / (ROOM * side);
  framed = square;
  const [x, y] = [(left + side / 2) / width, (top + side / 2) / height];
  const near = Math.min(Math.max(zoom, 1), MOST_ZOOM);
  look(x - 0.5 / near, y - 0.5 / near, near);
}

// ---- what a person does ----

let scrolledAt = -Infinity;
addEventListener("scroll", () => { scrolledAt = performance.now(); }, { passive: true });

function onDivider({ clientX }) {
  const box = divider.getBoundingClientRect();
  return Math.abs(clientX - (box.left + box.width / 2)) < GRIP_PX;
}

function listenForZoom(pane) {
  const fingers = new Map();
  pane.addEventListener("wheel", (event) => {
    const scrolls = performance.now() - scrolledAt < SCROLL_MILLISECONDS || (event.deltaY > 0 && view.zoom === 1);
    if (scrolls && !event.ctrlKey) return; // A page that is being scrolled goes on scrolling.
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode] * (event.ctrlKey ? 5 : 1);
    zoomAt(placeAt(pane, event), ZOOM_OF_WHEEL ** -Math.min(Math.max(pixels, -600), 600));
  }, { passive: false });

  // Before the divider's own listeners, which hear nothing of a pointer that is taken here.
  pane.addEventListener("pointerdown", (event) => {
    const control = event.target instanceof Element && event.target.closest("button");
    if (!control && event.pointerType === "touch") fingers.set(event.pointerId, event);
    const pans = view.zoom > 1 && !(pane === stage && onDivider(event));
    if (!control && fingers.size < 2 && !pans) return;
    event.stopImmediatePropagation();
    if (control) return;
    pane.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
  }, true);
  pane.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before || (view.zoom === 1 && fingers.size < 2)) return;
    event.stopImmediatePropagation();
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const [[x, y], [toX, toY]] = [placeAt(pane, before), placeAt(pane, event)];
    const part = other ? 2 : 1; // each of two fingers moves the picture by half
    look(view.left + (x - toX) / part, view.top + (y - toY) / part, view.zoom);
    fingers.set(event.pointerId, event);
    if (!other) return;
    const apart = ({ clientX, clientY }) => Math.hypot(clientX - other.clientX, clientY - other.clientY);
    const between = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
    zoomAt(placeAt(pane, between), apart(event) / Math.max(apart(before), 1));
  }, true);
  for (const end of ["pointerup", "pointercancel"]) {
    pane.addEventListener(end, (event) => fingers.delete(event.pointerId), true);
  }
}
panes.forEach(listenForZoom);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape") look(0, 0, 1);
  else if (event.key === "+" || event.key === "=") zoomAt(middle(), ZOOM_OF_STEP);
  else if (event.key === "-") zoomAt(middle(), 1 / ZOOM_OF_STEP);
});

// ---- buttons, and the worst places ----

const buttons = [
  ["in", "+", "Closer", () => zoomAt(middle(), ZOOM_OF_STEP)],
  ["out", "−", "Further away", () => zoomAt(middle(), 1 / ZOOM_OF_STEP)],
  ["whole", "Whole", "The whole picture", () => look(0, 0, 1)],
].map(([name, textContent, spoken, act]) => {
  const button = htmlElement("button", { type: "button", id: `zoom-${name}`, textContent });
  button.setAttribute("aria-label", spoken);
  button.addEventListener("click", (event) => { act(); if (event.detail) button.blur(); });
  return button;
});
stage.append(htmlElement("div", { className: "zoom-buttons" }, ...buttons));

document.querySelector(".stage-column .keys").append(
  " ", htmlElement("kbd", { textContent: "+" }), " ", htmlElement("kbd", { textContent: "−" }), " near and far");

function worstPlaces({ label, worst }, index) {
  const links = worst.flatMap((place, number) => [
    htmlElement("a", { href: `#place=${place.join()}`, textContent: number + 1, ariaLabel: `place ${number + 1}` }), " "]);
  const name = htmlElement("span", { className: "run-name", textContent: label });
  name.style.setProperty("--run", runColour(index));
  return htmlElement("p", { className: "worst" }, data.runs.length > 1 ? name : "", " Most is missing at places ", ...links);
}
const withWorst = data.runs.flatMap((run, index) => (run.worst.length ? [worstPlaces(run, index)] : []));
document.querySelector(".stage-column").append(...withWorst);

// A link to #place=left,top,side brings that square of the target near, in its pixels.
function followPlace() {
  const found = /^#place=(\d+(?:\.\d+)?),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)$/.exec(location.hash);
  if (!found) return;
  flyTo(found.slice(1).map(Number));
  byId("bench").scrollIntoView({ block: "nearest" });
}
addEventListener("hashchange", followPlace);
document.addEventListener("click", ({ target }) => { // once more to where the address points already
  if (target.closest?.("a[href^='#place=']")?.hash === location.hash) followPlace();
});
byId("bench").style.setProperty("--aspect", shownAspect());
new ResizeObserver(() => look(view.left, view.top, view.zoom)).observe(stage);
look(0, 0, 1);
followPlace();
