// The folder of packages.
import { get, path, remove } from "./api.js";
import { busy, cardTable, confirm, fill, h, toast } from "./dom.js";
import { bytes } from "./format.js";
import { packageUpload } from "./package-upload.js";
import { on, store } from "./store.js";

export function packagesView(_, signal) {
  const box = h("div", { class: "scroll" }, h("p", { class: "hint" }, "Reading the folder …"));
  const load = () => get("packages", signal).then(show, (error) => error.name !== "AbortError" && toast(error.message, "bad"));

  let shown = null;
  function show(list) {
    // The answer to an upload and the event of it tell the same; a second rebuild would take the button from under a finger.
    const text = JSON.stringify(list);
    if (text === shown) return undefined;
    shown = text;
    if (list.length === 0) return fill(box, h("p", { class: "hint" }, "The folder is empty."));
    return fill(box, cardTable(["Package", "Version", "For", "Size", "Signature", ""], list.map((one) => {
        const drop = h("button", { type: "button", class: "quiet", "aria-label": `Delete ${one.name}`, "data-test": "package-delete", onclick: () => busy(drop, async () => {
          if (!(await confirm("Delete the package?", `${one.name} is deleted from the folder. Devices keep what they run.`, "Delete", { danger: true }))) return;
          await remove(path("packages", one.name));
          await load();
        }) }, "Delete");
        return h("tr", { "data-test": "package", "data-name": one.name },
          h("th", { scope: "row" }, one.application || one.name, h("span", { class: "hint block" }, one.name), one.problem ? h("span", { class: "error block" }, `✕ ${one.problem}`) : null),
          h("td", { class: "num-left" }, one.version || "–"), h("td", {}, [one.os, one.hardware].filter(Boolean).join(" · ") || "–"),
          h("td", { class: "num" }, bytes(one.size)), h("td", {}, one.signed ? "✓ signed" : "none"), h("td", { class: "actions" }, drop));
      })));
  }

  on("packages", signal, load);
  on("hello", signal, load);
  load();
  return {
    title: "Packages",
    element: h("div", { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Packages")),
      h("p", { class: "hint path" }, store.session?.packages ?? ""),
      packageUpload(load),
      h("section", { class: "card", "aria-label": "Packages in the folder" }, box)),
  };
}
