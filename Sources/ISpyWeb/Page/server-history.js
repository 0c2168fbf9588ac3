// What the server recorded, for administrators: of one device, or of a whole network. Read when somebody opens it.
import { get, path } from "./api.js";
import { busy, cardTable, fill, h, perFrame, setText } from "./dom.js";
import { when } from "./format.js";
import { allDevices, devicesOf, on, store } from "./store.js";

const most = 100;

/// The history of one device of a connection.
export function deviceHistory(target, signal) {
  const network = target.path.slice(target.path.indexOf(".") + 1);
  const section = historyFold("History of the server", "server-history", `connections/${path(target.connection)}/history?device=${encodeURIComponent(target.path)}`);
  const render = perFrame(() => {
    if (!signal.aborted) section.hidden = ![...devicesOf(target.connection).values()].some((one) => one.kind === "accounts" && one.network === network);
  });
  on("devices", signal, ({ connection }) => connection === target.connection && render());
  render();
  return section;
}

/// One history for each network that a connection may read.
export function serverHistories(signal) {
  const list = h("div", { class: "stack" });
  let shown = "";
  const render = perFrame(() => {
    if (signal.aborted) return;
    const readable = [...allDevices()].filter(({ device }) => device.kind === "accounts");
    const key = JSON.stringify(readable.map(({ connection, device }) => [connection, device.network]));
    if (key === shown) return;
    shown = key;
    fill(list, readable.map(({ connection, device }) => {
      const server = store.connections.size > 1 ? ` at ${store.connections.get(connection)?.connect ?? connection}` : "";
      return historyFold(`History of ${device.network}${server}`, "network-history", `connections/${path(connection)}/history?network=${encodeURIComponent(device.network)}`);
    }));
  });
  on("devices", signal, render);
  on("connections", signal, render);
  render();
  return list;
}

function historyFold(title, name, from) {
  const box = h("div", { class: "scroll" });
  const error = h("p", { class: "error", role: "alert" });
  const again = h("button", { type: "button", class: "quiet", onclick: () => busy(again, read, fail) }, "Read again");
  const details = h("details", { class: "card fold", "data-test": name }, h("summary", {}, h("h2", {}, title)), box, error, h("div", { class: "buttons" }, again));
  details.addEventListener("toggle", () => details.open && busy(again, read, fail));

  function fail(problem) {
    setText(error, problem.message);
  }

  async function read() {
    setText(error, "");
    const entries = await get(`${from}&limit=${most}`);
    fill(box, entries.length === 0 ? h("p", { class: "hint" }, "Nothing was recorded.")
      : [cardTable(["Time", "Kind", "Who", "From", "Device", "Result", "Text"], entries.map(row)),
        entries.length === most ? h("p", { class: "hint" }, `The latest ${most}; 'ispy history' shows more.`) : null]);
  }
  return details;
}

function row(entry) {
  const what = [entry.package ?? entry.version, entry.block ? `block ${entry.block}` : null, entry.text].filter(Boolean).join(" · ");
  return h("tr", {},
    h("td", {}, when(entry.time)), h("td", {}, entry.kind), h("td", {}, entry.user ?? "–"), h("td", {}, entry.address ?? "–"),
    h("td", {}, entry.device ?? "–"), h("td", {}, entry.result ?? "–"),
    h("td", {}, [entry.count > 1 ? `${entry.count} times` : null, what].filter(Boolean).join(": ")));
}
