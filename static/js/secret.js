// A secret that is shown once: leaving the page or closing the dialog asks first, and "I have stored it"
// takes the secret out of the document before it leads on.

const shown = (root = document) => root.querySelector("[data-secret]");
let isGuarding = false;

function ask(event) {
  if (shown()) event.preventDefault();
}

export function guard() {
  if (isGuarding) return;
  isGuarding = true;
  addEventListener("beforeunload", ask);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-secret-stored]")) forget();
  }, true);
  // A page kept for the back button must not keep the secret.
  addEventListener("pagehide", forget);
}

export function forget() {
  for (const field of document.querySelectorAll("[data-secret-value]")) {
    field.value = "";
    field.removeAttribute("value");
  }
  for (const button of document.querySelectorAll("[data-secret] [data-copy]")) button.remove();
  shown()?.removeAttribute("data-secret");
}

export function mayLeave(root) {
  return !shown(root) || confirm("The secret is shown only this once. Close without storing it?");
}
