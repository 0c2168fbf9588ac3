// Numbers, times and states as people read them.

export function bytes(count) {
  if (count === null || count === undefined) return "–";
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB"];
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole < 600 && whole % 60 ? ` ${whole % 60} s` : ""}`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/// How long ago.
export function ago(iso) {
  const then = Date.parse(iso);
  if (Number.isNaN(then)) return "–";
  const seconds = (Date.now() - then) / 1000;
  if (seconds < 60) return "< 1 min";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d`;
}

const whenFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export function when(iso) {
  const then = Date.parse(iso);
  return Number.isNaN(then) ? "–" : whenFormat.format(then);
}

/// Floats to four decimals, as the original shows them, without needless zeros.
export function number(value) {
  if (Number.isInteger(value)) return String(value);
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-4) return value.toPrecision(5);
  return String(Number(value.toFixed(4)));
}

export function value(value, type) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return type === "float" || type === "double" ? number(value) : String(value);
  if (typeof value === "string") return value;
  const shown = value.slice(0, 4).map((one) => (typeof one === "number" ? number(one) : one ? "1" : "0"));
  return `${shown.join(", ")}${value.length > 4 ? ", …" : ""}`;
}

/// "AB:CD:…" in lines of eight pairs, so that two people can compare it aloud.
export function fingerprintLines(text) {
  const pairs = text.split(":");
  const lines = [];
  for (let at = 0; at < pairs.length; at += 8) lines.push(pairs.slice(at, at + 8));
  return lines;
}

// No prototype: a state that is called "constructor" is not known.
const phases = {
  __proto__: null,
  idle: ["Idle", "good"], waiting: ["Waiting", "wait"], "sending manifest": ["Sending manifest", "work"],
  receiving: ["Receiving", "work"], verifying: ["Verifying", "work"], installing: ["Installing", "work"],
  restarting: ["Restarting", "work"], proving: ["Proving", "work"], confirmed: ["Confirmed", "good"],
  "rolled back": ["Rolled back", "warn"], failed: ["Failed", "bad"],
};

/// Word, kind (colour and shape) and whether it counts as fine.
export function deviceState(device) {
  const state = device.state ?? "";
  if (state === "connected") return device.problem ? { word: "Problem", kind: "warn" } : { word: "Connected", kind: "good" };
  if (state.startsWith("unreadable")) return { word: "Unreadable", kind: "bad" };
  const known = phases[state];
  return known ? { word: known[0], kind: known[1] } : { word: state || "Unknown", kind: "wait" };
}

export const connectionStates = {
  __proto__: null,
  connecting: { word: "Connecting", kind: "work" },
  connected: { word: "Connected", kind: "good" },
  lost: { word: "Lost", kind: "bad" },
};

/// One shape per kind: colour is never the only difference.
export const shapes = { good: "●", work: "◐", wait: "○", warn: "▲", bad: "✕" };

export const phaseWord = (phase) => phases[phase]?.[0] ?? phase;

export const results = {
  __proto__: null,
  confirmed: { word: "Confirmed", kind: "good" }, done: { word: "Done", kind: "good" },
  rolledBack: { word: "Rolled back", kind: "warn" }, refused: { word: "Refused", kind: "bad" },
  failed: { word: "Failed", kind: "bad" }, unknown: { word: "Unknown", kind: "warn" },
  cancelled: { word: "Cancelled", kind: "wait" },
};

const collator = new Intl.Collator("en", { numeric: true });
/// candy2 before candy10.
export const natural = collator.compare;
