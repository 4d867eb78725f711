// Copies the text of a button's data-copy and says so.

const SAYS_SO = 2000;

export async function copy(button) {
  const words = button.querySelector("span");
  const label = (button.dataset.label ??= words.textContent);
  words.textContent = (await put(button)) ? "Copied" : "Press Ctrl C";
  setTimeout(() => (words.textContent = label), SAYS_SO);
}

async function put(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    return true;
  } catch {
    // No clipboard without TLS: select the text beside the button, so that a key press copies it.
    const field = button.parentElement.querySelector("input, textarea");
    field?.focus();
    field?.select();
    return Boolean(field) && document.execCommand("copy");
  }
}
