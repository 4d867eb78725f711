// The one entry module. It listens on the document, so that what htmx swaps in later works at once, and
// fetches the module of a behaviour when it is first used. Everything here is a convenience over plain
// links and forms.

const $ = (selector, root = document) => root.querySelector(selector);
const dialog = () => import("./dialog.js");
const selection = () => import("./selection.js");
const toasts = () => import("./toast.js");

// Opened at once, so that no letter typed after Ctrl K is lost while its module comes.
function openPalette() {
  const palette = $("#palette");
  if (!palette.open) palette.showModal();
  $("input", palette).select();
  import("./palette.js").then((module) => module.ready(palette));
}

// A secret pasted into the palette goes no further than here, however early it comes.
const SECRET = /sk-or-v1-[0-9a-z]{8,}/i;

document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.id !== "palette-input") return;
  delete field.dataset.pasted;
  const secret = SECRET.exec(field.value)?.[0];
  if (!secret) return;
  event.stopPropagation();
  field.value = "";
  import("./palette.js").then((module) => module.lookFor(secret));
}, true);

// --- a form is sent once -------------------------------------------------------------------------

const BUSY_AT_MOST = 60_000;

function setBusy(form, button) {
  form.dataset.busy = "";
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  const words = button.dataset.busyLabel && $("span", button);
  if (words) {
    button.dataset.label = words.textContent;
    words.textContent = button.dataset.busyLabel;
  }
}

function setIdle(form) {
  delete form.dataset.busy;
  for (const button of form.querySelectorAll("[aria-busy]")) {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
    const words = button.dataset.label && $("span", button);
    if (words) words.textContent = button.dataset.label;
  }
}

// Capturing, so that a second press is swallowed before htmx or the browser acts on it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-theme-form]")) {
    event.preventDefault();
    import("./theme.js").then((module) => module.choose(form, event.submitter));
    return;
  }
  if (form.method !== "post") return;
  if ("busy" in form.dataset) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  setBusy(form, event.submitter);
  setTimeout(setIdle, BUSY_AT_MOST, form);
}, true);

addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach(setIdle));

// --- htmx ----------------------------------------------------------------------------------------

const on = (name, act) => document.addEventListener(`htmx:${name}`, act);

on("afterRequest", ({ detail }) => {
  const form = detail.elt.closest?.("form");
  if (form) setIdle(form);
});

// A hidden tab asks nothing.
on("beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.hasAttribute("data-poll")) event.preventDefault();
});

// Filters that are not set stay out of the address, and a new filter starts on page 1.
on("configRequest", ({ detail }) => {
  if (!detail.elt.matches(".filters")) return;
  for (const [name, value] of [...detail.formData.entries()]) {
    if (value === "") detail.formData.delete(name);
  }
});

on("beforeSwap", (event) => {
  const { detail } = event;
  const { xhr, elt } = detail;
  if (xhr.getResponseHeader("HX-Reswap")) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
  if (/^\s*<!doctype/i.test(xhr.response)) {
    // A whole page where a part was asked for. After a redirect it is the sign-in page: the session ended.
    detail.shouldSwap = false;
    if (xhr.status === 200) location.reload();
    else detail.isError = true;
    return;
  }
  // A form on its own page answers in its place, not in a dialog over it.
  const sheet = elt.closest?.("[data-sheet]");
  if (detail.target.id === "dialog" && sheet && sheet.id !== "dialog") detail.target = sheet;
});

on("afterSwap", ({ detail }) => {
  const { id } = detail.target;
  if (id === "dialog") dialog().then((module) => module.show(detail.target));
  // A list that changed is said aloud: a live region inside it would be replaced with it.
  const count = id && $(`#${CSS.escape(id)}[data-list] [data-count]`);
  if (count) $("#announcement").textContent = count.textContent;
});

// The address holds the filters. A link outside of what they replace, such as CSV, follows it.
on("pushedIntoHistory", () => {
  for (const link of document.querySelectorAll("a[data-filtered]")) link.search = location.search;
  for (const link of document.querySelectorAll("#workspace-menu a")) {
    const asked = new URLSearchParams(location.search);
    asked.delete("page");
    asked.delete("workspace");
    const workspace = new URLSearchParams(link.search).get("workspace");
    if (workspace) asked.set("workspace", workspace);
    link.search = asked;
  }
});

on("load", ({ target }) => attend(target));
on("oobAfterSwap", () => toasts().then((module) => module.watch()));

const isPoll = (detail) => detail.elt?.hasAttribute("data-poll");
const complain = (text) => toasts().then((module) => module.show(text, "error"), () => say(text));

// When the dashboard cannot be reached, neither can the module that would say so.
function say(text) {
  const toast = document.createElement("p");
  toast.className = "toast danger";
  toast.textContent = text;
  const region = $("#toasts");
  region.replaceChildren(toast);
  region.showPopover?.();
}

on("responseError", ({ detail }) => {
  if (isPoll(detail)) return;
  const { status } = detail.xhr;
  if (status === 404) complain("That is no longer there. Reload the page to see what is.");
  else if (status === 429) complain("Too many requests. Wait a minute, then try again.");
  else complain(`The dashboard could not do that (error ${status}). Reload the page and look before you try again.`);
});
on("sendError", ({ detail }) => isPoll(detail) || complain("The dashboard cannot be reached. Check your connection, then try again."));
on("timeout", ({ detail }) => isPoll(detail) || complain("The dashboard took too long to answer. Reload the page and look before you try again."));

document.addEventListener("dialog:close", () => dialog().then((module) => module.close($("#dialog"))));

// --- clicks, choices, keys -----------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const { target } = event;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
  const copy = target.closest("[data-copy]");
  if (copy) import("./copy.js").then((module) => module.copy(copy));
  const close = target.closest("dialog [data-close]");
  if (close) {
    event.preventDefault();
    dialog().then((module) => module.close(close.closest("dialog")));
  }
  if (target.closest("[data-palette]") && !event.ctrlKey && !event.metaKey && $("#palette")) {
    event.preventDefault();
    openPalette();
  }
  const row = target.closest("[data-add-filter], [data-remove-filter]");
  if (row) {
    import("./patterns.js").then((module) =>
      row.matches("[data-add-filter]") ? module.addRow(row.closest("[data-patterns]")) : module.removeRow(row));
  }
  if (target.closest("[data-pick]")) selection().then((module) => module.picked(target, event.shiftKey));
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-pick-page], [data-pick-all]")) selection().then((module) => module.changed(target));
  if (target.matches("[data-picker] input[type=checkbox]")) import("./picker.js").then((module) => module.chosen(target));
});

// "g" and then a letter jumps to a page of the sidebar. Not a module: the letter may follow at once.
const JUMP_WITHIN = 1500;
let jumpBefore = 0;

function jump(key) {
  const awaited = performance.now() < jumpBefore;
  jumpBefore = 0;
  const link = awaited && $(`[data-go="${CSS.escape(key)}"]`);
  if (link) link.click();
  return Boolean(link);
}

const isTyping = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (key === "Enter" && target.matches?.("[data-picker] input[type=text]")) {
    event.preventDefault();
    import("./picker.js").then((module) => module.taken(target));
  }
  if (key === "Escape") {
    const menu = target.closest?.("details.menu[open]") ?? $("details.menu[open]");
    if (menu) {
      event.preventDefault();
      menu.open = false;
      $("summary", menu).focus();
    }
    return;
  }
  const isPaletteKey = key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(target) && !$("dialog[open]");
  if (isPlain && jump(key)) {
    event.preventDefault();
  } else if (isPaletteKey || (isPlain && key === "/")) {
    if (!$("#palette")) return;
    event.preventDefault();
    openPalette();
  } else if (isPlain && key === "g") {
    event.preventDefault();
    jumpBefore = performance.now() + JUMP_WITHIN;
  } else if (isPlain && key === "?") {
    event.preventDefault();
    import("./shortcuts.js").then((module) => module.list());
  }
});

// --- what a page or a fragment brings along ------------------------------------------------------

function attend(root) {
  const find = (selector) => (root.matches?.(selector) ? root : root.querySelector?.(selector));
  if (find("[data-toast]")) toasts().then((module) => module.watch());
  if (find("[data-secret]")) import("./secret.js").then((module) => module.guard());
  if (find("[data-chart]")) import("./chart.js").then((module) => document.querySelectorAll("[data-chart]").forEach(module.ready));
  if (find("[data-patterns]")) import("./patterns.js").then((module) => module.ready($("[data-patterns]")));
  if (find("time[data-local]")) import("./local.js").then((module) => module.localise(document));
  if (find("[data-pick]:checked")) selection().then((module) => module.restore());
  find("[data-focus]")?.focus();
  // A table that scrolls sideways and holds nothing to focus must itself be reachable by keyboard.
  for (const box of root.querySelectorAll?.(".table-box:not([tabindex])") ?? []) {
    if (box.scrollWidth > box.clientWidth && !$("a, button, input", box)) box.tabIndex = 0;
  }
}

attend(document);
