// What is at a place of the picture: a click asks the network of each run.

const CLICK_PX = 4; // A pointer that moved less has pointed at a place, and dragged nothing.
const mark = htmlElement("i", { className: "place-mark", hidden: true });
const places = htmlElement("div", { className: "places", hidden: true });
places.setAttribute("aria-live", "polite");
stage.append(mark);
stage.parentElement.append(places);

function factsOf(found) {
  return Object.entries(found).map(([name, value]) => {
    const shown = htmlElement("dd", { textContent: value, className: value.startsWith("#") ? "swatch" : "" });
    shown.style.setProperty("--swatch", value);
    return htmlElement("div", {}, htmlElement("dt", { textContent: name }), shown);
  });
}

function runHeading(index) {
  const name = htmlElement("p", { className: "run-name", textContent: data.runs[index].label });
  name.style.setProperty("--run", runColour(index));
  return name;
}

let pressed = null;
let clicks = 0;
stage.addEventListener("pointerdown", (event) => {
  pressed = { x: event.clientX, y: event.clientY, split: divider.getAttribute("aria-valuenow") / 100 };
}, true); // Before the divider goes there: after a click it goes back.
stage.addEventListener("click", (event) => {
  if (!pressed || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > CLICK_PX) return;
  split(pressed.split);
  const box = stage.getBoundingClientRect();
  tellOf((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
});

// A link to #place=left,top,side, in pixels of the target: what is at the middle of that square.
document.addEventListener("click", ({ target }) => {
  const found = /^#place=([\d.]+),([\d.]+),([\d.]+)$/.exec(target.closest?.("a")?.hash ?? "");
  if (!found) return;
  const [left, top, side] = found.slice(1).map(Number);
  tellOf((left + side / 2) / data.target.width, (top + side / 2) / data.target.height);
  stage.scrollIntoView({ block: "nearest" });
});

// Shares of the width and the height.
async function tellOf(x, y) {
  if (replaced) return;
  const [turn, lists] = [++clicks, []];
  for (const index of data.runs.keys()) {
    const found = await ask(`at?x=${x}&y=${y}&run=${index}`);
    if (!found || turn !== clicks) return;
    lists.push(htmlElement("dl", { className: "facts-row place" }, ...factsOf(found)));
  }
  mark.style.left = `${100 * x}%`;
  mark.style.top = `${100 * y}%`;
  const isAlone = lists.length === 1; // Whose it is has to be said where there are several.
  places.replaceChildren(...lists.flatMap((list, index) => (isAlone ? [list] : [runHeading(index), list])));
  mark.hidden = places.hidden = false;
  for (const [index, list] of lists.entries()) { // This takes longer, and is read later.
    const found = await ask(`motion?x=${x}&y=${y}&run=${index}`);
    if (!found || turn !== clicks) return;
    list.append(...factsOf(found));
  }
}
