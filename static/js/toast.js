// Toasts: each leaves after a while, waits under the pointer or the focus, and can be closed. Errors stay,
// and so does what can be undone: six seconds are too few to get there with the keyboard.

const LASTS = 6000;
const region = () => document.querySelector("#toasts");

export function watch() {
  for (const toast of region().querySelectorAll("[data-toast]:not([data-watched])")) attend(toast);
  raise();
}

export function show(text, level = "success") {
  const same = [...region().children].find((toast) => toast.querySelector("p")?.textContent === text);
  same?.remove();
  const toast = document.createElement("div");
  toast.className = `toast ${level === "error" ? "danger" : "ok"}`;
  toast.dataset.toast = level;
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.className = "icon-button";
  close.type = "button";
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", "Close this message");
  close.append(icon("close"));
  toast.append(icon(level === "error" ? "error" : "ok"), words, close);
  region().append(toast);
  watch();
}

function attend(toast) {
  toast.dataset.watched = "";
  toast.querySelector("[data-toast-close]")?.addEventListener("click", () => toast.remove());
  if (toast.dataset.toast === "error" || toast.querySelector("form")) return;
  let timer;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), LASTS);
  };
  const pause = () => clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, pause);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, start);
  start();
}

// Above an open dialog: the region is a popover, and the last one shown is on top.
function raise() {
  const element = region();
  if (!element.showPopover || !element.children.length) return;
  if (element.matches(":popover-open")) element.hidePopover();
  element.showPopover();
}

function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const sprite = document.querySelector("use")?.getAttribute("href")?.split("#")[0] ?? "";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}
