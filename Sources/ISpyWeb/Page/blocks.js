// Persistent blocks of a device: read one as a file, write one from a file.
import { devicePath, get, getBytes, upload } from "./api.js";
import { busy, confirm, field, h, setText } from "./dom.js";
import { bytes } from "./format.js";
import { takeJob } from "./store.js";

const most = 64 * 1024 * 1024;

export function blocksSection(target) {
  const select = h("select", { "data-test": "block", onchange: show });
  const note = h("p", { class: "hint" });
  const error = h("p", { class: "error", role: "alert", "data-test": "block-error" });
  const said = h("p", { class: "result", role: "status", "data-test": "block-result" });
  const file = h("input", { type: "file", "data-test": "block-file", onchange: buttons });
  const read = h("button", { type: "button", "data-test": "block-read", onclick: () => busy(read, download, fail) }, "Read (download)");
  const write = h("button", { type: "button", "data-test": "block-write", onclick: () => busy(write, send, fail) }, "Write …");
  const body = h("div", { class: "stack", hidden: true },
    field("Block", select), note,
    h("div", { class: "grid two" }, h("div", { class: "buttons" }, read), h("div", {}, field("File to write", file), h("div", { class: "buttons" }, write))), error, said);
  let blocks = [];
  const chosen = () => blocks.find((one) => String(one.number) === select.value);

  // Asked only when somebody opens it.
  const details = h("details", { class: "card fold" }, h("summary", {}, h("h2", {}, "Persistent blocks")), body);
  details.addEventListener("toggle", async () => {
    if (!details.open || blocks.length) return;
    body.hidden = false;
    try {
      blocks = await get("blocks");
      select.append(...blocks.map((one) => h("option", { value: one.number }, `${one.number} – ${one.name}`)));
      show();
    } catch (problem) {
      fail(problem);
    }
  });
  buttons();

  function fail(problem) {
    setText(error, problem.message);
  }

  function show() {
    const one = chosen();
    setText(note, [one?.note, one && !one.readable ? "Cannot be read." : null, one && !one.writable ? "Cannot be written." : null].filter(Boolean).join(" "));
    setText(error, "");
    setText(said, "");
    buttons();
  }

  function buttons() {
    const one = chosen();
    read.disabled = !one?.readable;
    write.disabled = !one?.writable || file.files.length === 0;
    file.disabled = !one?.writable;
  }

  async function download() {
    setText(error, "");
    setText(said, "Reading …");
    const one = chosen();
    try {
      const blob = await getBytes(devicePath(target.connection, target.path, "blocks", one.number));
      const url = URL.createObjectURL(blob);
      const extension = /^\.[A-Za-z0-9]{1,8}$/.test(one.file ?? "") ? one.file : ".dat";
      const name = `${target.path}-block${one.number}${extension}`.replace(/[^\w.-]/g, "_");
      h("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 30_000);
      setText(said, `✓ ${bytes(blob.size)} read, saved as ${name}.`);
    } catch (problem) {
      setText(said, "");
      throw problem;
    }
  }

  async function send() {
    setText(error, "");
    setText(said, "");
    const one = chosen();
    const from = file.files[0];
    if (from.size > most) throw new Error(`${from.name} has more than 64 MiB.`);
    if (!(await confirm("Write the block?", `Block ${one.number} (${one.name}) of ${target.path} is replaced by ${from.name} (${bytes(from.size)}). ${one.note ?? ""}`, "Write", { danger: true }))) return;
    takeJob(await upload("PUT", devicePath(target.connection, target.path, "blocks", one.number), from));
    file.value = "";
    buttons();
    setText(said, "The job is shown above.");
  }
  return details;
}
