"use strict";
/* The app's map: `walkshedBase` draws a city once, `walkshedScene` what changes. Text from data is only ever set as text. */
(() => {
  const hidden = new Set(); /* what the reader has switched off stays off */
  let place = null, focused = null, folded = null;
  let kept = new Map(), before = []; /* layers of the scene before: what is the same again is not drawn again */
  const element = (tag, text, cls) => {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = text;
    if (cls) made.className = cls;
    return made;
  };
  const lineal = (row) => /Line/.test(row.shape.type);
  const of = (rows, ...kinds) => rows.filter((row) => kinds.includes(row.kind));
  const shapes = (rows, style) => L.geoJSON({ type: "GeometryCollection", geometries: rows.map((row) => row.shape) },
    { style, interactive: false, pane: style.pane, renderer: style.renderer });

  /* ---- streets: whole numbers unpacked into Web Mercator, drawn tile by tile; see publish/streets.py ---- */
  function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    let at = 0, x = 0, y = 0, chunk = null, lines = 0;
    const chunks = [];
    const next = () => {
      let value = 0, shift = 0, byte;
      do { byte = bytes[at++]; value += (byte & 127) * 2 ** shift; shift += 7; } while (byte > 127);
      return value;
    };
    const step = () => { const v = next(); return v % 2 ? -(v + 1) / 2 : v / 2; };
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
  const STYLES = [ /* colour, width by zoom; from which zoom */
    { level: "path", from: 14, colour: "rgba(120,112,98,.34)", width: () => 0.8 },
    { level: "street", from: 11.5, colour: "rgba(112,106,96,.36)", width: (z) => Math.max(0.5, (z - 10) * 0.33) },
    { level: "major", from: 0, colour: "rgba(96,92,86,.48)", width: (z) => Math.max(0.6, (z - 8) * 0.42) },
  ];
  function streetLayer(streets) {
    const ready = {};
    const Layer = L.GridLayer.extend({
      createTile(coords) {
        const size = this.getTileSize().x, canvas = element("canvas");
        canvas.width = canvas.height = size * 2;
        const pen = canvas.getContext("2d");
        const scale = streets.unit * (256 * 2 ** coords.z) / (2 * HALF);
        const left = coords.x * size - 128 * 2 ** coords.z, top = coords.y * size - 128 * 2 ** coords.z;
        pen.scale(2, 2);
        pen.lineCap = pen.lineJoin = "round";
        for (const style of STYLES) {
          if (coords.z < style.from || !streets.levels[style.level]) continue;
          ready[style.level] = ready[style.level] || unpack(streets.levels[style.level]);
          pen.strokeStyle = style.colour; pen.lineWidth = style.width(coords.z);
          pen.beginPath();
          for (const chunk of ready[style.level]) {
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
    return new Layer({ pane: "streets", tileSize: 512, updateWhenZooming: false, keepBuffer: 1 });
  }

  /* ---- the city: drawn once ---- */
  window.walkshedBase = (map, city) => {
    const style = element("style", city.css);
    document.head.append(style);
    map.attributionControl = null;
    const panes = { base: 210, people: 240, streets: 260, outlines: 300 };
    for (const [name, z] of Object.entries(panes)) map.createPane(name).style.zIndex = z;
    const base = L.canvas({ pane: "base", padding: 0.2 }), lines = L.canvas({ pane: "outlines", padding: 0.2 });
    const water = of(city.barriers, "river", "lake"), rail = of(city.barriers, "railway");
    shapes(water.filter((b) => !lineal(b)), { pane: "base", renderer: base, stroke: false, fillColor: "#cfe0e8", fillOpacity: 1 }).addTo(map);
    shapes(water.filter(lineal), { pane: "base", renderer: base, color: "#cfe0e8", weight: 4 }).addTo(map);
    shapes(rail, { pane: "base", renderer: base, color: "#8a8378", weight: 2.5, fill: false }).addTo(map);
    shapes(rail, { pane: "base", renderer: base, color: "#f7f6f1", weight: 1.3, dashArray: "6 7", fill: false }).addTo(map);
    shapes(city.units, { pane: "outlines", renderer: lines, color: "#5c6067", weight: 1.4, opacity: 0.75, fill: false }).addTo(map);
    streetLayer(city.streets).addTo(map);
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
    const home = L.control({ position: "topleft" });
    home.onAdd = () => {
      const bar = element("div", null, "leaflet-bar"), link = element("a", "\u2922");
      link.href = "#"; link.setAttribute("role", "button"); link.title = city.home; link.setAttribute("aria-label", city.home);
      L.DomEvent.on(link, "click", (e) => { L.DomEvent.stop(e); map.fitBounds(city.view, { animate: false }); });
      bar.append(link);
      return bar;
    };
    home.addTo(map);
    map.setMaxBounds(L.latLngBounds(city.extent).pad(0.5));
    map.invalidateSize({ animate: false });
    place = `walkshed:${city.id}`;
    let view = null;
    try { view = JSON.parse(sessionStorage.getItem(place)); focused = sessionStorage.getItem(`${place}:seen`); } catch { /* private windows may have no storage */ }
    if (view) map.setView(view.at, view.zoom, { animate: false });
    else map.fitBounds(city.view, { animate: false });
    map.on("moveend", () => {
      const at = map.getCenter();
      try { sessionStorage.setItem(place, JSON.stringify({ at: [at.lat, at.lng], zoom: map.getZoom() })); } catch { /* same */ }
    });
    window.addEventListener("resize", () => map.invalidateSize({ animate: false }));
    map.getContainer().setAttribute("role", "application");
    map.getContainer().addEventListener("click", () => setTimeout(tell, 0)); /* after every listener of the map's */
    for (const [what, on] of [["keyup", true], ["keydown", true], ["pointerdown", false]]) { /* the cross is for keys */
      document.addEventListener(what, () => map.getContainer().classList.toggle("keys", on), true);
    }
    map.getContainer().addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || e.target !== map.getContainer()) return;
      const thing = below(map);
      (thing || map).fire("click", { latlng: thing ? thing.getLatLng() : map.getCenter() }, Boolean(thing));
      setTimeout(tell, 0);
    });
    map.walkshedCity = city;
  };

  /* Who has no mouse moves the map below the cross in its middle: the thing there, or null for the ground. */
  function below(map) {
    const middle = map.getSize().divideBy(2);
    let found = null, away = 14;
    map.eachLayer((layer) => {
      if (!layer.getLatLng || layer.options.interactive === false) return;
      const px = map.latLngToContainerPoint(layer.getLatLng()).distanceTo(middle);
      if (px <= away) [found, away] = [layer, px];
    });
    return found;
  }
  /* streamlit-folium tells the page of a click a quarter of a second later, half of what seeing a pin may take: tell it
     now, in the same words, so that it finds nothing new to tell by then */
  function tell() {
    const own = window.__GLOBAL_DATA__;
    if (!own || !own.returned_objects || !window.Streamlit) return;
    const news = Object.fromEntries(own.returned_objects.map((name) => [name, (name === "last_clicked" ? own.lat_lng_clicked : own[name]) ?? null]));
    if (JSON.stringify(news) === JSON.stringify(own.previous_data)) return;
    own.previous_data = news;
    window.Streamlit.setComponentValue(news);
  }

  /* ---- what changes: one group, taken off and put on again as a whole ---- */
  function tip(layer, rows) {
    if (!rows || !rows.length) return layer;
    const box = element("div", null, "card");
    rows.forEach((row, i) => box.append(element(i ? "div" : "b", row)));
    return layer.bindTooltip(box, { direction: "top", sticky: Boolean(layer.getBounds), opacity: 0.97 });
  }
  const dot = (row, cls, text) => {
    const icon = element("div", text, cls);
    icon.style.background = row.colour || "";
    return L.marker(row.at, { icon: L.divIcon({ html: icon, className: "holder", iconSize: [0, 0] }), keyboard: false, interactive: cls !== "drop",
      zIndexOffset: row.above || 0 });
  };
  const MAKE = {
    images: (row) => L.imageOverlay(row.uri, row.bounds, { pane: "people", interactive: false }),
    outlets: (row) => tip(dot(row, "outlet " + (row.status || ""), row.glyph), row.tip),
    places: (row) => tip(L.circleMarker(row.at, { pane: "markerPane", radius: row.radius || 4, color: "#fff", weight: 1, fillColor: row.colour, fillOpacity: 0.9,
      bubblingMouseEvents: false }), row.tip),
    sites: (row) => tip(dot(row, "pin", row.text), row.tip),
    pins: (row) => tip(dot(row, "drop", ""), row.tip),
    gaps: (row) => tip(L.geoJSON(row.shape, { style: { color: row.chosen ? "#3d1500" : "#a33c03", weight: row.chosen ? 3.5 : 1.6, dashArray: row.chosen ? null : "5 4",
      fillColor: "#a33c03", fillOpacity: row.chosen ? 0.16 : 0.04 }, bubblingMouseEvents: true }), row.tip),
    ranks: (row) => dot(row, "rank", row.text),
    lines: (row) => L.polyline(row.line, { color: "#3d1500", weight: 2, dashArray: "3 5", interactive: false }),
  };
  /* Pictures of people come as files: until those of a new scene are there, the ones before stay. */
  function crossfade(map, group) {
    const old = before.filter((layer) => !group.hasLayer(layer));
    let coming = group.getLayers().filter((layer) => layer instanceof L.ImageOverlay && !layer.getElement().complete);
    before = [];
    if (!old.length || !coming.length) return;
    old.forEach((layer) => layer.addTo(map));
    const away = () => old.forEach((layer) => { if (!group.hasLayer(layer)) layer.remove(); });
    const late = setTimeout(away, 3000);
    coming.forEach((layer) => layer.once("load error", () => {
      coming = coming.filter((other) => other !== layer);
      if (!coming.length) { clearTimeout(late); away(); }
    }));
  }
  const CLOSE = 13.5, MOST = 600; /* candidates are shown close up, and only those in view */
  window.walkshedScene = (map, scene) => {
    const group = L.featureGroup(), rows = [];
    const all = scene.layers.find((part) => part.draw === "candidates"), dots = L.layerGroup();
    const teller = L.featureGroup().addTo(group); /* there from the start, so streamlit-folium listens to it */
    function nearby() {
      dots.clearLayers();
      if (!all || hidden.has(all.key) || map.getZoom() < CLOSE) return;
      const seen = map.getBounds(), hide = new Set(all.hide);
      let room = MOST;
      for (const row of map.walkshedCity.candidates) {
        if (!room || hide.has(row.id) || !seen.contains(row.at)) continue;
        room--;
        const kind = row.kind[all.lang], layer = MAKE.places({ at: row.at, colour: "#6b6f76", tip: [row.name || kind, kind] });
        layer.on("click", () => teller.fire("click", { latlng: layer.getLatLng() }));
        dots.addLayer(layer);
      }
    }
    const mine = new Map();
    for (const part of scene.layers) {
      for (const item of part.items) {
        const same = `${part.key} ${part.draw} ${JSON.stringify(item)}`, layer = kept.get(same) || MAKE[part.draw](item);
        mine.set(same, layer);
        rows.push({ key: part.key, layer, from: item.from ?? part.from ?? 0, to: item.to ?? part.to ?? 99 });
      }
    }
    kept = mine;
    const names = L.layerGroup();
    function sync() {
      const zoom = map.getZoom();
      map.getContainer().classList.toggle("far", zoom < 12.5);
      map.getContainer().classList.toggle("wide", zoom < 10.5);
      for (const { key, layer, from, to } of rows) {
        const want = !hidden.has(key) && zoom >= from && zoom < to;
        if (want !== group.hasLayer(layer)) want ? group.addLayer(layer) : group.removeLayer(layer);
      }
      label(); nearby();
    }
    function label() {
      names.clearLayers();
      const zoom = map.getZoom(), seen = map.getBounds(), taken = [], city = map.walkshedCity;
      const labels = [...city.units.map((u) => ({ at: u.at, text: u.label, cls: "tag unit", size: 16, from: 0 })),
        ...city.places.map((p) => ({ at: p.at, text: p.name, cls: "tag", size: 13, from: [7, 9, 10.5, 11.5, 13, 14][p.rank] ?? 14 }))];
      let room = 70;
      for (const { at, text, cls, size, from } of labels) {
        if (!text || !room || zoom < from || !seen.contains(at)) continue;
        const width = [...text].reduce((w, c) => w + (c.charCodeAt(0) > 255 ? 1 : 0.58), 0) * size + 6;
        const p = map.latLngToContainerPoint(at), box = [p.x - width / 2, p.y - 10, p.x + width / 2, p.y + 10];
        if (!taken.every((t) => box[0] > t[2] || box[2] < t[0] || box[1] > t[3] || box[3] < t[1])) continue;
        taken.push(box); room--;
        names.addLayer(L.marker(at, { interactive: false, keyboard: false, zIndexOffset: -1000,
          icon: L.divIcon({ html: element("span", text), className: cls, iconSize: [width, 19] }) }));
      }
    }
    const legend = L.control({ position: "topright" });
    legend.onAdd = () => {
      const box = element("div", null, "legend"), more = element("details");
      const roomy = map.getSize().x > 400; /* there what the colours mean is always said */
      more.open = folded === null ? map.getSize().x > 620 : !folded;
      more.addEventListener("toggle", () => { folded = !more.open; });
      more.append(element("summary", scene.title));
      L.DomEvent.disableClickPropagation(box); L.DomEvent.disableScrollPropagation(box);
      for (const row of scene.legend) {
        const line = element("label", null, "row"), tick = element("input");
        if (row.key) {
          tick.type = "checkbox"; tick.checked = !hidden.has(row.key);
          tick.addEventListener("change", () => { tick.checked ? hidden.delete(row.key) : hidden.add(row.key); sync(); });
          line.append(tick);
        }
        const sign = element("span", row.sign, "sign " + (row.shape || ""));
        if (row.colours) row.colours.forEach((c) => { const i = element("i"); i.style.background = c; sign.append(i); });
        else if (row.colour) sign.style.background = row.colour;
        line.append(sign, element("span", row.text));
        (row.colours && roomy ? box : more).append(line);
      }
      if (scene.note) more.append(element("div", scene.note, "note"));
      box.append(more);
      return box;
    };
    group.on("add", () => {
      map.on("zoomend", sync); map.on("moveend", label); map.on("moveend", nearby);
      dots.addTo(map); names.addTo(map); legend.addTo(map); sync(); crossfade(map, group);
    });
    group.on("remove", () => {
      map.off("zoomend", sync); map.off("moveend", label); map.off("moveend", nearby);
      dots.remove(); names.remove(); legend.remove();
      before = group.getLayers().filter((layer) => layer instanceof L.ImageOverlay);
      group.clearLayers();
      window.feature_group = []; /* streamlit-folium would keep every scene there ever was */
    });
    if (scene.stamp) {
      const stamp = map.walkshedStamp || (map.walkshedStamp = map.getContainer().appendChild(element("div", null, "stamp")));
      stamp.textContent = scene.stamp;
    }
    map.getContainer().setAttribute("aria-label", scene.label);
    map.getContainer().classList.toggle("aim", Boolean(scene.aim));
    if (scene.focus && scene.focus.token !== focused) {
      focused = scene.focus.token;
      try { sessionStorage.setItem(`${place}:seen`, focused); } catch { /* private windows may have no storage */ }
      setTimeout(() => map.fitBounds(scene.focus.bounds, { padding: [40, 40], maxZoom: 15, animate: false }), 0);
    }
    return group;
  };
})();
