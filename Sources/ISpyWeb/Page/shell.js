// The frame: navigation at the side (a drawer on the phone), the quick list of devices, the banner.
import { post } from "./api.js";
import { busy, fill, h, perFrame, setText } from "./dom.js";
import { deviceState, natural, shapes } from "./format.js";
import { deviceLink, link } from "./router.js";
import { allDevices, isRunning, on, store } from "./store.js";
import { themeSwitch } from "./theme.js";
import { VirtualList } from "./virtual-list.js";

const side = document.getElementById("side");
const main = document.getElementById("main");
const menu = document.getElementById("menu");
const backdrop = document.getElementById("backdrop");
const banner = document.getElementById("banner");
const forever = new AbortController().signal;
const narrow = matchMedia("(max-width: 899px)");

let current = null;
let isSetUp = false;
let quick = null;
const counts = {};
const links = {};

export function setUpShell() {
  if (isSetUp) return;
  isSetUp = true;
  const item = (name, href, words) => {
    counts[name] = h("span", { class: "count" });
    links[name] = h("a", { class: "nav-link", href }, h("span", {}, words), counts[name]);
    return h("li", {}, links[name]);
  };
  quick = quickList();
  fill(side,
    h("a", { class: "brand", href: "#/" }, "ispy"),
    h("nav", { "aria-label": "Windows" }, h("ul", { class: "nav" },
      item("devices", "#/", "Devices"), item("connect", link("connect"), "Connections"),
      item("jobs", link("jobs"), "Jobs"), item("packages", link("packages"), "Packages"))),
    quick.element,
    h("div", { class: "side-foot" }, themeSwitch(), logout(), h("p", { class: "hint" }, `ispy ${store.session?.version ?? ""}`)));
  on("connections", forever, update);
  on("devices", forever, update);
  on("jobs", forever, update);
  on("contact", forever, showBanner);
  menu.addEventListener("click", () => (side.classList.contains("open") ? closeDrawer(true) : openDrawer()));
  backdrop.addEventListener("click", () => closeDrawer(true));
  side.addEventListener("click", (event) => event.target.closest("a") && closeDrawer());
  narrow.addEventListener("change", () => closeDrawer());
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side.classList.contains("open")) closeDrawer(true);
    if (event.key === "k" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      if (narrow.matches && current?.name !== "devices") openDrawer();
      (current?.name === "devices" ? main : side).querySelector('input[type="search"]')?.focus();
    }
  });
  update();
  showBanner();
}

function logout() {
  if (!store.session?.needsLogin) return null;
  const button = h("button", { type: "button", class: "quiet", onclick: () => busy(button, async () => {
    await post("logout");
    location.reload();
  }) }, "Log out");
  return button;
}

function quickList() {
  const list = new VirtualList({
    rowHeight: () => 44,
    key: (row) => `${row.connection} ${row.device.path}`,
    make() {
      const shape = h("span", { "aria-hidden": "true" });
      const name = h("span", { class: "quick-name" });
      const network = h("span", { class: "quick-network" });
      const state = h("span", { class: "sr" });
      const anchor = h("a", { class: "quick-row" }, shape, h("span", { class: "quick-words" }, name, network), state);
      return {
        element: h("div", { role: "listitem" }, anchor),
        set({ connection, device }) {
          const state1 = deviceState(device);
          shape.className = `shape ${state1.kind}`;
          setText(shape, shapes[state1.kind]);
          setText(state, `, ${state1.word}`);
          const dot = device.path.indexOf(".");
          setText(name, dot < 0 ? device.path : device.path.slice(0, dot));
          setText(network, dot < 0 ? "" : device.path.slice(dot + 1));
          const href = deviceLink(connection, device.path, current?.tab);
          if (anchor.getAttribute("href") !== href) anchor.setAttribute("href", href);
          const isCurrent = current?.name === "device" && current.connection === connection && current.path === device.path;
          if (isCurrent) anchor.setAttribute("aria-current", "true");
          else anchor.removeAttribute("aria-current");
        },
      };
    },
    role: "list", label: "Devices",
  });
  let sorted = [];
  let stale = true;
  const search = h("input", { type: "search", "aria-label": "Find a device", placeholder: "Find a device (Ctrl+K)", autocomplete: "off", spellcheck: "false" });
  const element = h("section", { class: "quick", "aria-label": "Choose a device" }, search, list.element);
  const render = perFrame(() => {
    if (element.hidden && !narrow.matches) return;
    if (stale) {
      sorted = [...allDevices()].sort((a, b) => natural(a.device.path, b.device.path));
      stale = false;
    } else {
      for (const row of sorted) row.device = store.devices.get(row.connection)?.get(row.device.path) ?? row.device;
    }
    const words = search.value.trim().toLowerCase();
    list.show(words ? sorted.filter((row) => row.device.path.toLowerCase().includes(words)) : sorted);
  });
  search.addEventListener("input", render);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") list.element.querySelector("a")?.click();
    if (event.key === "ArrowDown") list.element.querySelector("a")?.focus();
  });
  on("devices", forever, ({ structure }) => {
    stale ||= structure;
    render();
  });
  return { element, render };
}

function update() {
  let devices = 0;
  for (const list of store.devices.values()) devices += list.size;
  let running = 0;
  for (const job of store.jobs.values()) if (isRunning(job)) running += 1;
  const lost = [...store.connections.values()].filter((one) => one.state === "lost").length;
  setText(counts.devices, devices ? String(devices) : "");
  setText(counts.connect, lost ? `${lost} lost` : store.connections.size ? String(store.connections.size) : "");
  setText(counts.jobs, running ? `${running} running` : "");
}

/// Marks where we are.
export function showRoute(target, title) {
  current = target;
  setText(document.getElementById("topbar-title"), target.name === "device" ? target.path : title);
  for (const [name, anchor] of Object.entries(links)) {
    if (name === target.name || (name === "devices" && target.name === "device")) anchor.setAttribute("aria-current", name === target.name ? "page" : "true");
    else anchor.removeAttribute("aria-current");
  }
  if (!quick) return;
  // The Devices window is the same list, larger.
  quick.element.classList.toggle("only-drawer", target.name === "devices");
  quick.render();
}

function openDrawer() {
  side.classList.add("open");
  backdrop.hidden = false;
  // Behind the drawer nothing can be reached.
  main.inert = true;
  menu.setAttribute("aria-expanded", "true");
  quick.render();
  side.querySelector("a, input, button")?.focus();
}

export function closeDrawer(withFocus = false) {
  side.classList.remove("open");
  backdrop.hidden = true;
  main.inert = false;
  menu.setAttribute("aria-expanded", "false");
  if (withFocus) menu.focus();
}

let bannerTimer = null;
function showBanner() {
  clearTimeout(bannerTimer);
  if (store.contact) {
    banner.hidden = true;
    return;
  }
  // A reconnect of a moment is not worth a word.
  bannerTimer = setTimeout(() => {
    banner.hidden = false;
    fill(banner, h("span", { "aria-hidden": "true" }, "▲ "), "No contact with ispy, trying again. What you see is the last known state.");
  }, 800);
}
