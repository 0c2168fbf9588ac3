// One program for many devices.
import { get, post } from "./api.js";
import { busy, check, dialog, field, h, setText } from "./dom.js";
import { go, link } from "./router.js";
import { takeJob } from "./store.js";

export async function batchDialog(targets) {
  const packages = h("select", { "data-test": "batch-package" }, h("option", { value: "" }, "The newest that fits each device"));
  const atOnce = h("input", { type: "number", min: 1, max: 32, value: "4", required: true, inputmode: "numeric" });
  const stop = check("Stop when one fails", { checked: true });
  const force = check("Write even if the package does not seem to fit", {});
  const error = h("p", { class: "error", role: "alert" });
  get("packages").then((list) => {
    for (const one of list) if (!one.problem) packages.append(h("option", { value: one.name }, `${one.application} ${one.version} – ${one.name}`));
  }, (problem) => setText(error, problem.message));

  const done = await dialog(`Write program to ${targets.length} ${targets.length === 1 ? "device" : "devices"}`, (close) => {
    const submit = h("button", { type: "submit", class: "primary", "data-test": "batch-write" }, `Write to ${targets.length}`);
    return h("form", {
      onsubmit(event) {
        event.preventDefault();
        setText(error, "");
        busy(submit, async () => {
          const jobs = await post("batches", {
            package: packages.value || null, targets, atOnce: Number(atOnce.value),
            stopOnFailure: stop.firstChild.checked, force: force.firstChild.checked,
          });
          jobs.forEach(takeJob);
          close(true);
        }, (problem) => setText(error, problem.message));
      },
    },
    h("details", {}, h("summary", {}, "Which devices"), h("ul", { class: "compact scroll" }, targets.map((one) => h("li", {}, one.device)))),
    field("Package", packages),
    field("At most at once", atOnce, { hint: "1 to 32. Few at once keep the network free, many are faster." }),
    stop, force, error,
    h("div", { class: "buttons" }, submit, h("button", { type: "button", onclick: () => close() }, "Cancel")));
  });
  if (done) go(link("jobs"));
}
