// Live pictures of cameras, lines of line cameras.
import { address, devicePath, get } from "./api.js";
import { every, h, setText } from "./dom.js";
import { drawLine } from "./plot.js";
import { on } from "./store.js";

export function pictureFigure(target, assembly, signal) {
  return assembly.kind.startsWith("lcam") ? lineFigure(target, assembly, signal) : cameraFigure(target, assembly, signal);
}

/// Calls `load(event)` for the newest picture; those that come while one is loaded are skipped.
function newest(target, assembly, signal, load) {
  let waiting = null;
  let isLoading = false;
  async function next() {
    if (isLoading) return;
    isLoading = true;
    while (waiting && !signal.aborted) {
      const event = waiting;
      waiting = null;
      try {
        await load(event);
      } catch {
        // A picture that was replaced meanwhile or cannot be decoded: the next one comes.
      }
    }
    isLoading = false;
  }
  on("picture", signal, (event) => {
    if (event.connection !== target.connection || event.device !== target.path || event.assembly !== assembly.name) return;
    waiting = event;
    next();
  });
}

/// Pictures per second over the last five seconds.
function rate() {
  let times = [];
  return {
    count: () => times.push(performance.now()),
    text() {
      const from = performance.now() - 5000;
      times = times.filter((time) => time > from);
      return times.length ? `${(times.length / 5).toFixed(1)} pictures/s` : "no pictures at the moment";
    },
  };
}

function frame(assembly, content) {
  const about = h("span", { class: "hint num" }, "waiting for the first picture");
  const element = h("figure", { class: "card picture" }, content, h("figcaption", {}, h("strong", {}, assembly.name), " ", about));
  return { element, about };
}

function cameraFigure(target, assembly, signal) {
  const url = (sequence) => address(`${devicePath(target.connection, target.path, "pictures", assembly.name)}${sequence === undefined ? "" : `?n=${sequence}`}`);
  const holder = h("div", { class: "picture-holder" });
  const { element, about } = frame(assembly, holder);
  const pictures = rate();
  let size = "";
  async function load(event) {
    const image = new Image();
    image.alt = `Live picture of ${assembly.name}`;
    image.className = "live";
    image.dataset.test = "picture";
    image.src = url(event.sequence);
    // Decoded before it replaces the old one: nothing flickers.
    await image.decode();
    if (signal.aborted) return;
    image.dataset.sequence = event.sequence ?? "";
    holder.replaceChildren(image);
    size = `${event.width ?? image.naturalWidth} × ${event.height ?? image.naturalHeight}`;
    if (event.sequence !== undefined) pictures.count();
    setText(about, `${size} · ${pictures.text()}`);
  }
  newest(target, assembly, signal, load);
  // The last picture, until a live one comes; 404 before the first is normal.
  load({}).catch(() => {});
  every(1000, signal, () => size && setText(about, `${size} · ${pictures.text()}`));
  return element;
}

function lineFigure(target, assembly, signal) {
  const canvas = h("canvas", { class: "line-camera", role: "img", "data-test": "picture", "aria-label": `Line of ${assembly.name}` });
  const { element, about } = frame(assembly, canvas);
  const pictures = rate();
  let values = [];
  const draw = () => drawLine(canvas, values, [0, 255]);
  async function load(event) {
    const path = devicePath(target.connection, target.path, "pictures", assembly.name);
    const answer = await get(event.sequence === undefined ? path : `${path}?n=${event.sequence}`, signal);
    values = answer.values;
    if (event.sequence !== undefined) pictures.count();
    draw();
  }
  newest(target, assembly, signal, load);
  load({}).catch(() => {});
  every(1000, signal, () => values.length && setText(about, `${values.length} points, brightness 0 – 255 · ${pictures.text()}`));
  window.addEventListener("resize", draw, { signal });
  window.addEventListener("themechange", draw, { signal });
  return element;
}
