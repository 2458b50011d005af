"use strict";
/* The leadership page: the map in its frame, times before and after, and paper. Everything else is plain HTML. */
(function () {
  const map = L.map("map", { zoomControl: false, zoomSnap: 0.5, attributionControl: false, maxZoom: 18, minZoom: 6,
    wheelPxPerZoomLevel: 90, preferCanvas: true, fadeAnimation: false, scrollWheelZoom: false });
  const { plan, add, hidden, sync, look, pins, all } = drawPlan(map);

  /* the wheel scrolls the page until the map is clicked */
  map.on("click focus", () => map.scrollWheelZoom.enable());
  map.getContainer().addEventListener("mouseleave", () => map.scrollWheelZoom.disable());

  /* ---- times: cells that gain are drawn as without service before their time, as gained from it on ---- */
  const times = all("[data-step]"), last = Math.max(0, times.length - 1);
  for (const level of plan.gains.levels) {
    for (let step = 1; step <= last; step++) {
      for (const state of ["unserved", "gained"]) {
        const images = level.images.filter((image) => image.step === step && image.state === state)
          .map((image) => L.imageOverlay(image.uri, image.bounds, { pane: "people", interactive: false }));
        add(`${state}:${step}`, L.layerGroup(images), level.from, level.to);
      }
    }
  }
  let now = last;
  const slider = document.getElementById("slider");
  const dress = (pin, i) => { const icon = pin.getElement(); if (icon) icon.style.display = plan.sites[i].step > now ? "none" : ""; };
  pins.forEach((pin, i) => pin.on("add", () => dress(pin, i)));
  function go(step) {
    now = step;
    for (let one = 1; one <= last; one++) {
      const [on, off] = one <= step ? ["gained", "unserved"] : ["unserved", "gained"];
      hidden.delete(`${on}:${one}`); hidden.add(`${off}:${one}`);
    }
    map.closePopup();
    sync();
    pins.forEach(dress);
    times.forEach((button, i) => button.setAttribute("aria-pressed", String(i === step)));
    all("[data-reading]").forEach((text) => { text.hidden = Number(text.dataset.reading) !== step; });
    if (slider) slider.value = step;
  }
  times.forEach((button, i) => button.addEventListener("click", () => go(i)));
  if (slider) slider.addEventListener("input", () => go(Number(slider.value)));
  go(last);

  /* a card's or a gap's button shows it: everything built, the map in sight */
  const frame = document.getElementById("frame");
  all("[data-site], [data-gap]").forEach((button) => button.addEventListener("click", () => {
    frame.scrollIntoView({ block: "center" });
    if (button.dataset.site !== undefined && plan.sites[button.dataset.site].step > now) { go(last); pins[button.dataset.site].openPopup(); }
  }));

  /* ---- paper: the button gives the map the sheet's size, lets it be drawn, and only then prints. Printed by the
     browser's own menu there is no time to draw, so the map keeps the size it has on the screen. ---- */
  const root = document.documentElement, legend = document.getElementById("legend").classList;
  const fixed = (width, height) => { frame.style.width = width; frame.style.height = height; };
  let seen = null;
  /* on paper the units come first: they fill the headline's sheet, and the map has one of its own after it */
  const mapPart = document.getElementById("map-part"), unitsPart = document.getElementById("units-part");
  const order = (first, then) => first.after(then);
  function paper(on) {
    if (on) seen = [map.getCenter(), map.getZoom()];
    root.classList.toggle("paper", on);
    legend.toggle("folded", !on && window.matchMedia("(max-width: 760px)").matches);
    map.invalidateSize({ animate: false, pan: false });
    if (on) look(plan.view, { animate: false });
    else map.setView(seen[0], seen[1], { animate: false });
  }
  window.addEventListener("beforeprint", () => { order(unitsPart, mapPart); if (!root.classList.contains("paper")) fixed(`${frame.offsetWidth}px`, `${frame.offsetHeight}px`); });
  window.addEventListener("afterprint", () => {
    order(mapPart, unitsPart);
    fixed("", "");
    if (root.classList.contains("paper")) paper(false);
  });
  document.getElementById("print").addEventListener("click", () => {
    paper(true);
    setTimeout(() => window.print(), 700);
  });
}());
