// Figures that react: draws, for what is chosen, the data that stand beside a still figure.
// The data, and all words in them, come from resnet/book/reacting.py.
(() => {
  const WIDE = 270, TALL = 223, LEFT = 44, RIGHT = 15, BOTTOM = 36; // points, as in the still figures
  let figures = 0;

  const html = (parent, name, attributes = {}, text = "") => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parent.append(made);
    return made;
  };

  const svg = (parent, name, attributes = {}, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parent.append(made);
    return made;
  };

  const ticks = ([low, high], log) => {
    if (log) {
      const [first, last] = [low, high].map((value) => Math.round(Math.log10(value)));
      const step = Math.ceil((last - first) / 6);
      return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => 10 ** (first + i * step));
    }
    const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].find((times) => times * power >= rough) * power;
    const start = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step + 1e-9) - start + 1 }, (_, i) => (start + i) * step);
  };

  const short = (value, log) =>
    log && (value >= 1e5 || value < 0.01) ? value.toExponential(0).replace("+", "")
      : String(+value.toPrecision(6)).replace("-", "−").replace(/\B(?=(\d{3})+$)/g, value % 1 ? "" : ",");

  const MARKERS = { o: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0", s: "M-3-3h6v6h-6z", "^": "M0-4l3.6 6.4h-7.2z", D: "M0-4l4 4-4 4-4-4z" };

  // One panel: axes, grid, curves, marks; below its legend.
  const draw = (parent, panel, marks) => {
    const top = 6 + 14 * panel.lines.length;
    const picture = svg(parent, "svg", { viewBox: `0 0 ${WIDE} ${TALL}`, "aria-hidden": "true" });
    const scale = (value, [low, high], from, to, log) => {
      const [v, a, b] = log ? [value, low, high].map(Math.log10) : [value, low, high];
      return from + ((v - a) / (b - a)) * (to - from);
    };
    const x = (value) => scale(value, panel.across, LEFT, WIDE - RIGHT, false);
    const y = (value) => scale(value, panel.up, TALL - BOTTOM, top, panel.log);
    const line = (x1, y1, x2, y2, kind) => svg(picture, "line", { x1, y1, x2, y2, class: kind });
    for (const value of ticks(panel.across, false)) {
      line(x(value), top, x(value), TALL - BOTTOM, "grid");
      svg(picture, "text", { x: x(value), y: TALL - BOTTOM + 13, "text-anchor": "middle" }, short(value, false));
    }
    for (const value of ticks(panel.up, panel.log)) {
      line(LEFT, y(value), WIDE - RIGHT, y(value), "grid");
      svg(picture, "text", { x: LEFT - 4, y: y(value) + 3.5, "text-anchor": "end" }, short(value, panel.log));
    }
    line(LEFT, top, LEFT, TALL - BOTTOM, "axis");
    line(LEFT, TALL - BOTTOM, WIDE - RIGHT, TALL - BOTTOM, "axis");
    if (panel.up[0] < 0) line(LEFT, y(0), WIDE - RIGHT, y(0), "axis");
    for (const [value, color] of marks)
      line(x(value), top, x(value), TALL - BOTTOM, "at").style.stroke = color || "currentColor";
    svg(picture, "text", { x: (LEFT + WIDE - RIGHT) / 2, y: TALL - 6, "text-anchor": "middle" }, panel.x);
    svg(picture, "text", {
      transform: `translate(9 ${(top + TALL - BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle",
    }, panel.y);
    panel.lines.forEach((curve, i) => {
      const points = curve.x.map((value, k) => [x(value), y(curve.y[k])]);
      const bars = curve.low.length > 0;
      const style = { stroke: curve.color, fill: "none", "stroke-width": 1.8, "stroke-dasharray": curve.dash };
      const marker = (left, up) => svg(picture, "path", { d: MARKERS[curve.marker], fill: curve.color, transform: `translate(${left} ${up})` });
      if (bars) {
        points.forEach(([left, up], k) => {
          svg(picture, "path", { ...style, "stroke-width": 1.2, "stroke-dasharray": "", d: `M${left} ${y(curve.low[k])}V${y(curve.high[k])}` });
          marker(left, up);
        });
        marker(LEFT + 18, 8 + 14 * i);
      } else {
        svg(picture, "path", { ...style, d: "M" + points.map((point) => point.map((v) => v.toFixed(1)).join(" ")).join("L") });
        svg(picture, "path", { ...style, d: `M${LEFT + 6} ${8 + 14 * i}h24` });
      }
      svg(picture, "text", { x: LEFT + 36, y: 11.5 + 14 * i }, curve.label);
    });
  };

  // The values of all panels, a table for each kind of x.
  const tabulate = (parent, panels) => {
    for (const along of new Set(panels.map((panel) => panel.x))) {
      const columns = panels.filter((panel) => panel.x === along)
        .flatMap((panel) => panel.lines.map((curve) => ({ ...curve, head: `${panel.y}, ${curve.label}` })));
      if (!columns.length) continue;
      const table = html(parent, "table");
      const head = html(html(table, "thead"), "tr");
      for (const text of [along, ...columns.map((column) => column.head)]) html(head, "th", { scope: "col" }, text);
      const body = html(table, "tbody");
      for (const at of [...new Set(columns.flatMap((column) => column.x))].sort((a, b) => a - b)) {
        const row = html(body, "tr");
        html(row, "th", { scope: "row" }, at);
        for (const column of columns) {
          const k = column.x.indexOf(at);
          const range = column.low.length ? ` (${column.low[k]} to ${column.high[k]})` : "";
          html(row, "td", {}, k < 0 ? "" : column.y[k] + range);
        }
      }
    }
  };

  const control = (parent, name, { label, options, start, slider }, change) => {
    const id = `reacting-${figures}-${name}`;
    if (slider) {
      const box = html(parent, "div", { class: "slider" });
      html(box, "label", { for: id }, label);
      const at = options.findIndex(([value]) => value === start);
      const input = html(box, "input", { type: "range", id, min: 0, max: options.length - 1, value: at });
      const shown = html(box, "span", { "aria-hidden": "true" });
      const tell = () => {
        shown.textContent = options[input.value][1];
        input.setAttribute("aria-valuetext", options[input.value][1]);
      };
      tell();
      input.addEventListener("input", () => { tell(); change(options[input.value][0]); });
      return;
    }
    const group = html(parent, "fieldset");
    html(group, "legend", {}, label);
    for (const [value, text] of options) {
      const box = html(group, "label");
      const input = html(box, "input", { type: "radio", name: id, value });
      box.append(` ${text}`);
      input.checked = value === start;
      input.addEventListener("change", () => change(value));
    }
  };

  const start = (figure) => {
    const { controls, panels, views, words } = JSON.parse(figure.querySelector("script").textContent);
    const chosen = Object.fromEntries(Object.entries(controls).map(([name, one]) => [name, one.start]));
    figures += 1;
    const choices = html(figure, "div", { class: "choices" });
    const picture = html(figure, "div", { class: "panels", role: "img", "aria-label": words.picture });
    const said = html(figure, "div", { class: "said", role: "status" });
    const sources = html(figure, "p", { class: "sources" });
    const table = html(figure, "details");
    html(table, "summary", {}, words.values);
    const values = html(table, "div", { class: "values", tabindex: 0, role: "region", "aria-label": words.values });
    const show = () => {
      const view = views[Object.values(chosen).join("|")];
      const shown = view.panels.map((i) => panels[i]);
      for (const part of [picture, said, values]) part.replaceChildren();
      shown.forEach((panel, i) => draw(picture, panel, view.marks[i]));
      for (const text of view.says) html(said, "p", {}, text);
      sources.textContent = view.sources.length ? `${words.sources}: ${view.sources.join(". ")}.` : "";
      if (table.open) tabulate(values, shown);
    };
    for (const [name, one] of Object.entries(controls)) {
      if (one.options.length > 1) control(choices, name, one, (value) => { chosen[name] = value; show(); });
    }
    table.addEventListener("toggle", show);
    figure.querySelector("[role=img]").remove(); // the still figure
    show();
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".reacting").forEach(start));
})();
