// Home: all devices of all connections.
import { batchDialog } from "./batch.js";
import { every, fill, h, perFrame, setText } from "./dom.js";
import { ago, deviceState, natural, shapes } from "./format.js";
import { deviceLink, link } from "./router.js";
import { allDevices, on, store } from "./store.js";
import { VirtualList } from "./virtual-list.js";

// Search and filters survive a look at a device, not a reload.
const filters = { words: "", network: "", state: "", connection: "" };
const chosen = new Map();
const narrow = matchMedia("(max-width: 899px)");
const keyOf = (row) => `${row.connection} ${row.device.path}`;

export function devicesView(_, signal) {
  let sorted = [];
  let stale = true;

  const search = h("input", { type: "search", "data-test": "device-search", "aria-label": "Search devices", placeholder: "Search name, application, version …", autocomplete: "off", spellcheck: "false", value: filters.words });
  const network = select("network", "Network", "All networks");
  const state = select("state", "State", "All states");
  const connection = select("connection", "Connection", "All connections");
  const count = h("p", { class: "hint", role: "status" });
  const all = h("input", { type: "checkbox", "aria-label": "Choose all shown devices", onchange: () => chooseAll(all.checked) });
  const bar = h("div", { class: "action-bar", hidden: true });
  const empty = h("div", { class: "empty", hidden: true });

  const list = new VirtualList({ rowHeight: () => (narrow.matches ? 84 : 56), key: keyOf, make: makeRow, role: "table", headerRows: 1 });
  const header = h("div", { class: "device-row device-head", role: "row", "aria-rowindex": "1" },
    h("span", { role: "columnheader" }, all),
    ...["Device", "State", "Application", "Version", "Hardware", "Seen for"].map((word) => h("span", { role: "columnheader" }, word)));
  const table = h("div", { class: "device-table", role: "table", "aria-label": "Devices" }, h("div", { role: "rowgroup" }, header), list.element);

  function select(name, label, allWords) {
    const element = h("select", { "aria-label": label, onchange: () => {
      filters[name] = element.value;
      render();
    } }, h("option", { value: "" }, allWords));
    return element;
  }

  /// Changes options only when they are others, so that an open list does not close.
  function options(element, name, values, words = (value) => value) {
    const wanted = values.join("\n");
    if (element.dataset.values === wanted) return;
    element.dataset.values = wanted;
    fill(element, element.options[0], values.map((value) => h("option", { value }, words(value))));
    if (!values.includes(filters[name])) filters[name] = "";
    element.value = filters[name];
  }

  function makeRow() {
    const box = h("input", { type: "checkbox" });
    const anchor = h("a", {});
    const problem = h("span", { class: "row-problem" });
    const shape = h("span", { "aria-hidden": "true" });
    const word = h("span", {});
    const application = h("span", { role: "cell", class: "c-app" });
    const version = h("span", { class: "num" });
    const update = h("span", { class: "badge update" });
    const hardware = h("span", { role: "cell", class: "c-hw" });
    const since = h("span", { role: "cell", class: "c-since num" });
    const element = h("div", { class: "device-row", role: "row", "data-test": "device" },
      h("label", { role: "cell", class: "c-box" }, box),
      h("span", { role: "cell", class: "c-path" }, anchor, problem),
      h("span", { role: "cell", class: "c-state" }, h("span", { class: "state" }, shape, word)),
      application, h("span", { role: "cell", class: "c-version" }, version, update), hardware, since);
    let row = null;
    box.addEventListener("change", () => {
      if (box.checked) chosen.set(keyOf(row), { connection: row.connection, device: row.device.path });
      else chosen.delete(keyOf(row));
      render();
    });
    return {
      element,
      set(next) {
        row = next;
        const { device } = row;
        const known = deviceState(device);
        element.dataset.path = device.path;
        box.checked = chosen.has(keyOf(row));
        box.setAttribute("aria-label", `Choose ${device.path}`);
        setText(anchor, device.path);
        anchor.setAttribute("href", deviceLink(row.connection, device.path));
        setText(problem, device.problem ?? (device.state?.startsWith("unreadable") ? device.state : ""));
        shape.className = `shape ${known.kind}`;
        setText(shape, shapes[known.kind]);
        const percent = device.update && known.kind === "work" && device.update.progress ? ` ${device.update.progress} %` : "";
        setText(word, known.word + percent);
        setText(application, device.application || "–");
        setText(version, device.version ?? "–");
        setText(update, device.available ? `↑ ${device.available}` : "");
        update.hidden = !device.available;
        if (device.available) update.setAttribute("title", `Update available: ${device.available}`);
        setText(hardware, device.hardware ?? device.os ?? "–");
        setText(since, ago(device.since));
        since.setAttribute("title", `since ${device.since}`);
      },
    };
  }

  function matches({ connection: id, device }) {
    if (filters.network && device.network !== filters.network) return false;
    if (filters.connection && id !== filters.connection) return false;
    if (filters.state) {
      if (filters.state === "Update available" ? !device.available : deviceState(device).word !== filters.state) return false;
    }
    if (!filters.words) return true;
    const text = `${device.path} ${device.application} ${device.version ?? ""} ${device.hardware ?? ""} ${device.os ?? ""}`.toLowerCase();
    return filters.words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  function chooseAll(isOn) {
    for (const row of list.rows) {
      if (isOn) chosen.set(keyOf(row), { connection: row.connection, device: row.device.path });
      else chosen.delete(keyOf(row));
    }
    render();
  }

  const render = perFrame(() => {
    if (signal.aborted) return;
    if (stale) {
      sorted = [...allDevices()].sort((a, b) => natural(a.device.network, b.device.network) || natural(a.device.path, b.device.path));
      stale = false;
      const there = new Set(sorted.map(keyOf));
      for (const key of chosen.keys()) if (!there.has(key)) chosen.delete(key);
    } else {
      for (const row of sorted) row.device = store.devices.get(row.connection)?.get(row.device.path) ?? row.device;
    }
    options(network, "network", [...new Set(sorted.map((row) => row.device.network))].sort(natural));
    options(state, "state", [...new Set(sorted.map((row) => deviceState(row.device).word)), ...(sorted.some((row) => row.device.available) ? ["Update available"] : [])]);
    options(connection, "connection", [...store.connections.keys()], (id) => `${store.connections.get(id)?.profile ?? store.connections.get(id)?.connect ?? id}`);
    connection.hidden = store.connections.size < 2;
    const rows = sorted.filter(matches);
    const nothing = sorted.length === 0;
    table.hidden = rows.length === 0;
    list.show(rows);
    table.setAttribute("aria-rowcount", rows.length + 1);
    setText(count, rows.length === sorted.length ? `${sorted.length} devices` : `${rows.length} of ${sorted.length} devices`);
    const chosenShown = rows.filter((row) => chosen.has(keyOf(row))).length;
    all.checked = rows.length > 0 && chosenShown === rows.length;
    all.indeterminate = chosenShown > 0 && chosenShown < rows.length;
    showBar();
    showEmpty(nothing, rows.length === 0);
  });

  const chosenCount = h("span", { role: "status" });
  const write = h("button", { type: "button", class: "primary", "data-test": "batch", onclick: () => batchDialog([...chosen.values()]) }, "");
  fill(bar, chosenCount, write, h("button", { type: "button", onclick: chooseNone }, "Choose none"));
  function showBar() {
    bar.hidden = chosen.size === 0;
    setText(chosenCount, `${chosen.size} chosen`);
    setText(write, `Write program to ${chosen.size} ${chosen.size === 1 ? "device" : "devices"} …`);
  }

  function chooseNone() {
    chosen.clear();
    search.focus();
    render();
  }

  let emptyFor = "";
  function showEmpty(nothing, noMatch) {
    const kind = !noMatch ? "" : !nothing ? "filter" : !store.ready ? "loading" : store.connections.size ? "none" : "unconnected";
    empty.hidden = kind === "";
    if (kind === emptyFor) return;
    emptyFor = kind;
    if (kind === "filter") {
      fill(empty, h("h2", {}, "No device matches"), h("p", {}, "Nothing fits the search and the filters."), h("button", { type: "button", onclick: clear }, "Show all devices"));
    } else if (kind === "loading") {
      fill(empty, h("p", {}, "Asking ispy …"));
    } else if (kind === "unconnected") {
      fill(empty, h("h2", {}, "Not connected"), h("p", {}, "Connect to a server to see its devices."), h("p", {}, h("a", { class: "button primary", href: link("connect") }, "Connect …")));
    } else if (kind === "none") {
      fill(empty, h("h2", {}, "No devices yet"), h("p", {}, "The connection stands or is being made, but no device has shown itself."), missing(true));
    }
  }

  function clear() {
    Object.assign(filters, { words: "", network: "", state: "", connection: "" });
    search.value = "";
    for (const element of [network, state, connection]) element.value = "";
    search.focus();
    render();
  }

  search.addEventListener("input", () => {
    filters.words = search.value.trim();
    render();
  });
  search.addEventListener("keydown", (event) => event.key === "ArrowDown" && list.element.querySelector("a")?.focus());
  on("devices", signal, ({ structure }) => {
    stale ||= structure;
    render();
  });
  on("connections", signal, render);
  narrow.addEventListener("change", render, { signal });
  every(30_000, signal, render);

  const help = h("details", { class: "missing" }, h("summary", {}, "Device missing?"));
  help.addEventListener("toggle", () => help.open && fill(help, help.firstChild, missing()));

  const element = h("div", { class: "devices-page" },
    h("div", { class: "page-head" }, h("h1", {}, "Devices"), count),
    h("div", { class: "filters" }, search, network, state, connection),
    bar, table, empty, help);
  render();
  return { element, title: "Devices" };
}

/// The two usual causes why a device is not in the list.
function missing() {
  const accounts = [...allDevices()].filter(({ device }) => device.kind === "accounts");
  return h("div", { class: "causes" },
    h("section", { class: "card" },
      h("h3", {}, "1. It is not on the network"),
      h("p", {}, "The device has no contact with the server: it is off, its network is not set up, or it looks for another server."),
      h("ul", {},
        h("li", {}, "Does it have power and a network (cable, WiFi name and password)?"),
        h("li", {}, "Its network configuration: is the network name one that the server publishes?"),
        h("li", {}, "Its configuration under “connect”: is the server's address and the transport right?"))),
    h("section", { class: "card" },
      h("h3", {}, "2. It is not accepted"),
      h("p", {}, "The server knows nobody of that name, or the password is another one. Then the device waits in the accounts of its network, under “new devices”."),
      accounts.length
        ? h("ul", {}, accounts.map(({ connection, device }) => h("li", {}, h("a", { href: deviceLink(connection, device.path, "configure") }, `New devices of ${device.network} (${device.path})`))))
        : h("p", { class: "hint" }, "No accounts device is visible here. You need to be connected as an administrator of the device's network.")));
}
