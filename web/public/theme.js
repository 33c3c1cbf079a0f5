// Runs before the first paint, so that a chosen theme never flashes. Nothing else belongs here.
try {
  const theme = localStorage.getItem("conclave.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme stays.
}
