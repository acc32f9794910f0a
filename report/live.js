// While the fit goes on: the server that the page came from says what is new, and is told what a reader wants.
// The pictures, curves and maps are those of viewer.js; here they are only exchanged for newer ones.

const RETRY_SECONDS = 2;
const run = data.runs[0];
let events = null;
let reconnecting = null;

function enable(on) {
  document.querySelectorAll(".live-row button, .live-row input").forEach((control) => { control.disabled = !on; });
}

// ---- what is new ----

// Listens with the map that is shown, so that the fit draws no other; a page that nobody sees hears of the end alone.
function listen() {
  events?.close();
  clearTimeout(reconnecting);
  if (replaced) return;
  events = new EventSource(document.hidden ? "events?asleep" : `events?map=${encodeURIComponent(state.map ?? "")}`);
  events.addEventListener("message", (event) => take(JSON.parse(event.data)));
  events.addEventListener("open", () => says(""));
  events.addEventListener("error", () => {
    if (news?.finished) return;
    says("The fit does not answer. It may have ended; its folder has what there is.");
    enable(false);
    events.close();
    if (!document.hidden) reconnecting = setTimeout(listen, 1000 * RETRY_SECONDS); // Else once somebody sees it.
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
    const seen = run.frames.filter(({ image }) => decoded.get(image)?.done); // At the addresses of the rest are the other's.
    if (seen.length) run.frames = seen;
    steps = recordedSteps();
    goTo(state.index);
    says("This fit has ended, and another has its address now. The page of that one is where it was opened.");
    enable(false);
    events.close();
    news = { ...before, training: false };
    return;
  }
  says(news.says);
  showFacts();
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

document.addEventListener("visibilitychange", listen);
listen();
openOrbit();
