// The search palette: Ctrl K or "/" opens it, arrows walk the results, Enter opens one.

const input = () => document.querySelector("#palette-input");
const hits = () => [...document.querySelectorAll("#palette-results [role=option]")];
let isReady = false;

export function ready(palette) {
  if (!isReady) {
    isReady = true;
    palette.addEventListener("keydown", walk);
    palette.addEventListener("htmx:configRequest", ({ detail }) => {
      if ("pasted" in input().dataset) detail.parameters.pasted = "secret";
    });
    palette.addEventListener("submit", (event) => event.preventDefault());
    palette.addEventListener("click", (event) => event.target === palette && palette.close());
    palette.addEventListener("htmx:afterSwap", () => mark(hits()[0]));
  }
  window.htmx.trigger(input(), "palette:open");
}

// The key of a pasted secret is looked for by its hash, which is no secret.
export async function lookFor(secret) {
  const field = input();
  field.value = await hashOf(secret);
  field.dataset.pasted = "";
  ready(document.querySelector("#palette"));
}

async function hashOf(secret) {
  // Browsers have this only for pages that came over HTTPS or from the same machine.
  if (!crypto.subtle) return "";
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function walk(event) {
  const all = hits();
  const at = all.findIndex((hit) => hit.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) {
    event.preventDefault();
    mark(all[(at + step + all.length) % all.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    all[at]?.click();
  } else if (event.key === "Escape") {
    // A search field would first empty itself.
    event.preventDefault();
    document.querySelector("#palette").close();
  }
}

function mark(chosen) {
  for (const hit of hits()) hit.setAttribute("aria-selected", String(hit === chosen));
  if (chosen) input().setAttribute("aria-activedescendant", chosen.id);
  else input().removeAttribute("aria-activedescendant");
  chosen?.scrollIntoView({ block: "nearest" });
}
