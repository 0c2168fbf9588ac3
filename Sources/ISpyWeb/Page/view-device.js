// A device: what it is, and its four windows as tabs.
import { every, fill, h, perFrame, setText } from "./dom.js";
import { ago, deviceState, shapes } from "./format.js";
import { deviceLink, tabs } from "./router.js";
import { device as known, isRunning, jobsOf, on, store } from "./store.js";
import { configureView } from "./view-configure.js";
import { memoryView } from "./view-memory.js";
import { programView } from "./view-program.js";
import { signalsView } from "./view-signals.js";

const views = { signals: signalsView, memory: memoryView, configure: configureView, program: programView };
const words = { signals: "Signals", memory: "Memory", configure: "Configure", program: "Program" };

export function deviceView(target, signal) {
  const shape = h("span", { "aria-hidden": "true" });
  const word = h("span", {});
  const facts = h("p", { class: "hint device-facts" });
  const notice = h("div", { class: "notice", role: "status", hidden: true });
  const job = h("span", { class: "badge", hidden: true });
  const update = h("span", { class: "badge update", hidden: true });
  let last = null;

  const render = perFrame(() => {
    if (signal.aborted) return;
    const now = known(target.connection, target.path);
    last = now ?? last;
    const state = now ? deviceState(now) : { word: store.ready ? "Away" : "…", kind: "wait" };
    shape.className = `shape ${state.kind}`;
    setText(shape, shapes[state.kind]);
    setText(word, state.word);
    const connection = store.connections.get(target.connection);
    setText(facts, last ? [last.application, last.version, last.hardware, last.os, `seen for ${ago(last.since)}`, store.connections.size > 1 ? connection?.profile ?? connection?.connect : null].filter(Boolean).join(" · ") : "");
    setText(update, last?.available ? `↑ ${last.available}` : "");
    update.hidden = !last?.available;
    const running = jobsOf(target.connection, target.path).some(isRunning);
    setText(job, running ? "running" : "");
    job.hidden = !running;
    const text = !store.ready ? ""
      : !connection ? "This connection does not exist (any more). Connect again to see the device."
      : connection.state === "lost" ? `The connection to the server is lost${connection.reason ? `: ${connection.reason}` : ""}. What you see is the last known state.`
      : !now ? "The device is not there at the moment. What you see is the last known state; it continues when the device is back."
      : now.problem ?? (now.state.startsWith("unreadable") ? now.state : "");
    notice.hidden = !text;
    if (text && notice.dataset.text !== text) {
      notice.dataset.text = text;
      fill(notice, h("span", { "aria-hidden": "true" }, "▲ "), text, !connection ? [" ", h("a", { href: "#/connect" }, "Connections")] : null);
    }
  });
  on("devices", signal, ({ connection }) => connection === target.connection && render());
  on("connections", signal, render);
  on("jobs", signal, render);
  every(30_000, signal, render);
  render();

  const view = views[target.tab](target, signal);
  const element = h("div", { class: "page wide" },
    h("div", { class: "device-title" }, h("h1", {}, target.path), h("span", { class: "state" }, shape, word)),
    facts,
    h("nav", { class: "tabs", "aria-label": `Windows of ${target.path}` }, tabs.map((tab) => h("a", {
      href: deviceLink(target.connection, target.path, tab), "data-test": `tab-${tab}`, "aria-current": tab === target.tab ? "page" : null,
    }, words[tab], tab === "program" ? [job, update] : null))),
    notice,
    h("section", { class: "tab-content", "aria-label": words[target.tab] }, view));
  return { element, title: `${target.path}: ${words[target.tab]}` };
}
