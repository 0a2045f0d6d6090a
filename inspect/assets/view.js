// Small helpers. All text goes through textContent: values are a visitor's.
export const $ = (id) => document.getElementById(id);

export function el(tag, attrs = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs)) {
    if (k === "class") e.className = v;
    else if (k === "onclick") e.addEventListener("click", v);
    else e.setAttribute(k, v);
  }
  for (const c of children) e.append(c instanceof Node ? c : document.createTextNode(String(c)));
  return e;
}

export const cell = (text, cls = "") => el("td", { class: cls, title: cls.includes("clip") ? text : "" }, text);

export function micros(us) {
  if (!us) return "–";
  if (us < 1000) return us.toFixed(us < 10 ? 1 : 0) + " µs";
  if (us < 1e6) return (us / 1000).toFixed(us < 1e4 ? 1 : 0) + " ms";
  return (us / 1e6).toFixed(1) + " s";
}

export const clock = (iso) => {
  const d = new Date(iso);
  return d.toTimeString().slice(0, 8) + "." + String(d.getMilliseconds()).padStart(3, "0");
};

export const number = (n) => Number(n).toLocaleString("en");
export const fields = (list) => list.map((f) => f.name + "=" + f.value).join("  ");
const meaning = { ok: "answered with variables", empty: "answered without a variable", error: "the handler returned an error", panic: "the handler panicked", timeout: "no answer in time", shed: "turned away, too many at once" };
export const outcome = (name, text = name) => el("span", { class: "tag " + (name === "empty" ? "empty-outcome" : name), title: meaning[name] || "" }, text);

export function fill(table, rows, emptyID) {
  const t = $(table);
  t.tBodies[0].replaceChildren(...rows);
  if (emptyID) {
    t.hidden = rows.length === 0;
    $(emptyID).hidden = rows.length > 0;
  }
}

// chart returns a cell with bars for the last five minutes, parts of which have another
// color, and the greatest value as text.
export function chart(values, parts, name, text, cls = "failed") {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  const top = Math.max(1e-9, ...values);
  const peak = values.some((v) => v) ? "peak " + text(top) : "";
  svg.setAttribute("viewBox", "0 0 " + values.length * 3 + " 32");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "chart");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name + " in the last five minutes: " + (peak || "nothing"));
  const bars = (list, kind) => list.forEach((v, i) => {
    if (!v) return;
    const r = document.createElementNS(ns, "rect"), h = Math.max(1, (v / top) * 32);
    for (const [k, x] of [["x", i * 3], ["y", 32 - h], ["width", 2.4], ["height", h], ["class", kind]]) r.setAttribute(k, x);
    svg.append(r);
  });
  bars(values, "all");
  bars(parts, cls);
  return el("td", {}, svg, el("div", { class: "axis" }, el("span", {}, "5 min ago"), el("span", {}, peak), el("span", {}, "now")));
}

export function copyButton(text, label = "Copy") {
  return el("button", { type: "button", class: "copy", onclick: (e) => copy(text, e.currentTarget, label) }, label);
}

async function copy(text, button, label) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch { // no secure context
    const area = el("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  button.textContent = done ? "Copied" : "Select and copy by hand";
  $("said").textContent = button.textContent;
  setTimeout(() => { button.textContent = label; }, 1500);
}
