// Tooltip, arrow keys and legend of a chart. Everything it says is read from the chart's own table: a row is a
// bar, or a point of a line, whose place across the chart is in data-across, in per cent.
// Lines of several figures (data-chart="lines") have no sum, and a missing figure is no zero.

const HEIGHT = 1000;
const BAR = 0.82;

export function ready(figure) {
  if ("ready" in figure.dataset) return;
  figure.dataset.ready = "";
  const find = (name) => figure.querySelector(`[data-chart-${name}]`);
  const plot = find("plot");
  const tip = find("tip");
  const rows = [...find("rows").rows];
  const buttons = [...figure.querySelectorAll("[data-chart-series]")];
  const cursor = find("cursor");
  const across = rows.map((row, index) => Number(row.dataset.across ?? ((index + 0.5) / rows.length) * 100) / 100);
  const paths = [...figure.querySelectorAll(".chart-bars path")];
  const hidden = new Set();
  const isLines = figure.dataset.chart === "lines";
  let at = -1;

  const show = (index, said) => {
    at = Math.max(0, Math.min(rows.length - 1, index));
    const { lines, words } = describe(rows[at], buttons, hidden, isLines);
    tip.replaceChildren(...lines);
    tip.hidden = false;
    const middle = across[at] * plot.clientWidth;
    if (cursor) {
      cursor.setAttribute("x1", middle);
      cursor.setAttribute("x2", middle);
      cursor.toggleAttribute("hidden", false);
    }
    const left = middle + 12 + tip.offsetWidth > plot.clientWidth ? middle - tip.offsetWidth - 12 : middle + 12;
    tip.style.left = `${Math.max(0, left)}px`;
    if (said) find("said").textContent = words;
  };
  const hide = () => {
    tip.hidden = true;
    cursor?.toggleAttribute("hidden", true);
  };
  const nearest = (place) => across.reduce((best, one, index) => (Math.abs(one - place) < Math.abs(across[best] - place) ? index : best), 0);

  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    show(nearest((event.clientX - box.left) / box.width), false);
  });
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: at + 1, ArrowLeft: at < 0 ? rows.length - 1 : at - 1, Home: 0, End: rows.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      show(moves[event.key], true);
    } else if (event.key === "Enter") {
      rows[at]?.querySelector("a")?.click();
    } else if (event.key === "Escape" && !tip.hidden) {
      event.stopPropagation();
      hide();
    }
  });

  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => {
      if (!hidden.delete(index)) hidden.add(index);
      button.setAttribute("aria-pressed", String(!hidden.has(index)));
      if (isLines) paths.forEach((path, line) => path.toggleAttribute("hidden", hidden.has(line)));
      else draw(figure, rows, paths, hidden);
    });
  }
}

// One bar in words, and as lines of the tooltip: the largest part first, what is nothing left out.
function describe(row, buttons, hidden, isLines) {
  const cells = [...row.querySelectorAll("[data-value]")];
  const heads = row.closest("table").tHead.rows[0].cells;
  const parts = cells
    .map((cell, index) => ({ index, raw: cell.dataset.value, value: Number(cell.dataset.value), text: cell.textContent, label: heads[cell.cellIndex].textContent }))
    .filter(({ index, raw, value }) => (isLines ? raw !== "" : value !== 0) && !hidden.has(index))
    .sort((one, other) => other.value - one.value);
  const head = document.createElement("strong");
  const title = row.querySelector("th").textContent.trim();
  const total = isLines ? (parts.length ? "" : "No figure") : row.cells[row.cells.length - 1].textContent;
  head.textContent = title;
  const sum = document.createElement("span");
  sum.className = "chart-tip-sum";
  sum.textContent = total;
  const lines = parts.map(({ index, text, label }) => {
    const line = document.createElement("div");
    const name = document.createElement("span");
    const amount = document.createElement("span");
    const swatch = buttons[index]?.querySelector(".swatch").cloneNode();
    name.append(...(swatch ? [swatch] : []), label);
    amount.textContent = text;
    line.append(name, amount);
    return line;
  });
  const words = `${title}${total ? `: ${total}.` : ":"} ${parts.map(({ label, text }) => `${label} ${text}`).join(", ")}`;
  return { lines: total ? [head, sum, ...lines] : [head, ...lines], words };
}

// The same bars without the hidden series, on a scale of their own.
function draw(figure, rows, paths, hidden) {
  const values = rows.map((row) => [...row.querySelectorAll("[data-value]")].map((cell) => Math.max(0, Number(cell.dataset.value))));
  const shown = (bar) => bar.reduce((sum, value, index) => (hidden.has(index) ? sum : sum + value), 0);
  const full = (bar) => bar.reduce((sum, value) => sum + value, 0);
  const most = Math.max(...values.map(shown));
  const scale = hidden.size && most > 0 ? HEIGHT / most : HEIGHT / Number(figure.querySelector(".chart-bars").dataset.top || Math.max(...values.map(full)));
  const heights = values.map(() => 0);
  paths.forEach((path, index) => {
    const pieces = hidden.has(index) ? [] : values.map((bar, at) => {
      const height = bar[index] * scale;
      if (height <= 0) return "";
      const piece = `M${at + (1 - BAR) / 2} ${HEIGHT - heights[at]}h${BAR}v${-height}h-${BAR}z`;
      heights[at] += height;
      return piece;
    });
    path.setAttribute("d", pieces.join(""));
  });
  figure.querySelector(".chart-ticks").toggleAttribute("data-stale", hidden.size > 0);
}
