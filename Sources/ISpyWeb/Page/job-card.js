// A job as people see it: steps, progress, the installer's lines, the result.
import { path, post, remove } from "./api.js";
import { busy, fill, freshId, h, setText } from "./dom.js";
import { bytes, duration, phaseWord, results, shapes, when } from "./format.js";
import { deviceLink } from "./router.js";
import { connectionOf, isRunning } from "./store.js";

const steps = ["receiving", "verifying", "installing", "restarting", "proving", "confirmed"];
const kinds = { __proto__: null, write: "Write program", rollback: "Roll back", blockWrite: "Write block", blockRead: "Read block" };
/// From here on the device has everything and goes on by itself.
const cancellable = new Set(["waiting", "sending manifest", "receiving"]);

export function jobTitle(job) {
  const what = job.package ?? (job.block !== null && job.block !== undefined ? `block ${job.block}` : "");
  return `${kinds[job.kind] ?? job.kind}${what ? `: ${what}` : ""}`;
}

/// {element, set(job)}; `withDevice` names the device, for lists of several.
export function jobCard({ withDevice = false, compact = false } = {}) {
  const title = h("h3", {}, "");
  const device = h("a", {});
  const shape = h("span", { "aria-hidden": "true" });
  const phase = h("span", { "data-test": "job-phase" });
  const bar = h("progress", { max: 100, "aria-label": "Progress" });
  const numbers = h("p", { class: "hint num" });
  const list = h("ol", { class: "steps", hidden: true });
  const result = h("p", { class: "job-result", role: "status", "data-test": "job-result", hidden: true });
  const lines = h("pre", { class: "lines", tabindex: "0", "aria-label": "What the installer says" });
  const details = h("details", { open: !compact, hidden: true }, h("summary", {}, "Installer"), lines);
  const times = h("p", { class: "hint num" });
  let id = null;
  const cancel = h("button", { type: "button", "data-test": "cancel", onclick: () => busy(cancel, () => post(path("jobs", id, "cancel"))) }, "Cancel");
  const forget = h("button", { type: "button", class: "quiet", "data-test": "forget", onclick: () => busy(forget, () => remove(path("jobs", id))) }, "Forget");
  const titleId = freshId("job");
  title.id = titleId;
  const element = h("article", { class: compact ? "job compact" : "job", "data-test": "job", "aria-labelledby": titleId },
    h("div", { class: "job-head" },
      h("div", { class: "job-title" }, title, withDevice ? device : null),
      h("span", { class: "state" }, shape, phase), h("div", { class: "job-buttons" }, cancel, forget)),
    list, bar, numbers, result, details, times);
  const stepItems = steps.map((step) => {
    const mark = h("span", { class: "step-mark", "aria-hidden": "true" });
    const said = h("span", { class: "sr" });
    const item = h("li", {}, mark, h("span", {}, phaseWord(step)), said);
    list.append(item);
    return { item, mark, said };
  });
  let lineCount = 0;
  let lastLine = "";

  function set(job) {
    id = job.id;
    element.dataset.id = job.id;
    element.dataset.state = job.state;
    setText(title, jobTitle(job));
    if (withDevice) {
      setText(device, job.device);
      const connection = connectionOf(job);
      if (connection) device.setAttribute("href", deviceLink(connection, job.device, "program"));
      else device.removeAttribute("href");
    }
    const running = isRunning(job);
    const ended = job.result ? results[job.result] ?? { word: job.result, kind: "warn" } : { word: "Ended", kind: "wait" };
    const kind = running ? (job.state === "waiting" ? "wait" : "work") : ended.kind;
    shape.className = `shape ${kind}`;
    setText(shape, shapes[kind]);
    setText(phase, job.state === "cancelling" ? "Cancelling" : running ? phaseWord(job.phase) : ended.word);
    phase.dataset.phase = running ? job.phase : job.result ?? "ended";
    const hasSteps = job.kind === "write" || job.kind === "rollback";
    list.hidden = !hasSteps || (compact && !running);
    if (hasSteps) showSteps(job, running);
    const isSending = running && job.total > 0 && job.bytes < job.total;
    bar.hidden = !running;
    if (running) {
      // Without numbers the bar only says that it goes on.
      if (job.total > 0 && job.state !== "waiting" && cancellable.has(job.phase)) bar.value = Math.min(100, (job.bytes / job.total) * 100);
      else bar.removeAttribute("value");
    }
    numbers.hidden = !running || job.total === 0;
    setText(numbers, [`${bytes(job.bytes)} of ${bytes(job.total)}`, isSending && job.rate ? `${bytes(job.rate)}/s` : null,
      isSending && job.secondsLeft !== null && job.secondsLeft !== undefined ? `${duration(job.secondsLeft)} left` : null].filter(Boolean).join(" · "));
    result.hidden = running;
    result.className = `job-result ${ended.kind}`;
    if (!running) setText(result, resultText(job, ended));
    details.hidden = job.text.length === 0;
    showLines(job.text);
    cancel.hidden = !running || !cancellable.has(job.phase);
    cancel.disabled = job.state === "cancelling";
    forget.hidden = running;
    cancel.setAttribute("aria-label", `Cancel ${jobTitle(job)} of ${job.device}`);
    forget.setAttribute("aria-label", `Forget ${jobTitle(job)} of ${job.device}`);
    setText(times, running ? `started ${when(job.started)}` : `${when(job.started)} · took ${duration(job.seconds)}`);
  }

  function showSteps(job, running) {
    const at = steps.indexOf(job.phase);
    const isDone = job.result === "confirmed" || job.result === "done";
    stepItems.forEach((step, index) => {
      const kind = isDone || index < at ? "done" : index === at ? (running ? "now" : "stopped") : "later";
      if (step.kind === kind) return;
      step.kind = kind;
      step.item.className = kind;
      setText(step.mark, { done: "✓", now: "◐", stopped: "✕", later: "○" }[kind]);
      setText(step.said, { done: ", done", now: ", now", stopped: ", ended here", later: ", not yet" }[kind]);
      if (kind === "now") step.item.setAttribute("aria-current", "step");
      else step.item.removeAttribute("aria-current");
    });
  }

  function showLines(text) {
    if (text.length === lineCount && text.at(-1) === lastLine) return;
    lineCount = text.length;
    lastLine = text.at(-1);
    const isAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 8;
    setText(lines, text.join("\n"));
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  }

  return { element, set };
}

function resultText(job, ended) {
  const version = job.version ? `: ${job.version} is running` : "";
  const previous = job.previous && job.previous !== job.version ? ` (before: ${job.previous})` : "";
  const reason = job.reason ? ` – ${job.reason}` : "";
  return `${ended.kind === "good" ? "✓" : shapes[ended.kind]} ${ended.word}${version}${previous}${reason}`;
}

/// Cards of jobs in a list: kept, moved and removed, never all rebuilt.
export function jobCards(container, options) {
  const cards = new Map();
  return (jobs) => {
    const wanted = new Set(jobs.map((job) => job.id));
    for (const [id, card] of cards) {
      if (wanted.has(id)) continue;
      card.element.remove();
      cards.delete(id);
    }
    let before = container.firstChild;
    for (const job of jobs) {
      let card = cards.get(job.id);
      if (!card) {
        card = jobCard(options);
        cards.set(job.id, card);
      }
      // An unchanged job is the same object.
      if (card.job !== job) {
        card.job = job;
        card.set(job);
      }
      if (card.element !== before) container.insertBefore(card.element, before);
      else before = before.nextSibling;
    }
    if (jobs.length === 0) fill(container);
  };
}
