import { $, el, cell, clock, micros, fields, outcome, copyButton } from "./view.js";

const kept = 200;
let paused = false, waiting = [], selected = null;

export const isPaused = () => paused;

export function query() {
  const q = new URLSearchParams();
  for (const [id, key] of [["f-message", "message"], ["f-outcome", "outcome"], ["f-arg", "arg"], ["f-var", "var"]])
    if ($(id).value) q.set(key, $(id).value);
  if (paused) q.set("paused", "1");
  return q.toString();
}

export function add(sample) {
  if (paused) return;
  waiting.push(sample);
  if (waiting.length > kept) waiting.shift();
}

// Lines are drawn a few times a second, whatever comes.
setInterval(() => {
  if (paused || !waiting.length || $("tail").hidden) return;
  const body = $("tail-table").tBodies[0];
  const focused = body.contains(document.activeElement);
  if (focused) return; // rows must not move away from the keyboard
  body.prepend(...waiting.reverse().map(row));
  waiting = [];
  while (body.rows.length > kept) body.deleteRow(-1);
  $("no-samples").hidden = true;
}, 250);

function row(s) {
  const pick = el("button", { type: "button", class: "pick", "aria-label": "Show " + s.message + " of " + clock(s.time) }, s.message);
  const tr = el("tr", {}, cell(clock(s.time), "t"), el("td", {}, pick), el("td", {}, outcome(s.outcome)),
    cell(micros(s.tookUS), "n"), cell(fields(s.args), "clip mono"), cell(fields(s.vars), "clip mono"));
  tr.addEventListener("click", () => show(s, tr, pick));
  return tr;
}

function list(title, items) {
  if (!items.length) return [el("h2", {}, title), el("p", { class: "hint" }, "None")];
  const dl = el("dl", { class: "mono" });
  for (const f of items) dl.append(el("dt", { title: f.type }, f.name), el("dd", {}, f.type === "unset" ? "(unset)" : f.value));
  return [el("h2", {}, title), dl];
}

export function show(s, tr, back) {
  if (selected) selected.removeAttribute("aria-selected");
  selected = tr;
  if (tr) tr.setAttribute("aria-selected", "true");
  const about = el("dl");
  for (const [k, v] of [["Time", clock(s.time)], ["Waited", micros(s.waitUS)], ["Handled in", micros(s.tookUS)], ["Peer", s.peer],
    ["Engine-id", s.engine], ["Stream, frame", s.stream + ", " + s.frame], ["Trace id", s.trace]])
    if (v) about.append(el("dt", {}, k), el("dd", {}, v));
  const close = el("button", { type: "button", onclick: () => { $("detail").hidden = true; if (tr) tr.removeAttribute("aria-selected"); if (back) back.focus(); } }, "Close");
  $("detail").replaceChildren(el("div", { class: "bar" }, el("h2", {}, s.message + " ", outcome(s.outcome)), close),
    ...(s.error ? [el("p", { class: "error" }, s.error)] : []),
    ...list("Arguments, from HAProxy", s.args), ...list("Variables, the answer", s.vars),
    el("h2", {}, "Ask again"), el("pre", {}, s.ask), copyButton(s.ask, "Copy command"), el("h2", {}, "More"), about);
  $("detail").hidden = false;
  $("detail").focus({ preventScroll: true });
}

export function start(reconnect) {
  const clear = () => {
    waiting = [];
    $("tail-table").tBodies[0].replaceChildren();
    $("no-samples").hidden = false;
  };
  let timer;
  $("filters").addEventListener("submit", (e) => e.preventDefault());
  for (const id of ["f-message", "f-outcome", "f-arg", "f-var"])
    $(id).addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => { clear(); reconnect(); }, 250); });
  $("clear").addEventListener("click", clear);
  $("pause").addEventListener("click", () => {
    paused = !paused;
    $("pause").setAttribute("aria-pressed", String(paused));
    $("pause").textContent = paused ? "Resume" : "Pause";
    reconnect();
  });
}
