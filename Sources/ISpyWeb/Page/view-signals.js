// Signals of a device, live. Only texts that changed and that can be seen are touched.
import { devicePath, get } from "./api.js";
import { every, fill, h, perFrame, setText } from "./dom.js";
import { watch } from "./events.js";
import { pictureFigure } from "./pictures.js";
import { signalRow } from "./signal-row.js";
import { device as known, on } from "./store.js";

export function signalsView(target, signal) {
  /// Index in the list of the `all` event → row; a row may stand for two signals (x and set_x).
  let rowOf = [];
  let rows = [];
  let shape = "";
  let hasEvents = false;
  const dirty = new Set();
  const marked = new Set();

  const search = h("input", { type: "search", "aria-label": "Filter signals", placeholder: "Filter signals …", autocomplete: "off", spellcheck: "false", "data-test": "signal-search", oninput: filter });
  const error = h("p", { class: "error", role: "alert" });
  const count = h("p", { class: "hint", role: "status" });
  const pictures = h("div", { class: "pictures" });
  const groups = h("div", { class: "stack" }, h("p", { class: "hint" }, "Reading the signals …"));

  // Rows outside of the window are brought up to date when they come into it.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const row = entry.target.signalRow;
      row.isVisible = entry.isIntersecting;
      if (row.isVisible && row.isStale) dirty.add(row);
    }
    if (dirty.size) flush();
  }, { rootMargin: "64px" });
  signal.addEventListener("abort", () => seen.disconnect());

  const flush = perFrame(() => {
    if (signal.aborted) return;
    for (const row of dirty) {
      if (row.isVisible) {
        row.draw();
        if (row.isMarked) marked.add(row);
      } else {
        row.isStale = true;
      }
    }
    dirty.clear();
  });

  function takeAll(list) {
    setText(error, "");
    const next = list.map((one) => `${one.group}\n${one.block}\n${one.name}\n${one.type}\n${one.count}\n${one.settable}`).join("\n\n");
    if (next !== shape) {
      shape = next;
      build(list);
    }
    list.forEach((one, index) => {
      rowOf[index].row.take(rowOf[index].part, one.value, (one.connected ? 1 : 0) + (one.orange ? 2 : 0) + (one.yellow ? 4 : 0), true);
    });
    // Once for all rows, so that every row has its text (searching in the page); then only for those in sight.
    for (const row of rows) row.draw();
    dirty.clear();
  }

  function takeChanges(changes) {
    for (const [index, value, flags] of changes) {
      const entry = rowOf[index];
      if (!entry) continue;
      entry.row.take(entry.part, value, flags, false);
      dirty.add(entry.row);
    }
    flush();
  }

  function build(list) {
    seen.disconnect();
    dirty.clear();
    marked.clear();
    rowOf = [];
    rows = [];
    const values = new Map(list.filter((one) => one.block !== "imp").map((one) => [one.name, one]));
    const setters = new Map(list.filter((one) => one.block === "imp" && one.name.startsWith("set_") && values.has(one.name.slice(4))).map((one) => [one.name.slice(4), one]));
    const paired = new Set(setters.values());
    const sections = new Map();
    const made = new Map();
    list.forEach((one) => {
      if (paired.has(one)) return;
      const row = signalRow(target, one, setters.get(one.block === "imp" ? "" : one.name), signal);
      row.element.signalRow = row;
      made.set(one, row);
      rows.push(row);
      const name = one.group || one.block;
      if (!sections.has(name)) sections.set(name, []);
      sections.get(name).push(row);
    });
    rowOf = list.map((one) => paired.has(one) ? { row: made.get(values.get(one.name.slice(4))), part: "input" } : { row: made.get(one), part: "value" });
    fill(groups, rows.length === 0 ? h("p", { class: "hint" }, "The device has no signals.") : [...sections].map(([name, members]) => {
      const section = h("section", { class: "card group", "aria-label": name }, h("h2", {}, name), h("ul", { class: "signals" }, members.map((row) => row.element)));
      section.members = members;
      return section;
    }));
    for (const row of rows) seen.observe(row.element);
    filter();
  }

  function filter() {
    const words = search.value.trim().toLowerCase();
    let shown = 0;
    for (const section of groups.children) {
      if (!section.members) continue;
      let any = false;
      for (const row of section.members) {
        const fits = !words || row.text.includes(words);
        row.element.hidden = !fits;
        any ||= fits;
        if (fits) shown += 1;
      }
      section.hidden = !any;
    }
    setText(count, rows.length ? (shown === rows.length ? `${shown} signals` : `${shown} of ${rows.length} signals`) : "");
  }

  on("signals", signal, (data) => {
    if (data.connection !== target.connection || data.device !== target.path) return;
    hasEvents = true;
    if (data.all) takeAll(data.set);
    else if (data.changes) takeChanges(data.changes);
  });

  // The pictures: the device may tell its assemblies after the window was opened.
  let assemblies = null;
  const showPictures = () => {
    const list = known(target.connection, target.path)?.assemblies ?? (assemblies ? null : []);
    if (list === null) return;
    const names = list.map((one) => `${one.kind} ${one.name}`).join("\n");
    if (names === assemblies) return;
    assemblies = names;
    fill(pictures, list.map((one) => pictureFigure(target, one, signal)));
    watch({ connection: target.connection, device: target.path, signals: true, memory: null, pictures: list.map((one) => one.name) }, signal);
  };
  showPictures();
  on("devices", signal, ({ connection }) => connection === target.connection && showPictures());

  // The first answer may be quicker than the channel; changes count only on top of the channel's list.
  get(devicePath(target.connection, target.path, "signals"), signal).then((list) => {
    if (!hasEvents) takeAll(list);
  }, (problem) => {
    if (problem.name !== "AbortError" && !hasEvents) {
      setText(error, problem.message);
      fill(groups);
    }
  });

  // Marks of changed values go off together.
  every(250, signal, () => {
    const now = performance.now();
    for (const row of marked) if (row.unmark(now)) marked.delete(row);
  });
  // History plots move on even if nothing changes.
  every(500, signal, () => {
    for (const row of rows) row.drawHistory?.();
  });
  const redraw = () => {
    rows.forEach((row) => dirty.add(row));
    flush();
  };
  window.addEventListener("themechange", redraw, { signal });
  window.addEventListener("resize", redraw, { signal });

  return h("div", { class: "stack" }, h("div", { class: "signal-tools" }, search, count), error, pictures, groups);
}
