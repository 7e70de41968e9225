const data = JSON.parse(document.getElementById("data").textContent);
const tree = document.getElementById("tree");
const source = document.getElementById("source");
const lines = new Map();
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
const shown = showTree(data.nodes, tree, (node) => {
  document.querySelectorAll(".code.at").forEach((line) => line.classList.remove("at"));
  const line = node.place && lines.get(key(node.place));
  if (line) {
    line.classList.add("at");
    line.scrollIntoView({ block: "center" });
  }
});
for (const { node } of shown.rows) {
  if (node.place && lines.has(key(node.place))) lines.get(key(node.place)).classList.add("hit");
}
const find = document.getElementById("find");
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== find) { find.focus(); event.preventDefault(); }
  if (event.key === "Escape") tree.focus();
});
find.addEventListener("input", () => {
  const wanted = find.value.toLowerCase();
  for (const one of shown.rows.slice().reverse()) {
    const own = (one.node.what + " " + (one.node.came || "")).toLowerCase().includes(wanted);
    const below = one.box.querySelector(":scope > .parts > .node:not(.hidden)") !== null;
    one.box.classList.toggle("hidden", !(own || below));
    if (wanted && below) shown.turn(one, false);
  }
});
const all = (shut) => shown.rows.forEach((one) =>
  one.parts.length && (!shut || one.depth) && shown.turn(one, shut));
document.getElementById("open").onclick = () => all(false);
document.getElementById("close").onclick = () => all(true);
if (shown.rows.length) shown.choose(shown.rows[0]);
document.body.dataset.ready = shown.rows.length;
