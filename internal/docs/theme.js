// Applies the colours that were chosen in the app. Without a choice, or without scripts, the system's hold.
try {
  const { scheme } = JSON.parse(localStorage.getItem("tasktide.preferences")).state;
  if (scheme === "light" || scheme === "dark") document.documentElement.dataset.scheme = scheme;
} catch {
  // Nothing was chosen, or the browser keeps nothing.
}
