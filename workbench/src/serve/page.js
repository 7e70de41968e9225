const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const text = byId("text");
const numbers = byId("numbers");
const state = byId("state");
text.value = data.text;
text.setSelectionRange(0, 0);

const ask = async (what, more = {}) => {
  const answer = await fetch("ask", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: text.value, what, ...more }),
  });
  if (!answer.ok) return { error: await answer.text() };
  return answer.json();
};

let marked = new Map();
let looked = 0;
const number = () => {
  const count = text.value.split("\n").length;
  numbers.textContent = "";
  for (let line = 1; line <= count; line += 1) {
    const one = made("b", marked.get(line) || "", line);
    if (line === looked) one.classList.add("at");
    numbers.append(one);
  }
  numbers.scrollTop = text.scrollTop;
};
text.addEventListener("scroll", () => { numbers.scrollTop = text.scrollTop; });
const goTo = (line, focus) => {
  looked = line;
  number();
  const height = text.scrollHeight / text.value.split("\n").length;
  text.scrollTop = Math.max(0, height * (line - 8));
  if (!focus) return;
  const start = text.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start);
};

let checks = 0;
const check = async () => {
  checks += 1;
  const own = checks;
  state.textContent = "checking …";
  const came = await ask("check");
  if (own !== checks) return;
  const found = came.findings || [];
  marked = new Map();
  byId("findings").textContent = "";
  for (const one of found) {
    // What stands in an included file has no line on the page.
    const here = one.file ? 0 : one.line;
    const place = one.line ? `${one.file ? one.file + " " : ""}line ${one.line}` : "";
    if (here && marked.get(here) !== "error") marked.set(here, one.severity);
    const row = made("li", one.severity);
    row.tabIndex = 0;
    row.append(made("span", "code", `${one.code} ${place}`),
      made("span", "", one.message));
    if (one.help) row.title = one.help;
    row.onclick = () => here && goTo(here, true);
    row.onkeydown = (event) => event.key === "Enter" && row.onclick();
    byId("findings").append(row);
  }
  const acl = byId("session").elements.acl;
  const chosen = acl.value;
  acl.textContent = "";
  acl.append(new Option("the whole session", ""));
  (came.acls || []).forEach((name) => acl.append(new Option(name, name)));
  acl.value = (came.acls || []).includes(chosen) ? chosen : "";
  state.textContent = came.error || (found.length ? `${found.length} found` : "nothing is wrong");
  document.body.dataset.checked = found.length;
  number();
};
// What can be typed: Ctrl Space, or after a dollar sign or a brace.
const offered = byId("offers");
let offers = { field: null, typed: 0, list: [], at: 0, number: 0 };
const closeOffers = () => { offers.list = []; offered.hidden = true; };
const bytes = (part) => new TextEncoder().encode(part).length;
const drawOffers = () => {
  offered.textContent = "";
  offers.list.forEach((offer, at) => {
    const row = made("li", at === offers.at ? "at" : "");
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", at === offers.at);
    row.append(made("b", "", offer.text), made("span", "", offer.kind), made("i", "", offer.summary));
    row.onmousedown = (event) => { event.preventDefault(); takeOffer(at); };
    offered.append(row);
    if (at === offers.at) row.scrollIntoView({ block: "nearest" });
  });
};
const takeOffer = (at) => {
  const { field, typed, list } = offers;
  const end = field.selectionStart;
  field.setRangeText(list[at].text, end - typed, end, "end");
  closeOffers();
  field.dispatchEvent(new Event("input"));
  closeOffers();
};
const complete = async (field) => {
  offers.number += 1;
  const own = offers.number;
  const before = field.value.slice(0, field.selectionStart);
  const line = before.split("\n").length - 1;
  const place = field === text ? { line, column: bytes(before.slice(before.lastIndexOf("\n") + 1)) }
    : { line: 0, column: bytes(before), expression: field.value };
  const came = await ask({ complete: place });
  if (own !== offers.number || !came.offers || !came.offers.length) return closeOffers();
  offers = { field, typed: came.typed, list: came.offers, at: 0, number: own };
  const style = getComputedStyle(field);
  const box = field.getBoundingClientRect();
  const height = parseFloat(style.lineHeight);
  const wide = before.length - before.lastIndexOf("\n") - 1 - came.typed;
  const top = box.top + parseFloat(style.paddingTop) + height * (line + 1) - field.scrollTop;
  offered.hidden = false;
  offered.style.top = `${Math.max(0, Math.min(top, innerHeight - 220))}px`;
  offered.style.left = `calc(${box.left + parseFloat(style.paddingLeft) - field.scrollLeft}px + ${wide} * 7.5px)`;
  drawOffers();
  document.body.dataset.offers = came.offers.length;
};
for (const field of [text, byId("expand").elements.expression]) {
  field.addEventListener("input", () => {
    const before = field.value.slice(0, field.selectionStart);
    if (/\$\{?[a-z_0-9]*$|\$\{(if|lookup)[^}]* [a-z_0-9]*$/.test(before)) complete(field);
    else closeOffers();
  });
  field.addEventListener("blur", closeOffers);
  field.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === " ") {
      complete(field);
    } else if (offers.list.length && { ArrowDown: 1, ArrowUp: -1 }[event.key]) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      offers.at = (offers.at + step + offers.list.length) % offers.list.length;
      drawOffers();
    } else if (offers.list.length && (event.key === "Enter" || event.key === "Tab") && !event.ctrlKey) {
      takeOffer(offers.at);
    } else if (offers.list.length && event.key === "Escape") {
      closeOffers();
    } else {
      return;
    }
    event.preventDefault();
  });
}
let waiting = 0;
text.addEventListener("input", () => {
  number();
  clearTimeout(waiting);
  waiting = setTimeout(check, 400);
});

const show = (came) => {
  const lines = byId("lines");
  lines.textContent = "";
  byId("because").textContent = "";
  byId("tree").textContent = "";
  if (came.error) lines.append(made("span", "refused", came.error));
  for (const line of came.lines || []) {
    const kind = line.startsWith("C: ") ? "client" : line.startsWith("LOG: ") ? "log"
      : /^(S: [45]|deny|drop|defer|Failed)/.test(line) ? "refused" : "";
    lines.append(made("span", kind, line + "\n"));
  }
  for (const one of came.because || []) {
    const box = made("details");
    box.open = true;
    const head = made("summary", "", one.what + (one.line ? `  [${one.file ? one.file + " " : ""}line ${one.line}]` : ""));
    box.append(head, made("pre", "", one.parts.join("\n")));
    head.addEventListener("click", () => one.line && !one.file && goTo(one.line, false));
    byId("because").append(box);
  }
  showTree(came.nodes || [], byId("tree"), (node) => {
    if (node.place && node.place.file === data.name) goTo(node.place.line, false);
  });
  document.body.dataset.came = (came.nodes || []).length;
};

const tabs = ["session", "expand", "route", "words"];
let tab = "session";
const open = (name) => {
  tab = name;
  for (const one of tabs) {
    byId(one).classList.toggle("open", one === name);
    byId("tab-" + one).setAttribute("aria-selected", one === name);
    byId("tab-" + one).tabIndex = one === name ? 0 : -1;
  }
  byId("came").classList.toggle("hidden", name === "words");
  byId(name).querySelector("input, textarea").focus();
};
for (const one of tabs) byId("tab-" + one).onclick = () => open(one);
document.querySelector("nav").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) {
    open(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]);
    byId("tab-" + tab).focus();
  }
});

const pairs = (written) => Object.fromEntries(written.split(",").map((pair) => pair.trim())
  .filter((pair) => pair.includes("="))
  .map((pair) => [pair.slice(0, pair.indexOf("=")).trim(), pair.slice(pair.indexOf("=") + 1).trim()]));
const run = async () => {
  const fields = byId(tab).elements;
  state.textContent = "running …";
  const value = (name) => fields[name].value;
  if (tab === "session") {
    const recipients = value("recipients").split(",").map((one) => one.trim()).filter(Boolean);
    show(await ask({ session: { client: value("client").trim(), helo: value("helo").trim(),
      sender: value("sender").trim(), recipients, message: value("message"), acl: value("acl") } }));
  } else if (tab === "expand") {
    show(await ask({ expand: value("expression") }, { variables: pairs(value("variables")) }));
  } else if (tab === "route") {
    show(await ask({ route: value("address").trim() }));
  } else {
    const came = await ask({ words: value("wanted") });
    byId("found").textContent = "";
    for (const one of came.words || []) {
      const head = made("dt", "", one.syntax || one.name);
      head.append(made("span", "", `  ${one.kind}`));
      byId("found").append(head, made("dd", "", [one.summary, one.docs].filter(Boolean).join(" ")));
    }
    document.body.dataset.words = (came.words || []).length;
  }
  state.textContent = "";
};
for (const one of tabs) byId(one).addEventListener("submit", (event) => { event.preventDefault(); run(); });
byId("words").elements.wanted.addEventListener("input", run);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { run(); event.preventDefault(); }
  if (event.altKey && tabs[Number(event.key) - 1]) { open(tabs[Number(event.key) - 1]); event.preventDefault(); }
});
window.addEventListener("beforeunload", (event) => { if (text.value !== data.text) event.preventDefault(); });

// An address with a fragment says what is tried at once: #expand, #words=text.
const [wanted, more] = decodeURIComponent(location.hash.slice(1)).split("=");
open(tabs.includes(wanted) ? wanted : "session");
if (wanted === "words" && more) byId("words").elements.wanted.value = more;
number();
// #complete=LINE: what can be typed at the end of a line.
const completeAt = () => {
  const lines = text.value.split("\n").slice(0, Number(more));
  goTo(Number(more), true);
  text.setSelectionRange(lines.join("\n").length, lines.join("\n").length);
  complete(text);
};
check().then(() => {
  if (wanted === "complete") completeAt();
  else if (wanted) run();
});
