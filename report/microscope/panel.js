// What stands beside the lens: the read-out, the neuron that was chosen, and what is switched off.

const NAMED_NEURONS = 6; // of those that switch at one place; the others are counted

const counted = (number) => number.toLocaleString("en");
const neuronName = ({ layer, neuron }) => `layer ${layer + 1}, neuron ${neuron + 1}`;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function checkbox(label, checked, change) {
  const input = element("input", { type: "checkbox", checked });
  input.addEventListener("change", () => change(input.checked));
  return element("label", { className: "lens-check" }, input, label);
}

function swatch(colour) {
  const mark = element("i", { className: "lens-swatch" });
  mark.style.background = `rgb(${colour.map(Math.round).join(" ")})`;
  return mark;
}

// Where a sample is, its colour, how many neurons of each layer that is not off are on, and which switch next to it.
function readOut(sample, picture, network, layersOff) {
  const { raster, p, x, y } = sample;
  const digits = Math.min(12, Math.max(0, Math.ceil(-Math.log10(raster.window.spacing * picture.pixels)) + 1));
  const place = `x ${(x * picture.pixels).toFixed(digits)}, y ${(y * picture.pixels).toFixed(digits)} px`;
  const colour = colourOf(raster.values, p, picture, x, y);
  const rows = [
    ["place", place],
    ["colour", element("span", {}, swatch(colour), colour.map(Math.round).join(", "))],
    ...neuronsOn(raster, p).map((on, layer) => [`layer ${layer + 1}`,
      layersOff.has(layer) ? "off: it does not bend" : `${on} of ${network.layers[layer].outputs} neurons on`]),
  ];
  if (raster.parts.length) rows.push(["switch here", switchingWords(switchingNear(raster, p, 1))]);
  return rows.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", {}, value)]);
}

function switchingWords(found) {
  if (!found.length) return "none: no crease meets this sample";
  const named = found.slice(0, NAMED_NEURONS).map(neuronName).join("; ");
  return found.length > NAMED_NEURONS ? `${named}; and ${counted(found.length - NAMED_NEURONS)} more` : named;
}

// How wide the window is, in pixels of the picture, and what is to be known of its creases.
function viewWords(view, picture) {
  const width = view.width * picture.pixels;
  return width >= 100 ? `${Math.round(width)} px wide` : `${Number(width.toPrecision(3)).toString()} px wide`;
}

function creaseWords(raster, look) {
  if (!look.creases) return "";
  const crossed = raster.changes.reduce((sum, bits) => sum + ((bits & look.layers) !== 0), 0) / raster.changes.length;
  return crossed > 0.5 ? "Creases are closer together here than the samples of this view. Zoom in to see them apart." : "";
}

// The switches: octaves and layers by checkboxes, neurons as buttons that bring them back.
function makeSwitches(byId, size, changed) {
  const off = { features: new Set(), layers: new Set(), neurons: [] };

  function offer(octaves, layers) {
    off.features.clear();
    off.layers.clear();
    off.neurons.length = 0;
    showNeurons();
    byId("octave-choices").replaceChildren(...octaves.map(({ label, features }) => choice(label, off.features, features)));
    byId("octaves").hidden = !octaves.length;
    byId("layer-choices").replaceChildren(
      ...Array.from({ length: layers }, (_, layer) => choice(`layer ${layer + 1}`, off.layers, [layer])));
  }

  function choice(label, set, members) {
    return checkbox(label, true, (on) => {
      members.forEach((member) => (on ? set.delete(member) : set.add(member)));
      changed();
    });
  }

  function showNeurons() {
    byId("neurons-off").replaceChildren(...off.neurons.map((one) => {
      const button = element("button", { type: "button", textContent: `${neuronName(one)} is off: on again` });
      button.addEventListener("click", () => switchNeuron(one));
      return button;
    }));
  }

  function isOff({ layer, neuron }) { return off.neurons.some((one) => one.layer === layer && one.neuron === neuron); }

  function switchNeuron(one) {
    if (isOff(one)) off.neurons = off.neurons.filter(({ layer, neuron }) => layer !== one.layer || neuron !== one.neuron);
    else off.neurons.push(one);
    showNeurons();
    changed();
  }

  return {
    offer, switchNeuron, isOff, layersOff: off.layers,
    off: () => ({ features: [...off.features], layers: [...off.layers], neurons: off.neurons, size }),
  };
}
