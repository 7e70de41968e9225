const made = (tag, name, text) => {
  const one = document.createElement(tag);
  if (name) one.className = name;
  if (text !== undefined) one.textContent = text;
  return one;
};
const time = (us) => us < 10000 ? `${us} µs` : us < 1e7 ? `${Math.floor(us / 1000)} ms`
  : `${Math.floor(us / 1e6)} s`;

/** Shows nodes as a tree; `chose` is told which one is looked at. */
const showTree = (nodes, into, chose) => {
  const rows = [];
  let chosen = null;
  const turn = (one, shut) => {
    const now = one.box.classList.toggle("shut", shut);
    one.row.querySelector(".turn").textContent = now ? "▸" : "▾";
  };
  const choose = (one) => {
    if (chosen) chosen.row.classList.remove("at");
    chosen = one;
    one.row.classList.add("at");
    one.row.scrollIntoView({ block: "nearest" });
    chose(one.node);
  };
  const grow = (node, below, depth) => {
    const box = made("div", "node");
    const row = made("div", "row");
    const parts = node.parts || [];
    row.setAttribute("role", "treeitem");
    row.append(made("span", "turn", parts.length ? "▾" : ""), made("span", "what", node.what));
    if (node.came) {
      const kind = /^(yes|holds|accept)/.test(node.came) ? " yes"
        : /^(no|fails|deny|drop|failed|implicit)/.test(node.came) ? " no" : "";
      const came = made("span", "came" + kind, "→ " + node.came.replace(/ \(tainted\)/, ""));
      if (node.whole) came.title = node.whole;
      row.append(came);
      if (/ \(tainted\)/.test(node.came)) row.append(made("span", "taint", "tainted"));
    }
    const side = [];
    if (node.took_us !== undefined) side.push(time(node.took_us));
    if (node.place) side.push(`${node.place.file.split("/").pop()}:${node.place.line}`);
    row.append(made("span", "side", side.join("  ")));
    if ((node.facts || {}).skipped) box.classList.add("skipped");
    box.append(row);
    const one = { node, box, row, parts, depth };
    rows.push(one);
    row.addEventListener("click", () => { choose(one); if (parts.length) turn(one); });
    if (parts.length) {
      const inner = made("div", "parts");
      parts.forEach((part) => grow(part, inner, depth + 1));
      box.append(inner);
      if (depth > 3) turn(one, true);
    }
    below.append(box);
  };
  nodes.forEach((node) => grow(node, into, 0));
  into.onkeydown = (event) => {
    const seen = rows.filter((one) => one.row.offsetParent !== null);
    const at = seen.indexOf(chosen);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: seen.length - 1 }[event.key];
    if (go !== undefined && seen[go]) { choose(seen[go]); event.preventDefault(); }
    if (chosen && chosen.parts.length && event.key === "ArrowRight") turn(chosen, false);
    if (chosen && chosen.parts.length && event.key === "ArrowLeft") turn(chosen, true);
  };
  return { rows, turn, choose };
};
