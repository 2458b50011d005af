"use strict";
/* Draws a plan on a Leaflet map and returns what a page may add to and switch: see the end. Text from data is only ever
   set as text (textContent), never read as HTML. */
function drawPlan(map) {
  const plan = JSON.parse(document.getElementById("plan").textContent);
  const root = document.documentElement;
  const lang = () => (root.dataset.lang === "en" ? "en" : "zh");
  const word = (key) => plan.words[lang()][key];
  const number = (value) => Math.round(value).toLocaleString("en-US");
  const share = (value) => (value * 100).toFixed(1) + " %";
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const element = (tag, text, cls) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (cls) made.className = cls;
    return made;
  };
  const pane = (name, z) => { map.createPane(name).style.zIndex = z; return name; };
  pane("base", 210); pane("people", 240); pane("streets", 260); pane("outlines", 300);

  /* ---- layers: what is drawn is what is ticked in the legend and fits the zoom ---- */
  const hidden = new Set();
  const layers = [];
  const add = (key, layer, from = 0, to = 99) => { layers.push({ key, layer, from, to }); return layer; };
  const shown = (key) => !hidden.has(key) && !hidden.has(key.split(":")[0]);
  function sync() {
    const zoom = map.getZoom();
    map.getContainer().classList.toggle("far", zoom < 12.5);
    map.getContainer().classList.toggle("wide", zoom < 10);
    for (const { key, layer, from, to } of layers) {
      const want = shown(key) && zoom >= from && zoom < to;
      if (want !== map.hasLayer(layer)) want ? map.addLayer(layer) : map.removeLayer(layer);
    }
    for (const box of all("#legend input")) {
      const off = !shown(box.dataset.layer);
      box.closest(".row").classList.toggle("off", off);
      all(`[data-of="${CSS.escape(box.dataset.layer)}"]`).forEach((part) => part.classList.toggle("hidden", off));
    }
    placeLabels();
  }

  /* ---- pop-ups ---- */
  function card(type, title, rows) {
    const box = element("div");
    if (type) box.append(element("div", type, "type"));
    box.append(element("h3", title || word("unnamed")));
    const list = element("dl");
    for (const [name, value] of rows) {
      if (value !== undefined && value !== null && value !== "") list.append(element("dt", word(name)), element("dd", value));
    }
    box.append(list);
    return box;
  }
  const kindName = (key) => (plan.kinds[key] ? plan.kinds[key][lang()] : key);
  const cards = {
    site: (s) => card(`${word("new_site")} ${s.order}`, s.name || kindName(s.kind), [
      ["gained", number(s.people_gained)], ["kind", kindName(s.kind)], ["unit", s.unit]]),
    gap: (g, i) => card(`${word("gap")} ${i + 1}`, g.name, [
      ["people", number(g.people)], ["area", `${g.area_km2} km²`], ["unit", g.unit],
      ["nearest", g.nearest_m === undefined ? word("no_way") : `${number(g.nearest_m)} ${word("metres")}`],
      ["near", g.near !== g.name ? g.near : ""]]),
    outlet: (o) => card(kindName(o.kind), o.name, [
      ["status", o.status === "planned" ? word("planned") : ""], ["unit", o.unit],
      ["settlement", o.settlement !== o.unit ? o.settlement : ""], ["address", o.address], ["seats", o.seats]]),
    unit: (u) => card("", u.label, [
      ["people", number(u.people)], ["before", share(u.share_before)], ["after", share(u.share_after)], ["outlets", u.outlets]]),
  };
  const popup = (layer, make) => layer.bindPopup(make, { maxWidth: 280, autoPanPadding: [24, 24] });

  /* ---- people ---- */
  const extent = L.latLngBounds(plan.extent);
  for (const level of plan.pictures.levels) {
    for (const state of ["unserved", "gained", "served"]) {
      const images = level.images.filter((image) => image.state === state)
        .map((image) => L.imageOverlay(image.uri, image.bounds, { pane: "people", interactive: false }));
      add(state, L.layerGroup(images), level.from, level.to);
    }
  }

  /* ---- streets: whole numbers unpacked into Web Mercator, drawn tile by tile ---- */
  function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    let at = 0;
    const next = () => {
      let value = 0, shift = 0, byte;
      do { byte = bytes[at++]; value += (byte & 127) * 2 ** shift; shift += 7; } while (byte > 127);
      return value;
    };
    const step = () => { const v = next(); return v % 2 ? -(v + 1) / 2 : v / 2; };
    const chunks = [];
    let x = 0, y = 0, chunk = null, lines = 0;
    while (at < bytes.length) {
      if (lines++ % 128 === 0) chunks.push(chunk = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity, lines: [] });
      const count = next(), line = new Float64Array(2 * count);
      let px = (x += step()), py = (y += step());
      for (let i = 0; i < count; i++) {
        if (i) { px += step(); py += step(); }
        line[2 * i] = px; line[2 * i + 1] = py;
        chunk.west = Math.min(chunk.west, px); chunk.east = Math.max(chunk.east, px);
        chunk.south = Math.min(chunk.south, py); chunk.north = Math.max(chunk.north, py);
      }
      chunk.lines.push(line);
    }
    return chunks;
  }
  const HALF = 20037508.342789244;
  const streetStyles = [ /* colour, width by zoom; from which zoom */
    { level: "path", from: 14, colour: "rgba(120,112,98,.34)", width: () => 0.8 },
    { level: "street", from: 11.5, colour: "rgba(112,106,96,.36)", width: (z) => Math.max(0.5, (z - 10) * 0.33) },
    { level: "major", from: 0, colour: "rgba(96,92,86,.48)", width: (z) => Math.max(0.6, (z - 8) * 0.42) },
  ];
  const streets = {};
  const StreetLayer = L.GridLayer.extend({
    createTile(coords) {
      const size = this.getTileSize().x, ratio = 2, canvas = element("canvas");
      canvas.width = canvas.height = size * ratio;
      const pen = canvas.getContext("2d");
      const scale = plan.streets.unit * (256 * 2 ** coords.z) / (2 * HALF);
      const left = coords.x * size - 128 * 2 ** coords.z, top = coords.y * size - 128 * 2 ** coords.z;
      pen.scale(ratio, ratio);
      pen.lineCap = pen.lineJoin = "round";
      for (const style of streetStyles) {
        if (coords.z < style.from || !plan.streets.levels[style.level]) continue;
        streets[style.level] = streets[style.level] || unpack(plan.streets.levels[style.level]);
        pen.strokeStyle = style.colour; pen.lineWidth = style.width(coords.z);
        pen.beginPath();
        for (const chunk of streets[style.level]) {
          if (chunk.east * scale < left - 4 || chunk.west * scale > left + size + 4) continue;
          if (-chunk.south * scale < top - 4 || -chunk.north * scale > top + size + 4) continue;
          for (const line of chunk.lines) {
            pen.moveTo(line[0] * scale - left, -line[1] * scale - top);
            for (let i = 2; i < line.length; i += 2) pen.lineTo(line[i] * scale - left, -line[i + 1] * scale - top);
          }
        }
        pen.stroke();
      }
      return canvas;
    },
  });
  add("streets", new StreetLayer({ pane: "streets", tileSize: 512, updateWhenZooming: false, keepBuffer: 1 }));

  /* ---- outlines ---- */
  const canvas = (name) => L.canvas({ pane: name, padding: 0.2 });
  const shapes = (list, style) => L.geoJSON({ type: "GeometryCollection", geometries: list.map((item) => item.shape) },
    { style, interactive: false, pane: style.pane, renderer: style.renderer });
  const base = canvas("base"), outlines = canvas("outlines");
  const of = (...kinds) => plan.barriers.filter((b) => kinds.includes(b.kind));
  const lineal = (b) => /Line/.test(b.shape.type), areal = (b) => !lineal(b);
  const water = of("river", "lake"), rail = of("railway");
  add("water", L.layerGroup([
    shapes(water.filter(areal), { pane: "base", renderer: base, stroke: false, fillColor: "#cfe0e8", fillOpacity: 1 }),
    shapes(water.filter(lineal), { pane: "base", renderer: base, color: "#cfe0e8", weight: 4 })]));
  add("railway", L.layerGroup([
    shapes(rail, { pane: "base", renderer: base, color: "#8a8378", weight: 2.5, fill: false }),
    shapes(rail, { pane: "base", renderer: base, color: "#f7f6f1", weight: 1.3, dashArray: "6 7", fill: false })]));
  add("units", shapes(plan.units, { pane: "outlines", renderer: outlines, color: "#5c6067", weight: 1.4, opacity: 0.75, fill: false }));

  const svg = L.svg({ pane: "outlines", padding: 0.3 });
  const gapLayers = plan.gaps.map((gap, i) => popup(L.geoJSON(gap.shape, { pane: "outlines", renderer: svg, style: {
    pane: "outlines", renderer: svg, color: "#a33c03", weight: i < 20 ? 2 : 1.2, dashArray: "5 4", fillColor: "#a33c03", fillOpacity: 0.04 } }),
  () => cards.gap(gap, i)));
  add("gaps", L.layerGroup(gapLayers));
  if (plan.tiles) {
    const key = new URLSearchParams(location.search).get("tk") || "";
    add("tiles", L.tileLayer(plan.tiles.url, { maxZoom: 18, key: encodeURIComponent(key) }));
  }

  /* ---- markers ---- */
  const groups = {};
  for (const outlet of plan.outlets) {
    const kind = plan.kinds[outlet.kind];
    const icon = element("div", kind.glyph, "outlet" + (outlet.status === "planned" ? " planned" : ""));
    const marker = L.marker(outlet.at, { icon: L.divIcon({ html: "", className: icon.className, iconSize: [20, 20] }), keyboard: false });
    marker.on("add", () => { const e = marker.getElement(); e.textContent = kind.glyph; e.style.background = kind.colour; });
    (groups[outlet.kind] = groups[outlet.kind] || L.layerGroup()).addLayer(popup(marker, () => cards.outlet(outlet)));
  }
  for (const [key, group] of Object.entries(groups)) add("outlets:" + key, group);
  all("#legend [data-kind]").forEach((dot) => { dot.textContent = plan.kinds[dot.dataset.kind].glyph; });
  const pins = plan.sites.map((site) => popup(L.marker(site.at, { zIndexOffset: 2000, riseOnHover: true,
    icon: L.divIcon({ html: element("span", site.order), className: "pin", iconSize: [28, 28] }) }), () => cards.site(site)));
  add("sites", L.layerGroup(pins));

  /* ---- labels: the more important one stays where two would overlap ---- */
  const labels = [
    ...plan.gaps.map((gap, i) => ({ key: "gaps", at: gap.at, text: String(i + 1), cls: "rank", width: 12 + 8 * String(i + 1).length, from: i < 10 ? 10 : i < 25 ? 12 : i < 60 ? 13 : 14, open: () => cards.gap(gap, i) })),
    ...plan.units.map((unit) => ({ key: "units", at: unit.at, text: unit.label, cls: "tag unit", size: 16, from: 0, open: () => cards.unit(unit) })),
    ...plan.places.map((place) => ({ key: "places", at: place.at, text: place.name || "", cls: "tag place" + (place.rank < 2 ? " high" : ""), size: 13, lift: 16, from: [7, 9, 12, 11, 13, 14.5][place.rank] ?? 14 })),
  ].filter((label) => label.text);
  const labelGroup = L.layerGroup().addTo(map);
  function placeLabels() {
    labelGroup.clearLayers();
    const zoom = map.getZoom(), seen = map.getBounds().pad(0.02), taken = [], said = new Set(); /* a district and its seat share a name */
    const free = (box) => taken.every((t) => box[0] > t[2] || box[2] < t[0] || box[1] > t[3] || box[3] < t[1]);
    const boxAt = (at, w, h, lift = 0) => {
      const p = map.latLngToContainerPoint(at), y = p.y - lift; /* lifted: a place's name stands above what stands there */
      return [p.x - w / 2, y - h / 2, p.x + w / 2, y + h / 2];
    };
    if (shown("sites")) plan.sites.forEach((site) => taken.push(boxAt(site.at, 30, 30)));
    let room = 90;
    for (const label of labels) {
      if (!room || zoom < label.from || !shown(label.key) || said.has(label.text) || !seen.contains(label.at)) continue;
      const width = label.width || [...label.text].reduce((w, c) => w + (c.charCodeAt(0) > 255 ? 1 : 0.58), 0) * label.size + 6;
      const box = boxAt(label.at, width, 20, label.lift);
      if (!free(box)) continue;
      taken.push(box); said.add(label.text); room--;
      const marker = L.marker(label.at, { interactive: Boolean(label.open), keyboard: false, zIndexOffset: label.key === "places" ? -1000 : 1000,
        icon: L.divIcon({ html: element("span", label.text), className: label.cls, iconSize: [width, 19], iconAnchor: [width / 2, 9.5 + (label.lift || 0)] }) });
      if (label.open) marker.on("click", () => L.popup({ maxWidth: 280 }).setLatLng(label.at).setContent(label.open()).openOn(map));
      labelGroup.addLayer(marker); /* its pop-up is the map's own: moving the map sets the labels anew */
    }
  }

  /* ---- hands on ---- */
  const narrow = () => window.matchMedia("(max-width: 760px)").matches;
  const panel = document.getElementById("panel")?.classList; /* the leadership page has none */
  const fold = () => panel?.add("folded");
  const look = (bounds, options) => map.fitBounds(bounds, { /* beside the legend, where there is room */
    paddingTopLeft: [24, 52], paddingBottomRight: [map.getSize().x > 700 ? 260 : 24, 24], ...options });
  all("[data-site]").forEach((b) => b.addEventListener("click", () => {
    if (narrow()) fold();
    const pin = pins[b.dataset.site];
    map.setView(pin.getLatLng(), 14.5, { animate: false }); pin.openPopup();
  }));
  all("[data-gap]").forEach((b) => b.addEventListener("click", () => {
    if (narrow()) fold();
    map.fitBounds(gapLayers[b.dataset.gap].getBounds(), { padding: [60, 60], maxZoom: 15, animate: false });
    gapLayers[b.dataset.gap].openPopup();
  }));
  all("#legend input").forEach((box) => box.addEventListener("change", () => {
    box.checked ? hidden.delete(box.dataset.layer) : hidden.add(box.dataset.layer);
    sync();
  }));
  const tools = { in: () => map.zoomIn(1), out: () => map.zoomOut(1), core: () => look(plan.view), all: () => look(extent) };
  all("[data-tool]").forEach((b) => b.addEventListener("click", tools[b.dataset.tool]));
  document.getElementById("more")?.addEventListener("click", () => panel.toggle("folded"));
  const legend = document.getElementById("legend");
  document.getElementById("legend-fold").addEventListener("click", () => legend.classList.toggle("folded"));
  const speak = (to) => { root.dataset.lang = to; root.lang = to === "en" ? "en" : "zh-Hans"; map.closePopup(); };
  document.getElementById("lang").addEventListener("click", () => speak(lang() === "en" ? "zh" : "en"));

  speak(location.hash === "#en" ? "en" : "zh");
  legend.classList.toggle("folded", narrow());
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  map.setMaxBounds(extent.pad(0.5));
  map.invalidateSize({ animate: false });
  look(plan.view, { animate: false });
  map.on("zoomend", sync);
  map.on("moveend", placeLabels);
  sync();
  return { plan, add, hidden, sync, look, pins, all };
}
