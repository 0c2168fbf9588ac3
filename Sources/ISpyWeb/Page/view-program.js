// Program: what runs, what can be written, how far it is, and the way back.
import { devicePath, get, post } from "./api.js";
import { blocksSection } from "./blocks.js";
import { busy, check, confirm, fill, freshId, h, perFrame, setText } from "./dom.js";
import { bytes, phaseWord } from "./format.js";
import { jobCard, jobCards } from "./job-card.js";
import { packageUpload } from "./package-upload.js";
import { deviceHistory } from "./server-history.js";
import { device as known, isRunning, jobsOf, on, takeJob } from "./store.js";

export function programView(target, signal) {
  return h("div", { class: "stack" }, jobSection(target, signal), runningSection(target, signal), packagesSection(target, signal), blocksSection(target), historySection(target, signal), deviceHistory(target, signal));
}

/// The job at work, or how the last one ended. It comes from the jobs events: a reload loses nothing.
function jobSection(target, signal) {
  const section = h("section", { class: "card", "aria-label": "Job", hidden: true });
  let card = null;
  let id = null;
  const render = perFrame(() => {
    if (signal.aborted) return;
    const all = jobsOf(target.connection, target.path);
    const job = all.find((one) => isRunning(one) && one.state !== "waiting") ?? all.find(isRunning) ?? all[0];
    section.hidden = !job;
    if (!job) return;
    if (id !== job.id) {
      id = job.id;
      card = jobCard();
      fill(section, card.element);
    }
    card.set(job);
  });
  on("jobs", signal, render);
  render();
  return section;
}

/// What was done before, also by earlier runs of ispy.
function historySection(target, signal) {
  const most = 20;
  const list = h("div", { class: "stack" });
  const show = jobCards(list, { compact: true });
  const section = h("section", { class: "card", "aria-label": "History", "data-test": "history", hidden: true }, h("h2", {}, "History"), list);
  const render = perFrame(() => {
    if (signal.aborted) return;
    const ended = jobsOf(target.connection, target.path).filter((job) => !isRunning(job)).slice(0, most);
    section.hidden = ended.length === 0;
    show(ended);
  });
  on("jobs", signal, render);
  on("connections", signal, render);
  render();
  return section;
}

function runningSection(target, signal) {
  const facts = h("dl", { class: "facts columns" });
  const rollback = h("button", { type: "button", "data-test": "rollback", onclick: () => busy(rollback, roll, fail) }, "Roll back …");
  const error = h("p", { class: "error", role: "alert", "data-test": "rollback-error" });
  let shown = "";
  function fail(problem) {
    setText(error, problem.message);
  }
  const update = () => known(target.connection, target.path)?.update;

  async function roll() {
    setText(error, "");
    const previous = update()?.previous;
    if (!(await confirm("Roll back the program?", `${target.path} goes back to ${previous ? `version ${previous}` : "the program before"} and restarts.`, previous ? `Roll back to ${previous}` : "Roll back", { danger: true }))) return;
    takeJob(await post(devicePath(target.connection, target.path, "rollback")));
  }

  const render = perFrame(() => {
    if (signal.aborted) return;
    const device = known(target.connection, target.path);
    if (!device) return;
    const now = device.update;
    const rows = [
      ["Running", device.version ?? now?.version ?? "unknown"],
      ["Previous", now?.previous ?? "none"],
      ["Slot", now?.slot ?? "–"],
      ["State", now ? `${phaseWord(now.phase)}${now.progress > 0 && now.progress < 100 ? ` ${now.progress} %` : ""}` : "cannot be updated by itself"],
      ["Last result", [now?.error, now?.text].filter(Boolean).join(" – ") || "–"],
      ["Keys for signatures", now?.keys === null || now?.keys === undefined ? "–" : String(now.keys)],
    ];
    const text = JSON.stringify(rows);
    if (text !== shown) {
      shown = text;
      fill(facts, rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", { class: "num-left" }, value))));
    }
    rollback.disabled = !now?.previous || jobsOf(target.connection, target.path).some(isRunning);
    setText(rollback, now?.previous ? `Roll back to ${now.previous} …` : "Roll back …");
  });
  on("devices", signal, ({ connection }) => connection === target.connection && render());
  on("jobs", signal, render);
  render();
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, "On the device"), rollback), error, facts);
}

function packagesSection(target, signal) {
  const group = freshId("package");
  const list = h("div", { class: "package-list" }, h("p", { class: "hint" }, "Reading the packages …"));
  const error = h("p", { class: "error", role: "alert", "data-test": "write-error" });
  const said = h("p", { class: "result", role: "status", "data-test": "dry-run-result" });
  const write = h("button", { type: "button", class: "primary", "data-test": "write", onclick: () => busy(write, () => start(false), fail) }, "Write to the device");
  const dry = h("button", { type: "button", "data-test": "dry-run", onclick: () => busy(dry, () => start(true), fail) }, "Dry run");
  const force = check("Write although it does not fit", { "data-test": "force", onchange: buttons });
  let packages = [];
  let chosen = null;
  let shown = null;
  let serial = 0;

  function fail(problem) {
    setText(error, problem.message);
  }

  async function start(dryRun) {
    setText(error, "");
    setText(said, "");
    const answer = await post(devicePath(target.connection, target.path, "program"), { package: chosen, force: force.firstChild.checked && !force.hidden, dryRun });
    if (dryRun) return setText(said, answer.text);
    takeJob(answer);
    document.getElementById("main").scrollTop = 0;
    return undefined;
  }

  function buttons() {
    const one = packages.find((each) => each.name === chosen);
    const isBusy = jobsOf(target.connection, target.path).some(isRunning);
    force.hidden = !one || one.fits !== false || Boolean(one.problem);
    const canWrite = Boolean(one) && !one.problem && (one.fits !== false || force.firstChild.checked);
    write.disabled = isBusy || !canWrite;
    dry.disabled = !one;
  }

  async function load(select) {
    const mine = (serial += 1);
    try {
      const next = await get(devicePath(target.connection, target.path, "packages"), signal);
      if (mine !== serial) return;
      packages = next;
      if (select) chosen = select;
      if (!packages.some((one) => one.name === chosen)) chosen = packages.find((one) => one.newest && one.fits)?.name ?? null;
      show();
    } catch (problem) {
      if (problem.name === "AbortError" || mine !== serial) return;
      shown = null;
      fill(list, h("p", { class: "error", role: "alert" }, problem.message), h("p", {}, h("button", { type: "button", onclick: () => load() }, "Try again")));
    }
  }

  function show() {
    // The answer to an upload and its event tell the same: a list that is as it was stays untouched.
    const text = JSON.stringify([packages, chosen, known(target.connection, target.path)?.version]);
    if (text === shown) return buttons();
    shown = text;
    const fit = packages.filter((one) => one.fits);
    const others = packages.filter((one) => !one.fits);
    const focused = document.activeElement?.name === group;
    fill(list,
      fit.length ? h("fieldset", { class: "packages" }, h("legend", {}, "Fit this device"), fit.map(item)) : h("p", { class: "hint" }, "No package in the folder fits this device."),
      others.length ? h("fieldset", { class: "packages other" }, h("legend", {}, "Do not fit"), others.map(item)) : null);
    if (focused) list.querySelector("input:checked")?.focus();
    return buttons();
  }

  function item(one) {
    const running = known(target.connection, target.path)?.version;
    return h("label", { class: "package", "data-test": "package", "data-name": one.name, "data-fits": String(one.fits === true) },
      h("input", { type: "radio", name: group, value: one.name, checked: one.name === chosen, disabled: Boolean(one.problem), onchange: () => {
        chosen = one.name;
        shown = null;
        force.firstChild.checked = false;
        setText(said, "");
        setText(error, "");
        buttons();
      } }),
      h("span", { class: "package-words" },
        h("span", {}, h("strong", {}, `${one.application || one.name} ${one.version || ""}`), " ",
          one.newest ? h("span", { class: "badge update" }, "newest") : null,
          one.fits && one.version === running ? h("span", { class: "badge" }, "running") : null),
        h("span", { class: "hint" }, [one.name, bytes(one.size), [one.os, one.hardware].filter(Boolean).join(" "), one.signed ? "signed" : "not signed"].filter(Boolean).join(" · ")),
        one.problem ? h("span", { class: "error" }, `✕ ${one.problem}`) : null,
        one.reasons?.length ? h("span", { class: "why" }, one.reasons.map((reason) => h("span", {}, `– ${reason}`))) : null));
  }

  on("packages", signal, () => load());
  on("hello", signal, () => load());
  on("jobs", signal, perFrame(buttons));
  // What fits depends on the program that runs.
  let version = known(target.connection, target.path)?.version;
  on("devices", signal, ({ connection }) => {
    const now = known(target.connection, target.path)?.version;
    if (connection !== target.connection || !now || now === version) return;
    version = now;
    load();
  });
  load();
  buttons();
  return h("section", { class: "card" }, h("h2", {}, "Packages"), list, packageUpload((made) => load(made?.name)), force, error, said,
    h("div", { class: "buttons" }, write, dry));
}
