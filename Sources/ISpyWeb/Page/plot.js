// Plots on canvases: small lines of arrays, and the history of a signal.
import { cssColour, h } from "./dom.js";
import { number } from "./format.js";

/// Sizes the canvas for the screen's pixels; gives context, width and height in CSS pixels.
function prepare(canvas) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const scale = window.devicePixelRatio || 1;
  const pixels = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/// A line through all values; `bounds` fixes the vertical range.
export function drawLine(canvas, values, bounds) {
  const { context, width, height } = prepare(canvas);
  if (values.length === 0 || width === 0) return;
  let low = bounds?.[0] ?? Infinity;
  let high = bounds?.[1] ?? -Infinity;
  if (!bounds) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const span = high - low || 1;
  const step = values.length > 1 ? (width - 2) / (values.length - 1) : 0;
  context.strokeStyle = cssColour("--accent-line");
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  for (let at = 0; at < values.length; at += 1) {
    const x = 1 + at * step;
    const y = high === low ? height / 2 : height - 2 - ((Number(values[at]) - low) / span) * (height - 4);
    if (at === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.stroke();
}

/// Values with their times, in a ring. Values held for long cost one point.
export class History {
  static seconds = 600;
  /// Half a second between points is enough for ten minutes on a screen; bounds the memory of 500 signals.
  static #gap = 500;
  static #most = 1300;
  #times = [];
  #values = [];
  latest = null;

  add(time, value) {
    const plain = value === null || value === undefined ? NaN : Number(value);
    const count = this.#times.length;
    // The newest point moves until it is old enough to stay.
    if (count > 1 && time - this.#times[count - 2] < History.#gap) {
      this.#times[count - 1] = time;
      this.#values[count - 1] = plain;
    } else {
      this.#times.push(time);
      this.#values.push(plain);
    }
    this.latest = plain;
    if (this.#times.length > History.#most) {
      const old = this.#times.length - History.#most + 100;
      this.#times.splice(0, old);
      this.#values.splice(0, old);
    }
  }

  get times() {
    return this.#times;
  }

  get values() {
    return this.#values;
  }
}

/// Ten minutes of one signal with axes. `draw()` is called by the owner.
export function historyPlot(name, unit, history) {
  const canvas = h("canvas", { class: "history", role: "img" });
  const element = h("div", { class: "history-box" }, canvas);
  function draw() {
    const { context, width, height } = prepare(canvas);
    if (width === 0) return;
    const now = Date.now();
    const { times, values } = history;
    const oldest = times.length ? Math.max(times[0], now - History.seconds * 1000) : now;
    const seconds = Math.min(History.seconds, Math.max(30, (now - oldest) / 1000));
    const start = now - seconds * 1000;
    let first = times.findIndex((time) => time >= start);
    if (first < 0) first = times.length;
    // The value before the window still holds at its left edge.
    if (first > 0) first -= 1;
    let low = Infinity;
    let high = -Infinity;
    for (let at = first; at < values.length; at += 1) {
      if (Number.isNaN(values[at])) continue;
      low = Math.min(low, values[at]);
      high = Math.max(high, values[at]);
    }
    const isEmpty = low === Infinity;
    if (isEmpty) [low, high] = [0, 1];
    const [bottom, top, step] = niceRange(low, high);
    const text = cssColour("--muted");
    const grid = cssColour("--border");
    context.font = "12px system-ui, sans-serif";
    const labels = [];
    for (let tick = bottom; tick <= top + step / 2; tick += step) labels.push([tick, number(Number(tick.toPrecision(6)))]);
    const left = Math.max(...labels.map(([, word]) => context.measureText(word).width)) + 12;
    const plot = { x: left, y: 8, width: width - left - 16, height: height - 8 - 24 };
    const xOf = (time) => plot.x + ((Math.max(time, start) - start) / (seconds * 1000)) * plot.width;
    const yOf = (value) => plot.y + plot.height - ((value - bottom) / (top - bottom)) * plot.height;
    context.lineWidth = 1;
    context.strokeStyle = grid;
    context.fillStyle = text;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const [tick, word] of labels) {
      const y = Math.round(yOf(tick)) + 0.5;
      context.beginPath();
      context.moveTo(plot.x, y);
      context.lineTo(plot.x + plot.width, y);
      context.stroke();
      context.fillText(word, plot.x - 6, y);
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    const interval = [5, 10, 30, 60, 120].find((one) => (seconds / one) * 64 <= plot.width) ?? 300;
    for (let back = 0; back <= seconds; back += interval) {
      const x = plot.x + plot.width - (back / seconds) * plot.width;
      const word = back === 0 ? "now" : back % 60 === 0 ? `−${back / 60} min` : `−${back} s`;
      context.fillText(word, Math.max(x, plot.x + 8), plot.y + plot.height + 8);
    }
    context.strokeStyle = cssColour("--accent-line");
    context.lineWidth = 1.5;
    context.beginPath();
    // Steps: a value holds until the next one comes.
    let previous = null;
    for (let at = first; at < values.length; at += 1) {
      if (Number.isNaN(values[at])) {
        if (previous !== null) context.lineTo(xOf(times[at]), yOf(previous));
        previous = null;
        continue;
      }
      const x = xOf(times[at]);
      if (previous === null) context.moveTo(x, yOf(values[at]));
      else {
        context.lineTo(x, yOf(previous));
        context.lineTo(x, yOf(values[at]));
      }
      previous = values[at];
    }
    if (previous !== null) context.lineTo(plot.x + plot.width, yOf(previous));
    context.stroke();
    canvas.setAttribute("aria-label", isEmpty ? `${name}: no values yet`
      : `${name}, last ${Math.round(seconds)} seconds: lowest ${number(low)}, highest ${number(high)}, now ${Number.isNaN(history.latest) ? "none" : number(history.latest)} ${unit}`);
  }
  return { element, draw };
}

/// Round ends and steps around the values.
function niceRange(low, high) {
  if (low === high) {
    const half = Math.abs(low) > 0 ? Math.abs(low) * 0.1 : 1;
    return niceRange(low - half, high + half);
  }
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step, step];
}
