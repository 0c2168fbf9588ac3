// One row of the signals window: a signal, and its input when it can be set.
import { devicePath, put } from "./api.js";
import { busy, freshId, h, setText, switchInput, toast } from "./dom.js";
import { value as words } from "./format.js";
import { drawLine, History, historyPlot } from "./plot.js";

const markFor = 700;

function stateOf(flags) {
  if (!(flags & 1)) return { word: "not connected", kind: "wait", shape: "○" };
  if ((flags & 6) === 6) return { word: "red", kind: "bad", shape: "✕" };
  if (flags & 2) return { word: "orange", kind: "warn", shape: "▲" };
  if (flags & 4) return { word: "yellow", kind: "yellow", shape: "◆" };
  return { word: "ok", kind: "good", shape: "●" };
}

/// `setter` is the signal `set_x` of the row for `x`, if there is one.
export function signalRow(target, signal, setter, ended) {
  const isArray = signal.count > 1 && signal.type !== "str";
  const canPlot = !isArray && signal.type !== "str";
  const value = h("output", { class: "value num", "data-test": "value" }, "–");
  const unit = h("span", { class: "unit" }, signal.unit || "");
  const shape = h("span", { class: "shape wait", "aria-hidden": "true" }, "○");
  const state = h("span", {}, "…");
  const spark = isArray ? h("canvas", { class: "spark", role: "img", "aria-label": `Values of ${signal.name} as a line` }) : null;
  const kind = `${signal.type}${isArray ? `[${signal.count}]` : ""} · ${signal.block}`;
  const settable = setter?.settable ? setter : signal.settable ? signal : null;
  const control = settable ? input(target, settable) : null;
  const plot = canPlot ? plotButton() : null;
  const element = h("li", { class: "signal", "data-test": "signal", "data-name": signal.name },
    h("div", { class: "s-name" }, h("span", { class: "name" }, signal.name), h("span", { class: "hint" }, kind)),
    h("div", { class: "s-value" }, spark, value, unit),
    h("div", { class: "s-state state" }, shape, state),
    h("div", { class: "s-set" }, control?.element),
    h("div", { class: "s-plot" }, plot?.element));

  let now = null;
  let flags = -1;
  let inputValue = null;
  let markedAt = 0;
  let isChanged = false;
  const history = canPlot ? new History() : null;
  // The value of an input without `x` is its own.
  const isOwnInput = settable === signal;

  const row = {
    element, isVisible: false, isStale: true, isMarked: false,
    text: `${signal.name} ${signal.group} ${signal.unit}`.toLowerCase(),

    take(part, next, nextFlags, isFirst) {
      if (part === "input") {
        inputValue = nextFlags & 1 ? next : null;
        return;
      }
      if (!isFirst && !same(now, next)) isChanged = true;
      now = next;
      flags = nextFlags;
      if (isOwnInput) inputValue = nextFlags & 1 ? next : null;
      history?.add(Date.now(), nextFlags & 1 ? next : null);
    },

    draw() {
      row.isStale = false;
      setText(value, words(now, signal.type));
      const current = stateOf(flags);
      if (state.firstChild?.data !== current.word) {
        setText(state, current.word);
        setText(shape, current.shape);
        shape.className = `shape ${current.kind}`;
      }
      if (spark && Array.isArray(now)) drawLine(spark, now);
      control?.show(inputValue);
      if (isChanged) {
        isChanged = false;
        markedAt = performance.now();
        if (!row.isMarked) {
          row.isMarked = true;
          element.classList.add("changed");
        }
      }
    },

    /// True when the mark is off.
    unmark(time) {
      if (row.isMarked && time - markedAt < markFor) return false;
      row.isMarked = false;
      element.classList.remove("changed");
      return true;
    },
    drawHistory: null,
  };
  return row;

  function plotButton() {
    const id = freshId("history");
    let open = null;
    const button = h("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-label": `History of ${signal.name}`, "data-test": "plot", onclick: toggle }, "Plot");
    function toggle() {
      if (open) {
        open.element.remove();
        open = null;
        row.drawHistory = null;
      } else {
        open = historyPlot(signal.name, signal.unit, history);
        open.element.id = id;
        element.append(open.element);
        row.drawHistory = () => row.isVisible && !ended.aborted && open.draw();
        open.draw();
      }
      button.setAttribute("aria-expanded", String(open !== null));
    }
    return { element: button };
  }
}

function same(a, b) {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((one, index) => one === b[index]);
}

/// The control that sets a signal. What somebody types is never overwritten by what the device says.
function input(target, signal) {
  const send = (text) => put(devicePath(target.connection, target.path, "signals", signal.name), { value: text });
  const fail = (error) => toast(`${signal.name}: ${error.message}`, "bad");
  const label = `Set ${signal.name.replace(/^set_/, "")}`;
  if (signal.type === "boolean" && signal.count === 1) {
    let device = false;
    const control = switchInput({ "data-test": "set", "aria-label": label, onchange: () => busy(control, () => send(control.checked ? "true" : "false"), (error) => {
      control.checked = device;
      fail(error);
    }) });
    return {
      element: control,
      show(value) {
        if (control.getAttribute("aria-busy") === "true" || (value === true) === device) return;
        device = value === true;
        control.checked = device;
      },
    };
  }
  const isNumber = signal.count === 1 && signal.type !== "str";
  const control = h("input", {
    type: isNumber ? "number" : "text", class: "set", "data-test": "set", "aria-label": label, autocomplete: "off", spellcheck: "false",
    min: isNumber ? signal.minimum : null, max: isNumber ? signal.maximum : null, step: isNumber ? (signal.type === "float" || signal.type === "double" ? "any" : "1") : null,
  });
  let isEdited = false;
  const button = h("button", { type: "submit", class: "quiet", hidden: true }, "Set");
  const form = h("form", { class: "set-form", onsubmit(event) {
    event.preventDefault();
    if (!control.checkValidity()) return control.reportValidity();
    return busy(button, async () => {
      await send(control.value);
      // Until the device answers, the field shows what was sent.
      control.dataset.sent = control.value;
      isEdited = false;
      button.hidden = true;
    }, fail);
  } }, control, button);
  const edited = () => {
    isEdited = true;
    button.hidden = false;
  };
  control.addEventListener("input", edited);
  // Some tools and autofill change a field without an input event.
  control.addEventListener("change", edited);
  control.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    isEdited = false;
    button.hidden = true;
    control.value = control.dataset.device ?? "";
  });
  let atFocus = "";
  control.addEventListener("focus", () => {
    atFocus = control.value;
  });
  control.addEventListener("blur", () => {
    // What came from the device while somebody was in the field and changed nothing.
    if (!isEdited && control.value === atFocus && control.dataset.device !== undefined && control.dataset.sent === undefined) control.value = control.dataset.device;
  });
  return {
    element: form,
    show(value) {
      const text = value === null || value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value);
      if (control.dataset.device === text) return;
      control.dataset.device = text;
      delete control.dataset.sent;
      if (!isEdited && document.activeElement !== control) control.value = text;
    },
  };
}
