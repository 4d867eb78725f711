// Selected rows of a list: counts them, selects the page, a range with Shift, or all that match.
// That the action bar appears is CSS; without this module it works with single rows.

const rows = (list) => [...list.querySelectorAll("[data-pick]:not(:disabled)")];
const listOf = (element) => element.closest("[data-list]");
let last = null;

export function picked(box, isRange) {
  const list = listOf(box);
  const all = rows(list);
  if (isRange && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const row of all.slice(from, to + 1)) row.checked = box.checked;
  }
  last = box;
  const everything = list.querySelector("[data-pick-all]");
  if (everything && !box.checked) everything.checked = false;
  count(list);
}

export function changed(box) {
  const list = listOf(box);
  for (const row of rows(list)) row.checked = box.checked;
  const everything = list.querySelector("[data-pick-all]");
  if (everything && !box.checked) everything.checked = false;
  count(list);
}

// The browser may bring a page back with its boxes still checked.
export function restore() {
  document.querySelectorAll("[data-list]").forEach(count);
}

function count(list) {
  const all = rows(list);
  const chosen = all.filter((row) => row.checked).length;
  const page = list.querySelector("[data-pick-page]");
  if (page) {
    page.checked = chosen > 0 && chosen === all.length;
    page.indeterminate = chosen > 0 && chosen < all.length;
  }
  const words = list.querySelector("[data-picked]");
  const everything = list.querySelector("[data-pick-all]");
  if (words) words.textContent = everything?.checked ? "All selected" : `${chosen} selected`;
}
