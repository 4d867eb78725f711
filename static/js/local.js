// Says what a moment is on the clock of the one who reads: the page itself tells UTC.

const SPELLED = { weekday: "short", hour: "2-digit", minute: "2-digit" };

export function localise(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const moment = new Date(time.dateTime);
    delete time.dataset.local;
    if (Number.isNaN(moment.valueOf()) || moment.getTimezoneOffset() === 0) continue;
    const words = document.createElement("span");
    words.className = "sub";
    words.textContent = `${moment.toLocaleString(document.documentElement.lang, SPELLED)} here`;
    time.parentElement.append(words);
  }
}
