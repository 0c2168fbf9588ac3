// The network configuration: what is built in, what the device has, and typed inputs for it.
import { busy, fill, freshId, h, setText, switchInput } from "./dom.js";
import { confirmChanges, difference, isSecret } from "./diff.js";

const general = ["device_name", "device_nr", "network_name", "publish", "password", "cust1", "cust2"];
// Maps without prototype: names of fields come from devices.
const lists = {
  __proto__: null,
  connect: { title: "Connections", one: "connection", most: 3, fields: ["transport", "parameters", "flags"] },
  nic: { title: "Network interfaces", one: "interface", most: 4, fields: ["dhcp", "ip", "subnet", "gateway", "dns", "dns2", "mac", "send_udp", "receive_udp"] },
  wifi: { title: "WiFi networks", one: "WiFi network", most: 2, fields: ["network", "password"] },
  security: { title: "Certificates and keys", one: "entry", most: 1, fields: ["certdir", "certfile", "keyfile", "rootcertfile", "trustcertfile"] },
};
const words = {
  __proto__: null,
  device_name: "Device name", device_nr: "Device number", network_name: "Network name", publish: "Published networks", password: "Password",
  cust1: "Custom 1", cust2: "Custom 2", transport: "Transport", parameters: "Address", flags: "Flags", dhcp: "DHCP", ip: "IP address",
  subnet: "Subnet mask", gateway: "Gateway", dns: "DNS server", dns2: "Second DNS server", mac: "MAC address", send_udp: "Send UDP",
  receive_udp: "Receive UDP", network: "Network (SSID)", certdir: "Folder", certfile: "Certificate", keyfile: "Key file",
  rootcertfile: "Root certificate", trustcertfile: "Trusted certificate",
};
const hints = {
  __proto__: null,
  device_nr: "“*” = automatic, or 1 to 8998", network_name: "1 to 23 letters, digits, - and _, or “*”", parameters: "host[:port]; “*” = look for the server",
  flags: "for example connect,up or listen,down", publish: "names with commas between them",
};
/// Whole numbers on the wire that mean yes or no (application-layer.md 7.1).
const numberSwitches = new Set(["dhcp", "send_udp", "receive_udp"]);
const transports = ["tls", "socket", "serial", "bluetooth", "none"];

const problems = {
  __proto__: null,
  device_nr: (value) => (value === "*" || value === "auto" || (/^\d+$/.test(String(value)) && Number(value) >= 1 && Number(value) <= 8998) ? null : "“*” or a number from 1 to 8998"),
  network_name: (value) => (value === "*" || /^[A-Za-z0-9_-]{1,23}$/.test(value) ? null : "1 to 23 letters, digits, dashes and underscores, or “*”"),
  publish: (value) => (String(value).split(",").every((name) => /^[A-Za-z0-9_-]{1,23}$/.test(name.trim())) ? null : "network names with commas between them"),
  ip: address, gateway: address, dns: address, dns2: address, subnet: address,
  mac: (value) => (value === "*" || /^([0-9a-f]{2}[-:]?){5}[0-9a-f]{2}$/i.test(value) ? null : "six pairs of hexadecimal digits"),
};

function address(value) {
  if (value === "*") return null;
  const parts = String(value).split(".");
  if (parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return /^[0-9a-f:]+$/i.test(value) && value.includes(":") ? null : "an IP address like 192.168.1.20";
}

const isPlain = (value) => value === null || typeof value !== "object";
const has = (object, name) => Object.prototype.hasOwnProperty.call(object ?? {}, name);

const states = { __proto__: null, inForce: "in force", saved: "▲ saved, waits for a restart of the device", trial: "▲ on trial: the device goes back by itself when it does not reach its server", putBack: "✕ the last good configuration was put back" };

export function networkForm(configuration, { target, save, goBack, signal }) {
  const defaults = configuration.defaults?.network ?? {};
  const original = configuration.current ?? {};
  // Edited is a copy of the whole document: what this page does not know stays in it.
  const edited = structuredClone(original);
  if (isPlain(edited.network)) edited.network = {};
  const net = edited.network;
  const errors = new Map();
  /// Key of a field → its control and the place for its problem.
  const fields = new Map();
  const message = h("p", { class: "error", role: "alert" });
  const changed = h("span", { class: "hint", role: "status" });
  const saveButton = h("button", { type: "submit", class: "primary", "data-test": "configure-save" }, "Save to device …");
  const sections = h("div", { class: "stack" });
  const backButton = h("button", { type: "button", class: "quiet", "data-test": "configure-back", onclick: () => {
    setText(message, "");
    busy(backButton, goBack, (problem) => setText(message, problem.message));
  } }, "Go back to the last good one");

  function changes() {
    const before = original.network === undefined ? { ...original, network: {} } : original;
    return difference(before, edited);
  }

  function update() {
    const count = changes().length;
    setText(changed, errors.size ? `${errors.size} ${errors.size === 1 ? "field needs" : "fields need"} attention` : count ? `${count} unsaved ${count === 1 ? "change" : "changes"}` : "no changes");
    saveButton.disabled = count === 0;
  }

  function render() {
    errors.clear();
    fields.clear();
    const names = new Set([...general.filter((name) => has(defaults, name) || has(net, name)), ...Object.keys(defaults), ...Object.keys(net)]);
    names.delete("__proto__");
    const plain = [...names].filter((name) => !has(lists, name) && isPlain(net[name] ?? defaults[name] ?? null));
    const absent = general.filter((name) => !names.has(name));
    const others = [...names].filter((name) => !has(lists, name) && !plain.includes(name));
    fill(sections,
      h("section", { class: "card" }, h("h2", {}, "General"),
        h("div", { class: "config-rows" }, plain.map((name) => row(name, net, defaults, "network"))),
        absent.length ? adder(absent) : null,
        others.length ? h("p", { class: "hint" }, `Also in the document and kept as they are: ${others.join(", ")}.`) : null),
      Object.entries(lists).map(([name, list]) => listSection(name, list)));
    update();
  }

  function adder(absent) {
    const select = h("select", { "aria-label": "Field to add" }, absent.map((name) => h("option", { value: name }, words[name] ?? name)));
    return h("div", { class: "buttons" }, select, h("button", { type: "button", onclick: () => {
      net[select.value] = "";
      render();
    } }, "Add field"));
  }

  function listSection(name, list) {
    const isOwn = Array.isArray(net[name]);
    const items = isOwn ? net[name] : Array.isArray(defaults[name]) ? defaults[name] : [];
    const tag = h("span", { class: "tag" }, isOwn ? "own" : items.length ? "default" : "not set");
    const reset = h("button", { type: "button", class: "quiet", hidden: !isOwn || !has(defaults, name), onclick: () => {
      delete net[name];
      render();
    } }, "Use the default");
    // The first edit takes over the list that is built in.
    const own = () => {
      if (!Array.isArray(net[name])) {
        net[name] = structuredClone(items);
        setText(tag, "own");
        reset.hidden = !has(defaults, name);
      }
      return net[name];
    };
    return h("section", { class: "card" },
      h("div", { class: "card-head" }, h("h2", {}, list.title), tag, reset),
      items.length === 0 ? h("p", { class: "hint" }, "None.") : null,
      h("div", { class: "config-cards" }, items.map((item, index) => {
        const title = `${list.one} ${index + 1}`;
        const base = Array.isArray(defaults[name]) ? defaults[name][index] ?? {} : {};
        if (isPlain(item)) return h("p", { class: "hint" }, `${title}: ${String(item)} (kept as it is)`);
        const fields = [...new Set([...list.fields, ...Object.keys(base), ...Object.keys(item)])].filter((field) => field !== "__proto__" && isPlain(item[field] ?? null));
        return h("fieldset", { class: "config-card" }, h("legend", {}, title),
          fields.map((field) => row(field, item, isOwn ? base : {}, `${name} ${index}`, () => own()[index], () => net[name]?.[index] ?? item)),
          h("div", { class: "buttons" }, h("button", { type: "button", class: "quiet", "aria-label": `Remove ${title}`, onclick: () => {
            own().splice(index, 1);
            render();
          } }, "Remove")));
      })),
      items.length < list.most ? h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => {
        own().push(name === "connect" ? { transport: "tls", parameters: "*", flags: "connect,up" } : name === "nic" ? { dhcp: 1 } : {});
        render();
      } }, `Add ${list.one}`)) : null);
  }

  /// One field. `owner()` gives the object that is written to, `peek()` the same for reading.
  function row(name, values, base, where, owner = () => values, peek = owner) {
    const key = `${where} ${name}`;
    const value = has(values, name) ? values[name] : undefined;
    const fallback = has(base, name) ? base[name] : undefined;
    const known = value ?? fallback;
    const isNumberSwitch = numberSwitches.has(name) && (known === undefined || known === 0 || known === 1 || known === "0" || known === "1");
    // The original's ispy stores edited numbers as texts; the built-in document knows the true type.
    const isNumber = typeof fallback === "number" || (typeof value === "number" && typeof fallback !== "string");
    const id = freshId("conf");
    const problem = h("p", { class: "error", id: `${id}-problem` });
    const tag = h("span", { class: "tag" });
    const reset = h("button", { type: "button", class: "quiet", "aria-label": `Use the default of ${words[name] ?? name}`, onclick: () => {
      delete owner()[name];
      render();
    } }, "Default");

    function set(next) {
      const object = owner();
      if (next === undefined) delete object[name];
      else object[name] = next;
      showState();
      update();
    }

    function validate(next) {
      const text = next === undefined || next === "" ? null : problems[name]?.(next) ?? null;
      setText(problem, text ?? "");
      control.setAttribute("aria-invalid", String(text !== null));
      if (text) errors.set(key, control);
      else errors.delete(key);
    }

    function showState() {
      const isOwn = has(peek(), name);
      setText(tag, isOwn ? "own" : fallback !== undefined ? "default" : "not set");
      reset.hidden = !isOwn || fallback === undefined;
    }

    let control;
    if (isNumberSwitch || typeof known === "boolean") {
      control = switchInput({ checked: known === true || Number(known) === 1, onchange: () => set(isNumberSwitch ? Number(control.checked) : control.checked) });
    } else if (name === "transport") {
      const choices = transports.includes(known) || known === undefined || known === "" ? transports : [...transports, String(known)];
      control = h("select", { onchange: () => set(control.value) }, choices.map((one) => h("option", { value: one }, one)));
      control.value = known === undefined || known === "" ? "tls" : known;
    } else {
      control = h("input", {
        type: isNumber ? "number" : isSecret(name) ? "password" : "text", step: isNumber ? "any" : null, autocomplete: isSecret(name) ? "new-password" : "off", spellcheck: "false", autocapitalize: "none",
        value: value === undefined || value === null ? "" : String(value), placeholder: fallback === undefined || isSecret(name) ? "" : String(fallback),
        oninput: () => {
          const text = control.value;
          // An emptied field goes back to the default; without a default it is left out.
          const next = text === "" ? undefined : isNumber ? Number(text) : typeof value === "number" && /^-?\d+$/.test(text) ? Number(text) : text;
          set(next);
          validate(next);
        },
      });
    }
    fields.set(key, { control, problem });
    control.id = id;
    control.dataset.test = "configure-field";
    control.dataset.name = name;
    control.setAttribute("aria-describedby", `${id}-about ${id}-problem`);
    const about = [fallback === undefined ? null : `default: ${isSecret(name) && fallback !== "" ? "••••••" : fallback === "" ? "(empty)" : String(fallback)}`, hints[name]].filter(Boolean).join(" · ");
    const element = h("div", { class: "config-row" },
      h("label", { for: id }, words[name] ?? name, words[name] ? h("code", { class: "hint" }, name) : null),
      h("div", { class: "config-input" }, control, tag, reset),
      h("p", { class: "hint", id: `${id}-about` }, about), problem);
    showState();
    validate(value);
    return element;
  }

  /// Marks the fields that the server refused: `network.connect[0].flags` is the row "connect 0 flags".
  function mark(problems) {
    for (const { path, text } of problems) {
      const found = /^network\.(?:(\w+)\[(\d+)\]\.)?(\w+)$/.exec(path);
      const field = found && fields.get(found[1] ? `${found[1]} ${found[2]} ${found[3]}` : `network ${found[3]}`);
      if (!field) continue;
      setText(field.problem, text);
      field.control.setAttribute("aria-invalid", "true");
    }
  }

  async function saveMarking() {
    try {
      return await save(edited);
    } catch (error) {
      mark(error.fields ?? []);
      throw error;
    }
  }

  const form = h("form", { class: "stack", novalidate: true, onsubmit(event) {
    event.preventDefault();
    setText(message, "");
    if (errors.size) {
      setText(message, "Please mend the marked fields first.");
      errors.values().next().value.focus();
      return;
    }
    const list = changes();
    if (list.length === 0) return;
    confirmChanges(`Save the configuration of ${target.path}?`, list, saveMarking);
  } },
  configuration.restartNeeded ? h("p", { class: "notice" }, "▲ A saved configuration is waiting: it takes effect when the device restarts.") : null,
  configuration.state ? h("p", { "data-test": "configure-state" }, `State: ${states[configuration.state] ?? configuration.state}.`) : null,
  configuration.reason ? h("p", { class: "error", "data-test": "configure-reason" }, configuration.reason) : null,
  configuration.state ? h("div", { class: "buttons" }, backButton) : null,
  configuration.current === null ? h("p", { class: "hint" }, "The device has no configuration of its own; the built-in one is used.") : null,
  sections, message,
  h("div", { class: "save-bar" }, saveButton, changed));
  render();
  // Leaving the page with unsaved changes is asked about by the browser.
  window.addEventListener("beforeunload", (event) => changes().length && event.preventDefault(), { signal });
  return form;
}
