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
  const options = { mode: "vega", renderer: "svg", actions: false, ast: true, tooltip: tell };

  // The drawing that the style sheet shows for this width; a live one hides it, so it is taken away for the question.
  const room = (place) => {
    place.classList.remove("live");
    const still = [...place.children].find((child) => child.className !== "alive" && getComputedStyle(child).display !== "none");
    return still?.className;
  };
  // A spec of ours as wide as its place: the plot takes what is added, and texts at the right edge go with it.
  const fitted = (spec, width) => {
    const more = width - spec.padding.left - spec.padding.right - spec.width;
    const moved = (mark) => {
      const update = mark.encode.update;
      if (!(update.x?.value >= spec.width)) return mark;
      return { ...mark, encode: { ...mark.encode, update: { ...update, x: { value: update.x.value + more } } } };
    };
    return more ? { ...spec, width: spec.width + more, marks: spec.marks.map(moved) } : spec;
  };
  const draw = async (place, charts) => {
    const here = room(place), view = place.dataset.view || 0, width = place.clientWidth;
    const spec = charts[place.dataset.chart]?.[view]?.[here];
    const wanted = `${here} ${view} ${width}`;
    if (!spec || place.dataset.wanted === wanted) return place.classList.toggle("live", Boolean(spec));
    place.dataset.wanted = wanted;
    const live = Object.assign(document.createElement("div"), { className: "alive" });
    live.setAttribute("aria-hidden", "true"); // the place around it says what it shows
    const drawn = await vegaEmbed(live, here === "only" ? spec : fitted(spec, width), options);
    for (const old of place.querySelectorAll(".alive")) old.remove();
    if (place.dataset.wanted !== wanted) return drawn.finalize();
    place.append(live);
    place.classList.add("live");
  };
  const start = (store, page) => {
    let charts; // unpacked when the first of them comes near: one file holds the charts of every page
    const upgrade = async (place) => draw(place, await (charts ??= unpacked(store.textContent)));
    const seen = new Set();
    const watch = new IntersectionObserver(
      (entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
        seen.add(target);
        upgrade(target);
      }),
      { rootMargin: "300px" },
    );
    for (const place of page.querySelectorAll("[data-chart]")) {
      watch.observe(place);
      const choice = place.parentElement.querySelector("select");
      if (!choice) continue;
      choice.parentElement.hidden = false;
      choice.addEventListener("change", () => {
        place.dataset.view = choice.value;
        upgrade(place);
      });
    }
    let waiting;
    addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => seen.forEach(upgrade), 150);
    });
  };
  // A browser that cannot unpack keeps the still drawings.
  const pages = document.querySelectorAll("article.page");
  const stores = "DecompressionStream" in window ? document.querySelectorAll("script.charts") : [];
  stores.forEach((store, i) => start(store, pages[i] ?? document));
})();
