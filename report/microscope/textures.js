// What the graphics card is given and gives back: programs, textures of floats, and targets to draw into.

const fours = (count) => Math.ceil(count / 4);

function texture(gl, format, width, height, slices) {
  const kind = slices ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
  const made = gl.createTexture();
  gl.bindTexture(kind, made);
  if (slices) gl.texStorage3D(kind, 1, format, width, height, slices);
  else gl.texStorage2D(kind, 1, format, width, height);
  gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return made;
}

function target(gl, textures) {
  const made = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, made);
  textures.forEach(([one, slice], i) => (slice === undefined
    ? gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + i, gl.TEXTURE_2D, one, 0)
    : gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + i, one, 0, slice)));
  gl.drawBuffers(textures.map((_, i) => gl.COLOR_ATTACHMENT0 + i));
  return made;
}

// Four weights of a neuron in each texel; a row for each neuron, and of none where they are filled up to fours.
function setWeights(gl, into, { inputs, outputs, weight }) {
  const [columns, rows] = [fours(inputs), 4 * fours(outputs)];
  const padded = new Float32Array(4 * columns * rows);
  for (let row = 0; row < outputs; row++) padded.set(weight.subarray(row * inputs, (row + 1) * inputs), 4 * columns * row);
  gl.bindTexture(gl.TEXTURE_2D, into);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, columns, rows, gl.RGBA, gl.FLOAT, padded);
}

// A layer's z at the centre, and below it the change of the activation's output beyond which a neuron is on.
function setCentre(gl, into, z, { activation, slope, layers }, index) {
  const width = fours(z.length);
  const rows = new Float32Array(8 * width);
  const turn = (2 * Math.PI) / SINE_RATE; // of a sine only what is left of whole turns matters
  const periodic = activation === "sine" && index < layers.length - 1;
  rows.set(periodic ? z.map((value) => value - turn * Math.round(value / turn)) : z);
  const never = 3e38; // of a straight layer no neuron is on
  rows.set(z.map((value) => (layers[index].straight ? never : value > 0 ? -value : -slope * value)), 4 * width);
  gl.bindTexture(gl.TEXTURE_2D, into);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, 2, gl.RGBA, gl.FLOAT, rows);
}

// Features of n points less those of the centre.
function uploadFeatures(gl, into, features, centre, n) {
  const [count, groups, sliceWidth] = [centre.length, fours(centre.length), fours(n)];
  const texels = new Float32Array(16 * sliceWidth * groups);
  for (let p = 0; p < n; p++) {
    const [slice, column] = [Math.floor(p / sliceWidth), p % sliceWidth];
    for (let k = 0; k < count; k++) {
      texels[4 * ((slice * groups + (k >> 2)) * sliceWidth + column) + (k & 3)] = features[p * count + k] - centre[k];
    }
  }
  gl.bindTexture(gl.TEXTURE_2D_ARRAY, into);
  gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, 0, sliceWidth, groups, 4, gl.RGBA, gl.FLOAT, texels);
}

// Reads a target through a buffer, so that nobody waits for the card: start, and read when all is finished.
function reader(gl, Numbers) {
  const buffer = gl.createBuffer();
  let count = 0;
  return {
    start(from, width, height, format, type) {
      count = 4 * width * height;
      gl.bindFramebuffer(gl.FRAMEBUFFER, from);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
      gl.bufferData(gl.PIXEL_PACK_BUFFER, 4 * count, gl.STREAM_READ);
      gl.readPixels(0, 0, width, height, format, type, 0);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    },
    read() {
      const numbers = new Numbers(count);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, numbers);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
      return numbers;
    },
  };
}

// When the card has done all that it was asked to. Asked at once at first, and then less often.
async function finished(gl) {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  for (let asked = 0; !gl.isContextLost(); asked++) {
    const state = gl.clientWaitSync(fence, 0, 0);
    if (state === gl.WAIT_FAILED) break;
    if (state !== gl.TIMEOUT_EXPIRED) { gl.deleteSync(fence); return; }
    await (asked < 8 ? breath() : new Promise((go) => setTimeout(go, 4)));
  }
  throw new Error("the graphics card is gone");
}

// Lets messages and frames come in between; a timeout would take four milliseconds.
function breath() {
  return new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); go(); };
    port2.postMessage(null);
  });
}

// Patterns by blocks of 128 neurons, row by row of points, as the words of one point after the other.
function byPoint(texels, blocks, across, down) {
  const patterns = new Uint32Array(texels.length);
  for (let j = 0, at = 0; j < down; j++) {
    for (let block = 0; block < blocks; block++) {
      for (let i = 0; i < across; i++) {
        for (let word = 0; word < 4; word++, at++) patterns[4 * ((j * across + i) * blocks + block) + word] = texels[at];
      }
    }
  }
  return patterns;
}

// A program that is still being made; `linked` waits for it.
function programOf(gl, fragment) {
  const handle = gl.createProgram();
  const corner = "#version 300 es\nvoid main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1); }";
  const shaders = [[gl.VERTEX_SHADER, corner], [gl.FRAGMENT_SHADER, fragment]].map(([kind, source]) => {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(handle, shader);
    return shader;
  });
  gl.linkProgram(handle);
  const places = new Map();
  const place = (name) => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(handle, name));
    return places.get(name);
  };
  return { handle, shaders, place };
}

// When programs are made. Where the browser can be asked for that, other work goes on meanwhile.
async function linked(gl, programs) {
  const asked = gl.getExtension("KHR_parallel_shader_compile");
  for (const { handle, shaders } of programs) {
    while (asked && !gl.isContextLost() && !gl.getProgramParameter(handle, asked.COMPLETION_STATUS_KHR)) await breath();
    if (!gl.getProgramParameter(handle, gl.LINK_STATUS)) throw new Error(shaders.map((shader) => gl.getShaderInfoLog(shader)).join("\n"));
  }
}
