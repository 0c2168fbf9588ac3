// The address behind "#": reload, back and bookmarks work. Only names and ids stand in it.

export const tabs = ["signals", "memory", "configure", "program"];

export const link = (...parts) => `#/${parts.map((part) => encodeURIComponent(part)).join("/")}`;
export const deviceLink = (connection, path, tab = "signals") => link("c", connection, path, tab);

/// {name, connection, path, tab}
export function route() {
  let parts;
  try {
    parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    parts = [];
  }
  if (parts[0] === "c" && parts.length >= 3) {
    return { name: "device", connection: parts[1], path: parts[2], tab: tabs.includes(parts[3]) ? parts[3] : "signals" };
  }
  if (["connect", "jobs", "packages"].includes(parts[0])) return { name: parts[0] };
  return { name: "devices" };
}

export const go = (hash) => {
  location.hash = hash;
};
