// The page's one <dialog>: opens when htmx has filled it, gives the focus back when it closes.

import { mayLeave } from "./secret.js";

const FIELDS = "[data-focus], [autofocus], [aria-invalid=true], input:not([type=hidden]):not([readonly]):not(:disabled), select, textarea";

export function show(dialog) {
  if (!dialog.hasChildNodes()) return dialog.close();
  if (!dialog.open) dialog.showModal();
  prepare(dialog);
  const first = FIELDS.split(", ").map((selector) => dialog.querySelector(selector)).find(Boolean);
  (first ?? dialog.querySelector("h2"))?.focus();
}

function prepare(dialog) {
  if ("ready" in dialog.dataset) return;
  dialog.dataset.ready = "";
  dialog.addEventListener("close", () => emptied(dialog));
  // Before the browser acts on it: its own "cancel" can be refused only once.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    if (dialog.querySelector("details.menu[open]")) return;
    close(dialog);
  });
  dialog.addEventListener("cancel", (event) => {
    if (!mayLeave(dialog)) event.preventDefault();
  });
}

export function close(dialog) {
  if (dialog?.open && mayLeave(dialog)) dialog.close();
}

function emptied(dialog) {
  dialog.replaceChildren();
  // The browser returns the focus to what opened the dialog, unless a swap took that away.
  if (!document.activeElement || document.activeElement === document.body) document.querySelector("#main")?.focus();
}
