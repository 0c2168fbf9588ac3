// Starts the page: session, push channel, frame around the windows, and the window the address names.
import { get, whenLoginNeeded } from "./api.js";
import { fill, h } from "./dom.js";
import { closeEvents, connectEvents } from "./events.js";
import { route } from "./router.js";
import { closeDrawer, setUpShell, showRoute } from "./shell.js";
import { on, store } from "./store.js";
import { connectView } from "./view-connect.js";
import { deviceView } from "./view-device.js";
import { devicesView } from "./view-devices.js";
import { jobsView } from "./view-jobs.js";
import { loginView } from "./view-login.js";
import { packagesView } from "./view-packages.js";

const views = { connect: connectView, device: deviceView, devices: devicesView, jobs: jobsView, packages: packagesView };
const main = document.getElementById("main");

/// Ends the shown window: its listeners, timers and requests.
let leaving = new AbortController();
let shown = null;
let loginShown = false;

function show() {
  if (loginShown) return;
  const target = route();
  const wasDevice = shown?.name === "device" && target.name === "device";
  leaving.abort();
  leaving = new AbortController();
  const focusWasInMain = shown !== null && !document.querySelector("dialog[open]");
  shown = target;
  main.className = `main ${target.name}`;
  const view = views[target.name](target, leaving.signal);
  fill(main, view.element);
  main.scrollTop = 0;
  document.title = `${view.title} – ispy`;
  showRoute(target, view.title);
  closeDrawer();
  // After going somewhere the keyboard continues there; not at the first load.
  if (focusWasInMain) (wasDevice ? main.querySelector('[aria-current="page"]') ?? main : main).focus({ preventScroll: true });
}

function showLogin() {
  if (loginShown) return;
  loginShown = true;
  leaving.abort();
  closeEvents();
  // A dialog of the window that is gone would lie over the login.
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  document.body.classList.add("logged-out");
  fill(main, loginView(start));
  main.querySelector("input")?.focus();
}

async function start() {
  let session;
  try {
    session = await get("session");
  } catch (error) {
    if (loginShown || error.kind === "loginNeeded") return;
    fill(main, h("div", { class: "empty" }, h("h1", {}, "No contact with ispy"), h("p", {}, error.message)));
    setTimeout(start, 3000);
    return;
  }
  store.session = session;
  if (session.needsLogin && !session.loggedIn) {
    showLogin();
    return;
  }
  loginShown = false;
  document.body.classList.remove("logged-out");
  setUpShell();
  connectEvents();
  show();
}

whenLoginNeeded(showLogin);
window.addEventListener("hashchange", show);
document.getElementById("skip").addEventListener("click", (event) => {
  // The address belongs to the router.
  event.preventDefault();
  main.focus();
});

// Without any connection the Connect window is the place to begin.
const forever = new AbortController().signal;
let first = true;
on("connections", forever, () => {
  if (first && store.connections.size === 0 && ["", "#", "#/"].includes(location.hash)) location.replace("#/connect");
  first = false;
});

start();
