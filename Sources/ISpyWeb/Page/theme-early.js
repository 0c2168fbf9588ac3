// A classic script in the head: it runs before the first paint, so a chosen theme does not flash.
try {
  const chosen = localStorage.getItem("ispy-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage can be switched off; then the theme follows the system.
}
