// What a person does on the lens: wheel, drag, pinch, keys. A page that is being scrolled goes on scrolling.

const WHEEL_RATE = 1.0015; // of a wheel's pixel
const SCROLL_MILLISECONDS = 250; // after which a page counts as no longer being scrolled
const STEP = 0.1; // of the lens, for an arrow key
const CLICK_PX = 4; // a pointer that moved less has clicked

// `acts`: point(across, down), pick(across, down), leave(), toggleCreases(), clear().
function listen(canvas, lens, acts) {
  const pointers = new Map();
  let [scrolledAt, travelled] = [-Infinity, 0];
  const place = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  const isWhole = () => lens.view().width >= lens.whole().width;

  addEventListener("scroll", () => { scrolledAt = performance.now(); }, { passive: true });
  canvas.addEventListener("wheel", (event) => {
    const scrolls = performance.now() - scrolledAt < SCROLL_MILLISECONDS || (event.deltaY > 0 && isWhole());
    if (scrolls && !event.ctrlKey) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode] * (event.ctrlKey ? 5 : 1);
    lens.zoom(WHEEL_RATE ** -Math.min(Math.max(pixels, -600), 600), ...place(event));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 1) travelled = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [now, before] = [place(event), pointers.get(event.pointerId)];
    if (!before) { acts.point(...now); return; }
    pointers.set(event.pointerId, now);
    travelled += Math.hypot((now[0] - before[0]) * canvas.clientWidth, (now[1] - before[1]) * canvas.clientHeight);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) {
      if (travelled > CLICK_PX) lens.move(before[0] - now[0], before[1] - now[1]);
      return;
    }
    const apart = ([x, y]) => Math.hypot((x - other[0]) * canvas.clientWidth, (y - other[1]) * canvas.clientHeight);
    travelled = Infinity;
    lens.move((before[0] - now[0]) / 2, (before[1] - now[1]) / 2);
    lens.zoom(apart(now) / Math.max(apart(before), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (pointers.size === 1 && travelled <= CLICK_PX) acts.pick(...place(event));
    pointers.delete(event.pointerId);
  });
  canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", acts.leave);

  const keys = {
    "+": () => lens.zoom(1.5), "=": () => lens.zoom(1.5), "-": () => lens.zoom(1 / 1.5), 0: () => lens.flyTo(lens.whole()),
    ArrowLeft: () => lens.move(-STEP, 0), ArrowRight: () => lens.move(STEP, 0),
    ArrowUp: () => lens.move(0, -STEP), ArrowDown: () => lens.move(0, STEP),
    c: acts.toggleCreases, Enter: () => acts.pick(0.5, 0.5), Escape: acts.clear,
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  });
}
