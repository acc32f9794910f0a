// Line charts over training steps or frequencies: a logarithmic axis, a cursor, values beside the key.

const MARGIN = { top: 10, right: 12, bottom: 26, left: 42 };

function svgElement(name, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

function htmlElement(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// Round numbers inside [low, high], about `count` of them.
function niceTicks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const spacing = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / spacing - 1e-9); i * spacing <= high + spacing * 1e-9; i++) ticks.push(i * spacing);
  return ticks;
}

// 0, then the powers of ten; where a logarithm of 1 + step puts its marks. A logarithmic axis has no zero, so that its
// mark says what step 0 is: the start.
function stepTicks(last) {
  const ticks = [0];
  for (let power = last > 100 ? 10 : 1; power <= last; power *= 10) ticks.push(power);
  return ticks;
}

// An axis across: where a number lies as a share of it, the number there, and marks with their words.
function stepAxis(last) {
  return {
    name: "step",
    share: (step) => Math.log1p(Math.min(step, last)) / Math.log1p(last),
    at: (share) => Math.expm1(share * Math.log1p(last)),
    last,
    ticks: stepTicks(last).map((step) => [step, step === 0 ? "start" : step.toLocaleString("en")]),
  };
}

// Frequencies: those of a picture are marked by their wavelengths in pixels, those of a signal by cycles.
function frequencyAxis(first, last, inCycles) {
  const octaves = Math.log(last / first);
  const marks = [];
  for (let mark = inCycles ? 1 : 2; inCycles ? mark <= last : 1 / mark >= first; mark *= inCycles ? 10 : 4) {
    marks.push(inCycles ? [mark, mark.toLocaleString("en")] : [1 / mark, `${mark} px`]);
  }
  return {
    name: inCycles ? "cycles" : "cycles per pixel",
    share: (frequency) => Math.log(frequency / first) / octaves,
    at: (share) => first * Math.exp(share * octaves),
    last,
    ticks: marks,
  };
}

// The index of the last step not after `step`; the first one if there is none.
function indexAt(steps, step) {
  let index = 0;
  while (index + 1 < steps.length && steps[index + 1] <= step) index += 1;
  return index;
}

// SVG path through the measured points; a gap where nothing was measured.
function pathOf(points) {
  let pen = "M";
  return points.map(([x, y]) => {
    if (y === null) { pen = "M"; return ""; }
    const part = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
    return part;
  }).join("");
}

// The area between two curves; nothing where either was not measured.
function bandOf(low, high) {
  const there = low.map((_, i) => i).filter((i) => low[i][1] !== null && high[i][1] !== null);
  return pathOf([...there.map((i) => low[i]), ...there.reverse().map((i) => high[i])]);
}

// series: [{label, colour, dashed, steps, values, low, high}], the last two for a band around the curve; `run` colours the title; steps unless there is another axis `across`.
// Returns {figure, moveTo(step), redraw()}.
function lineChart({ title, run, unit, series, range, full, format, onScrub, across }) {
  const axis = across ?? stepAxis(Math.max(1, ...series.flatMap(({ steps }) => steps)));
  const svg = svgElement("svg", { role: "img", "aria-label": `${title}: ${spoken(series, format)}` });
  const key = htmlElement("ul", { className: "key" });
  const readouts = series.map(({ label, colour, dashed }) => {
    const mark = htmlElement("i", { className: dashed ? "dashed" : "" });
    mark.style.setProperty("--colour", colour);
    const value = htmlElement("b");
    key.append(htmlElement("li", {}, mark, htmlElement("span", { textContent: label, title: label }), value));
    return value;
  });
  const name = htmlElement("span", { textContent: title });
  if (run !== undefined) Object.assign(name, { className: "run-name" }).dataset.run = run;
  const caption = htmlElement("figcaption", {}, name, htmlElement("span", { className: "unit", textContent: unit }));
  const figure = htmlElement("figure", { className: "chart" }, caption, svg, key);
  caption.append(saveButtons(`${title} ${unit}`, svg, () => tableOf(axis, series)));
  let scale = null;
  let current = axis.last;

  function redraw() {
    const width = svg.clientWidth || 340;
    const height = svg.clientHeight || 230;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`); // on paper it is as wide as there is room, and nothing is cut
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    const [low, high] = range;
    scale = {
      x: (step) => MARGIN.left + axis.share(step) * inner.width,
      y: (value) => MARGIN.top + (1 - (Math.min(Math.max(value, low), high) - low) / (high - low)) * inner.height,
      step: (x) => axis.at((x - MARGIN.left) / inner.width),
      bottom: MARGIN.top + inner.height,
    };
    svg.replaceChildren(...axes(width), ...curves(), svgElement("g", { class: "at-cursor" }));
    moveTo(current);
  }

  function axes(width) {
    const rows = niceTicks(...range, 4).flatMap((value) => [
      svgElement("line", { class: value === full ? "full" : "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: scale.y(value), y2: scale.y(value) }),
      svgElement("text", { x: MARGIN.left - 8, y: scale.y(value) + 4, "text-anchor": "end" }, format(value, true)),
    ]);
    const columns = axis.ticks.map(([step, words]) =>
      svgElement("text", { x: scale.x(step), y: scale.bottom + 18, "text-anchor": "middle" }, words));
    return [...rows, ...columns];
  }

  function curves() {
    return series.flatMap(({ steps, values, low, high, colour, dashed }) => {
      const points = (numbers) => steps.map((step, i) => [scale.x(step), numbers[i] === null ? null : scale.y(numbers[i])]);
      const path = svgElement("path", { class: dashed ? "curve dashed" : "curve", d: pathOf(points(values)) });
      path.style.stroke = colour;
      const band = low ? [svgElement("path", { class: "band", d: bandOf(points(low), points(high)) })] : [];
      band.forEach((area) => { area.style.fill = colour; });
      return [...band, path];
    });
  }

  function moveTo(step) {
    current = step;
    const x = scale ? scale.x(step) : 0;
    const marks = [svgElement("line", { class: "cursor", x1: x, x2: x, y1: MARGIN.top, y2: scale?.bottom ?? 0 })];
    series.forEach(({ steps, values, colour }, i) => {
      const value = values[indexAt(steps, step)];
      readouts[i].textContent = value === null ? "n/a" : format(value);
      if (value === null) return;
      const dot = svgElement("circle", { class: "dot", r: 4, cx: x, cy: scale?.y(value) ?? 0 });
      dot.style.fill = colour;
      marks.push(dot);
    });
    svg.querySelector(".at-cursor")?.replaceChildren(...marks);
  }

  function scrub(event) {
    onScrub(scale.step(event.clientX - svg.getBoundingClientRect().left));
  }
  svg.addEventListener("pointerdown", (event) => { svg.setPointerCapture(event.pointerId); scrub(event); });
  svg.addEventListener("pointermove", (event) => { if (event.buttons) scrub(event); });
  return { figure, moveTo, redraw };
}

// ---- charts as files ----

function saveButtons(title, svg, table) {
  const name = title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60);
  const kinds = {
    PNG: () => pixelsOf(svg).then((blob) => save(blob, `${name}.png`)),
    SVG: () => save(new Blob([drawingOf(svg)], { type: "image/svg+xml" }), `${name}.svg`),
    CSV: () => save(new Blob([table()], { type: "text/csv" }), `${name}.csv`),
  };
  return htmlElement("span", { className: "save" }, ...Object.entries(kinds).map(([kind, make]) => {
    const button = htmlElement("button", { type: "button", textContent: kind });
    button.setAttribute("aria-label", `Save the chart ${title} as ${kind}`);
    button.addEventListener("click", make);
    return button;
  }));
}

function save(blob, name) {
  const link = htmlElement("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// A drawing on its own: looks that the page's style gives are written into it, on the page's paper.
const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight"];

function drawingOf(svg) {
  const copy = svg.cloneNode(true);
  const [width, height] = [svg.clientWidth, svg.clientHeight];
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }).forEach(([key, value]) => copy.setAttribute(key, value));
  const own = [...svg.querySelectorAll("*")];
  copy.querySelectorAll("*").forEach((element, i) => {
    const looks = getComputedStyle(own[i]);
    element.setAttribute("style", LOOKS.map((look) => `${look}:${looks.getPropertyValue(look)}`).join(";"));
  });
  copy.querySelector(".at-cursor")?.remove();
  copy.prepend(svgElement("rect", { width, height, fill: getComputedStyle(document.body).backgroundColor }));
  return new XMLSerializer().serializeToString(copy);
}

async function pixelsOf(svg) {
  const scale = 2;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawingOf(svg))}`;
  await image.decode();
  const canvas = htmlElement("canvas", { width: scale * svg.clientWidth, height: scale * svg.clientHeight });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done); });
}

// A line for each place across at which something was measured, a column for each curve.
function tableOf(axis, series) {
  const places = [...new Set(series.flatMap(({ steps }) => steps))].sort((a, b) => a - b);
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const columns = series.map(({ steps, values }) => new Map(steps.map((step, i) => [step, values[i]])));
  const lines = places.map((place) => [place, ...columns.map((column) => column.get(place) ?? "")].join(","));
  return `${[axis.name, ...series.map(({ label }) => label)].map(quoted).join(",")}\n${lines.join("\n")}\n`;
}

function spoken(series, format) {
  return series.map(({ label, values }) => {
    const end = values.findLast((value) => value !== null) ?? null;
    return `${label} ends at ${end === null ? "n/a" : format(end)}`;
  }).join("; ");
}

// Lowest and highest value of all series, a little wider so that no curve touches the frame.
function rangeOf(series) {
  const values = series.flatMap(({ values }) => values).filter((value) => value !== null);
  if (!values.length) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((high - low) * 0.06, 0.5);
  return [low - room, high + room];
}
