// A surface of triangles, drawn by WebGL and copied to the canvas of its run: a browser has few contexts of that kind.

const VERTEX = `
attribute vec3 position, normal, colour;
uniform mat4 view;
uniform vec3 eye;
varying vec3 shade;
void main() {
  gl_Position = view * vec4(position, 1.0);
  float facing = dot(normalize(eye - position), normalize(normal)); // the lamp is where the eye is
  shade = colour * (0.6 + 0.4 * max(facing, 0.0)); // colours are read off a scale, so shadows are light
}`;
const FRAGMENT = `
precision mediump float;
varying vec3 shade;
void main() { gl_FragColor = vec4(shade, 1.0); }`;
const GROUND = [24 / 255, 26 / 255, 31 / 255]; // as pictures of the program have it where nothing is
const NEAREST = 0.05;
const SIDE_PIXELS = 1200; // at most, along the longer side

function numbersOf(text, Kind) {
  return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

const minus = (a, b) => a.map((v, i) => v - b[i]);
const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
const times = (a, share) => a.map((v) => v * share);
const unit = (a) => times(a, 1 / Math.hypot(...a));
const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];
const MIDDLE = [0.5, 0.5, 0.5];

// Where a camera is that has gone `turn` degrees around, at `tilt` degrees above the ground, `away` times as far.
function eyeAt({ eye, up }, { turn, tilt, away }) {
  const from = minus(eye, MIDDLE);
  const level = unit(minus(from, times(up, dot(from, up))));
  const aside = cross(up, level);
  const [angle, high] = [(turn * Math.PI) / 180, (tilt * Math.PI) / 180];
  const around = level.map((v, i) => Math.cos(angle) * v + Math.sin(angle) * aside[i]);
  return MIDDLE.map((v, i) => v + away * Math.hypot(...from) * (Math.cos(high) * around[i] + Math.sin(high) * up[i]));
}

// Degrees above the ground of the orbit's own cameras.
function tiltOf({ eye, up }) {
  return (Math.asin(dot(unit(minus(eye, MIDDLE)), up)) * 180) / Math.PI;
}

// From the unit cube to the screen, column by column, as WebGL takes it.
function viewMatrix(eye, up, angle, aspect) {
  const back = unit(minus(eye, MIDDLE));
  const right = unit(cross(up, back));
  const top = cross(back, right);
  const tall = 1 / Math.tan(angle / 2);
  const far = Math.hypot(...minus(eye, MIDDLE)) + 1;
  const rows = [
    [...times(right, tall / aspect), (-tall / aspect) * dot(right, eye)],
    [...times(top, tall), -tall * dot(top, eye)],
  ];
  const depth = [...back, -dot(back, eye)]; // minus the distance along the axis
  const [a, b] = [(far + NEAREST) / (NEAREST - far), (2 * far * NEAREST) / (NEAREST - far)];
  rows.push([...times(depth.slice(0, 3), a), a * depth[3] + b], times(depth, -1));
  return [0, 1, 2, 3].flatMap((column) => rows.map((row) => row[column]));
}

function compiled(gl, kind, text) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, text);
  gl.compileShader(shader);
  return shader;
}

// What draws surfaces; null where a browser has no WebGL.
function makePainter() {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { antialias: true });
  if (!gl) return null;
  const program = gl.createProgram();
  gl.attachShader(program, compiled(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compiled(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.enable(gl.DEPTH_TEST);
  gl.clearColor(...GROUND, 1);

  // A surface on the graphics processor.
  function load({ vertices, normals, colours, triangles }) {
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    const attribute = (name, data, kind) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      const place = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 3, kind, true, 0, 0);
    };
    attribute("position", numbersOf(vertices, Uint16Array), gl.UNSIGNED_SHORT);
    attribute("normal", numbersOf(normals, Int8Array), gl.BYTE);
    attribute("colour", numbersOf(colours, Uint8Array), gl.UNSIGNED_BYTE);
    const corners = numbersOf(triangles, Uint32Array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, corners, gl.STATIC_DRAW);
    return { array, count: corners.length };
  }

  // Draws a surface onto the canvas of a run.
  function paint({ array, count }, onto, eye, up, angle) {
    Object.assign(canvas, { width: onto.width, height: onto.height });
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix4fv(gl.getUniformLocation(program, "view"), false, viewMatrix(eye, up, angle, onto.width / onto.height));
    gl.uniform3fv(gl.getUniformLocation(program, "eye"), eye);
    gl.bindVertexArray(array);
    gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
    onto.getContext("2d").drawImage(canvas, 0, 0);
  }
  return { load, paint };
}
