// The list of shortcuts that "?" opens.

export function list() {
  const pages = [...document.querySelectorAll("[data-go]")].map((link) => [
    link.querySelector("span").textContent,
    ["g", link.dataset.go],
  ]);
  const rows = [["Search", ["/"]], ["Search, from anywhere", ["Ctrl", "K"]], ["Close what is open", ["Esc"]], ["This list", ["?"]], ...pages];
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "shortcuts-title");
  dialog.append(sheet(rows));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function sheet(rows) {
  const section = make("section", "sheet");
  const title = make("h2", "", "Keyboard shortcuts");
  title.id = "shortcuts-title";
  title.tabIndex = -1;
  title.autofocus = true;
  const header = make("header", "sheet-header");
  const close = make("button", "button small", "Close");
  close.type = "button";
  close.dataset.close = "";
  header.append(title, close);
  const terms = make("dl", "definitions");
  for (const [label, keys] of rows) terms.append(row(label, keys));
  section.append(header, terms);
  return section;
}

function row(label, keys) {
  const line = make("div");
  const definition = make("dd");
  keys.forEach((key, index) => definition.append(index ? " " : "", make("kbd", "", key)));
  line.append(make("dt", "", label), definition);
  return line;
}

function make(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
