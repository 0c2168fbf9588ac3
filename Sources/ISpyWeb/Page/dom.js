// Elements made of text nodes only: what devices and servers say is hostile text and never becomes markup.

/// Makes an element. `on…` are listeners, `class` and `data-…` attributes, other known names properties.
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  apply(element, properties);
  append(element, children);
  return element;
}

const asProperty = new Set(["value", "checked", "disabled", "hidden", "open", "indeterminate", "htmlFor", "selected", "readOnly"]);

function apply(element, properties) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (asProperty.has(name)) element[name] = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
}

function append(element, children) {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/// Replaces the children.
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/// Changes the text only if it is different: an unchanged text node costs no layout.
export function setText(element, text) {
  const node = element.firstChild;
  if (node?.nodeType === Node.TEXT_NODE && !node.nextSibling) {
    if (node.data !== text) node.data = text;
  } else {
    element.textContent = text;
  }
}

let lastId = 0;
export const freshId = (prefix = "id") => `${prefix}-${++lastId}`;

/// A labelled input. `control` keeps its own id or gets one; the hint is tied to it.
export function field(label, control, { hint, wide } = {}) {
  control.id ||= freshId("field");
  let hintElement = null;
  if (hint) {
    hintElement = h("p", { class: "hint", id: `${control.id}-hint` }, hint);
    control.setAttribute("aria-describedby", hintElement.id);
  }
  return h("div", { class: wide ? "field wide" : "field" }, h("label", { for: control.id }, label), control, hintElement);
}

/// A check box with its words behind it; the whole line is the target.
export function check(label, properties) {
  return h("label", { class: "check" }, h("input", { type: "checkbox", ...properties }), h("span", {}, label));
}

export function switchInput(properties) {
  return h("input", { type: "checkbox", role: "switch", class: "switch", ...properties });
}

/// A table that becomes cards on the phone. `headers` are words ("" for actions); `rows` are `tr` elements.
export function cardTable(headers, rows) {
  for (const row of rows) {
    [...row.children].forEach((cell, index) => {
      if (cell.tagName === "TD" && headers[index]) cell.dataset.label = headers[index];
    });
  }
  return h("table", { class: "table cards" },
    h("thead", {}, h("tr", {}, headers.map((word) => h("th", { scope: "col", class: word === "Size" || word === "Tries" ? "num" : null }, word || h("span", { class: "sr" }, "Actions"))))),
    h("tbody", {}, rows));
}

/// Runs an action of a button: it cannot be pressed twice, and an error goes to `onError`.
export async function busy(button, action, onError = (error) => toast(error.message, "bad")) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  try {
    return await action();
  } catch (error) {
    onError(error);
    return undefined;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/// A short message at the edge, read out by screen readers. Errors stay until they are closed.
export function toast(text, kind = "good") {
  const box = document.getElementById("toasts");
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close the message", onclick: () => item.remove() }, "✕");
  const item = h("div", { class: `toast ${kind}` }, h("span", { "aria-hidden": "true" }, kind === "bad" ? "✕" : "✓"), h("p", {}, text), close);
  box.append(item);
  while (box.children.length > 4) box.firstChild.remove();
  if (kind !== "bad") setTimeout(() => item.remove(), 6000);
}

/// A modal dialog. `build(close)` gives the content; the promise gets what `close` was called with (undefined when cancelled).
export function dialog(title, build, { wide } = {}) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    const id = freshId("dialog");
    let result;
    const element = h("dialog", { class: wide ? "dialog wide" : "dialog", "aria-labelledby": id });
    const close = (value) => {
      result = value;
      element.close();
    };
    append(element, [h("h2", { id }, title), build(close)]);
    // The browser's Back leaves the dialog as well.
    const leave = () => element.close();
    window.addEventListener("hashchange", leave);
    element.addEventListener("close", () => {
      window.removeEventListener("hashchange", leave);
      element.remove();
      if (opener?.isConnected) opener.focus();
      resolve(result);
    });
    document.body.append(element);
    element.showModal();
  });
}

/// Asks before something that cannot be taken back.
export async function confirm(title, text, action, { danger } = {}) {
  return (await dialog(title, (close) => [
    h("p", {}, text),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: danger ? "danger" : "primary", "data-test": "confirm", onclick: () => close(true) }, action),
      h("button", { type: "button", autofocus: true, onclick: () => close(false) }, "Cancel")),
  ])) === true;
}

/// At most one call per frame, however often it is asked for.
export function perFrame(action) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      action();
    });
  };
}

/// Like `setInterval`, until the view goes away.
export function every(milliseconds, signal, action) {
  const timer = setInterval(action, milliseconds);
  signal.addEventListener("abort", () => clearInterval(timer));
}

const probe = document.createElement("span");
const colours = new Map();
const forget = () => colours.clear();
window.addEventListener("themechange", forget, { capture: true });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => window.dispatchEvent(new Event("themechange")));

/// Colour from the style sheet, for canvases. Through a real property, as a custom one keeps its `light-dark(…)`.
export function cssColour(name) {
  if (!colours.has(name)) {
    if (!probe.isConnected) {
      probe.hidden = true;
      document.body.append(probe);
    }
    probe.style.color = `var(${name})`;
    colours.set(name, getComputedStyle(probe).color);
  }
  return colours.get(name);
}
