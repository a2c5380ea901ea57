"use strict";
// Rows hold texts of models. They become text nodes, never markup.

const PAGE_SIZE = 50;
// shown: the row whose texts are on the page; only that one can be marked.
// resets: changes where the run has put its rows into another order, as it does at its end.
const state = { rows: [], total: 0, resets: 0, at: -1, shown: null, staying: false, marked: [], queue: Promise.resolve(), request: 0, more: null };
const $ = (id) => document.getElementById(id);

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

function notice(text) {
  $("notice").textContent = text || "";
  $("notice").hidden = !text;
}

async function ask(address, options) {
  let reply;
  try {
    reply = await fetch(address, { ...options, credentials: "omit", cache: "no-store" });
  } catch {
    throw new Error("`autoevol view` does not answer: has it ended? Start it again, and open its new address");
  }
  const tree = await reply.json();
  if (!reply.ok) throw new Error(tree.problem);
  return tree;
}

// Filters: the form has them, and the part of the address behind #, so that a reload keeps them.

function filters() {
  const chosen = [...new FormData($("filters"))].filter(([name, value]) => value && !(name === "order" && value === "file"));
  return new URLSearchParams(chosen);
}

function restoreFilters() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const field = $("filters").elements[name];
    if (!field) continue;
    // The names of rules, rounds and methods come with the first rows.
    if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value))
      field.append(element("option", { value }, value));
    field.value = value;
  }
}

async function load() {
  const query = filters();
  const request = ++state.request;
  state.more = null;
  history.replaceState(null, "", `#${query}`);
  try {
    const tree = await ask(`rows?${new URLSearchParams([...query, ["limit", PAGE_SIZE]])}`);
    if (request !== state.request) return; // a later filter has been chosen meanwhile
    state.rows = tree.rows;
    state.total = tree.total;
    state.resets = tree.resets;
    state.at = -1;
    $("list").replaceChildren();
    addLines(0);
    showCounts(tree.counts);
    showRemarks(tree.remarks);
    notice("");
    if (state.rows.length) await select(0);
    else showNothing(tree.counts);
  } catch (error) {
    notice(error.message);
  }
}

// One request at a time: a key that is held down asks again before the rows are there.
function loadMore() {
  if (!state.more) {
    const more = fetchMore().finally(() => {
      if (state.more === more) state.more = null;
    });
    state.more = more;
  }
  return state.more;
}

async function fetchMore() {
  const last = state.rows.at(-1);
  if (!last || state.rows.length >= state.total) return false;
  const query = [...filters(), ["limit", PAGE_SIZE], ["after", last.key]];
  const request = state.request;
  const tree = await ask(`rows?${new URLSearchParams(query)}`);
  if (request !== state.request) return false;
  if (tree.resets !== state.resets) {
    const key = current()?.key;
    await load();
    const place = state.rows.findIndex((row) => row.key === key);
    if (place > 0) await select(place);
    notice("The run has put its rows into another order: the list begins anew.");
    return false;
  }
  const first = state.rows.length;
  state.rows.push(...tree.rows);
  state.total = first + tree.total;
  addLines(first);
  showCounts(tree.counts);
  return tree.rows.length > 0;
}

function addLines(first) {
  state.rows.slice(first).forEach((row, place) => $("list").append(element("li", null, line(row, first + place))));
  $("more").hidden = state.rows.length >= state.total;
  const shown = state.rows.length < state.total ? `${count(state.rows.length)} of ` : "";
  $("total").textContent = `${shown}${count(state.total)} ${state.total === 1 ? "row" : "rows"}`;
}

function line(row, place) {
  const head = element("span", { class: "head" }, ...badges(row), element("span", { class: "name" }, row.id));
  head.append(markOf(row));
  const button = element("button", { type: "button" }, head, element("span", { class: "line" }, row.text || "(no text)"));
  button.addEventListener("click", () => {
    document.body.classList.remove("listing");
    select(place);
  });
  return button;
}

function badges(row) {
  const badge = element("span", { class: `badge ${row.status}` }, row.status);
  return row.suspected ? [badge, element("span", { class: "badge suspected" }, "suspected")] : [badge];
}

function markOf(row) {
  const words = { good: "✓ good", bad: "✗ bad" }[row.label] || "";
  return element("span", { class: `mark ${row.label ? `${row.label}-ink` : ""}` }, words);
}

const count = (number) => number.toLocaleString("en");

function showCounts(counts) {
  for (const node of document.querySelectorAll("[data-count]")) {
    const name = node.dataset.count;
    node.textContent = count(name === "all" ? counts.all : counts.status[name]);
  }
  for (const name of ["rule", "round", "method"]) fillSelect(name, counts[name]);
  for (const option of $("filters").elements.mark.options)
    if (option.value) option.textContent = `${option.value} (${count(counts.mark[option.value])})`;
  const { good, bad, marked } = counts.mark;
  const { kept, failed } = counts.agreement;
  const parts = [`${count(marked)} of ${count(counts.all)} rows marked: ${count(good)} good, ${count(bad)} bad`];
  if (kept.good + kept.bad) parts.push(`kept rows: ${count(kept.bad)} of ${count(kept.good + kept.bad)} bad`);
  if (failed.good + failed.bad) parts.push(`failed rows: ${count(failed.good)} of ${count(failed.good + failed.bad)} good`);
  $("progress").textContent = parts.join(" · ");
}

function fillSelect(name, counts) {
  const field = $("filters").elements[name];
  const value = field.value;
  const options = counts.map(([text, number]) => element("option", { value: text }, `${text} (${count(number)})`));
  if (value && !counts.some(([text]) => text === value)) options.push(element("option", { value }, `${value} (0)`));
  field.replaceChildren(element("option", { value: "" }, "any"), ...options);
  field.value = value;
}

function showRemarks(remarks) {
  $("remarks").replaceChildren(...remarks.map((remark) => element("li", null, remark)));
  $("remarks").hidden = !remarks.length;
}

// The row that is shown.

function showNothing(counts) {
  state.shown = null;
  const words = counts.all ? "No row is like this. Clear the filters to see all rows." : "This run has no rows yet. Reload the page later.";
  $("detail").replaceChildren(element("p", { class: "soft" }, words));
  showActions(null);
}

async function select(place) {
  if (place < 0 || place >= state.rows.length) return;
  state.at = place;
  const row = state.rows[place];
  [...$("list").children].forEach((item, number) => item.firstChild.setAttribute("aria-current", number === place));
  $("list").children[place].scrollIntoView({ block: "nearest", behavior: "instant" });
  showActions(row);
  try {
    const details = await ask(`row?key=${encodeURIComponent(row.key)}`);
    if (state.rows[state.at] !== row) return; // another row has been chosen meanwhile
    show(row, details);
  } catch (error) {
    notice(error.message);
  }
}

const kindsNode = $("kinds");

function show(row, details) {
  const header = element("header", null, element("b", null, details.id), ...badges(details));
  header.append(element("span", null, `round ${details.round}${details.method ? ` · ${details.method}` : ""}`));
  if (details.model) header.append(element("span", null, details.model));
  header.append(markOf(row));
  const article = element("article", null, header, reasons(details));
  for (const remark of [details.note, ...details.remarks].filter(Boolean)) article.append(element("p", null, element("small", null, remark)));
  article.append(way(details));
  kindsNode.hidden = details.status === "unscored";
  $("detail").replaceChildren(article, kindsNode);
  state.shown = row;
  showActions(row);
  $("detail").scrollTo({ top: 0, behavior: "instant" });
}

function reasons(details) {
  if (!details.reasons.length) return "";
  const isSuspicion = details.status === "kept" || details.suspected;
  const list = element("ul", { class: `reasons${isSuspicion ? " suspects" : ""}` });
  for (const reason of details.reasons) {
    const meaning = reason.meaning ? element("small", null, reason.meaning) : "";
    list.append(element("li", null, element("b", null, reason.rule), ` ${reason.evidence}`, meaning));
  }
  return list;
}

function way(details) {
  const list = element("ol", { class: "way" });
  details.stages.forEach((stage, place) => {
    const isLast = place === details.stages.length - 1;
    const text = element("div", { class: `text${isLast ? " last" : ""}` });
    for (const [words, isNew] of stage.pieces) text.append(isNew ? element("ins", null, words) : words);
    if (!text.textContent) text.append(element("span", { class: "soft" }, isLast ? "(no text: the reply could not be parsed)" : "(empty)"));
    list.append(step(stage.round ? `round ${stage.round}` : "seed", stage.method, text));
  });
  const further = [["system", "", details.system], ["input", "", details.input], ["response", details.responder, details.response]];
  for (const [label, small, words] of further) if (words) list.append(step(label, small, element("div", { class: "text" }, words)));
  const isShown = details.raw && details.raw.trim() !== details.stages.at(-1).pieces.map(([words]) => words).join("").trim();
  if (isShown) list.append(step("raw reply", "", element("div", { class: "text mono" }, details.raw)));
  return list;
}

function step(label, small, text) {
  return element("li", null, element("span", { class: "label" }, label, small ? element("small", null, ` ${small}`) : ""), text);
}

function showActions(row) {
  const isMarkable = Boolean(row) && row.status !== "unscored";
  for (const button of document.querySelectorAll(".actions button")) {
    const act = button.dataset.act;
    if (act === "good" || act === "bad") {
      button.disabled = !isMarkable;
      button.setAttribute("aria-pressed", Boolean(row) && row.label === act);
    }
    if (act === "undo") button.disabled = !row?.label && !state.marked.length;
    if (act === "previous") button.disabled = state.at <= 0;
    if (act === "next") button.disabled = state.at + 1 >= state.total;
  }
  for (const button of kindsNode.querySelectorAll("button")) {
    const isOn = Boolean(row) && row[button.dataset.group].includes(button.dataset.kind);
    button.setAttribute("aria-pressed", isOn);
  }
}

// Marks: shown at once, so that the next key sees them; sent one after the other, each on the disk
// before the next one. What could not be saved is taken back.

function mark(row, label, kinds) {
  const said = { label, kinds: kinds.kinds || [], response_kinds: kinds.response_kinds || [] };
  row.saved ??= { label: row.label, kinds: row.kinds, response_kinds: row.response_kinds };
  const body = JSON.stringify({ key: row.key, ...said });
  remember(row, said);
  state.queue = state.queue.then(async () => {
    try {
      const options = { method: "POST", headers: { "Content-Type": "application/json" }, body };
      const tree = await ask("labels", options);
      row.saved = said;
      showCounts(tree.counts);
    } catch (error) {
      remember(row, row.saved);
      notice(error.message);
    }
  });
  return state.queue;
}

function remember(row, said) {
  state.marked = state.marked.filter((other) => other.key !== row.key);
  if (said.label) state.marked.push(row);
  Object.assign(row, said);
  showMark(row.key, said);
}

function showMark(key, said) {
  // Another filter may have brought the row again meanwhile, or left it out.
  const place = state.rows.findIndex((row) => row.key === key);
  const row = state.rows[place];
  if (!row) return showActions(current() || null);
  Object.assign(row, said);
  $("list").children[place].querySelector(".mark").replaceWith(markOf(row));
  if (place !== state.at) return showActions(current());
  $("detail").querySelector("article > header .mark")?.replaceWith(markOf(row));
  showActions(row);
}

const current = () => state.rows[state.at];

function label(name) {
  const row = current();
  // Whoever presses faster than the texts come has not read them.
  if (!row || row !== state.shown || row.status === "unscored") return;
  notice("");
  const kinds = name === "bad" ? { kinds: row.kinds, response_kinds: row.response_kinds } : {};
  mark(row, name, kinds);
  if (!state.staying) next();
}

function undo() {
  const row = current()?.label ? current() : state.marked.at(-1);
  if (!row) return;
  mark(row, null, {});
  const place = state.rows.findIndex((other) => other.key === row.key);
  if (place >= 0 && place !== state.at) select(place);
}

function toggleKind(button) {
  const row = current();
  if (!row || row !== state.shown) return;
  const { group, kind } = button.dataset;
  const kinds = { kinds: [...row.kinds], response_kinds: [...row.response_kinds] };
  const isOn = kinds[group].includes(kind);
  kinds[group] = isOn ? kinds[group].filter((other) => other !== kind) : [...kinds[group], kind];
  mark(row, "bad", kinds);
}

async function next() {
  try {
    if (state.at + 1 >= state.rows.length && !(await loadMore())) return;
    await select(state.at + 1);
  } catch (error) {
    notice(error.message);
  }
}

const acts = {
  next,
  previous: () => select(state.at - 1),
  good: () => label("good"),
  bad: () => label("bad"),
  undo,
  stay: () => {
    state.staying = !state.staying;
    notice(state.staying ? "After a mark the row stays. Press n to go on to the next one again." : "");
  },
  search: () => {
    document.body.classList.add("filtering");
    $("search").focus();
    $("search").select();
  },
  help: () => $("help").showModal(),
};
const KEYS = { j: "next", ArrowDown: "next", k: "previous", ArrowUp: "previous", g: "good", b: "bad", u: "undo", n: "stay", "/": "search", "?": "help" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  // On a choice of several the arrows choose, as everywhere.
  const isChoosing = event.target.matches("input[type=radio]") && event.key.startsWith("Arrow");
  const isTyping = isChoosing || event.target.matches("input[type=search], select");
  if (isTyping && event.key === "Escape") event.target.blur();
  // Under another alphabet's input method the key of g is no g.
  const isForeign = event.key === "Process" || /^[^\0-\x7f]$/u.test(event.key);
  const key = isForeign ? event.code.replace(/^Key/, "") : event.key;
  // With Caps Lock the key of g is a G.
  const act = KEYS[key.length === 1 ? key.toLowerCase() : key];
  if (isTyping || !act) return;
  event.preventDefault();
  // A key that is held down goes through the rows; it marks none of them.
  if (!event.repeat || act === "next" || act === "previous") acts[act]();
});
document.querySelector(".actions").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) acts[button.dataset.act]();
});
kindsNode.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) toggleKind(button);
});
$("more").addEventListener("click", () => loadMore().catch((error) => notice(error.message)));
$("open-help").addEventListener("click", acts.help);
$("toggle-list").addEventListener("click", () => document.body.classList.toggle("listing"));
$("toggle-filters").addEventListener("click", () => document.body.classList.toggle("filtering"));
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("filters").addEventListener("reset", () => setTimeout(load));
// Keys mark rows again as soon as the mouse has chosen; the arrows go on choosing.
let isByMouse = false;
$("filters").addEventListener("pointerdown", () => (isByMouse = true));
$("filters").addEventListener("keydown", () => (isByMouse = false));
$("filters").addEventListener("change", (event) => {
  if (isByMouse && event.target.matches("select")) event.target.blur();
  load();
});
let typing = 0;
$("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(load, 300);
});

// On a phone the text comes first.
kindsNode.open = !matchMedia("(max-width: 800px)").matches;
restoreFilters();
load();
