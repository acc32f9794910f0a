// The microscope put together. The same script is run by the page and, for the work, by its worker.

function startMicroscope() {
  const byId = (id) => document.getElementById(`lens-${id}`);
  const data = JSON.parse(byId("data").textContent);
  const [section, canvas] = [document.getElementById("microscope"), byId("canvas")];
  const pixels = Math.max(data.height, data.width);
  const { channels, layerColours } = data;
  const picture = { width: data.width / pixels, height: data.height / pixels, pixels, channels, layerColours };
  const look = { creases: false, layers: -1, chosen: null };
  let [run, decoded, network, pointed] = [null, [], null, null];

  const service = drawingService(byId("script").textContent, (raster) => lens.receive(raster));
  const lens = makeLens(canvas, picture, service, () => look, seen);
  const switches = makeSwitches(byId, [picture.width, picture.height], switched);

  // ---- which network ----

  function chooseRun(index) {
    run = data.runs[index];
    decoded = run.checkpoints.map(() => null);
    byId("checkpoint").max = run.checkpoints.length - 1;
    byId("checkpoint").value = run.checkpoints.length - 1;
    byId("checkpoints").hidden = run.checkpoints.length < 2;
    switches.offer(run.octaves, run.network.widths.length - 2);
    choose(null);
    byId("worst").hidden = !run.worst.length;
    byId("worst-places").replaceChildren(...run.worst.flatMap(
      (href, index) => [element("a", { href, textContent: index + 1, ariaLabel: `place ${index + 1}` }), " "]));
    chooseCheckpoint(run.checkpoints.length - 1);
    offerLayers();
  }

  function chooseCheckpoint(index) {
    decoded[index] ??= decodedNetwork(run.network, run.checkpoints[index]);
    byId("step").textContent = `step ${counted(run.checkpoints[index].step)}`;
    network = decoded[index];
    switched();
  }

  function switched() {
    if (network) lens.use(network, switches.off());
    if (look.chosen) describeChosen();
  }

  // ---- creases ----

  function offerLayers() {
    const count = patternParts(network).length;
    byId("creases-choice").hidden = !count;
    byId("smooth").hidden = count > 0;
    look.layers = -1;
    byId("layers").replaceChildren(...Array.from({ length: count }, (_, layer) => {
      const box = checkbox(`layer ${layer + 1}`, true, (on) => {
        look.layers = on ? look.layers | (1 << Math.min(layer, 31)) : look.layers & ~(1 << Math.min(layer, 31));
        lens.reshade();
      });
      box.querySelector("input").after(swatch(picture.layerColours[layer % picture.layerColours.length]));
      return box;
    }));
    showCreases(look.creases && count > 0);
  }

  function showCreases(on) {
    look.creases = on;
    byId("creases").checked = on;
    byId("layers").hidden = !on;
    lens.reshade();
    seen(lens.shown());
  }

  // ---- what is pointed at, and chosen ----

  function seen(raster) {
    canvas.dataset.state = !raster ? "moving" : raster.stride > 1 ? "coarse" : "done";
    byId("width").textContent = viewWords(lens.view(), picture);
    byId("busy").textContent = canvas.dataset.state === "done" ? "" : "drawing finer";
    if (!raster) return;
    byId("dense").textContent = creaseWords(raster, look);
    byId("how").textContent = `Drawn by ${raster.kind} in ${service.place()}, ${(raster.time / 1000).toFixed(2)} s.`;
    point(...(pointed ?? [0.5, 0.5]));
  }

  function point(across, down) {
    const sample = lens.sampleAt(across, down);
    if (sample) byId("readout").replaceChildren(...readOut(sample, picture, network, switches.layersOff));
  }

  function pick(across, down) {
    const sample = lens.sampleAt(across, down);
    const nearest = sample && switchingNear(sample.raster, sample.p, 4)[0];
    if (nearest) choose(nearest);
  }

  function choose(neuron) {
    look.chosen = neuron;
    byId("chosen").hidden = !neuron;
    if (neuron) describeChosen();
    lens.reshade();
  }

  function describeChosen() {
    const off = switches.isOff(look.chosen);
    const now = off ? "; it is off now" : switches.layersOff.has(look.chosen.layer) ? "; its layer is off now" : "";
    byId("chosen-name").textContent = `The white line is where ${neuronName(look.chosen)} switches${now}.`;
    byId("switch").textContent = off ? "Switch it on" : "Switch it off";
  }

  // ---- start ----

  byId("bench").hidden = false;
  byId("run").append(...data.runs.map(({ label }, index) => element("option", { value: index, textContent: label })));
  byId("runs").hidden = data.runs.length < 2;
  byId("run").addEventListener("change", (event) => chooseRun(Number(event.target.value)));
  byId("checkpoint").addEventListener("input", (event) => chooseCheckpoint(Number(event.target.value)));
  byId("creases").addEventListener("change", (event) => showCreases(event.target.checked));
  byId("switch").addEventListener("click", () => switches.switchNeuron(look.chosen));
  byId("clear").addEventListener("click", () => choose(null));
  byId("in").addEventListener("click", () => lens.zoom(2));
  byId("out").addEventListener("click", () => lens.zoom(0.5));
  byId("whole").addEventListener("click", () => lens.flyTo(lens.whole()));
  listen(canvas, lens, {
    point: (...place) => { pointed = place; point(...place); }, leave: () => { pointed = null; }, pick,
    toggleCreases: () => { if (network && hasCreases(network)) showCreases(!look.creases); }, clear: () => choose(null),
  });
  section.addEventListener("keydown", (event) => event.stopPropagation()); // the page's keys move its scrubber
  section.style.setProperty("--aspect", Math.min(Math.max(data.width / data.height, 0.6), 2.4));
  new ResizeObserver(() => lens.resize(canvas.clientWidth, canvas.clientHeight)).observe(canvas);
  lens.resize(canvas.clientWidth, canvas.clientHeight);
  new IntersectionObserver((entries, observer) => { // no work for a reader who never comes here
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    chooseRun(0);
  }, { rootMargin: "200px" }).observe(section);

  // A link to #look=left,top,side flies there: a square of the picture, in its pixels.
  function followLink() {
    const found = /^#look=([\d.]+),([\d.]+),([\d.]+)$/.exec(location.hash);
    if (!found) return;
    const [left, top, side] = found.slice(1).map((number) => Number(number) / pixels);
    section.scrollIntoView({ block: "start" });
    lens.flyTo({ x: left + side / 2, y: top + side / 2, width: side * Math.max(1, canvas.width / canvas.height) });
  }
  addEventListener("hashchange", followLink);
  document.addEventListener("click", ({ target }) => { // once more to where the address points already
    if (target.closest?.("a[href^='#look=']")?.hash === location.hash) followLink();
  });
  followLink();
}

if (typeof document === "undefined") startWorker();
else startMicroscope();
