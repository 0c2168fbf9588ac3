// Connections: what stands, saved profiles, and a form for new ones.
import { get, path, post, remove } from "./api.js";
import { busy, check, confirm, dialog, field, fill, freshId, h, perFrame, setText, toast } from "./dom.js";
import { ago, connectionStates, fingerprintLines, shapes, when } from "./format.js";
import { go } from "./router.js";
import { devicesOf, emit, on, store } from "./store.js";

const ports = { tls: 6369, tcp: 6368 };

export function connectView(_, signal) {
  const profiles = h("section", { class: "card", "aria-labelledby": "profiles-title", hidden: true });
  const loadProfiles = () => get("profiles", signal).then((list) => showProfiles(profiles, list, loadProfiles), (error) => {
    if (error.name !== "AbortError") toast(error.message, "bad");
  });
  loadProfiles();
  const element = h("div", { class: "page" },
    h("div", { class: "page-head" }, h("h1", {}, "Connections")),
    connectionList(signal), profiles, connectForm(loadProfiles));
  return { element, title: "Connections" };
}

function connectionList(signal) {
  const rows = new Map();
  const list = h("ul", { class: "rows" });
  const none = h("p", { class: "hint" }, "No connection yet.");
  const section = h("section", { class: "card", "aria-labelledby": "connections-title" }, h("h2", { id: "connections-title" }, "Connected"), none, list);
  const render = perFrame(() => {
    for (const [id, row] of rows) {
      if (store.connections.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    for (const connection of store.connections.values()) {
      if (!rows.has(connection.id)) {
        rows.set(connection.id, makeRow(connection.id));
        list.append(rows.get(connection.id).element);
      }
      rows.get(connection.id).set(connection);
    }
    none.hidden = rows.size > 0;
  });
  on("connections", signal, render);
  on("devices", signal, render);
  render();
  return section;

  function makeRow(id) {
    const shape = h("span", { "aria-hidden": "true" });
    const word = h("span", {});
    const name = h("strong", {});
    const about = h("span", { class: "hint" });
    const reason = h("p", { class: "error" });
    const button = h("button", { type: "button", onclick: () => busy(button, () => remove(path("connections", id))) }, "Disconnect");
    const row = h("li", { class: "row", "data-test": "connection", "data-id": id },
      h("span", { class: "state" }, shape, word), h("div", { class: "row-main" }, name, about, reason),
      h("a", { class: "button", href: "#/", "aria-label": "Show devices" }, "Devices"), button);
    return {
      element: row,
      set(connection) {
        const known = connectionStates[connection.state] ?? { word: connection.state, kind: "wait" };
        shape.className = `shape ${known.kind}`;
        setText(shape, shapes[known.kind]);
        setText(word, known.word);
        setText(name, connection.profile ?? connection.connect);
        setText(about, [connection.profile ? connection.connect : null, connection.user, `for ${ago(connection.since)}`, `${devicesOf(id).size} devices`].filter(Boolean).join(" · "));
        setText(reason, connection.reason ?? "");
        reason.hidden = !connection.reason;
        button.setAttribute("aria-label", `Disconnect ${connection.profile ?? connection.connect}`);
      },
    };
  }
}

function showProfiles(section, list, reload) {
  section.hidden = list.length === 0;
  fill(section, h("h2", { id: "profiles-title" }, "Saved connections"),
    h("ul", { class: "profiles" }, list.map((profile) => {
      const forget = h("button", {
        type: "button", class: "icon-button", "aria-label": `Forget ${profile.name}`,
        onclick: () => busy(forget, async () => {
          if (!(await confirm("Forget the saved connection?", `${profile.name} (${profile.connect}) is removed from the saved connections.`, "Forget", { danger: true }))) return;
          await remove(path("profiles", profile.name));
          await reload();
        }),
      }, "✕");
      return h("li", {},
        h("button", { type: "button", class: "profile", "data-test": "profile", "data-name": profile.name, onclick: () => profileDialog(profile) },
          h("strong", {}, profile.name), h("span", { class: "hint" }, `${profile.connect} · ${profile.user}`),
          h("span", { class: "hint" }, profile.trusts ? "own trusted certificate" : "the system's certificates")),
        forget);
    })));
}

async function profileDialog(profile) {
  const password = h("input", { type: "password", autocomplete: "current-password", autofocus: true, "data-test": "profile-password" });
  const error = h("p", { class: "error", role: "alert", "data-test": "profile-error" });
  const done = await dialog(`Connect to ${profile.name}`, (close) => {
    const submit = h("button", { type: "submit", class: "primary", "data-test": "profile-submit" }, "Connect");
    return h("form", {
      onsubmit(event) {
        event.preventDefault();
        setText(error, "");
        busy(submit, async () => {
          await post("connections", { profile: profile.name, password: password.value });
          close(true);
        }, (problem) => setText(error, problem.message));
      },
    },
    h("p", { class: "hint" }, `${profile.connect} as ${profile.user}`), field("Password", password), error,
    h("div", { class: "buttons" }, submit, h("button", { type: "button", onclick: () => close() }, "Cancel")));
  });
  password.value = "";
  if (done) go("#/");
}

function radios(name, label, choices, onchange) {
  const inputs = choices.map(([value, words], index) => h("label", { class: "segment" },
    h("input", { type: "radio", name, value, checked: index === 0, onchange }), h("span", {}, words)));
  const set = h("fieldset", { class: "segments" }, h("legend", {}, label), h("div", {}, inputs));
  return {
    element: set,
    value: () => set.querySelector("input:checked").value,
    choose(value) {
      for (const input of set.querySelectorAll("input")) input.checked = input.value === value;
      onchange();
    },
  };
}

function connectForm(reloadProfiles) {
  let pem = null;
  let fingerprint = null;

  const role = radios(freshId("role"), "Role", [["client", "Connect to a server"], ["server", "Listen for devices"]], update);
  const transport = radios(freshId("transport"), "Transport", [["tls", "TLS"], ["tcp", "Socket (plain TCP)"], ["serial", "Serial"]], update);
  const host = h("input", { type: "text", "data-test": "connect-address", autocomplete: "off", spellcheck: "false", autocapitalize: "none", placeholder: "192.168.1.220 or frank.example.com" });
  const port = h("input", { type: "number", min: 1, max: 65535, inputmode: "numeric", placeholder: "6369", "data-test": "connect-port" });
  const serialPort = h("input", { type: "text", value: "/dev/ttyUSB0", autocomplete: "off", spellcheck: "false" });
  const baud = h("input", { type: "number", min: 300, max: 4000000, value: "115200", inputmode: "numeric" });
  const user = h("input", { type: "text", "data-test": "connect-user", value: "root.cafenet", autocomplete: "username", spellcheck: "false", autocapitalize: "none" });
  const password = h("input", { type: "password", "data-test": "connect-password", autocomplete: "current-password" });
  const trust = radios(freshId("trust"), "Trusted certificate", [["system", "The system's"], ["file", "From a file"], ["fingerprint", "By its fingerprint"]], update);
  const file = h("input", { type: "file", accept: ".crt,.pem,.cer", "data-test": "connect-pem", onchange: readFile });
  const fileState = h("p", { class: "hint", role: "status" });
  const original = check("Certificate of the original: do not check the host name", { "data-test": "connect-original" });
  const saveAs = h("input", { type: "text", autocomplete: "off", maxlength: 64, "data-test": "connect-save" });
  const error = h("p", { class: "error", role: "alert", "data-test": "connect-error" });
  const submit = h("button", { type: "submit", class: "primary", "data-test": "connect-submit" }, "Connect");
  const show = h("button", { type: "button", "data-test": "connect-fingerprint", onclick: () => busy(show, showCertificate, (problem) => setText(certificateError, problem.message)) }, "Show the server's fingerprint");
  const certificate = h("div", { class: "certificate", hidden: true });
  const certificateError = h("p", { class: "error", role: "alert" });

  const addressFields = h("div", { class: "grid address" }, field("Server address", host), field("Port", port));
  const hostLabel = addressFields.querySelector("label");
  const foundState = h("p", { class: "hint", role: "status" });
  const foundList = h("ul", { class: "profiles" });
  const look = h("button", { type: "button", "data-test": "connect-look", onclick: () => busy(look, lookForServers, (problem) => setText(foundState, problem.message)) }, "Look for servers");
  const foundFields = h("div", { class: "stack" }, h("div", { class: "buttons" }, look), foundState, foundList);
  const serialFields = h("div", { class: "grid address" }, field("Serial port", serialPort), field("Baud", baud));
  const fileFields = h("div", {}, field("Certificate file (PEM)", file), fileState);
  const fingerprintFields = h("div", {}, h("p", { class: "hint" }, "Nothing but the greeting of TLS is sent to the server for this. Compare the fingerprint with the one that is shown at the server itself."), show, certificateError, certificate);
  const trustFields = h("div", { class: "stack" }, trust.element, fileFields, fingerprintFields, original);
  const form = h("form", { class: "card stack", "aria-labelledby": "form-title", novalidate: true, onsubmit },
    h("h2", { id: "form-title" }, "New connection"),
    role.element, transport.element, foundFields, addressFields, serialFields,
    h("div", { class: "grid two" }, field("User and network", user, { hint: "user.network" }), field("Password", password)),
    trustFields,
    field("Save as (optional)", saveAs, { hint: "A name to find this connection again. The password is not saved." }),
    error, h("div", { class: "buttons" }, submit));
  for (const input of [host, port]) input.addEventListener("input", forgetCertificate);
  update();
  return form;

  function update() {
    const kind = transport.value();
    const listens = role.value() === "server";
    addressFields.hidden = kind === "serial";
    serialFields.hidden = kind !== "serial";
    foundFields.hidden = kind === "serial" || listens;
    trustFields.hidden = kind !== "tls" || listens;
    fileFields.hidden = trust.value() !== "file";
    fingerprintFields.hidden = trust.value() !== "fingerprint";
    port.placeholder = String(ports[kind] ?? "");
    setText(hostLabel, listens ? "Own address to listen on" : "Server address");
    host.placeholder = listens ? "* (all addresses)" : "192.168.1.220 or frank.example.com";
    setText(submit, listens ? "Listen" : "Connect");
    setText(error, "");
  }

  function forgetCertificate() {
    // What was compared belongs to another address.
    fingerprint = null;
    certificate.hidden = true;
    setText(certificateError, "");
  }

  async function lookForServers() {
    fill(foundList);
    setText(foundState, "Listening for servers that announce themselves…");
    const found = await get("servers-found");
    setText(foundState, found.length
      ? "Anybody in this network can announce a server: its certificate shows whether it is the right one."
      : "No server announced itself. Is it started with --announce, in the same subnet, and UDP port 6368 open in the firewall?");
    fill(foundList, found.map((server) => h("li", {},
      h("button", { type: "button", class: "profile", "data-test": "found", "data-connect": server.connect, onclick: () => take(server) },
        h("strong", {}, server.server || server.host),
        h("span", { class: "hint" }, `${server.network} · ${server.connect}`)))));
  }

  function take(server) {
    transport.choose(server.transport);
    host.value = server.host;
    port.value = server.port;
    const name = user.value.trim().split(".")[0] || "root";
    user.value = `${name}.${server.network}`;
    forgetCertificate();
    password.focus();
  }

  async function readFile() {
    pem = null;
    const chosen = file.files[0];
    if (!chosen) return setText(fileState, "");
    if (chosen.size > 256 * 1024) return setText(fileState, "This file is too large for a certificate.");
    const text = await chosen.text();
    if (!text.includes("-----BEGIN CERTIFICATE-----")) return setText(fileState, "This is no certificate in PEM form (it has no line “-----BEGIN CERTIFICATE-----”).");
    pem = text;
    return setText(fileState, `${chosen.name} is used.`);
  }

  function url() {
    const kind = transport.value();
    if (kind === "serial") return `serial://${serialPort.value.trim()}?baud=${baud.value || 115200}`;
    let name = host.value.trim();
    if (role.value() === "server") name ||= "*";
    if (!name) throw Object.assign(new Error("Enter the address of the server."), { input: host });
    // Somebody may paste the whole address.
    name = name.replace(/^(tls|tcp):\/\//, "");
    const isV6 = !name.startsWith("[") && (name.match(/:/g) ?? []).length > 1;
    if (isV6) name = `[${name}]`;
    if (port.value && !port.checkValidity()) throw Object.assign(new Error("The port is a number from 1 to 65535."), { input: port });
    const hasPort = /\]:\d+$|^[^\[\]:]+:\d+$/.test(name);
    return `${kind}://${name}${hasPort ? "" : `:${port.value || ports[kind]}`}`;
  }

  async function showCertificate() {
    setText(certificateError, "");
    forgetCertificate();
    const address = url();
    const shown = await post("certificate", { connect: address });
    certificate.hidden = false;
    const trustIt = h("button", { type: "button", class: "primary", "data-test": "connect-trust", onclick: () => {
      fingerprint = shown.fingerprint;
      setText(verdict, "✓ This certificate is trusted for this connection.");
      trustIt.disabled = true;
    } }, "I compared it, trust this certificate");
    const verdict = h("p", { role: "status" });
    const row = (term, value) => [h("dt", {}, term), h("dd", {}, value)];
    fill(certificate, h("h3", {}, `Certificate of ${address}`),
      h("dl", { class: "facts" },
        row("Subject", shown.subject), row("Issuer", shown.selfSigned ? `${shown.issuer} (signed by itself)` : shown.issuer),
        row("Names", shown.names?.length ? shown.names.join(", ") : "none"),
        row("Valid", `${when(shown.notBefore)} – ${when(shown.notAfter)}`)),
      h("p", { class: "label" }, "SHA-256 fingerprint"), fingerprintElement(shown.fingerprint),
      shown.authorityFingerprint ? [h("p", { class: "label" }, "Fingerprint of its authority"), fingerprintElement(shown.authorityFingerprint)] : null,
      h("div", { class: "buttons" }, trustIt), verdict);
  }

  function onsubmit(event) {
    event.preventDefault();
    setText(error, "");
    busy(submit, async () => {
      const kind = transport.value();
      const listens = role.value() === "server";
      const body = { connect: url(), listen: listens, user: user.value.trim(), password: password.value, trust: null, checkHostName: true, saveAs: saveAs.value.trim() || null };
      if (kind === "tls" && !listens) {
        body.checkHostName = !original.firstChild.checked;
        if (trust.value() === "file") {
          if (!pem) throw Object.assign(new Error("Choose the file with the trusted certificate."), { input: file });
          body.trust = { pem };
        }
        if (trust.value() === "fingerprint") {
          if (!fingerprint) throw Object.assign(new Error("Show the server's fingerprint, compare it, and say that you trust it."), { input: show });
          body.trust = { fingerprint };
        }
      }
      const connection = await post("connections", body);
      password.value = "";
      store.connections.set(connection.id, connection);
      emit("connections");
      if (body.saveAs) reloadProfiles();
      go("#/");
    }, (problem) => {
      setText(error, problem.message);
      (problem.input ?? (problem.kind === "loginRefused" ? password : null))?.focus();
    });
  }
}

function fingerprintElement(text) {
  return h("code", { class: "fingerprint" }, fingerprintLines(text).map((pairs) => h("span", {}, `${pairs.slice(0, 4).join(":")}  ${pairs.slice(4).join(":")}`)));
}
