// Auto, light or dark. Only this choice is kept in localStorage, never anything secret.
import { h } from "./dom.js";

const key = "ispy-theme";
const choices = ["auto", "light", "dark"];

function chosen() {
  try {
    const value = localStorage.getItem(key);
    return choices.includes(value) ? value : "auto";
  } catch {
    return "auto";
  }
}

function choose(value) {
  if (value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  try {
    if (value === "auto") localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
  // Canvases read their colours when they draw.
  window.dispatchEvent(new Event("themechange"));
}

export function themeSwitch() {
  const select = h(
    "select",
    { id: "theme", "data-test": "theme", onchange: () => choose(select.value) },
    choices.map((value) => h("option", { value }, { auto: "Auto", light: "Light", dark: "Dark" }[value])));
  select.value = chosen();
  return h("div", { class: "theme" }, h("label", { for: "theme" }, "Theme"), select);
}
