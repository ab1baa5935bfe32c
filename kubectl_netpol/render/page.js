"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const groups = data.groups;
const WORDS = {a: "allowed", b: "blocked", u: "undefined", "~": "mixed: pods or ports differ", "-": "no such port",
  " ": "itself"};
const SIGNS = {a: "●", b: "✕", u: "?", "~": "◐", "-": "-", " ": ""};
const CLASSES = {a: "a", b: "b", u: "u", "~": "m", "-": "n", " ": "i"};
const FEW = 60, MOST = 250, LISTED = 40;
const state = {view: data.views[0], open: new Set(), rows: [], columns: [], cell: null};
const $ = id => document.getElementById(id);
const spaces = new Map();
groups.forEach((group, place) => {
  if (!spaces.has(group.ns)) spaces.set(group.ns, []);
  spaces.get(group.ns).push(place);
});
const foldable = groups.length > FEW && spaces.size > 1;
if (!foldable) spaces.forEach((_, name) => state.open.add(name));

function node(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const part of [].concat(content ?? [])) made.append(part);
  return made;
}
const nameOf = group => data.oneNamespace ? group.name : group.ns + "/" + group.name;
const titleOf = part => part.space !== undefined ? part.space : nameOf(groups[part.places[0]]);
const count = (number, noun) => number.toLocaleString("en") + " " + noun + (number === 1 ? "" : "s");

function parts(typed) {
  const words = typed.toLowerCase().split(/[\s,]+/u).filter(Boolean);
  const found = [];
  for (const [name, places] of spaces) {
    const met = places.filter(place => {
      const group = groups[place];
      const text = (group.ns + "/" + group.name + " " + group.kind).toLowerCase();
      return !words.length || words.some(word => text.includes(word));
    });
    if (foldable && !words.length && !state.open.has(name)) found.push({space: name, places});
    else for (const place of met) found.push({places: [place]});
  }
  return found;
}

const letterAt = (from, to) => state.view.rows[from][to];
function tally(row, column) {
  const counts = {};
  for (const from of row.places) for (const to of column.places) {
    const letter = letterAt(from, to);
    counts[letter] = (counts[letter] || 0) + 1;
  }
  return counts;
}
function verdict(counts) {
  const letters = Object.keys(counts).filter(letter => letter !== " ");
  return letters.length > 1 ? "~" : letters[0] || " ";
}
function share(counts) {
  const all = Object.entries(counts).reduce((sum, [letter, n]) => letter === " " ? sum : sum + n, 0);
  const percent = Math.round(100 * (counts.a || 0) / all);
  return percent ? String(percent) : "<1";
}
const differsAt = (row, column) => data.differences && row.places.some(from =>
  column.places.some(to => state.view.differs[from + "," + to]));

function draw() {
  const typed = [$("from").value, $("to").value];
  let [rows, columns] = typed.map(text => parts(text));
  const only = $("only").value;
  if (only) {
    const has = (row, column) => only === "!" ? differsAt(row, column) : tally(row, column)[only];
    const keptRows = rows.filter(row => columns.some(column => has(row, column)));
    columns = columns.filter(column => rows.some(row => has(row, column)));
    rows = keptRows;
  }
  columns = columns.filter(column => column.places.some(place => state.view.asked[place] === "1"));
  const cut = rows.length > MOST || columns.length > MOST;
  state.rows = rows.slice(0, MOST);
  state.columns = columns.slice(0, MOST);
  state.cell = null;
  const head = node("tr", node("th", "from ↓   to →", {scope: "col"}));
  for (const [place, column] of state.columns.entries()) head.append(heading(column, "col", place));
  const body = node("tbody");
  state.rows.forEach((row, y) => {
    const line = node("tr", heading(row, "row", y));
    state.columns.forEach((column, x) => line.append(cell(row, column, y, x)));
    body.append(line);
  });
  const table = node("table", [node("thead", head), body], {role: "grid", "aria-label": "who reaches whom"});
  $("grid").replaceChildren(state.rows.length && state.columns.length ? table
    : node("p", "Nothing matches.", {id: "empty"}));
  if (cut) $("grid").append(node("p", `Only ${MOST} by ${MOST} are drawn: filter to see the others.`, {id: "empty"}));
  const first = document.querySelector("td");
  if (first) first.tabIndex = 0;
  overview();
}

function heading(part, scope, place) {
  const title = titleOf(part);
  const space = part.space !== undefined;
  const button = node("button", (space ? "▸ " : "") + title, {type: "button", title, "data-place": place});
  if (space) button.setAttribute("aria-expanded", "false");
  return node("th", button, {scope, class: space ? "space" : ""});
}

function cell(row, column, y, x) {
  const counts = tally(row, column), letter = verdict(counts), differs = differsAt(row, column);
  const many = row.places.length * column.places.length > 1;
  const made = document.createElement("td");
  const shared = many && letter === "~" && counts.a;
  made.className = CLASSES[letter] + (shared ? " share" : "") + (differs ? " differs" : "");
  made.textContent = differs ? "!" : shared ? share(counts) : SIGNS[letter];
  made.tabIndex = -1;
  made.dataset.y = y;
  made.dataset.x = x;
  return made;
}

const cellAt = (y, x) => document.querySelector(`td[data-y="${y}"][data-x="${x}"]`);

function choose(chosen) {
  for (const old of document.querySelectorAll(".chosen, .hit")) old.classList.remove("chosen", "hit");
  for (const old of document.querySelectorAll("td[tabindex='0']")) old.tabIndex = -1;
  const y = +chosen.dataset.y, x = +chosen.dataset.x;
  state.cell = [y, x];
  chosen.tabIndex = 0;
  chosen.classList.add("chosen");
  chosen.parentNode.firstChild.classList.add("hit");
  document.querySelectorAll("thead th")[x + 1].classList.add("hit");
  const row = state.rows[y], column = state.columns[x];
  const words = WORDS[verdict(tally(row, column))];
  chosen.setAttribute("aria-label", `${titleOf(row)} to ${titleOf(column)}: ${words}`);
  detail(row, column);
}

function command(from, to, port, protocol) {
  const words = ["kubectl netpol explain", ...[from, to, String(port)].map((word) => quoted(word))];
  if (protocol !== "TCP") words.push("--protocol", protocol.toLowerCase());
  return words.join(" ") + data.options;
}
// As a shell needs it: no name has such characters, but the page is for names of others.
function quoted(word) {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
function commandBox(text) {
  const button = node("button", "Copy", {type: "button"});
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousSibling);
    }
  });
  return node("div", [node("code", text), button]);
}
function tag(letter, text) {
  return node("span", (SIGNS[letter] ? SIGNS[letter] + " " : "") + (text || WORDS[letter]),
    {class: "tag " + CLASSES[letter]});
}

function detail(row, column) {
  const shown = [node("h2", `${titleOf(row)} → ${titleOf(column)}`)];
  const counts = tally(row, column), letter = verdict(counts);
  if (row.places.length * column.places.length > 1) {
    shown.push(node("p", Object.entries(counts).filter(([key]) => key !== " ").map(([key, number]) =>
      node("span", [tag(key, `${number} ${WORDS[key]}`), " "]))));
    const open = node("button", "Show the workloads", {type: "button"});
    open.addEventListener("click", () => {
      for (const part of [row, column]) if (part.space !== undefined) state.open.add(part.space);
      draw();
    });
    shown.push(open);
  } else {
    const from = row.places[0], to = column.places[0];
    shown.push(node("p", [tag(letter), " ", sizes(from, to)], {class: "quiet"}));
    for (const [key, example] of explained(from, to, letter)) {
      if (!key) shown.push(node("p", "One pair of its pods:"));
      else if (letter === "~")
        shown.push(node("p", [tag(key), ` ${example.from} → ${example.to}, port ${example.port}`]));
      shown.push(commandBox(command(example.from, example.to, example.port, example.protocol)));
    }
    for (const text of (state.view.differs || {})[from + "," + to] || [])
      shown.push(node("p", text, {class: "warning"}));
  }
  $("detail").replaceChildren(...shown);
}
function sizes(from, to) {
  return `${count(groups[from].pods.length, "pod")} to ${count(groups[to].pods.length, "pod")}`;
}
function explained(from, to, letter) {
  const known = state.view.examples[from + "," + to];
  const pods = [groups[from].pods, groups[to].pods];
  if (known) return Object.entries(known).map(([key, [here, there, protocol, port]]) =>
    [key, {from: pods[0][here], to: pods[1][there], protocol, port}]);
  if (letter === " " || letter === "-") return [];
  const [protocol, port] = state.view.port || groups[to].port;
  return [[letter === "~" ? "" : letter, {from: pods[0][0], to: pods[1][from === to ? 1 : 0], protocol, port}]];
}

function about(part) {
  const place = part.places[0], all = groups.map((_, index) => index);
  const reaches = all.filter(to => letterAt(place, to) === "a");
  const reached = all.filter(from => letterAt(from, place) === "a");
  const list = places => node("ul", [...places.slice(0, LISTED).map(index => node("li", nameOf(groups[index]))),
    ...(places.length > LISTED ? [node("li", `and ${places.length - LISTED} more`)] : [])]);
  const group = groups[place];
  $("detail").replaceChildren(
    node("h2", titleOf(part)), node("p", `${group.kind}, ${count(group.pods.length, "pod")}`, {class: "quiet"}),
    node("p", `Reaches ${reaches.length} in full:`), list(reaches),
    node("p", `Reached in full by ${reached.length}:`), list(reached));
}

function overview() {
  const counts = {}, open = [], closed = [], size = groups.length;
  for (let to = 0; to < size; to++) {
    if (state.view.asked[to] !== "1") continue;
    const own = {};
    for (let from = 0; from < size; from++) {
      const letter = letterAt(from, to);
      if (letter !== " ") own[letter] = (own[letter] || 0) + 1;
    }
    for (const [letter, number] of Object.entries(own)) counts[letter] = (counts[letter] || 0) + number;
    const letters = Object.keys(own).join("");
    if (letters === "a") open.push(to);
    if (letters === "b") closed.push(to);
  }
  const listed = "ab~u-".split("").filter(letter => counts[letter]);
  $("legend").replaceChildren(...listed.map(letter => node("li", [
    node("i", SIGNS[letter], {class: CLASSES[letter]}),
    `${counts[letter].toLocaleString("en")} ${WORDS[letter]}`])),
    ...(data.differences ? [node("li", [node("i", "!", {class: "n differs"}),
      `${data.differences} differ from the network`])] : []),
    ...(foldable ? [node("li", "numbers: percent allowed", {class: "quiet"})] : []));
  const names = places => places.slice(0, LISTED).map(place => nameOf(groups[place])).join(", ")
    + (places.length > LISTED ? ` and ${places.length - LISTED} more` : "");
  $("summary").replaceChildren(
    node("h2", "Open to all of these"), node("p", names(open) || "none", {class: "quiet"}),
    node("h2", "Reached by none of these"), node("p", names(closed) || "none", {class: "quiet"}));
}

$("grid").addEventListener("click", event => {
  const button = event.target.closest("th button"), chosen = event.target.closest("td");
  if (chosen) { chosen.focus(); choose(chosen); return; }
  if (!button) return;
  const inRow = button.closest("tbody") !== null;
  const part = (inRow ? state.rows : state.columns)[+button.dataset.place];
  if (part.space !== undefined) { state.open.add(part.space); draw(); }
  else about(part);
});
$("grid").addEventListener("focusin", event => {
  if (event.target.tagName === "TD") choose(event.target);
});
$("grid").addEventListener("keydown", event => {
  if (event.target.tagName !== "TD") return;
  const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    PageUp: [-10, 0], PageDown: [10, 0]};
  const [y, x] = state.cell;
  let next = null;
  if (steps[event.key]) next = cellAt(
    Math.min(Math.max(y + steps[event.key][0], 0), state.rows.length - 1),
    Math.min(Math.max(x + steps[event.key][1], 0), state.columns.length - 1));
  else if (event.key === "Home") next = cellAt(y, 0);
  else if (event.key === "End") next = cellAt(y, state.columns.length - 1);
  else if (event.key === "Enter" || event.key === " ") next = document.querySelector("#detail button");
  if (!next) return;
  event.preventDefault();
  next.focus();
});

data.views.forEach((view, index) => $("port").append(node("option", view.title, {value: index})));
$("port").addEventListener("change", () => { state.view = data.views[+$("port").value]; draw(); });
for (const id of ["from", "to"]) $(id).addEventListener("input", draw);
$("only").addEventListener("change", draw);
$("fold").hidden = !foldable;
$("fold").addEventListener("click", () => { state.open.clear(); $("from").value = $("to").value = ""; draw(); });
if (data.differences) $("only").append(node("option", "differs from the network", {value: "!"}));
document.addEventListener("keydown", event => {
  if (event.key === "/" && !/INPUT|SELECT/u.test(event.target.tagName)) { event.preventDefault(); $("from").focus(); }
});
draw();
