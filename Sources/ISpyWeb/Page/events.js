// The push channel: one EventSource for the page, and what this page watches.
import { address, get, path, put } from "./api.js";
import { emit, setContact, takeConnections, takeDevices, takeJobs } from "./store.js";

const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
const page = Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => letters[byte % letters.length]).join("");

let source = null;
let retry = null;
let hadHello = false;
let wanted = {};
let sending = false;
let sent = null;

const takers = {
  connections: takeConnections,
  devices: takeDevices,
  jobs: takeJobs,
  packages: () => emit("packages"),
  signals: (data) => emit("signals", data),
  memory: (data) => emit("memory", data),
  picture: (data) => emit("picture", data),
};

export function connectEvents() {
  clearTimeout(retry);
  source?.close();
  const channel = new EventSource(address(`events?page=${page}`));
  source = channel;
  channel.addEventListener("hello", (event) => {
    hadHello = true;
    setContact(true);
    emit("hello", read(event) ?? {});
    // A new channel watches nothing yet.
    sent = null;
    pushWatch();
  });
  for (const [name, take] of Object.entries(takers)) {
    channel.addEventListener(name, (event) => {
      const data = read(event);
      if (data !== null) take(data);
    });
  }
  channel.addEventListener("error", () => {
    if (source !== channel) return;
    setContact(false);
    // EventSource gives up when the answer is an error status: then ask why (a login?) and try again.
    if (channel.readyState === EventSource.CLOSED) {
      get("session").catch(() => {});
      retry = setTimeout(connectEvents, 3000);
    }
  });
}

export function closeEvents() {
  clearTimeout(retry);
  source?.close();
  source = null;
  hadHello = false;
}

// A page in the browser's back/forward cache would keep its channel, and a browser has only six connections to a host.
window.addEventListener("pagehide", () => {
  clearTimeout(retry);
  source?.close();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted && source) connectEvents();
});

function read(event) {
  try {
    return JSON.parse(event.data);
  } catch {
    return null;
  }
}

/// What the shown window needs; it replaces what was watched before.
export function watch(what, signal) {
  wanted = what;
  pushWatch();
  signal?.addEventListener("abort", () => {
    // Only if no other window has asked for something since.
    if (wanted !== what) return;
    wanted = {};
    queueMicrotask(pushWatch);
  });
}

/// One PUT at a time, always with the newest wish.
async function pushWatch() {
  if (sending || !hadHello || sent === wanted) return;
  sending = true;
  const what = wanted;
  try {
    await put(path("pages", page, "watch"), what);
    sent = what;
  } catch (error) {
    // Without contact the next hello asks again; a device that is away now may come back.
    sending = false;
    if (wanted !== what) pushWatch();
    else if (error.status !== 0 && Object.keys(what).length > 0) setTimeout(pushWatch, 2000);
    return;
  }
  sending = false;
  if (wanted !== what) pushWatch();
}
