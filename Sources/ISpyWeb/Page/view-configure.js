// Configure: the network of a device, or the accounts of a network.
import { devicePath, get, post, put } from "./api.js";
import { fill, h, setText } from "./dom.js";
import { accountsForm } from "./configure-accounts.js";
import { networkForm } from "./configure-network.js";

export function configureView(target, signal) {
  const result = h("div", { class: "result", role: "status", "data-test": "configure-result" });
  const content = h("div", { class: "stack" }, h("p", { class: "hint" }, "Reading the configuration …"));
  const api = devicePath(target.connection, target.path, "configuration");

  async function load() {
    try {
      const configuration = await get(api, signal);
      const save = async (document) => {
        const answer = await put(api, { document });
        setText(result, `✓ ${answer?.text ?? "Saved."}`);
        // What the device has now is the new ground for differences.
        await load();
        result.scrollIntoView({ block: "nearest" });
        return true;
      };
      const goBack = async () => {
        const answer = await post(`${api}/back`);
        setText(result, `✓ ${answer?.text ?? "Told."}`);
      };
      const form = configuration.kind === "accounts" ? accountsForm : networkForm;
      formEnds.abort();
      formEnds = new AbortController();
      fill(content, form(configuration, { target, save, goBack, signal: AbortSignal.any([signal, formEnds.signal]) }));
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(content, h("p", { class: "error", role: "alert" }, error.message), h("p", {}, h("button", { type: "button", onclick: load }, "Try again")));
    }
  }
  let formEnds = new AbortController();
  load();
  return h("div", { class: "stack" }, result, content);
}
