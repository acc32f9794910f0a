// All that is turned, at one angle: the pictures of every run, and their surfaces, which can be tilted as well.

function startAround() {
  const byId = (id) => document.getElementById(`around-${id}`);
  const { runs } = JSON.parse(byId("data").textContent);
  const figureOf = (part, { index }) => document.querySelector(`[data-part="${part}"][data-of="${index}"]`);
  const modes = [...new Set(runs.flatMap(({ sheets }) => Object.keys(sheets)))];
  const first = { turn: 0, tilt: tiltOf(runs[0]), away: 1 };
  const state = { ...first, mode: modes[0] };
  const step = 360 / runs[0].pictures;
  const pictures = runs.map((run) => makePictures(run, figureOf("pictures", run)));
  const surfaces = startSurfaces(runs.filter(({ surface }) => surface));

  function startSurfaces(having) {
    const painter = having.length ? makePainter() : null;
    byId("no-webgl").hidden = painter !== null || !having.length;
    byId("keys").hidden = !painter;
    if (!painter) return [];
    return having.map((run) => {
      const larger = SIDE_PIXELS / Math.max(run.width, run.height);
      const [height, width] = [run.height, run.width].map((side) => Math.round(side * Math.min(4, larger)));
      const canvas = canvasIn(figureOf("surface", run), `${run.label}, its surface`, height, width);
      const mesh = painter.load(run.surface);
      return { canvas, show: () => painter.paint(mesh, canvas, eyeAt(run, state), run.up, run.angle) };
    });
  }

  function show() {
    for (const { show: draw } of pictures) draw(state.turn, state.mode);
    for (const { canvas, show: draw } of surfaces) {
      draw();
      canvas.dataset.shows = `${state.turn} ${state.tilt}`;
    }
    const slider = byId("turn");
    slider.value = (Math.round(state.turn / step) + runs[0].pictures) % runs[0].pictures;
    slider.setAttribute("aria-valuetext", `${Math.round(slider.value * step)} degrees`);
    byId("legend").hidden = state.mode !== "creases";
  }

  const turn = (right, up) => {
    state.turn = (((state.turn + right) % 360) + 360) % 360;
    state.tilt = Math.min(Math.max(state.tilt + up, -89), 89);
    show();
  };
  const zoom = (times) => {
    state.away = Math.min(Math.max(state.away / times, 0.25), 3);
    show();
  };
  const reset = () => { Object.assign(state, first); show(); };

  function modePill(mode) {
    const pill = Object.assign(document.createElement("label"), { className: "pill" });
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "around-mode", checked: mode === state.mode });
    input.addEventListener("change", () => { state.mode = mode; show(); });
    pill.append(input, Object.assign(document.createElement("span"), { textContent: mode[0].toUpperCase() + mode.slice(1) }));
    return pill;
  }

  byId("modes").append(...modes.map(modePill));
  byId("turn").max = runs[0].pictures - 1;
  byId("turn").addEventListener("input", (event) => { state.turn = event.target.value * step; show(); });
  for (const { canvas } of pictures) listenTo(canvas, { turn: (right) => turn(right, 0) });
  for (const { canvas } of surfaces) {
    listenTo(canvas, { turn, zoom, reset });
    canvas.addEventListener("dblclick", reset);
  }
  document.getElementById("around").addEventListener("keydown", (event) => event.stopPropagation()); // the page's keys move its scrubber
  byId("controls").hidden = false;
  show();
}

new IntersectionObserver((entries, observer) => { // no work for a reader who never comes here, whose pictures are still
  if (!entries.some((entry) => entry.isIntersecting)) return;
  observer.disconnect();
  startAround();
}, { rootMargin: "400px" }).observe(document.getElementById("around"));
