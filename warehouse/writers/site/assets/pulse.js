"use strict";
(function () {
  const areas = window.pulseAreas || [];
  const $ = (id) => document.getElementById(id);
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  const make = (tag, text, attributes) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const name in attributes || {}) element.setAttribute(name, attributes[name]);
    return element;
  };

  // A text box with a list of areas: type, arrow keys, Enter, Escape.
  function combo(input, list, chosen) {
    let at = -1, found = [];
    const show = () => {
      const words = plain(input.value.trim()).split(/\s+/).filter(Boolean);
      found = words.length
        ? areas.filter((area) => words.every((word) => plain(area[1] + " " + area[0]).includes(word))).slice(0, 10)
        : [];
      list.replaceChildren(...found.map((area, index) =>
        make("li", area[1], { role: "option", id: list.id + index, "aria-selected": "false" })));
      [...list.children].forEach((item, index) => item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        chosen(found[index]);
      }));
      at = -1;
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(!list.hidden));
      input.removeAttribute("aria-activedescendant");
    };
    const move = (step) => {
      if (!found.length) return;
      if (at >= 0) list.children[at].setAttribute("aria-selected", "false");
      at = (at + step + found.length) % found.length;
      list.children[at].setAttribute("aria-selected", "true");
      list.children[at].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", list.id + at);
    };
    input.addEventListener("input", show);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); move(1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); move(-1); }
      else if (event.key === "Escape") { input.value = ""; show(); }
      else if (event.key === "Enter" && found.length) { event.preventDefault(); chosen(found[Math.max(at, 0)]); }
    });
    input.addEventListener("blur", () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); });
    return () => { input.value = ""; show(); };
  }
  if ($("find")) combo($("find"), $("found"), (area) => { location.href = "area-" + area[0] + ".html"; });

  // Sentences to copy, with their source, the release and the address of the page.
  const source = [...document.querySelectorAll("p.source")].pop() || { textContent: "" };
  document.querySelectorAll("p.said").forEach((said) => {
    const button = make("button", "Copy", { type: "button", class: "copy" });
    said.append(" ", button);
    button.addEventListener("click", async () => {
      const text = [said.querySelector(".sentence").textContent, source.textContent.trim(),
        window.pulseRelease, location.href.split("#")[0]].filter(Boolean).join("\n");
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = make("textarea", text);
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  });

  const save = (blob, name) => {
    const link = make("a", undefined, { href: URL.createObjectURL(blob), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
  };

  // A table with a small chart in each row, as one picture with its words: made here, on request.
  function picture(table, name) {
    const width = 960, scale = 2, parts = [], pen = make("canvas").getContext("2d");
    const words = (element) => {
      const copy = element.cloneNode(true);
      copy.querySelectorAll(".tag, .who").forEach((aside) => aside.remove());
      return copy.textContent.trim().replace(/\s+/g, " ");
    };
    const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
    // Writes a text in lines of at most so many pixels; returns where it ends.
    const write = (text, x, y, size, bold, room) => {
      pen.font = `${bold ? "bold " : ""}${size}px Liberation Sans, Arial, Helvetica, sans-serif`;
      const lines = [];
      text.split(" ").forEach((word) => {
        const longer = lines.length ? lines[lines.length - 1] + " " + word : word;
        if (lines.length && pen.measureText(longer).width <= room) lines[lines.length - 1] = longer;
        else lines.push(word);
      });
      lines.forEach((line, index) => parts.push(
        `<text x="${x}" y="${y + (index + 1) * size * 1.3}" style="font:${pen.font.replace(/"/g, "'")}">${escaped(line)}</text>`));
      return y + lines.length * size * 1.3;
    };
    let y = 10;
    const warning = document.querySelector(".warning");
    if (warning) y = write(words(warning), 12, y, 15, true, width - 24);
    y = write(table.dataset.title, 12, y, 18, true, width - 24);
    y = write(table.dataset.legend, 12, y, 13, false, width - 24) + 8;
    [...table.rows].forEach((row) => {
      const chart = row.querySelector("svg.spine"), texts = [...row.cells].map(words);
      const [label, figure, interval] = texts, heads = row.querySelector("[scope=rowgroup]");
      if (heads && row.parentNode.querySelector("svg.spine")) y = write(label, 12, y + 8, 14, true, width - 24) + 4;
      if (!chart) return;
      const copy = chart.cloneNode(true);
      for (const [at, value] of Object.entries({ x: 330, y, width: 300, height: 34 })) copy.setAttribute(at, value);
      parts.push(new XMLSerializer().serializeToString(copy));
      y = 4 + Math.max(y + 32, write(label, 12, y + 5, 14, false, 310),
        write(figure + (/\d/.test(interval) ? ` (${interval})` : "") + ", " + texts.at(-1), 645, y + 5, 14, false, 300));
    });
    y = write(source.textContent.trim(), 12, y + 4, 11, false, width - 24) + 12;
    const image = new Image(width, y);
    image.onload = () => {
      Object.assign(pen.canvas, { width: width * scale, height: Math.ceil(y * scale) });
      pen.drawImage(image, 0, 0, pen.canvas.width, pen.canvas.height);
      pen.canvas.toBlob((blob) => save(blob, name), "image/png");
    };
    image.src = "data:image/svg+xml," + encodeURIComponent(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" fill="#0b0c0c"><style>` +
      "line{stroke:#12436d;stroke-width:3}circle{fill:#12436d;stroke:#fff;stroke-width:1.5}</style>" +
      `<rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>`);
  }
  const drawn = [...document.querySelectorAll("table[data-title]")].filter((table) => table.querySelector("svg.spine"));
  drawn.forEach((table, number) => {
    const page = location.pathname.split("/").pop().replace(/\.html$/, "");
    const button = make("button", "Download as a picture (PNG)", { type: "button", class: "copy" });
    button.addEventListener("click", () => picture(table, page + (number ? "-" + (number + 1) : "") + ".png"));
    (table.closest(".scroll") || table).after(button);
  });

  // Tables that sort by a column; the order is kept in the address.
  const key = (cell) => {
    const text = cell.textContent.trim();
    const number = parseFloat(text.replace(/,/g, "").replace("−", "-").replace(/^(under|over) /, ""));
    return Number.isNaN(number) ? text : number;
  };
  function sort(table, column, down) {
    const body = table.tBodies[0];
    [...body.rows]
      .map((row) => [key(row.cells[column]), row])
      .sort(([a], [b]) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1) * (down ? -1 : 1))
      .forEach(([, row]) => body.append(row));
    [...table.tHead.rows[0].cells].forEach((cell, index) =>
      index === column ? cell.setAttribute("aria-sort", down ? "descending" : "ascending") : cell.removeAttribute("aria-sort"));
  }
  function sortable(table) {
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const button = make("button", cell.textContent, { type: "button", class: "sort" });
      cell.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = cell.getAttribute("aria-sort") !== "descending";
        sort(table, column, down);
        if (table.id) history.replaceState(null, "", "#" + table.id + "=" + column + (down ? "-" : "+"));
      });
    });
  }
  document.querySelectorAll("table.sortable").forEach((table, number) => {
    table.id = table.id || "table" + number;
    sortable(table);
    const wanted = location.hash.match(new RegExp("^#" + table.id + "=(\\d+)([+-])"));
    if (wanted) sort(table, Number(wanted[1]), wanted[2] === "-");
  });

  // Charts: point at a mark, or walk through them with the arrow keys.
  document.querySelectorAll(".chart .drawn").forEach((holder) => {
    const marks = [...holder.querySelectorAll(".role-mark [aria-label], .role-mark[aria-label]")];
    if (!marks.length) return;
    const tip = make("p", "", { class: "tip", "aria-live": "polite" });
    holder.append(tip);
    let at = -1;
    const show = (index) => {
      if (at >= 0) marks[at].classList.remove("current");
      at = (index + marks.length) % marks.length;
      marks[at].classList.add("current");
      tip.textContent = marks[at].getAttribute("aria-label");
    };
    marks.forEach((mark, index) => mark.addEventListener("pointerenter", () => show(index)));
    holder.tabIndex = 0;
    holder.setAttribute("role", "group");
    holder.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      show(at < 0 && step < 0 ? marks.length - 1 : at + step);
    });
  });

  // Compare: any areas and indicators; the choice is in the address.
  const form = $("compare");
  if (!form) return;
  form.hidden = false;
  const state = new URLSearchParams(location.hash.slice(1));
  const listOf = (name) => (state.get(name) || "").split(",").filter(Boolean);
  let codes = listOf("areas"), slugs = listOf("indicators");
  const names = Object.fromEntries(areas.map((area) => [area[0], area[1]]));
  const data = {}, loading = {};
  window.pulseData = (each) => { data[each.id.replace(/_/g, "-")] = each; };
  const load = (slug) => (loading[slug] = loading[slug] || new Promise((done) => {
    const script = make("script", undefined, { src: "data/" + slug + ".js" });
    script.onload = script.onerror = done;
    document.head.append(script);
  }));
  let rows = [];
  async function draw() {
    await Promise.all(slugs.map(load));
    history.replaceState(null, "", "#areas=" + codes.join(",") + "&indicators=" + slugs.join(","));
    $("chosen").replaceChildren(...codes.map((code) => {
      const item = make("li", (names[code] || code) + " ");
      const button = make("button", "Remove", { type: "button", "aria-label": "Remove " + (names[code] || code) });
      button.addEventListener("click", () => { codes = codes.filter((each) => each !== code); draw(); });
      item.append(button);
      return item;
    }));
    const percent = (value) => value === null ? "" : (Math.floor(value + 0.5)) + "%";
    rows = slugs.flatMap((slug) => codes.map((code) => {
      const each = data[slug], cell = each && each.cells[code];
      const title = each ? each.title : slug;
      if (!cell) return [title, names[code] || code, "no figure", "", "", ""];
      const index = each.unit !== "percent";
      return [title, names[code] || code, (index ? cell[3] || "" : percent(cell[0])) + (cell[7] ? " " + cell[7] : ""),
        index || cell[1] === null ? "" : percent(cell[1]) + " to " + percent(cell[2]),
        cell[4] + (cell[5] === false && /^(Better|Worse|Higher|Lower)/.test(cell[4]) ? " *" : ""), cell[6]];
    }));
    const head = ["Indicator", "Area", "Figure", "95% interval", "Against England", "Edition"];
    const table = make("table", undefined, { class: "compared" });
    table.append(make("caption", rows.length ? "Figures of the areas and indicators chosen" : "Choose at least one area and one indicator"));
    const top = make("thead"), line = make("tr"), body = make("tbody");
    head.forEach((name) => line.append(make("th", name, { scope: "col" })));
    top.append(line);
    rows.forEach((row) => {
      const tr = make("tr");
      row.forEach((text, index) => tr.append(index === 0 ? make("th", text, { scope: "row" }) : make("td", text)));
      body.append(tr);
    });
    table.append(top, body);
    sortable(table);
    $("compared").replaceChildren(table);
    $("compare-actions").hidden = !rows.length;
  }
  form.addEventListener("change", (event) => {
    if (event.target.name !== "indicator") return;
    slugs = [...form.querySelectorAll("input[name=indicator]:checked")].map((box) => box.value);
    draw();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelectorAll("input[name=indicator]").forEach((box) => { box.checked = slugs.includes(box.value); });
  const clear = combo($("add"), $("addable"), (area) => {
    if (!codes.includes(area[0])) codes.push(area[0]);
    clear();
    draw();
  });
  $("compare-csv").addEventListener("click", () => {
    const quote = (text) => '"' + String(text).replace(/"/g, '""') + '"';
    const text = [["indicator", "area", "figure", "interval_95", "against_england", "edition"], ...rows]
      .map((row) => row.map(quote).join(",")).join("\n") + "\n";
    save(new Blob(["\ufeff" + text], { type: "text/csv" }), "pulse-comparison.csv");
  });
  draw();
})();
