const data = JSON.parse(document.getElementById("data").textContent);
for (const sum of data.sums) {
  const box = made("div", "sum");
  const meter = made("meter");
  meter.max = Math.max(sum.of, 1);
  meter.value = sum.of ? sum.run : 1;
  const percent = sum.of ? Math.floor((sum.run * 100) / sum.of) : 100;
  box.append(made("b", "", `${percent} %`), meter,
    made("div", "", `${sum.name}: ${sum.run} of ${sum.of}`));
  document.getElementById("sums").append(box);
}
const missing = [];
for (const file of data.sources) {
  document.getElementById("files").append(made("h2", "", file.name));
  file.text.split("\n").forEach((text, at) => {
    const own = file.lines[at + 1];
    const row = made("div", "row");
    if (own && own.hits !== null) {
      row.classList.add(own.hits === 0 ? "not" : own.missing.length ? "part" : "run");
    }
    row.append(made("b", "", at + 1), made("i", "", own && own.hits !== null ? own.hits : ""),
      made("span", "", text));
    if (own && own.missing.length) {
      row.append(made("em", "", own.missing.join("; ")));
      missing.push(row);
    }
    document.getElementById("files").append(row);
  });
}
let at = -1;
document.addEventListener("keydown", (event) => {
  const step = { n: 1, p: -1 }[event.key];
  if (!step || !missing.length) return;
  if (at >= 0) missing[at].classList.remove("at");
  at = (at + step + missing.length) % missing.length;
  missing[at].classList.add("at");
  missing[at].scrollIntoView({ block: "center" });
});
document.body.dataset.ready = missing.length;
