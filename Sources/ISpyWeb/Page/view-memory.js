// Memory blocks and a live hex view of one of them.
import { devicePath, get } from "./api.js";
import { fill, h, perFrame, setText } from "./dom.js";
import { watch } from "./events.js";
import { on } from "./store.js";

const page = 1024;
const perLine = 16;

export function memoryView(target, signal) {
  let block = null;
  let offset = 0;
  let lines = [];
  let shown = new Uint8Array();
  let pending = null;
  const marked = new Map();

  const error = h("p", { class: "error", role: "alert" });
  const body = h("tbody", {});
  const table = h("table", { class: "table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Block"), h("th", { scope: "col", class: "num" }, "Id"), h("th", { scope: "col", class: "num" }, "Size"), h("th", { scope: "col" }, "Flags"))), body);
  const title = h("h2", {}, "");
  const range = h("span", { class: "num", role: "status" });
  const back = h("button", { type: "button", onclick: () => move(-page) }, "← Previous");
  const forward = h("button", { type: "button", onclick: () => move(page) }, "Next →");
  const hex = h("div", { class: "hex", "data-test": "memory-hex", tabindex: "0", role: "region", "aria-label": "Bytes of the block: offset, hexadecimal, text" });
  const panel = h("section", { class: "card", hidden: true }, h("div", { class: "hex-head" }, title, h("div", { class: "pager" }, back, range, forward)), hex,
    h("p", { class: "hint" }, "Underlined bytes changed just now."));

  const base = (...rest) => devicePath(target.connection, target.path, "memory", ...rest);
  get(base(), signal).then((blocks) => {
    fill(body, blocks.map((one) => h("tr", {},
      h("th", { scope: "row" }, h("button", { type: "button", class: "link", "data-test": "memory-block", "data-name": one.name, "aria-pressed": "false", onclick: () => choose(one) }, one.name)),
      h("td", { class: "num" }, String(one.id)), h("td", { class: "num" }, String(one.size)), h("td", {}, one.flags.replaceAll(",", ", ")))));
    if (blocks.length) choose(blocks.find((one) => one.name === "exp") ?? blocks[0]);
    else setText(error, "The device has no memory blocks.");
  }, fail);

  function fail(problem) {
    if (problem.name !== "AbortError") setText(error, problem.message);
  }

  function choose(one) {
    block = one;
    offset = 0;
    for (const button of body.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.name === one.name));
    panel.hidden = false;
    load();
  }

  function move(step) {
    offset = Math.max(0, Math.min(offset + step, Math.floor((block.size - 1) / page) * page));
    load();
  }

  function load() {
    const count = Math.max(0, Math.min(page, block.size - offset));
    setText(title, block.name);
    setText(range, block.size ? `${offset} – ${offset + count - 1} of ${block.size}` : "empty");
    back.disabled = offset === 0;
    forward.disabled = offset + page >= block.size;
    shown = new Uint8Array();
    marked.clear();
    lines = [];
    pending = null;
    fill(hex);
    watch({ connection: target.connection, device: target.path, signals: false, memory: { name: block.name, offset, count: page }, pictures: [] }, signal);
    get(`${base(block.name)}?offset=${offset}&count=${page}`, signal).then((answer) => {
      setText(error, "");
      take(answer);
    }, fail);
  }

  function take(answer) {
    if (answer.name !== block?.name || answer.offset !== offset) return;
    pending = bytesOf(answer.data);
    draw();
  }

  const draw = perFrame(() => {
    if (signal.aborted || !pending) return;
    const next = pending;
    pending = null;
    const now = performance.now();
    const isFirst = shown.length === 0;
    while (lines.length * perLine < next.length) lines.push(makeLine(lines.length));
    for (let at = 0; at < next.length; at += 1) {
      if (next[at] === shown[at] && at < shown.length) continue;
      const line = lines[Math.floor(at / perLine)];
      const cell = line.cells[at % perLine];
      setText(cell, next[at].toString(16).padStart(2, "0"));
      line.isDirty = true;
      if (!isFirst) {
        cell.className = "changed";
        marked.set(cell, now);
      }
    }
    for (const [index, line] of lines.entries()) {
      if (!line.isDirty) continue;
      line.isDirty = false;
      let text = "";
      for (const byte of next.subarray(index * perLine, (index + 1) * perLine)) text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·";
      setText(line.ascii, text);
    }
    shown = next;
  });

  function makeLine(index) {
    const cells = Array.from({ length: perLine }, () => h("span", {}, "  "));
    const ascii = h("span", { class: "ascii" });
    hex.append(h("div", { class: "hex-line" },
      h("span", { class: "offset" }, (offset + index * perLine).toString(16).padStart(6, "0")),
      h("span", { class: "hex-bytes" }, cells.slice(0, 8), h("span", { class: "gap" }, " "), cells.slice(8)), ascii));
    return { cells, ascii, isDirty: false };
  }

  on("memory", signal, (data) => {
    if (data.connection === target.connection && data.device === target.path) take(data);
  });
  // Marks fade together; one timer for all.
  const timer = setInterval(() => {
    const old = performance.now() - 1200;
    for (const [cell, since] of marked) {
      if (since > old) continue;
      cell.className = "";
      marked.delete(cell);
    }
  }, 300);
  signal.addEventListener("abort", () => clearInterval(timer));

  return h("div", { class: "stack" }, error, h("div", { class: "card table-card" }, table), panel);
}

function bytesOf(text) {
  const bytes = new Uint8Array(text.length >> 1);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(text.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}
