// Drop zone and chooser for packages.
import { upload } from "./api.js";
import { h, setText, toast } from "./dom.js";

const most = 64 * 1024 * 1024;

export function packageUpload(onDone = () => {}) {
  const input = h("input", { type: "file", class: "sr", id: "package-file", "data-test": "package-file", onchange: () => take(input.files[0]) });
  const error = h("p", { class: "error", role: "alert", "data-test": "package-error" });
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Uploading" });
  const words = h("span", {}, "Drop a package here, or ");
  const zone = h("div", { class: "drop", "data-test": "package-drop" }, input,
    h("p", {}, words, h("label", { class: "button", for: "package-file" }, "choose a file")), bar);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });

  let isBusy = false;
  async function take(file) {
    if (!file || isBusy) return;
    setText(error, "");
    if (file.size > most) return setText(error, `${file.name} has more than 64 MiB; packages are smaller.`);
    isBusy = true;
    bar.hidden = false;
    bar.value = 0;
    try {
      const made = await upload("POST", `packages?name=${encodeURIComponent(file.name)}`, file, (part) => {
        bar.value = part;
      });
      toast(`${made?.name ?? file.name} is in the packages folder.`);
      onDone(made);
    } catch (problem) {
      setText(error, `${file.name}: ${problem.message}`);
    } finally {
      isBusy = false;
      bar.hidden = true;
      input.value = "";
    }
    return undefined;
  }
  return h("div", {}, zone, error);
}
