// Applies the theme at once and lets the server remember it.

export function choose(form, button) {
  document.documentElement.dataset.theme = button.value;
  for (const other of form.querySelectorAll("[name=theme]")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  const menu = form.closest("details");
  menu.open = false;
  menu.querySelector("summary").setAttribute("aria-label", `Theme: ${button.value}`);
  menu.querySelector("summary").focus();
  const data = new FormData(form);
  data.set("theme", button.value);
  fetch(form.action, { method: "POST", body: data, redirect: "manual" });
}
