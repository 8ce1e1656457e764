// Shows the values of a chart's lines under the pointer, or at a place chosen with the arrow keys.
(() => {
  "use strict";
  const element = (name, kind, parent) => {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    parent.append(made);
    return made;
  };
  const text = (value) => {
    const size = Math.abs(value);
    if (value && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
    return value.toLocaleString("en", { maximumSignificantDigits: size >= 1e5 ? 9 : 5 });
  };
  // Index of the number in an ascending list that is nearest to a value.
  const nearest = (list, value) => {
    let low = 0, high = list.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (list[middle] < value) low = middle; else high = middle;
    }
    return Math.abs(list[low] - value) <= Math.abs(list[high] - value) ? low : high;
  };
  const share = (value, [low, high], log) => {
    if (high <= low) return 0.5;
    const place = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.min(Math.max(place, 0), 1);
  };

  const explain = (plot) => {
    const data = JSON.parse(plot.querySelector("script").textContent);
    const canvas = plot.querySelector(".canvas");
    const parts = [...data.bands, ...data.lines];
    const places = [...new Set(parts.flatMap((part) => part.x))].sort((a, b) => a - b);
    let shown = -1, added = [];
    const hide = () => { added.forEach((part) => part.remove()); added = []; shown = -1; };
    const show = (index) => {
      if (index === shown) return;
      hide();
      shown = index;
      const x = places[index], left = share(x, data.x, false);
      const cursor = element("div", "cursor", canvas), tip = element("div", "tip", canvas);
      cursor.style.left = `${100 * left}%`;
      tip.setAttribute("role", "status");
      added = [cursor, tip];
      const names = data.axes.map((axis) => axis.texts[x] ?? `${axis.name} ${text(x / axis.per)}`);
      element("div", "", tip).textContent = names.join(" · ");
      const row = (kind, name, value) => {
        const line = element("div", "", tip);
        element("span", `key ${kind}`, line).textContent = name;
        element("b", "", line).textContent = value;
      };
      for (const part of parts) {
        const at = nearest(part.x, x);
        if (Math.abs(part.x[at] - x) > (data.x[1] - data.x[0]) / 100) continue;
        if (part.low) { row(part.kind, part.name, `${text(part.low[at])} – ${text(part.high[at])}`); continue; }
        row(part.kind, part.name, text(part.y[at]));
        const dot = element("i", `at ${part.kind}`, canvas);
        dot.style.left = `${100 * left}%`;
        dot.style.bottom = `${100 * share(part.y[at], data.y, data.log)}%`;
        added.push(dot);
      }
      if (left > 0.5) tip.style.right = `calc(${100 * (1 - left)}% + 10px)`; else tip.style.left = `calc(${100 * left}% + 10px)`;
    };
    const follow = (event) => {
      const box = canvas.getBoundingClientRect();
      const x = data.x[0] + (event.clientX - box.left) / box.width * (data.x[1] - data.x[0]);
      show(nearest(places, x));
    };
    canvas.addEventListener("pointermove", follow);
    canvas.addEventListener("pointerdown", follow);
    canvas.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") hide(); });
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const last = places.length - 1;
      const to = { ArrowLeft: shown < 0 ? last : shown - 1, ArrowRight: shown + 1, Home: 0, End: last }[event.key];
      if (event.key === "Escape") hide();
      if (to === undefined) return;
      event.preventDefault();
      show(Math.min(Math.max(to, 0), last));
    });
  };
  document.querySelectorAll(".plot").forEach(explain);

  addEventListener("beforeprint", () => document.querySelectorAll("details.print").forEach((part) => { part.open = true; }));

  // A page of a run that is still training loads itself again, but not from under a reader's hands.
  const seconds = Number(document.documentElement.dataset.refresh);
  const reload = () => {
    const busy = document.hidden || document.querySelector(".tip, details[open]") || String(getSelection());
    if (busy) setTimeout(reload, 2000); else location.reload();
  };
  if (seconds) setTimeout(reload, 1000 * seconds);
})();
