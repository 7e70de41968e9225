"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const tree = document.getElementById("tree");
const source = document.getElementById("source");
const rows = [];
const lines = new Map();

const made = (tag, name, text) => {
  const one = document.createElement(tag);
  if (name) one.className = name;
  if (text !== undefined) one.textContent = text;
  return one;
};
const time = (us) => us < 10000 ? `${us} µs` : us < 1e7 ? `${Math.floor(us / 1000)} ms`
  : `${Math.floor(us / 1e6)} s`;
const key = (place) => `${place.file}:${place.line}`;

for (const file of data.sources) {
  source.append(made("h2", "", file.name));
  file.text.split("\n").forEach((text, at) => {
    const line = made("div", "code");
    line.append(made("b", "", at + 1), made("span", "", text));
    lines.set(`${file.name}:${at + 1}`, line);
    source.append(line);
  });
}

const grow = (node, into, depth) => {
  const box = made("div", "node");
  const row = made("div", "row");
  const parts = node.parts || [];
  row.setAttribute("role", "treeitem");
  row.append(made("span", "turn", parts.length ? "▾" : ""), made("span", "what", node.what));
  if (node.came) {
    const tainted = / \(tainted\)/.test(node.came);
    const kind = /^(yes|holds|accept)/.test(node.came) ? " yes"
      : /^(no|fails|deny|drop|failed|implicit)/.test(node.came) ? " no" : "";
    const came = made("span", "came" + kind, "→ " + node.came.replace(/ \(tainted\)/, ""));
    if (node.whole) came.title = node.whole;
    row.append(came);
    if (tainted) row.append(made("span", "taint", "tainted"));
  }
  const side = [];
  if (node.took_us !== undefined) side.push(time(node.took_us));
  if (node.place) side.push(`${node.place.file.split("/").pop()}:${node.place.line}`);
  row.append(made("span", "side", side.join("  ")));
  if ((node.facts || {}).skipped) box.classList.add("skipped");
  box.append(row);
  const one = { node, box, row, parts, depth };
  rows.push(one);
  if (node.place && lines.has(key(node.place))) lines.get(key(node.place)).classList.add("hit");
  row.addEventListener("click", () => { choose(one); if (parts.length) turn(one); });
  if (parts.length) {
    const below = made("div", "parts");
    parts.forEach((part) => grow(part, below, depth + 1));
    box.append(below);
    if (depth > 3) turn(one, true);
  }
  into.append(box);
};
const turn = (one, shut) => {
  const now = one.box.classList.toggle("shut", shut);
  one.row.querySelector(".turn").textContent = now ? "▸" : "▾";
};
let chosen = null;
const choose = (one) => {
  if (chosen) chosen.row.classList.remove("at");
  document.querySelectorAll(".code.at").forEach((line) => line.classList.remove("at"));
  chosen = one;
  one.row.classList.add("at");
  one.row.scrollIntoView({ block: "nearest" });
  const line = one.node.place && lines.get(key(one.node.place));
  if (line) {
    line.classList.add("at");
    line.scrollIntoView({ block: "center" });
  }
};
data.nodes.forEach((node) => grow(node, tree, 0));

const seen = () => rows.filter((one) => one.row.offsetParent !== null);
tree.addEventListener("keydown", (event) => {
  const all = seen();
  const at = all.indexOf(chosen);
  const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (go !== undefined && all[go]) { choose(all[go]); event.preventDefault(); }
  if (chosen && chosen.parts.length && event.key === "ArrowRight") turn(chosen, false);
  if (chosen && chosen.parts.length && event.key === "ArrowLeft") turn(chosen, true);
});
const find = document.getElementById("find");
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== find) { find.focus(); event.preventDefault(); }
  if (event.key === "Escape") tree.focus();
});
find.addEventListener("input", () => {
  const wanted = find.value.toLowerCase();
  for (const one of rows.slice().reverse()) {
    const own = (one.node.what + " " + (one.node.came || "")).toLowerCase().includes(wanted);
    const below = one.box.querySelector(":scope > .parts > .node:not(.hidden)") !== null;
    one.box.classList.toggle("hidden", !(own || below));
    if (wanted && below) turn(one, false);
  }
});
document.getElementById("open").onclick = () => rows.forEach((one) => one.parts.length && turn(one, false));
document.getElementById("close").onclick = () => rows.forEach((one) => one.parts.length && one.depth && turn(one, true));
if (rows.length) choose(rows[0]);
document.body.dataset.ready = rows.length;
