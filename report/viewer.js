// The bench: pictures in step, the swipe divider, maps over the picture, playback, keys and the theme.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

const FRAMES_PER_SECOND = 12;
const THINNEST_ASPECT = 12; // A 1x64 strip is stretched to 12:1, or it could not be seen.
const runColour = (index) => `var(--run-${index % 6})`;

// Source 0 is the target, source i the run i - 1.
const sources = [{ label: "target", frames: [{ step: 0, image: data.target.image }], overlays: [] }, ...data.runs];
let steps = recordedSteps();
// In the order of the run that has most of them: one without creases has no density.
const mapNames = [...new Set([...data.runs].sort((a, b) => b.overlays.length - a.overlays.length)
  .flatMap((run) => run.overlays.map((overlay) => overlay.name)))];
const state = {
  index: steps.length - 1,
  left: data.runs.length > 1 ? 1 : 0,
  right: data.runs.length,
  map: null,
  timer: null,
};

function recordedSteps() {
  return [...new Set(data.runs.flatMap((run) => run.frames.map((frame) => frame.step)))].sort((a, b) => a - b);
}

// ---- pictures ----

const decoded = new Map();

// The picture at an address, decoded once; calls back now if it is ready, later otherwise.
function withPicture(address, use) {
  if (!decoded.has(address)) {
    const image = new Image();
    image.src = address;
    decoded.set(address, { image, ready: image.decode().then(() => { decoded.get(address).done = true; }) });
  }
  const entry = decoded.get(address);
  if (entry.done) use(entry.image);
  else entry.ready.then(() => use(entry.image), () => {}); // A fit that has ended serves no picture any more.
}

function frameOf(source, step) {
  return source.frames[indexAt(source.frames.map((frame) => frame.step), step)];
}

function paint(canvas, address) {
  if (canvas.dataset.address === address) return;
  Object.assign(canvas.dataset, { address, state: "waiting" });
  withPicture(address, (image) => {
    if (canvas.dataset.address !== address) return; // The reader has scrubbed on.
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0);
    canvas.dataset.state = "done";
    sharpen(canvas);
    stage.dispatchEvent(new Event("painted"));
  });
}

// Few pixels shown large must look like pixels; many shown small must not alias.
function sharpen(canvas) {
  canvas.classList.toggle("pixelated", canvas.clientWidth >= 2 * canvas.width || canvas.width <= 64);
}

// ---- cards: every picture in step, and which two meet at the divider ----

const cards = sources.map((source, index) => {
  const canvas = htmlElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", source.label);
  canvas.style.aspectRatio = String(shownAspect());
  const name = htmlElement("span", { className: "run-name", textContent: source.label, title: source.label });
  if (index) name.style.setProperty("--run", runColour(index - 1));
  const caption = htmlElement("span", { className: "caption" });
  const pair = htmlElement("div", { className: "pair" }, sidePill("left", index), sidePill("right", index));
  byId("cards").append(htmlElement("div", { className: "card" }, canvas, name, caption, pair));
  return { canvas, caption };
});

// A radio button that looks like a pill. After a click the arrow keys go back to stepping; a reader who came by
// keyboard keeps them for choosing.
function pill({ name, value, label, spoken = label, checked, choose }) {
  const input = htmlElement("input", { type: "radio", name, value, checked });
  input.setAttribute("aria-label", spoken);
  input.addEventListener("change", choose);
  input.addEventListener("click", (event) => { if (event.detail) input.blur(); });
  return htmlElement("label", { className: "pill" }, input, htmlElement("span", { textContent: label }));
}

function sidePill(side, index) {
  return pill({
    name: side, value: index, label: side, spoken: `${sources[index].label} on the ${side}`,
    checked: state[side] === index, choose: () => { state[side] = index; show(); },
  });
}

// ---- the stage ----

const stage = byId("stage");
const divider = byId("divider");

function trueAspect() { return data.target.width / data.target.height; }
function shownAspect() { return Math.min(Math.max(trueAspect(), 1 / THINNEST_ASPECT), THINNEST_ASPECT); }

// As large as fits; from twice the size up in whole multiples, so that every pixel is as wide as its neighbour,
// unless that would leave much of the column empty.
function fitStage() {
  const bench = getComputedStyle(byId("bench"));
  const controls = parseFloat(bench.getPropertyValue("--controls"));
  const column = byId("bench").clientWidth - (controls && controls + parseFloat(bench.columnGap));
  const tallest = Math.max(240, window.innerHeight - 220);
  let width = Math.min(column, tallest * shownAspect());
  const multiple = (width * devicePixelRatio) / data.target.width;
  const whole = Math.floor(multiple);
  if (multiple >= 2 && whole >= 0.75 * multiple && shownAspect() === trueAspect()) {
    width = (whole * data.target.width) / devicePixelRatio;
  }
  stage.style.width = `${width}px`;
  stage.style.height = `${width / shownAspect()}px`;
  stage.classList.toggle("thin", width < 200 || width / shownAspect() < 60);
  stage.parentElement.style.setProperty("--wide", `${Math.max(width, Math.min(column, 420))}px`);
  byId("stretched").hidden = shownAspect() === trueAspect();
  document.querySelectorAll(".bench canvas").forEach(sharpen);
}

function split(share) {
  const percent = Math.round(Math.min(Math.max(share, 0), 1) * 100);
  stage.style.setProperty("--split", percent / 100);
  divider.setAttribute("aria-valuenow", percent);
  divider.setAttribute("aria-valuetext", `${percent} % ${sources[state.left].label}`);
}

function dragDivider(event) {
  const box = stage.getBoundingClientRect();
  split((event.clientX - box.left) / box.width);
}
stage.addEventListener("pointerdown", (event) => { stage.setPointerCapture(event.pointerId); dragDivider(event); });
stage.addEventListener("pointermove", (event) => { if (event.buttons) dragDivider(event); });
divider.addEventListener("keydown", (event) => {
  const now = Number(divider.getAttribute("aria-valuenow")) / 100;
  const target = { ArrowLeft: now - 0.02, ArrowRight: now + 0.02, Home: 0, End: 1 }[event.key];
  if (target === undefined) return;
  split(target);
  event.preventDefault();
  event.stopPropagation();
});

// ---- maps ----

function mapPill(name, label) {
  const choice = pill({ name: "map", value: name ?? "", label, checked: name === state.map, choose: () => chooseMap(name) });
  choice.title = data.meanings[name] ?? "";
  return choice;
}

function capitalised(word) { return word[0].toUpperCase() + word.slice(1); }

function chooseMap(name) {
  state.map = name;
  for (const input of document.getElementsByName("map")) input.checked = input.value === (name ?? "");
  show();
  stage.dispatchEvent(new Event("map"));
}

// The map as it was at the step shown, or at the newest one before it that has one.
function mapOf(source) {
  const overlay = source.overlays.find(({ name }) => name === state.map);
  if (!overlay?.earlier?.length || steps[state.index] >= source.frames.at(-1).step) return overlay;
  return { ...overlay, ...overlay.earlier[indexAt(overlay.earlier.map(({ step }) => step), steps[state.index])] };
}

function showMaps() {
  byId("map-detail").hidden = state.map === null;
  for (const side of ["left", "right"]) {
    const overlay = mapOf(sources[state[side]]);
    const image = byId(`side-${side}`).querySelector("img");
    image.hidden = !overlay?.image;
    if (!overlay?.image) continue;
    if (image.src !== overlay.image) image.src = overlay.image;
    image.decode().then(() => image.classList.toggle("pixelated", image.clientWidth >= 2 * image.naturalWidth), () => {});
  }
  if (state.map === null) return;
  const shown = [...new Set([state.left, state.right])].filter((index) => index > 0);
  byId("map-captions").replaceChildren(...shown.map(captionOfMap));
  const legend = data.runs.map((run) => mapOf(run)?.legend).find(Boolean);
  byId("legend").hidden = !legend;
  if (legend) byId("legend").src = legend;
}

function captionOfMap(index) {
  const source = sources[index];
  const map = mapOf(source);
  const mapStep = map?.step ?? source.frames.at(-1).step;
  const name = htmlElement("span", { className: "run-name", textContent: source.label });
  name.style.setProperty("--run", runColour(index - 1));
  const other = Math.min(steps[state.index], source.frames.at(-1).step) !== mapStep;
  const words = map ? ` ${map.caption}.` : ` has no map of ${state.map}.`;
  const at = map ? htmlElement(other ? "strong" : "span", {
    textContent: map.image ? ` Step ${mapStep.toLocaleString("en")}${other ? ", not the step shown" : ""}.` : " It is being drawn.",
  }) : "";
  return htmlElement("p", { className: "caption" }, name, words, at);
}

// ---- show everything at the current step ----

let charts = [];

function show() {
  const step = steps[state.index];
  sources.forEach((source, index) => {
    const frame = frameOf(source, step);
    paint(cards[index].canvas, frame.image);
    cards[index].caption.textContent = index ? [`${frame.psnr} ${source.curves.psnrOf}`.trim(), frame.time].join(" · ") : "";
  });
  for (const side of ["left", "right"]) {
    const source = sources[state[side]];
    const canvas = byId(`side-${side}`).querySelector("canvas");
    paint(canvas, frameOf(source, step).image);
    canvas.setAttribute("aria-label", `${source.label}, ${side} of the divider`);
    byId(`tag-${side}`).textContent = source.label;
  }
  byId("scrubber").max = steps.length - 1;
  byId("scrubber").value = state.index;
  byId("scrubber").setAttribute("aria-valuetext", `step ${step}`);
  byId("step-label").textContent = `step ${step.toLocaleString("en")} of ${steps.at(-1).toLocaleString("en")}`;
  charts.forEach((chart) => chart.moveTo(step));
  showMaps();
}

function goTo(index) {
  state.index = Math.min(Math.max(index, 0), steps.length - 1);
  show();
}

// ---- playback ----

function play(start) {
  clearInterval(state.timer);
  state.timer = null;
  if (start && state.index === steps.length - 1) goTo(0);
  if (start) state.timer = setInterval(advance, 1000 / FRAMES_PER_SECOND);
  byId("play").setAttribute("aria-pressed", String(start));
  byId("play").setAttribute("aria-label", start ? "Pause" : "Play");
}

function advance() {
  goTo(state.index + 1);
  if (state.index === steps.length - 1) play(false);
}

// ---- keys: those that an element in focus needs stay its own ----

const TAKES_ARROWS = 'input[type="range"], input[type="radio"], [role="slider"], .scroller';
const TAKES_SPACE = "button, summary, a, input:not([type=range])";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const within = (selector) => event.target instanceof Element && event.target.closest(selector);
  const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (move !== undefined && !within(TAKES_ARROWS)) { play(false); goTo(state.index + move); }
  else if (event.key === " " && !within(TAKES_SPACE)) play(state.timer === null);
  else if (event.key === "0") chooseMap(null);
  else if (mapNames[Number(event.key) - 1]) chooseMap(mapNames[Number(event.key) - 1]);
  else return;
  event.preventDefault();
});

// ---- the table: set tighter, then turned on its side, where its columns do not fit ----

function fitTable() {
  const table = document.querySelector(".numbers");
  if (!table) return; // A lone run has a list, which flows.
  for (const name of ["", "compact", "turned"]) {
    table.className = `numbers ${name}`;
    if (table.scrollWidth <= table.parentElement.clientWidth) return;
  }
}

// ---- chapters point at what shows them ----

for (const link of document.querySelectorAll("[data-map]")) link.addEventListener("click", () => chooseMap(link.dataset.map));

// ---- theme ----

function dark() {
  const chosen = document.documentElement.style.colorScheme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function setTheme(name) {
  document.documentElement.style.colorScheme = name;
  nameTheme();
}
function nameTheme() {
  byId("theme").textContent = dark() ? "Light" : "Dark";
  byId("theme").setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`);
}
byId("theme").addEventListener("click", () => setTheme(dark() ? "light" : "dark"));

// ---- curves of the runs ----

function psnrSeries() {
  return data.runs.flatMap(({ label, curves }, index) => [
    { label, colour: runColour(index), steps: curves.step, values: curves.psnr },
    { label: `${label}, held out`, colour: runColour(index), dashed: true, steps: curves.step, values: curves.heldout },
  ]).filter(({ values }) => values.length);
}

function bandSeries({ curves }) {
  const finest = curves.bands.length - 1;
  return curves.bands.map(({ label, kept }, band) => ({
    label: label.replace("-", "–"),
    colour: `color-mix(in oklch, var(--coarse) ${Math.round((100 * band) / Math.max(finest, 1))}%, var(--fine))`,
    steps: curves.step,
    values: kept,
  }));
}

function makeCharts() {
  const onScrub = (step) => { play(false); goTo(indexAt(steps, step)); };
  const decibels = psnrSeries();
  const psnr = lineChart({
    title: "PSNR", unit: ["dB over training steps", data.runs[0].curves.psnrOf].filter(Boolean).join(", "), series: decibels, range: rangeOf(decibels), onScrub,
    format: (value, short) => (short ? String(value) : `${value.toFixed(2)} dB`),
  });
  byId("psnr-chart").replaceChildren(psnr.figure);
  const bands = data.runs.map(bandSeries);
  const top = Math.min(1.5, Math.max(1, ...bands.flatMap(rangeOf).filter(Number.isFinite).map((v) => v - 0.5)));
  const kept = data.runs.flatMap((run, index) => (bands[index].length ? [lineChart({
    title: run.label, run: index % 6, unit: [run.curves.bandsAre, run.curves.bandsOf].filter(Boolean).join(", "),
    series: bands[index], range: [0, top * 1.04], full: 1,
    onScrub, format: (value) => `${Math.round(value * 100)} %`,
  })] : []));
  byId("band-charts").replaceChildren(...kept.map(({ figure }) => figure));
  byId("curves").hidden = !kept.length;
  return [psnr, ...kept, ...makeCreaseCharts()];
}

// ---- spectra ----

// Each has a cursor of its own, where the reader points.
function spectrumChart(options) {
  const chart = lineChart({ ...options, onScrub: (frequency) => chart.moveTo(frequency) });
  return chart;
}

function spectrumAxis(spectra) {
  const all = spectra.flatMap(({ frequency }) => frequency);
  return frequencyAxis(Math.min(...all), Math.max(...all), spectra[0].inCycles);
}

function powerSeries({ frequency, power, rounding }) {
  const colours = ["var(--quiet)", "var(--accent)", "var(--run-0)"];
  const measured = power.map(({ label, values }, i) => ({ label, values, colour: colours[i], steps: frequency }));
  const floor = { label: "rounding to 8 bits", colour: "var(--quiet)", dashed: true, steps: frequency };
  return rounding === null ? measured : [...measured, { ...floor, values: frequency.map(() => rounding) }];
}

function makeSpectra() {
  const runs = data.runs.map((run, index) => ({ ...run, index })).filter(({ spectra }) => spectra);
  if (!runs.length) return [];
  const across = spectrumAxis(runs.map(({ spectra }) => spectra));
  const by = runs[0].spectra.inCycles ? "by cycles over the signal" : "by wavelength";
  const power = runs.map(({ label, index, spectra }) => {
    const series = powerSeries(spectra);
    const [low, high] = rangeOf(series);
    return spectrumChart({
      title: label, run: index % 6, unit: `power, dB, ${by}`, series, across, range: [Math.max(low, high - 100), high],
      format: (value, short) => (short ? String(value) : `${value.toFixed(1)} dB`).replace("-", "−"),
    });
  });
  const correlations = runs.map(({ label, index, spectra }) => (
    { label, colour: runColour(index), steps: spectra.frequency, values: spectra.correlation }));
  const correlation = runs[0].spectra.inCycles ? [] : [spectrumChart({
    title: "Ring correlation", unit: `of target and reconstruction, ${by}`, series: correlations, across,
    range: [-0.2, 1.02], full: 0.5,
    format: (value, short) => (short ? String(value) : value.toFixed(2)).replace("-", "−"),
  })];
  const charts = [...power, ...correlation];
  byId("spectrum-charts").append(...charts.map(({ figure }) => figure));
  return charts;
}

// ---- what creases foretell ----

function makeCreaseCharts() {
  const onScrub = (step) => { play(false); goTo(indexAt(steps, step)); };
  const charts = data.runs.flatMap(({ label, creases }, index) => (creases?.series.length ? [lineChart({
    title: label, run: index % 6, unit: "error against the creases of a step: −1 where errors are always larger where creases are fewer", onScrub,
    series: creases.series.map((series, i) => ({ ...series, colour: [runColour(index), "var(--quiet)"][i], steps: creases.step })),
    range: [-1, 1], full: 0, format: (value, short) => (short ? String(value) : value.toFixed(2)).replace("-", "−"),
  })] : []));
  byId("crease-charts")?.append(...charts.map(({ figure }) => figure));
  return charts;
}

// ---- start ----

byId("bench").hidden = false;
byId("theme").hidden = false;
nameTheme();
byId("scrubber").addEventListener("input", (event) => { play(false); goTo(Number(event.target.value)); });
byId("play").addEventListener("click", () => play(state.timer === null));
byId("opacity").addEventListener("input", (event) => stage.style.setProperty("--opacity", event.target.value / 100));
byId("maps").hidden = !mapNames.length;
byId("last-key").textContent = mapNames.length;
byId("map-choices").append(mapPill(null, "None"), ...mapNames.map((name) => mapPill(name, capitalised(name))));
stage.style.setProperty("--opacity", byId("opacity").value / 100);
charts = makeCharts();
const spectra = makeSpectra();
function fit() {
  fitTable();
  fitStage();
  [...charts, ...spectra].forEach((chart) => chart.redraw());
}
new ResizeObserver(fit).observe(document.body);
fit();
split(0.5);
play(false);
show();
// Decode ahead while the reader reads, so that scrubbing never waits.
(window.requestIdleCallback ?? setTimeout)(() =>
  data.runs.forEach((run) => run.frames.forEach((frame) => withPicture(frame.image, () => {}))));
