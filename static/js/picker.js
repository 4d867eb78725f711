// A picker: what is ticked moves to the shelf and stays there through further
// searches; Enter takes what was typed instead of sending the form.

const shelfOf = (picker) => picker.querySelector("[data-chips]");
const isThere = (picker, value) => [...shelfOf(picker).querySelectorAll("input")].some((box) => box.value === value);

export function chosen(box) {
  const picker = box.closest("[data-picker]");
  const chip = box.closest(".chip");
  if (!box.checked) {
    chip.remove();
    picker.querySelector("input[type=text]").focus();
  } else if (isThere(picker, box.value)) {
    chip.remove();
  } else {
    shelfOf(picker).append(chip);
    picker.querySelector("input[type=text]").focus();
  }
}

export function taken(input) {
  const picker = input.closest("[data-picker]");
  if ("closed" in picker.dataset) {
    // Only what there is can be picked: the first that was found.
    picker.querySelector("[data-suggestions] input")?.click();
    return;
  }
  const between = picker.hasAttribute("data-has-spaces") ? "," : /[\s,]+/;
  for (const value of input.value.split(between).map((part) => part.trim()).filter(Boolean)) {
    if (isThere(picker, value)) continue;
    const chip = picker.querySelector("template").content.firstElementChild.cloneNode(true);
    chip.querySelector("input").value = value;
    chip.querySelector("span").textContent = value;
    shelfOf(picker).append(chip);
  }
  input.value = "";
  picker.querySelector("[data-suggestions]").replaceChildren();
}
