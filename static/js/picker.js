// A picker: what is ticked moves to the shelf and stays there through further
// searches; Enter takes what was typed instead of sending the form.

const shelfOf = (picker) => picker.querySelector("[data-chips]");
const isThere = (picker, value) => [...shelfOf(picker).querySelectorAll("input")].some((box) => box.value === value);

export function chosen(box) {
  const picker = box.closest("[data-picker]");
  const chip = box.closest(".chip");
  const input = picker.querySelector("input[type=text]");
  if (!box.checked) {
    chip.remove();
    input.focus();
    return;
  }
  // What was looked for is found: left in the box, it would be taken for another pick.
  input.value = "";
  if (isThere(picker, box.value)) {
    chip.remove();
  } else {
    shelfOf(picker).append(chip);
    input.focus();
  }
}

export function taken(input) {
  const picker = input.closest("[data-picker]");
  if ("closed" in picker.dataset) {
    // Only what there is can be picked: the first that was found.
    picker.querySelector("[data-suggestions] input")?.click();
    return;
  }
  for (const value of input.value.split(/[\s,]+/).filter(Boolean)) {
    if (isThere(picker, value)) continue;
    const chip = picker.querySelector("template").content.firstElementChild.cloneNode(true);
    chip.querySelector("input").value = value;
    chip.querySelector("span").textContent = value;
    shelfOf(picker).append(chip);
  }
  input.value = "";
  picker.querySelector("[data-suggestions]").replaceChildren();
}
