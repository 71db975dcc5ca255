// What the pages do beyond being read: a light and dark button, and charts that answer the pointer.
// It runs after Vega's own code in the same file. Text from data is only ever written as text.
(() => {
  const root = document.documentElement;
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("abm-theme", value);
      return localStorage.getItem("abm-theme");
    } catch {
      return value; // a browser may refuse storage to files
    }
  };
  const show = (theme) => {
    root.dataset.theme = theme;
    for (const button of document.querySelectorAll(".theme")) button.setAttribute("aria-pressed", theme === "dark");
  };
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  if (remembered()) show(remembered());
  for (const button of document.querySelectorAll(".theme")) {
    button.hidden = false;
    button.setAttribute("aria-pressed", dark());
    button.addEventListener("click", () => show(remembered(dark() ? "light" : "dark") || (dark() ? "light" : "dark")));
  }

  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const tell = (handler, event, item, value) => {
    tip.hidden = value === null || value === undefined || value === "";
    if (tip.hidden) return;
    tip.textContent = value;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${Math.max(event.clientY - tip.offsetHeight - 10, 8)}px`;
  };
  addEventListener("scroll", () => (tip.hidden = true), { passive: true });

  const unpacked = async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  };
  const options = (config) => ({ mode: "vega-lite", renderer: "svg", actions: false, ast: true, tooltip: tell, config });

  // The drawing that the style sheet shows for this width; a live one hides it, so it is taken away for the question.
  const room = (place) => {
    place.classList.remove("live");
    const still = [...place.children].find((child) => child.className !== "alive" && getComputedStyle(child).display !== "none");
    return still?.className;
  };
  // A spec as wide as its place: the plot takes what is added, and texts at the right edge go with it.
  const fitted = (spec, width) => {
    const more = spec.padding ? width - spec.padding.left - spec.padding.right - spec.width : 0;
    const moved = (layer) => {
      const x = layer.encoding?.x;
      if (!(x?.value >= spec.width)) return layer;
      return { ...layer, encoding: { ...layer.encoding, x: { value: x.value + more } } };
    };
    return more ? { ...spec, width: spec.width + more, layer: spec.layer.map(moved) } : spec;
  };
  const draw = async (place, charts, config) => {
    const here = room(place), view = place.dataset.view || 0, width = place.clientWidth;
    const spec = charts[place.dataset.chart]?.[view]?.[here];
    const wanted = `${here} ${view} ${width}`;
    if (!spec || place.dataset.wanted === wanted) return place.classList.toggle("live", Boolean(spec));
    place.dataset.wanted = wanted;
    const live = Object.assign(document.createElement("div"), { className: "alive" });
    live.setAttribute("aria-hidden", "true"); // the place around it says what it shows
    const drawn = await vegaEmbed(live, fitted(spec, width), options(config));
    for (const old of place.querySelectorAll(".alive")) old.remove();
    if (place.dataset.wanted !== wanted) return drawn.finalize();
    place.append(live);
    place.classList.add("live");
  };
  const start = async (store) => {
    const { charts, config } = await unpacked(store.textContent);
    const places = [...document.querySelectorAll(`[data-chart]`)].filter((place) => place.dataset.chart in charts);
    const seen = new Set();
    const watch = new IntersectionObserver(
      (entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
        seen.add(target);
        draw(target, charts, config);
      }),
      { rootMargin: "300px" },
    );
    for (const place of places) {
      watch.observe(place);
      const choice = place.parentElement.querySelector("select");
      if (!choice) continue;
      choice.parentElement.hidden = false;
      choice.addEventListener("change", () => {
        place.dataset.view = choice.value;
        draw(place, charts, config);
      });
    }
    let waiting;
    addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => seen.forEach((place) => draw(place, charts, config)), 150);
    });
  };
  // A browser that cannot unpack or draw keeps the still drawings.
  for (const store of document.querySelectorAll("script.charts")) start(store).catch(() => {});
})();
