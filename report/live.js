// While the fit goes on: the server that the page came from says what is new, and is told what a reader wants.
// The pictures, curves and maps are those of viewer.js; here they are only exchanged for newer ones.

const RETRY_SECONDS = 2;
const CLICK_PX = 4; // A pointer that moved less has pointed at a place, and dragged nothing.
const run = data.runs[0];
let events = null;
let news = null;
let reconnecting = null;
let complaint = ""; // Why what was asked last was not done: to be read until something else is asked.
let asked = 0; // How often something was asked: the answer to an earlier one may come after that to the last.
let replaced = false; // Another fit has this page's address now.

function says(text) {
  const sentences = [complaint, text].filter(Boolean).join(" ");
  if (byId("live-says").textContent !== sentences) byId("live-says").textContent = sentences;
}

function enable(on) {
  document.querySelectorAll("#live button, #live input").forEach((control) => { control.disabled = !on; });
}

// ---- what is new ----

// Listens with the map that is shown, so that the fit draws no other; a page that nobody sees listens to nothing.
function listen() {
  events?.close();
  clearTimeout(reconnecting);
  if (document.hidden || replaced) return;
  events = new EventSource(`events?map=${encodeURIComponent(state.map ?? "")}`);
  events.addEventListener("message", (event) => take(JSON.parse(event.data)));
  events.addEventListener("open", () => says(""));
  events.addEventListener("error", () => {
    if (news?.finished) return;
    says("The fit does not answer. It may have ended; its folder has what there is.");
    enable(false);
    events.close();
    reconnecting = setTimeout(listen, 1000 * RETRY_SECONDS);
  });
}

function take(newest) {
  const before = news;
  news = newest;
  if (news.finished) {
    events.close();
    location.reload(); // The address has the report now.
    return;
  }
  if (news.refused) {
    says(news.refused);
    events.close();
    return;
  }
  if (before?.fit && before.fit !== news.fit) {
    replaced = true;
    says("This fit has ended, and another has its address now. The page of that one is where it was opened.");
    enable(false);
    events.close();
    news = { ...before, training: false };
    return;
  }
  says(news.says);
  showFacts();
  if (news.orbit) openOrbit(news.orbit);
  const follows = state.index === steps.length - 1;
  if (before && run.frames.at(-1).image !== news.frames.at(-1).image) decoded.delete(run.frames.at(-1).image);
  Object.assign(run, { frames: news.frames, curves: news.curves });
  steps = recordedSteps();
  state.index = follows ? steps.length - 1 : Math.min(state.index, steps.length - 1);
  for (const overlay of run.overlays) Object.assign(overlay, news.maps[overlay.name]);
  if (!before || JSON.stringify(before.curves) !== JSON.stringify(news.curves)) {
    charts = makeCharts();
    charts.forEach((chart) => chart.redraw());
  }
  show();
}

function factsOf(found) {
  return Object.entries(found).map(([name, value]) => {
    const shown = htmlElement("dd", { textContent: value, className: value.startsWith("#") ? "swatch" : "" });
    shown.style.setProperty("--swatch", value);
    return htmlElement("div", {}, htmlElement("dt", { textContent: name }), shown);
  });
}

function showFacts() {
  byId("live-facts").replaceChildren(...factsOf(news.facts));
  const button = document.querySelector('[data-do="pause"], [data-do="resume"]');
  button.dataset.do = news.paused ? "resume" : "pause";
  button.textContent = news.paused ? "Resume" : "Pause";
  enable(news.training);
  for (const form of document.querySelectorAll("[data-change]")) {
    const field = form.querySelector("input");
    if (document.activeElement !== field) field.value = news.changeable[form.dataset.change] ?? "";
  }
}

stage.addEventListener("map", listen); // The map that was chosen is asked for by listening anew.

// ---- what a reader wants ----

async function ask(path, options) {
  const turn = ++asked;
  try {
    const answer = await fetch(path, options);
    const found = await answer.json();
    if (turn === asked) complaint = answer.ok ? "" : `Not done: ${found.error}.`;
    says(news?.says);
    return answer.ok ? found : null;
  } catch {
    says("The fit does not answer.");
    return null;
  }
}

function tell(kind, values) {
  complaint = "";
  says("The fit is told, and does it after its step.");
  return ask(kind, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) });
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => tell("do", { do: button.dataset.do }));
}
for (const form of document.querySelectorAll("[data-change]")) {
  form.addEventListener("keydown", (event) => event.stopPropagation()); // Digits are typed here, and choose no map.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = form.querySelector("input");
    field.blur();
    tell(form.dataset.change, { [field.name]: field.value.trim() || null });
  });
}

// ---- what is at a place ----

const mark = htmlElement("i", { className: "place-mark", hidden: true });
const place = htmlElement("dl", { className: "facts-row place", hidden: true });
place.setAttribute("aria-live", "polite");
stage.append(mark);
stage.parentElement.append(place);
let pressed = null;
stage.addEventListener("pointerdown", (event) => {
  pressed = { x: event.clientX, y: event.clientY, split: divider.getAttribute("aria-valuenow") / 100 };
}, true); // Before the divider goes there: after a click it goes back.
stage.addEventListener("click", async (event) => {
  if (replaced || !pressed || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > CLICK_PX) return;
  split(pressed.split);
  const box = stage.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  const found = await ask(`at?x=${x}&y=${y}`);
  if (!found) return;
  mark.style.left = `${100 * x}%`;
  mark.style.top = `${100 * y}%`;
  place.replaceChildren(...factsOf(found));
  mark.hidden = place.hidden = false;
});

document.addEventListener("visibilitychange", listen);
listen();
