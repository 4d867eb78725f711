// The rows of custom filters in the editor of a guardrail, and the tester: what the patterns would find in a
// text. They are JavaScript's, so the browser itself tries them, in a worker that is ended when it takes long.

const PATIENCE = 200;
const TYPING = 150;

// --- rows ----------------------------------------------------------------------------------------

const rowsOf = (box) => [...box.querySelectorAll("[data-filter]")];

export function addRow(box) {
  const row = box.querySelector("template").content.firstElementChild.cloneNode(true);
  box.querySelector("[data-filters]").append(row);
  name(box);
  row.querySelector("input").focus();
}

export function removeRow(button) {
  const box = button.closest("[data-patterns]");
  const row = button.closest("[data-filter]");
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  name(box);
  (next?.querySelector("input") ?? box.querySelector("[data-add-filter]")).focus();
  test(box);
}

function name(box) {
  rowsOf(box).forEach((row, at) => row.setAttribute("aria-label", `Filter ${at + 1}`));
}

// --- the tester ----------------------------------------------------------------------------------

export function ready(box) {
  for (const hidden of box.querySelectorAll("[data-with-script]")) hidden.hidden = false;
  let waiting = 0;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(test, TYPING, box);
  });
}

// A newer run makes an older one stop where it is.
let run = 0;

async function test(box) {
  const mine = ++run;
  const text = box.querySelector("[data-tested]").value;
  const filters = rowsOf(box)
    .map((row, at) => ({ number: at + 1, ...fields(row) }))
    .filter(({ pattern }) => pattern);
  const say = box.querySelector("[data-verdict]");
  if (!text || !filters.length) {
    say.replaceChildren(text ? "There is no pattern to try." : "");
    return;
  }
  const bench = new Bench(box.dataset.worker);
  const found = [];
  for (const filter of filters) {
    found.push({ ...filter, ...(await bench.try(filter, text)) });
    if (mine !== run) return bench.end();
  }
  bench.end();
  say.replaceChildren(...verdict(text, found));
}

function fields(row) {
  const [pattern, label] = [...row.querySelectorAll("input")].map((input) => input.value);
  return { pattern, label: label.trim(), action: row.querySelector("select").value };
}

class Bench {
  constructor(address) {
    this.address = address;
  }

  start() {
    this.worker = new Worker(this.address);
    return new Promise((resolve, reject) => {
      this.worker.onmessage = resolve;
      this.worker.onerror = reject;
    });
  }

  // The clock runs from when the worker is there, not while it is fetched.
  async try({ number, pattern }, text) {
    if (!this.worker) await this.start();
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.end();
        resolve({ problem: `stopped after ${PATIENCE} ms: this pattern may be too slow`, isSlow: true });
      }, PATIENCE);
      this.worker.onmessage = ({ data }) => {
        clearTimeout(late);
        resolve(data);
      };
      this.worker.postMessage({ number, pattern, text });
    });
  }

  end() {
    this.worker?.terminate();
    this.worker = null;
  }
}

function verdict(text, found) {
  const list = document.createElement("ul");
  list.className = "bullets";
  for (const filter of found) list.append(line("li", words(filter)));
  const hits = found.filter(({ spans }) => spans?.length);
  const blocks = hits.filter(({ action }) => action === "block");
  const summary = blocks.length
    ? `The request would be blocked by filter ${blocks.map(({ number }) => number).join(" and ")}: to block wins over to redact.`
    : hits.length
      ? "The model would be sent the text below."
      : "Nothing is found: the text goes through as it is.";
  return [line("p", summary, "strong"), list, ...(hits.length ? [shown(text, hits, !blocks.length)] : [])];
}

function words({ number, label, action, spans, problem, isSlow }) {
  const who = `Filter ${number}${label ? ` “${label}”` : ""}`;
  if (problem) return isSlow ? `${who}: ${problem}.` : `${who} is no pattern that JavaScript knows: ${problem}.`;
  if (!spans.length) return `${who} finds nothing.`;
  const times = spans.length === 1 ? "once" : `${spans.length} times`;
  return action === "block" ? `${who} finds something ${times} and blocks.` : `${who} finds something ${times} and redacts it.`;
}

// The text with what was found marked, or replaced. Overlaps count for the filter that begins first.
function shown(text, hits, isRedacted) {
  const box = document.createElement("pre");
  box.className = "tested";
  box.tabIndex = 0;
  box.setAttribute("aria-label", isRedacted ? "The text as it would be sent" : "The text, with what was found marked");
  const spans = hits.flatMap((hit) => hit.spans.map(([from, to]) => ({ from, to, hit }))).sort((a, b) => a.from - b.from);
  let at = 0;
  for (const { from, to, hit } of spans) {
    if (to <= at) continue;
    box.append(text.slice(at, Math.max(from, at)));
    box.append(line("mark", isRedacted ? hit.label || "[REDACTED]" : text.slice(Math.max(from, at), to)));
    at = to;
  }
  box.append(text.slice(at));
  return box;
}

function line(tag, text, kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}
