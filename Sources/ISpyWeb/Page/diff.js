// The difference of two JSON documents, and the dialog that shows it before something is saved.
import { busy, dialog, h, setText } from "./dom.js";

const secret = /pass(word|phrase)?$|secret|psk|token/i;
export const isSecret = (name) => secret.test(name);

/// Path text → plain value of all leaves.
function leaves(value, path, into) {
  if (value !== null && typeof value === "object") {
    const entries = Array.isArray(value) ? value.map((one, index) => [index, one]) : Object.entries(value);
    if (entries.length === 0 && path.length) into.set(path.join(" › "), { path, value: Array.isArray(value) ? "(empty list)" : "(empty)" });
    for (const [name, one] of entries) leaves(one, [...path, typeof name === "number" ? String(name + 1) : name], into);
  } else {
    into.set(path.join(" › "), { path, value });
  }
  return into;
}

/// [{path, before, after}]; undefined where it does not exist.
export function difference(before, after) {
  const old = leaves(before ?? {}, [], new Map());
  const now = leaves(after ?? {}, [], new Map());
  const changes = [];
  for (const [path, { value }] of now) {
    if (!old.has(path)) changes.push({ path, before: undefined, after: value });
    else if (old.get(path).value !== value) changes.push({ path, before: old.get(path).value, after: value });
  }
  for (const [path, { value }] of old) if (!now.has(path)) changes.push({ path, before: value, after: undefined });
  return changes;
}

function shown(path, value) {
  if (value === undefined) return "–";
  if (isSecret(path.split(" › ").at(-1)) && value !== "") return "••••••";
  return typeof value === "string" ? (value === "" ? "(empty)" : value) : JSON.stringify(value);
}

/// Shows the difference and saves on confirmation. `save()` may throw; its text stays in the dialog.
export function confirmChanges(title, changes, save) {
  const error = h("p", { class: "error", role: "alert", "data-test": "configure-error" });
  return dialog(title, (close) => {
    const button = h("button", { type: "button", class: "primary", "data-test": "configure-confirm", onclick: () => {
      setText(error, "");
      busy(button, async () => close(await save()), (problem) => setText(error, problem.message));
    } }, "Save to the device");
    return [
      h("div", { class: "scroll" }, h("table", { class: "table diff" },
        h("thead", {}, h("tr", {}, ["Field", "Old", "New"].map((word) => h("th", { scope: "col" }, word)))),
        h("tbody", {}, changes.map(({ path, before, after }) => h("tr", {},
          h("th", { scope: "row" }, path),
          h("td", {}, before === undefined ? h("span", { class: "hint" }, "not there") : h("del", {}, shown(path, before))),
          h("td", {}, after === undefined ? h("span", { class: "hint" }, "removed") : h("ins", {}, shown(path, after)))))))),
      error,
      h("div", { class: "buttons" }, button, h("button", { type: "button", onclick: () => close() }, "Cancel")),
    ];
  }, { wide: true });
}
