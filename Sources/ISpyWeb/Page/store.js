// What ispy told: connections, devices, jobs. Views subscribe; the push channel feeds.

const listeners = new Map();

/// Calls `action` at each event of that name until the view goes away.
export function on(name, signal, action) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  const set = listeners.get(name);
  set.add(action);
  signal.addEventListener("abort", () => set.delete(action));
}

export function emit(name, detail) {
  for (const action of [...(listeners.get(name) ?? [])]) action(detail);
}

export const store = {
  session: null,
  /// False as long as the push channel is lost.
  contact: true,
  /// Whether the first state arrived; before that an empty list means nothing.
  ready: false,
  connections: new Map(),
  /// Connection id → (path → device).
  devices: new Map(),
  jobs: new Map(),
};

export const devicesOf = (connection) => store.devices.get(connection) ?? new Map();
export const device = (connection, path) => devicesOf(connection).get(path);

export function* allDevices() {
  for (const [connection, devices] of store.devices) {
    for (const device of devices.values()) yield { connection, device };
  }
}

/// Newest first.
export const jobs = () => [...store.jobs.values()].sort((a, b) => (a.started < b.started ? 1 : a.started > b.started ? -1 : Number(b.id) - Number(a.id) || 0));
/// Also those of earlier runs of ispy, which know their server only.
export const jobsOf = (connection, path) => jobs().filter((job) => job.device === path && connectionOf(job) === connection);
export const connectionOf = (job) => job.connection || [...store.connections.values()].find((one) => one.connect === job.server)?.id || "";
export const isRunning = (job) => job.state !== "ended";

export function takeConnections(list) {
  store.connections = new Map(list.map((one) => [one.id, one]));
  for (const id of [...store.devices.keys()]) {
    if (store.connections.has(id)) continue;
    store.devices.delete(id);
    emit("devices", { connection: id, structure: true });
  }
  store.ready = true;
  emit("connections");
}

export function takeDevices({ connection, all, set = [], removed = [] }) {
  let devices = store.devices.get(connection);
  // `structure` says that rows came or went; else only contents changed.
  let structure = Boolean(all) || removed.length > 0;
  if (!devices || all) {
    devices = new Map();
    store.devices.set(connection, devices);
  }
  for (const one of set) {
    structure ||= !devices.has(one.path);
    devices.set(one.path, one);
  }
  for (const path of removed) devices.delete(path);
  store.ready = true;
  emit("devices", { connection, structure });
}

export function takeJobs({ all, set = [], removed = [] }) {
  if (all) store.jobs.clear();
  for (const job of set) store.jobs.set(job.id, job);
  for (const id of removed) store.jobs.delete(id);
  emit("jobs");
}

/// An answer of the API may come before its event.
export function takeJob(job) {
  const known = store.jobs.get(job.id);
  if (!known || known.state !== "ended") takeJobs({ set: [job] });
}

export function setContact(contact) {
  if (store.contact === contact) return;
  store.contact = contact;
  emit("contact");
}
