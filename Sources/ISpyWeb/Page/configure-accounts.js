// Accounts of a network: who may come in, from which addresses without a password, and who waits.
import { cardTable, check, dialog, field, fill, h, perFrame, setText } from "./dom.js";
import { confirmChanges, difference } from "./diff.js";
import { watch } from "./events.js";
import { on } from "./store.js";

const waitingFields = ["name", "text", "ip", "privileges", "password", "count"];

/// The first 80 bits of SHA-256 over the words, the hash of the server's certificate and the hash of the device's password.
async function pairingCode(passwordHash, certificateHash) {
  if (!certificateHash || !crypto.subtle) return null;
  const bytes = new TextEncoder();
  const parts = [bytes.encode("IOCOM pairing"), Uint8Array.from(certificateHash.match(/../g), (two) => parseInt(two, 16)), bytes.encode(passwordHash)];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all)).slice(0, 10);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("").match(/.{4}/g).join("-");
}

export function accountsForm(configuration, { target, save, signal }) {
  const original = configuration.current ?? configuration.defaults ?? {};
  let edited = structuredClone(original);
  edited.accounts ??= {};
  edited.accounts.accounts ??= [];
  // Documents in the field call the addresses "whitelist" as well; the name that is there stays.
  const ipsName = "whitelist";
  const accounts = () => edited.accounts.accounts;
  const ips = () => (edited.accounts[ipsName] ??= []);

  const waitingBox = h("div", {});
  const accountsBox = h("div", {});
  const ipsBox = h("div", {});
  const changed = h("span", { class: "hint", role: "status" });
  const saveButton = h("button", { type: "button", class: "primary", "data-test": "configure-save", onclick: () => ask() }, "Save to device …");

  function changes() {
    const before = structuredClone(original);
    before.accounts ??= {};
    before.accounts.accounts ??= [];
    const list = difference(readable(before), readable(edited));
    return list;
  }

  /// Rows by name instead of by number: removing the first one is one change, not all of them.
  function readable(document) {
    const inner = document.accounts;
    const named = (list, name) => {
      // A user may be called "__proto__".
      const result = Object.create(null);
      for (const one of list ?? []) {
        let key = String(one?.[name] ?? "?");
        while (key in result) key += " (again)";
        result[key] = one;
      }
      return result;
    };
    return { ...document, accounts: { ...inner, accounts: named(inner.accounts, "user"), [ipsName]: named(inner[ipsName], "ip") } };
  }

  function ask() {
    return confirmChanges(`Save the accounts of ${target.path}?`, changes(), () => save(edited));
  }

  async function accept(row) {
    const before = structuredClone(edited);
    const account = { user: row.name, password: row.password, privileges: row.privileges ?? "" };
    // The name may be there with another password: then that one is replaced, and the difference shows it. Devices without a
    // number of their own share a name and have an account each.
    const index = /[0-9]$/.test(row.name) ? accounts().findIndex((one) => one.user === row.name) : -1;
    if (index >= 0) accounts()[index] = { ...accounts()[index], password: row.password };
    else accounts().push(account);
    render();
    if ((await ask()) === undefined && !signal.aborted) {
      edited = before;
      render();
    }
  }

  function render() {
    const count = changes().length;
    setText(changed, count ? `${count} unsaved ${count === 1 ? "change" : "changes"}` : "no changes");
    saveButton.disabled = count === 0;
    fill(accountsBox, accounts().length === 0 ? h("p", { class: "hint" }, "No accounts.") : cardTable(["User", "Privileges", "Password", ""], accounts().map((one, index) => h("tr", { "data-test": "account-row", "data-user": one.user },
        h("th", { scope: "row" }, one.user ?? ""), h("td", {}, one.privileges || h("span", { class: "hint" }, "none")),
        h("td", {}, passwordState(one)),
        h("td", { class: "actions" },
          h("button", { type: "button", class: "quiet", "aria-label": `Edit ${one.user}`, "data-test": "account-edit", onclick: () => edit(index) }, "Edit"),
          h("button", { type: "button", class: "quiet", "aria-label": `Delete ${one.user}`, "data-test": "account-delete", onclick: () => drop(accounts(), index) }, "Delete"))))));
    fill(ipsBox, ips().length === 0 ? h("p", { class: "hint" }, "No addresses: everybody needs an account.") : cardTable(["First address", "Last address", ""], ips().map((one, index) => h("tr", { "data-test": "ip-row" },
        h("th", { scope: "row" }, one.ip ?? ""), h("td", {}, one.last_ip ?? ""),
        h("td", { class: "actions" },
          h("button", { type: "button", class: "quiet", "aria-label": `Edit ${one.ip}`, onclick: () => editIP(index) }, "Edit"),
          h("button", { type: "button", class: "quiet", "aria-label": `Delete ${one.ip}`, onclick: () => drop(ips(), index) }, "Delete"))))));
  }

  function passwordState(one) {
    if (one.newPassword) return h("strong", {}, "new, not saved");
    if (one.password === "*") return "any is accepted";
    return one.password ? "set" : "none";
  }

  /// What the person compares with the device: the same there, unless somebody sits in between (docs/security.md).
  function codeCell(row) {
    const cell = h("code", { "data-test": "pairing-code", title: "The device shows the same code when it starts" }, "…");
    pairingCode(row.password ?? "", configuration.certificateHash).then((code) => setText(cell, code ?? "only over TLS"));
    return cell;
  }

  function drop(list, index) {
    list.splice(index, 1);
    render();
    saveButton.focus();
  }

  async function edit(index) {
    const old = index === undefined ? {} : accounts()[index];
    const user = h("input", { type: "text", value: old.user ?? "", autocomplete: "off", spellcheck: "false", autocapitalize: "none", required: true, maxlength: 63, "data-test": "account-user" });
    const privileges = h("input", { type: "text", value: old.privileges ?? "", autocomplete: "off", spellcheck: "false", list: "privileges-known", "data-test": "account-privileges" });
    const password = h("input", { type: "password", autocomplete: "new-password", "data-test": "account-password" });
    const noPassword = check("No password", { onchange: () => {
      password.disabled = noPassword.firstChild.checked;
    } });
    const result = await dialog(index === undefined ? "New account" : `Edit ${old.user}`, (close) => h("form", { onsubmit(event) {
      event.preventDefault();
      const next = { ...old, user: user.value.trim() };
      if (privileges.value.trim()) next.privileges = privileges.value.trim();
      else delete next.privileges;
      if (noPassword.firstChild.checked) {
        delete next.password;
        delete next.newPassword;
      } else if (password.value) {
        // Sent as typed; ispy hashes it before it travels to the server.
        next.newPassword = password.value;
      }
      close(next);
    } },
    field("User", user, { hint: "A name, or a pattern with * and ?" }),
    field("Privileges", privileges, { hint: "viewer, operator, engineer, admin or server; empty for devices." }),
    h("datalist", { id: "privileges-known" }, ["viewer", "operator", "engineer", "admin", "server"].map((value) => h("option", { value }))),
    field("New password", password, { hint: index === undefined ? "Empty: none." : "Empty: stays as it is." }),
    index === undefined ? null : noPassword,
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary", "data-test": "account-ok" }, "OK"), h("button", { type: "button", onclick: () => close() }, "Cancel"))));
    password.value = "";
    if (!result || signal.aborted) return;
    if (index === undefined) accounts().push(result);
    else accounts()[index] = result;
    render();
  }

  async function editIP(index) {
    const old = index === undefined ? {} : ips()[index];
    const first = h("input", { type: "text", value: old.ip ?? "", required: true, autocomplete: "off", spellcheck: "false" });
    const last = h("input", { type: "text", value: old.last_ip ?? "", autocomplete: "off", spellcheck: "false" });
    const result = await dialog(index === undefined ? "New addresses" : "Edit addresses", (close) => h("form", { onsubmit(event) {
      event.preventDefault();
      close({ ...old, ip: first.value.trim(), last_ip: last.value.trim() || first.value.trim() });
    } },
    h("p", { class: "hint" }, "From these addresses everybody comes in without a password."),
    field("First address", first), field("Last address", last, { hint: "Empty: only the first." }),
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, "OK"), h("button", { type: "button", onclick: () => close() }, "Cancel"))));
    if (!result || signal.aborted) return;
    if (index === undefined) ips().push(result);
    else ips()[index] = result;
    render();
  }

  // Who waits is told by signals; only a change of somebody rebuilds the table.
  let list = [];
  let shownWaiting = null;
  const showWaiting = perFrame(() => {
    if (signal.aborted) return;
    const values = new Map(list.map((one) => [one.name, one]));
    const rows = [];
    for (const number of [1, 2, 3]) {
      const name = values.get(`new${number}_name`);
      if (!name?.connected || !name.value) continue;
      rows.push(Object.fromEntries(waitingFields.map((field) => [field, values.get(`new${number}_${field}`)?.value ?? ""])));
    }
    const text = JSON.stringify(rows);
    if (text === shownWaiting) return;
    shownWaiting = text;
    fill(waitingBox, rows.length === 0 ? h("p", { class: "hint" }, "Nobody waits. A device that was refused appears here while it keeps trying.") : cardTable(["Name", "Why it waits", "Address", "Code to compare", "Tries", ""], rows.map((row) => h("tr", { "data-test": "new-device", "data-name": row.name },
        h("th", { scope: "row" }, row.name), h("td", {}, row.text), h("td", {}, row.ip),
        h("td", {}, codeCell(row)), h("td", { class: "num" }, String(row.count)),
        h("td", { class: "actions" }, h("button", { type: "button", class: "primary", "data-test": "accept", "aria-label": `Accept ${row.name}`, onclick: () => accept(row) }, "Accept …"))))));
  });
  on("signals", signal, (data) => {
    if (data.connection !== target.connection || data.device !== target.path) return;
    if (data.all) list = data.set.map((one) => ({ ...one }));
    else for (const [index, value, flags] of data.changes ?? []) {
      if (list[index]) Object.assign(list[index], { value, connected: Boolean(flags & 1) });
    }
    showWaiting();
  });
  watch({ connection: target.connection, device: target.path, signals: true, memory: null, pictures: [] }, signal);
  window.addEventListener("beforeunload", (event) => changes().length && event.preventDefault(), { signal });
  showWaiting();
  render();

  return h("div", { class: "stack" },
    h("section", { class: "card" }, h("h2", {}, "New devices"), h("div", { "aria-live": "polite" }, waitingBox)),
    h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, "Accounts"), h("button", { type: "button", "data-test": "account-new", onclick: () => edit() }, "New account …")), accountsBox),
    h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, "Addresses without password"), h("button", { type: "button", onclick: () => editIP() }, "New addresses …")), ipsBox),
    h("div", { class: "save-bar" }, saveButton, changed));
}
