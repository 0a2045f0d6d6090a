import { $, el, cell, chart, clock, copyButton, fields, fill, micros, number, outcome } from "./view.js";
import * as tail from "./tail.js";

const tabs = [...document.querySelectorAll("[role=tab]")];

function open(tab, focus) {
  for (const t of tabs) {
    const on = t === tab;
    t.setAttribute("aria-selected", String(on));
    t.tabIndex = on ? 0 : -1;
    $(t.getAttribute("aria-controls")).hidden = !on;
  }
  if (focus) tab.focus();
  history.replaceState(null, "", "#" + tab.getAttribute("aria-controls"));
  if (tab.id === "tab-configuration") configuration();
}

tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => open(tab));
  tab.addEventListener("keydown", (e) => {
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[e.key];
    if (to !== undefined) { e.preventDefault(); open(tabs[to % tabs.length], true); }
  });
});

function theme(name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem("spoke-theme", name); } catch { /* storage is off */ }
}
try { const t = localStorage.getItem("spoke-theme"); if (t) theme(t); } catch { /* storage is off */ }
$("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  theme(now === "dark" ? "light" : "dark");
});

let source, before = null;

function status(text, live) {
  $("status").classList.toggle("live", live);
  $("status-text").textContent = text;
}

function connect() {
  if (source) source.close();
  source = new EventSource("events?" + tail.query());
  source.addEventListener("open", () => status(tail.isPaused() ? "Live, tail paused" : "Live", true));
  source.addEventListener("error", () => {
    status("No connection to the agent; trying again…", false);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  });
  source.addEventListener("stats", (e) => show(JSON.parse(e.data)));
  source.addEventListener("sample", (e) => tail.add(JSON.parse(e.data)));
}

function show(s) {
  messages(s);
  slowest(s.slowest || []);
  connections(s);
  $("since").textContent = "Since " + clock(s.since).slice(0, 8) + ", " + s.viewers + (s.viewers === 1 ? " page" : " pages") + " open.";
  $("skipped").textContent = s.skipped + s.lost ? number(s.skipped) + " left out, " + number(s.lost) + " lost by a slow browser." : "";
}

function messages(s) {
  const dt = before ? (new Date(s.now) - new Date(before.now)) / 1000 : 0;
  const rows = s.messages.map((m) => {
    const old = before && before.messages.find((o) => o.name === m.name);
    const rate = old && dt > 0 && m.total >= old.total ? (m.total - old.total) / dt : 0;
    const tags = el("td");
    for (const [name, n] of Object.entries(m.outcomes)) if (n) tags.append(outcome(name, name + " " + number(n)));
    return el("tr", {}, el("th", { scope: "row", class: "mono" }, m.name), cell(number(Math.round(rate)), "n"),
      chart(m.rates, m.failed, m.name + ", messages a second", (n) => number(n < 10 ? Math.round(n * 10) / 10 : Math.round(n)) + "/s"), cell(number(m.inFlight), "n"), tags,
      cell(micros(m.P50), "n"), cell(micros(m.P95), "n"), cell(micros(m.P99), "n"), chart(m.p99s, m.p50s, m.name + ", p99", micros, "half"));
  });
  before = s;
  fill("message-table", rows, "no-messages");
  const select = $("f-message"), known = new Set([...select.options].map((o) => o.value));
  for (const m of s.messages) if (!known.has(m.name)) select.append(el("option", { value: m.name }, m.name));
}

function slowest(list) {
  if ($("slow-table").contains(document.activeElement)) return; // rows must not move away from the keyboard
  fill("slow-table", list.map((x) => {
    const pick = el("button", { type: "button", class: "pick", "aria-label": "Show " + x.message + " of " + clock(x.time) }, x.message);
    const tr = el("tr", {}, cell(clock(x.time), "t"), el("td", {}, pick), el("td", {}, outcome(x.outcome)),
      cell(micros(x.tookUS), "n"), cell(fields(x.args), "clip mono"));
    tr.addEventListener("click", () => { open($("tab-tail")); tail.show(x); });
    return tr;
  }));
}

function age(since, now) {
  const s = Math.max(0, Math.round((new Date(now) - new Date(since)) / 1000));
  return s < 60 ? s + " s" : s < 3600 ? Math.floor(s / 60) + " min" : Math.floor(s / 3600) + " h";
}

function connections(s) {
  if (s.agent) {
    const a = s.agent;
    $("totals").replaceChildren(...[["connections open", a.Connections], ["connections so far", a.ConnectionsTotal], ["NOTIFYs", a.Notifies],
      ["ACKs", a.Acks], ["NOTIFYs in flight", a.InFlight], ["health checks", a.HealthChecks], ["errors", a.Errors, 1], ["panics", a.Panics, 1],
      ["timeouts", a.Timeouts, 1], ["still running after their timeout", a.Late, 1], ["without their variables: ACK too large", a.DroppedActions, 1],
      ["payloads cut off", a.Aborted, 1]].map(([k, v, bad]) => el("div", { class: bad && v ? "card bad" : "card" }, el("b", {}, number(v)), el("span", {}, k))));
  }
  $("no-connections").textContent = s.connections ? "No connection is open now. HAProxy opens one when it has a message to send." : "This agent does not list its connections.";
  fill("conn-table", (s.connections || []).map((c) => el("tr", {}, cell(c.peer, "mono"), cell(c.engine || "–", "mono"),
    cell(c.applet ? "up to 3.0" : "3.1 or later"), cell(c.phase), cell(age(c.since, s.now), "n"), cell(number(c.inFlight), "n"),
    cell(number(c.maxFrameSize), "n"), cell(number(c.fragments), "n"))), "no-connections");
  fill("closing-table", (s.closings || []).map((c) => el("tr", {}, cell(c.by), cell(c.code, "n"), cell(c.reason), cell(number(c.count), "n"))), "no-closings");
}

async function configuration() {
  const panel = $("configuration");
  let c;
  try {
    c = await (await fetch("config")).json();
  } catch {
    panel.replaceChildren(el("p", { class: "empty" }, "The agent did not answer. Open this view again."));
    return;
  }
  $("name").textContent = c.name;
  document.title = c.name + " · inspect";
  const block = (title, text) => [el("div", { class: "bar" }, el("h2", {}, title), copyButton(text)), el("pre", {}, text)];
  const parts = c.errors.map((e) => el("p", { class: "error" }, e));
  parts.push(el("h2", {}, "Routes"), el("p", { class: "hint" }, "The messages that this agent answers, with the arguments that it wants and the variables that it sets."));
  if (!c.routes.length) parts.push(el("p", { class: "empty" }, "The page was not given the routes."));
  else {
    const body = el("tbody");
    for (const r of c.routes) body.append(el("tr", {}, el("th", { scope: "row", class: "mono" }, r.message), cell(r.when || "–", "mono"), cell(r.text, "mono"), cell(r.site, "mono")));
    parts.push(el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...["Message", "Sent", "Arguments and variables", "Registered"].map((h) => el("th", { scope: "col" }, h)))), body)));
  }
  if (c.checked) {
    parts.push(el("h2", {}, "Check"));
    if (!c.findings.length) parts.push(el("p", { class: "ok" }, "✓ HAProxy's configuration fits the agent."));
    else parts.push(el("ul", {}, ...c.findings.map((f) => el("li", { class: "finding mono" }, f))));
  } else if (c.unchecked) parts.push(el("h2", {}, "Check"), el("p", { class: "hint" }, c.unchecked));
  if (c.files.length) parts.push(el("h2", {}, "HAProxy's configuration for this agent"), el("p", { class: "hint" }, "As -print-config writes it. Copy each part into HAProxy's file of that name, then check with haproxy -c and reload HAProxy."));
  for (const f of c.files) parts.push(...block(f.name, f.text));
  if (!c.files.length) parts.push(el("p", { class: "hint" }, "The page was not given HAProxy's configuration."));
  panel.replaceChildren(...parts);
}

tail.start(connect);
configuration();
connect();
const wanted = tabs.find((t) => "#" + t.getAttribute("aria-controls") === location.hash);
if (wanted) open(wanted);
