// All jobs, newest first, those of one batch together; and what servers recorded.
import { path, post, remove } from "./api.js";
import { busy, h, perFrame, setText } from "./dom.js";
import { results, when } from "./format.js";
import { jobCards } from "./job-card.js";
import { serverHistories } from "./server-history.js";
import { isRunning, jobs, on } from "./store.js";

export function jobsView(_, signal) {
  const list = h("div", { class: "stack" });
  const none = h("div", { class: "empty", hidden: true }, h("h2", {}, "No jobs"), h("p", {}, "Programs that are written, rollbacks and blocks appear here."));
  const forgetAll = h("button", { type: "button", class: "quiet", onclick: () => busy(forgetAll, async () => {
    for (const job of jobs().filter((one) => !isRunning(one))) await remove(path("jobs", job.id));
  }) }, "Forget all that ended");
  const groups = new Map();

  const render = perFrame(() => {
    if (signal.aborted) return;
    const all = jobs();
    const byGroup = new Map();
    for (const job of all) {
      const key = job.batch ? `batch ${job.batch}` : `job ${job.id}`;
      if (!byGroup.has(key)) byGroup.set(key, []);
      byGroup.get(key).push(job);
    }
    for (const [key, group] of groups) {
      if (byGroup.has(key)) continue;
      group.element.remove();
      groups.delete(key);
    }
    let before = list.firstChild;
    for (const [key, members] of byGroup) {
      if (!groups.has(key)) groups.set(key, makeGroup(key.startsWith("batch")));
      const group = groups.get(key);
      group.set(members);
      if (group.element !== before) list.insertBefore(group.element, before);
      else before = before.nextSibling;
    }
    none.hidden = all.length > 0;
    forgetAll.hidden = !all.some((job) => !isRunning(job));
  });
  on("jobs", signal, render);
  render();
  return { element: h("div", { class: "page" }, h("div", { class: "page-head" }, h("h1", {}, "Jobs"), forgetAll), none, list, serverHistories(signal)), title: "Jobs" };
}

function makeGroup(isBatch) {
  const cards = h("div", { class: isBatch ? "batch-jobs" : "" });
  const show = jobCards(cards, { withDevice: true, compact: true });
  if (!isBatch) return { element: h("div", { class: "card" }, cards), set: show };
  const title = h("h2", {}, "");
  const about = h("p", { class: "hint", role: "status" });
  let members = [];
  const cancel = h("button", { type: "button", onclick: () => busy(cancel, async () => {
    for (const job of members.filter(isRunning)) await post(path("jobs", job.id, "cancel")).catch(() => {});
  }) }, "Cancel what has not begun to install");
  const bar = h("progress", { "aria-label": "Devices that are done" });
  return {
    element: h("section", { class: "card batch", "data-test": "batch-group" }, h("div", { class: "card-head" }, title, cancel), bar, about, cards),
    set(next) {
      members = next;
      const running = members.filter(isRunning).length;
      setText(title, `Batch: ${members.length} devices`);
      const counts = new Map();
      for (const job of members) {
        const word = isRunning(job) ? (job.state === "waiting" ? "waiting" : "running") : (results[job.result]?.word ?? "ended").toLowerCase();
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
      setText(about, `${[...counts].map(([word, count]) => `${count} ${word}`).join(", ")} · started ${when(members.at(-1).started)}`);
      bar.max = members.length;
      bar.value = members.length - running;
      cancel.hidden = running === 0;
      // Those at work first; within that by name.
      show([...members].sort((a, b) => order(a) - order(b) || (a.device < b.device ? -1 : 1)));
    },
  };
}

const order = (job) => (job.state === "running" || job.state === "cancelling" ? 0 : job.state === "waiting" ? 2 : job.result === "confirmed" || job.result === "done" ? 3 : 1);
